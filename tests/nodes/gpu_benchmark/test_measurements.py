"""What is measured without a server: the reference's way, kernels, attention, and passes."""

import asyncio
from argparse import Namespace

import pytest
import torch
from stand_ins import write_stand_ins

SIZE = (64, 64)
FRAMES = 3


class TestWays:
    @pytest.mark.parametrize(
        ("way", "passes", "whole"),
        [
            ("AYS", 40, 40),
            ("AYS and interval", 28, 28),
            ("AYS and cache", 40, 20),
            ("fast", 28, 14),
        ],
    )
    def test_passes(self, module, way, passes, whole):
        ways = module("gpu_ways")
        found = ways.count_passes(ways.settings_of(way, FRAMES))
        assert found == {"passes": passes, "whole_passes": whole}

    def test_passes_of_the_plain_way(self, module):
        ways = module("gpu_ways")
        found = ways.count_passes(ways.plain_settings(FRAMES))
        assert found == {"passes": 100, "whole_passes": 100}

    @pytest.mark.parametrize("way", ["AYS", "AYS and interval", "AYS and cache", "fast"])
    def test_graphs_have_nodes_and_widgets_of_the_pack(self, module, pack, way):
        graphs, ways = module("gpu_graphs"), module("gpu_ways")
        plain = graphs.read_graph("fcvg_simple", graphs.Size(*SIZE, FRAMES, 2))
        prompt = ways.use_way(plain, way, FRAMES)
        assert "latents" in prompt
        assert not {node["class_type"] for node in prompt.values()} & set(ways.VIDEO_NODES)
        self.check_widgets(pack, prompt)
        assert plain == graphs.read_graph("fcvg_simple", graphs.Size(*SIZE, FRAMES, 2))

    def test_graph_that_decodes_in_chunks(self, module):
        graphs, ways = module("gpu_graphs"), module("gpu_ways")
        prompt = graphs.read_graph("fcvg_simple", graphs.Size(*SIZE, FRAMES, 2))
        found = ways.decode_graph(prompt, 8)
        decode = graphs.node_of(found, "FCVG_DecodeFrames")
        assert found[decode]["inputs"]["frames_per_chunk"] == 8
        assert found["seen"]["inputs"]["source"] == [decode, 0]
        assert "SaveLatent" not in {node["class_type"] for node in found.values()}
        sampler = graphs.node_of(found, "FCVG_Sampler")
        assert found[sampler] == prompt[sampler]  # so the host's cache has its result

    def check_widgets(self, pack, prompt: dict) -> None:
        schemas = [node.define_schema() for node in asyncio.run(pack.extension.get_node_list())]
        known = {schema.node_id: {x.id for x in schema.inputs} for schema in schemas}
        own = [node for node in prompt.values() if node["class_type"].startswith("FCVG_")]
        for node in own:
            assert node["inputs"].keys() <= known[node["class_type"]], node["class_type"]


class TestReference:
    def test_it_computes_what_the_headless_face_computes(self, module, tmp_path):
        """With ControlNeXt four times a step: both directions, and both halves of guidance."""
        from fcvg_core.models.svd import noisy_deviation
        from fcvg_core.sampling import karras_sigmas
        from fcvg_core.standalone.networks.denoising import denoise

        write_stand_ins(tmp_path)
        headless, reference = module("gpu_headless"), module("gpu_reference")
        names = {"SVD": "svd", "FCVG_UNET": "unet.safetensors"}
        names["FCVG_CONTROL"] = "controlnext.safetensors"
        with pytest.MonkeyPatch.context() as patch:
            for name, value in names.items():
                patch.setattr(headless, name, value)
            run = headless.Headless(models=str(tmp_path), size=[*SIZE, FRAMES], tiny=True)
            pipeline = run._load(torch.float32)
            images, control, noise = run._inputs(pipeline)
        models = pipeline.models
        settings = module("gpu_ways").plain_settings(FRAMES, steps=1)
        expected = denoise(models, images, control, noise, settings)
        frames = []
        models.controlnext.register_forward_pre_hook(lambda _, args: frames.append(len(args[0])))
        reference.use_ordinary_attention(models.unet)
        sigmas = karras_sigmas(1, lowest=0.002, highest=700.0)
        latents = noise * noisy_deviation(sigmas[0])
        latents = reference.reference_step(
            models, images, control, latents, tuple(sigmas), settings
        )
        assert frames == [2 * FRAMES] * 2  # a call for each direction, with both halves
        atol = 5e-4 * expected.std().item()
        torch.testing.assert_close(latents, expected, rtol=0, atol=atol)
        processors = {type(p).__name__ for p in models.unet.attn_processors.values()}
        assert "OneTokenAttention" not in processors

    def test_latents_that_are_not_finite_are_told(self, module):
        latents = torch.zeros(2, 4, 8, 8)
        latents[1, 2, 3, 4] = torch.nan
        with pytest.raises(ValueError, match="1 of 512 latents are not finite"):
            module("gpu_headless")._seen(latents)


class TestKernels:
    def test_a_machine_without_a_compiler_says_so(self, module):
        layer = torch.nn.Linear(4, 4).requires_grad_(False)
        x = torch.randn(2, 4)

        def no_compiler(graph, inputs):
            raise RuntimeError("\nFailed to find a C compiler.\nSet CC.")

        compiled = torch.compile(layer, backend=no_compiler)
        cpu = torch.device("cpu")
        compare = module("gpu_kernels").compare_compiled
        found = compare(lambda: [layer(x)], lambda: [compiled(x)], cpu)
        assert found["ways_s"].keys() == {"plain"}
        assert "Failed to find a C compiler" in found["not_compiled"]
        found = compare(lambda: [layer(x)], lambda: [layer(x) * 1.5], cpu)
        assert found["ways_s"].keys() == {"plain", "compiled"}
        assert found["differences"]["compiled"] > 0.1

    def test_channels_last_and_back(self, module):
        network = torch.nn.ModuleList(
            [torch.nn.Conv2d(4, 8, 3), torch.nn.Conv3d(4, 8, (3, 1, 1)), torch.nn.Linear(4, 4)]
        )
        network.requires_grad_(False)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        set_channels_last = module("gpu_kernels").set_channels_last
        set_channels_last(network, True)
        assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
        assert network[1].weight.is_contiguous(memory_format=torch.channels_last_3d)
        set_channels_last(network, False)
        assert all(value.is_contiguous() for value in network.parameters())
        for name, value in network.state_dict().items():
            assert torch.equal(value, before[name])

    @pytest.mark.parametrize(
        ("operation", "kind"),
        [
            ("aten::cudnn_convolution", "convolution"),
            ("aten::_scaled_dot_product_flash_attention", "attention"),
            ("aten::_efficient_attention_forward", "attention"),
            ("aten::bmm", "attention"),
            ("aten::addmm", "matmul"),
            ("aten::native_group_norm", "norms"),
            ("aten::copy_", "copies"),
            ("aten::cat", "copies"),
            ("aten::add", "elementwise"),
            ("aten::gelu", "elementwise"),
            ("aten::arange", "other"),
        ],
    )
    def test_kinds_of_operations(self, module, operation, kind):
        assert module("gpu_profile").kind_of(operation) == kind

    def test_a_profile_on_a_card_counts_each_kernel_once(self, module, monkeypatch):
        """Kernels are listed under the operations that start them, and by themselves."""
        profiling = module("gpu_profile")
        cpu, cuda = profiling.DeviceType.CPU, profiling.DeviceType.CUDA

        def event(key: str, device, microseconds: int) -> Namespace:
            return Namespace(
                key=key, device_type=device, self_device_time_total=microseconds, count=2
            )

        events = [
            event("aten::addmm", cpu, 3000),
            event("aten::linear", cpu, 0),
            event("aten::add", cpu, 1000),
            event("sm90_gemm", cuda, 3000),
            event("vectorized_add", cuda, 1000),
        ]

        class Profiler:
            def __init__(self, activities):
                pass

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def key_averages(self):
                return events

        monkeypatch.setattr(profiling, "profile", Profiler)
        monkeypatch.setattr(profiling, "finish", lambda device: None)
        found = profiling.profile_pass(lambda: None, torch.device("cuda"))
        assert found["groups_s"] == {"matmul": 0.003, "elementwise": 0.001}
        assert found["profiled_s"] == pytest.approx(0.004)
        assert [kernel["name"] for kernel in found["kernels"]] == ["sm90_gemm", "vectorized_add"]
        events[3:] = []
        assert "no_kernels" in profiling.profile_pass(lambda: None, torch.device("cuda"))

    def test_attention_of_a_pass(self, module):
        """The layers of the UNet hold the operations that fcvg_core.estimate counts."""
        from fcvg_core.estimate import FCVG

        attention = module("gpu_attention")
        layers = attention.layers_of((72, 128), 25, 320)
        spatial = [layer for layer in layers if layer.name.startswith("space")]
        count = sum(x.count * 4 * torch.Size(x.shape).numel() * x.shape[2] for x in spatial)
        assert count == pytest.approx(FCVG.attention * (72 * 128) ** 2 * 25, rel=0.01)
        assert max(layer.shape[0] * layer.shape[1] for layer in layers) == 9216 * 5

    def test_attention_that_needs_too_much_memory_or_another_chip(self, module, monkeypatch):
        attention = module("gpu_attention")
        monkeypatch.setattr(attention, "MAX_SCORES", 10)
        monkeypatch.setattr(attention, "SECONDS", 0.0)
        found = attention.time_attention((8, 8), 2, 64, torch.device("cpu"), torch.float32)
        assert len(found["attention_s"]["PyTorch's choice"]) == 8
        assert "too much memory" in found["not_here"]["math"]
        assert "efficient" in found["not_here"]


class TestClock:
    def test_the_median_without_the_first_call(self, module, monkeypatch):
        clock = module("gpu_clock")
        now = [0.0]
        took = iter([9.0, 1.0, 5.0, 2.0])
        monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])

        def work():
            now[0] += next(took)

        cpu = torch.device("cpu")
        assert clock.time_calls(work, cpu, seconds=7.5, least=2) == 2.0

    def test_steps(self, module, monkeypatch):
        clock = module("gpu_clock")
        now = iter([1.0, 3.0, 4.0])
        monkeypatch.setattr(clock.time, "perf_counter", lambda: next(now))
        steps = clock.StepClock(torch.device("cpu"))
        steps(1)
        steps(2)
        assert steps.steps == [2.0, 1.0]
