"""benchmarks/gpu.py at tiny size on the CPU, as a machine without diffusers would run it."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from argparse import Namespace

import numpy as np
import pytest
import torch
from hosts import ROOT, version

BENCHMARKS = ROOT / "benchmarks"
MISSING = ("diffusers", "accelerate", "gdown", "playwright", "pytest")
LOADERS = 8
PATIENT = ("--seconds", 500)  # of a busy machine; a minute is enough for a quiet one


@pytest.fixture(scope="module")
def benchmark_host(host):
    """The newest host, whose memory management the benchmark is about."""
    if tuple(map(int, version(host).split("."))) < (0, 33):
        pytest.skip("the benchmark is about ComfyUI 0.33 and newer")
    return host


@pytest.fixture(scope="module")
def module(benchmark_host):
    """Import a module of the benchmark: module("gpu_graphs")."""
    sys.path.append(str(BENCHMARKS))
    yield import_module
    sys.path.remove(str(BENCHMARKS))


def import_module(name: str):
    """A module of benchmarks/; gpu by its file, as a clone in a folder `gpu` is a package gpu."""
    if name != "gpu":
        return importlib.import_module(name)
    path = BENCHMARKS / "gpu.py"
    spec = importlib.util.spec_from_file_location("fcvg_gpu_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> dict:
    """Environment of a Python that lacks what a bare machine lacks."""
    folder = tmp_path_factory.mktemp("bare")
    for name in MISSING:
        (folder / f"{name}.py").write_text(f'raise ImportError("{name} is not here")\n', "utf-8")
    return {
        **os.environ,
        "PYTHONPATH": str(folder),
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("gpu")


def call(env: dict, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)


def results(folder) -> dict[str, dict]:
    """Records of gpu.jsonl by part, without the first line."""
    lines = (folder / "gpu.jsonl").read_text("utf-8").splitlines()
    return {record["part"]: record for record in map(json.loads, lines[1:])}


@pytest.fixture(scope="module")
def first(benchmark_host, bare, work) -> tuple[str, dict[str, dict]]:
    """What a call printed, and its records."""
    options = ("--tiny", "--work", work, "--out", work / "out", "--only", "default, bf16", *PATIENT)
    done = call(bare, benchmark_host, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, results(work / "out")


@pytest.mark.server
class TestProgram:
    """In this order: the second call uses the first one's models."""

    def test_every_part_goes_well(self, first):
        _, parts = first
        assert {record["status"] for record in parts.values()} == {"ok"}
        names = [name.removeprefix("default, bf16: ") for name in parts]
        assert names[:3] == ["inputs", "weights", "start"]
        assert sum(name.startswith("load ") for name in names) == LOADERS
        assert names[3 + LOADERS :] == [
            "fcvg_simple",
            "fcvg_simple again",
            "controlnext_svd_simple",
            "controlnext_svd_simple again",
            "fcvg_simple in fp8",
        ]

    def test_times_memory_and_log_are_printed_and_written(self, first):
        printed, parts = first
        assert "VRAM none" in printed
        for name, record in parts.items():
            assert name in printed
            if "simple" in name:
                assert 0 < record["step_s"] <= record["sampler_s"] <= record["seconds"]
                assert 0 < record["decode_s"] < record["seconds"]
                assert record["vram"] is None
        loaded = parts["default, bf16: load FCVG's UNet, fp8_e5m2"]["log"]
        assert "model weight dtype torch.float8_e5m2, manual cast: torch.float32" in loaded
        people = parts["default, bf16: controlnext_svd_simple"]["log"]
        assert "Poses of 2 people in images 1-4." in people
        assert any("loaded completely" in line for line in people)
        assert "\x1b" not in printed

    def test_nothing_is_left_but_models_and_logs(self, first, work):
        left = {path.suffix for path in (work / "tiny" / "base" / "output").rglob("*.*")}
        assert left == {".mp4"}  # what the graphs themselves save

    def test_a_part_that_fails_does_not_stop_the_next(self, first, benchmark_host, bare, work):
        """Also that models are made once: the damaged one is not made again."""
        damaged = work / "tiny/base/models/controlnext/fcvg_controlnext.safetensors"
        damaged.write_bytes(damaged.read_bytes()[:1000])
        out = work / "second"
        options = ("--tiny", "--work", work, "--out", out, "--only", "s ControlNeXt", *PATIENT)
        done = call(bare, benchmark_host, *options)
        assert done.returncode == 1, done.stdout + done.stderr
        parts = results(out)
        failed = parts["default, bf16: load FCVG's ControlNeXt"]
        assert failed["status"] == "failed"
        assert "FCVG_LoadControlNeXt" in failed["why"]
        assert "fcvg_controlnext.safetensors" in failed["why"]
        assert parts["default, bf16: load ControlNeXt-SVD's ControlNeXt"]["status"] == "ok"

    def test_parts_without_time_are_skipped_by_name(self, benchmark_host, bare, tmp_path):
        done = call(bare, benchmark_host, "--tiny", "--work", tmp_path, "--seconds", 0)
        parts = results(tmp_path)
        assert len(parts) == 2 + 3 + LOADERS + 2 * 2 + 1 + 2 * 2 + 2
        assert {record["status"] for record in parts.values()} == {"skipped"}
        assert "skipped  no dynamic VRAM, bf16: fcvg_simple again: no time is left" in done.stdout
        assert done.returncode == 0

    def test_without_a_card_it_says_so_in_a_sentence(self, benchmark_host, bare, tmp_path):
        done = call(bare, benchmark_host, "--work", tmp_path)
        assert done.returncode == 2
        assert done.stdout.count("\n") == 1
        assert "--tiny" in done.stdout

    @pytest.mark.parametrize("arguments", [("no-such-folder",), ("--tiny", ROOT)])
    def test_a_folder_that_is_no_host(self, bare, arguments):
        done = call(bare, *arguments)
        assert done.returncode == 2
        assert "is not a ComfyUI" in done.stderr


class TestPlan:
    def test_a_card_runs_every_mode_in_the_time_that_is_given(self, module):
        parts = module("gpu_parts")
        modes = parts.plan(None, tiny=False)
        assert [mode.name for mode in modes] == [
            "default, bf16",
            "default, fp16",
            "lowvram, bf16",
            "no dynamic VRAM, bf16",
            "8 GB, bf16",
        ]
        todo = [parts.INPUTS, parts.WEIGHTS]
        todo += [part for mode in modes for part in (parts.start(mode), *mode.parts)]
        assert sum(part.needs for part in todo if not part.spare) < 290
        for i, part in enumerate(todo):
            if part.again:  # its first run is the one before, in the same server
                assert todo[i - 1].graph == part.graph
                assert not todo[i - 1].again

    def test_spare_parts_leave_the_time_that_later_parts_need(self, module, tmp_path):
        gpu, parts = module("gpu"), module("gpu_parts")
        options = Namespace(tiny=True, work=tmp_path, out=tmp_path, seconds=30)
        benchmark = gpu.Benchmark(options)
        spare, later = (
            parts.Part("spare", 20, 60, spare=True),
            parts.Part("later", 20, 60),
        )
        benchmark._todo = [spare, later]
        limits = []
        assert not benchmark._attempt(spare, lambda limit, facts: limits.append(limit))
        assert benchmark._attempt(later, lambda limit, facts: limits.append(limit))
        assert len(limits) == 1
        assert 29 < limits[0] <= 30

    def test_a_server_that_fell_back_to_the_older_memory_management_is_told(self, module, tmp_path):
        gpu, parts, server = module("gpu"), module("gpu_parts"), module("gpu_server")
        options = Namespace(tiny=False, work=tmp_path, out=tmp_path, seconds=30)
        benchmark = gpu.Benchmark(options)
        on, off = [gpu.DYNAMIC], ["[WARNING] No working comfy-aimdo install detected."]
        for mode in parts.plan(None, tiny=False):
            right, wrong = (off, on) if "no dynamic" in mode.name else (on, off)
            benchmark._check_dynamic(mode, right)
            with pytest.raises(server.PartFailedError, match="dynamic VRAM is"):
                benchmark._check_dynamic(mode, wrong)

    def test_any_error_is_a_part_that_failed(self, module, tmp_path):
        gpu, parts = module("gpu"), module("gpu_parts")
        options = Namespace(tiny=True, work=tmp_path, out=tmp_path, seconds=30)
        benchmark = gpu.Benchmark(options)
        benchmark._todo = [parts.WEIGHTS]
        assert not benchmark._attempt(parts.WEIGHTS, lambda limit, facts: 1 / 0)
        record = json.loads((tmp_path / "gpu.jsonl").read_text("utf-8"))
        assert record["why"] == "ZeroDivisionError: division by zero"


class TestReport:
    def test_memory_is_compared_with_its_estimate(self, module, tmp_path, capsys):
        graphs, report = module("gpu_graphs"), module("gpu_report")
        found = graphs.estimate_memory(module("gpu").FULL, "default")
        assert 13.5 < found / 2**30 < 14.8  # what was measured: docs/compatibility.md
        in_fp8 = graphs.estimate_memory(module("gpu").FULL, "fp8_e4m3fn")
        weights = module("fcvg_core.estimate").FCVG.unet
        assert found - in_fp8 == weights  # bytes, one for each weight
        report.Report(tmp_path / "gpu.jsonl").add("p", "ok", vram=14 * 2**30, estimate=found)
        shown = capsys.readouterr().out
        assert f"VRAM 14.00 GB, estimate {found / 2**30:.2f} GB" in shown


# A server that takes a graph and then does what it is told.
SLOW = """
import os, sys
from aiohttp import web

async def listen(request):
    answer = web.WebSocketResponse()
    await answer.prepare(request)
    async for _ in answer:
        pass

async def take(request):
    print("a graph came", flush=True)
    {act}
    return web.json_response({{"prompt_id": "1"}})

async def stats(request):
    return web.json_response({{}})

app = web.Application()
app.add_routes([web.get("/ws", listen), web.post("/prompt", take), web.get("/system_stats", stats)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[sys.argv.index("--port") + 1]), print=None)
"""


@pytest.mark.server
class TestServer:
    def serve(self, module, tmp_path, code: str):
        server = module("gpu_server")
        (tmp_path / "main.py").write_text(code, "utf-8")
        log = tmp_path / "log"
        return server, server.Server(tmp_path, tmp_path, log, flags=(), front=tmp_path)

    def test_its_last_words_are_told(self, module, tmp_path):
        code = "raise SystemExit('no such flag')"
        server, running = self.serve(module, tmp_path, code)
        with pytest.raises(server.PartFailedError, match="no such flag"):
            running.wait(20)

    def test_it_is_stopped_when_it_does_not_start(self, module, tmp_path):
        server, running = self.serve(module, tmp_path, "import time; time.sleep(60)")
        with pytest.raises(server.PartFailedError, match="did not start in 1 s"):
            running.wait(1)
        assert not running.alive

    @pytest.mark.parametrize(
        ("act", "told"),
        [("pass", "not done after 1 s"), ("os._exit(3)", "ended while a graph ran:\na graph came")],
    )
    def test_it_is_stopped_when_a_graph_does_not_end(self, module, tmp_path, act, told):
        server, running = self.serve(module, tmp_path, SLOW.format(act=act))
        running.wait(60)
        with pytest.raises(server.PartFailedError, match=told):
            running.run({}, 1 if act == "pass" else 60)
        assert not running.alive

    def test_only_lines_that_matter_are_told_once_and_without_colours(self, module, tmp_path):
        line = r"\x1b[33m[WARNING]\x1b[0m slow\r\x1b[32m[INFO]\x1b[0m Poses of 2 people.\n"
        noise = r"got prompt\n***** ERROR *****\nModuleNotFoundError: No module named kornia\n"
        server, running = self.serve(module, tmp_path, f"print('{line}' * 2 + '{noise}')")
        with pytest.raises(server.PartFailedError):
            running.wait(20)
        assert running.log_lines() == ["[WARNING] slow", "Poses of 2 people."]
        assert running.log_lines(running.log_size()) == []


class TestCard:
    def test_the_most_memory_while_a_block_runs(self, module):
        card = module("gpu_card").Card(on_cpu=False)
        free = [90, 70, 20, 60]

        def mem_get_info(device: int) -> tuple[int, int]:
            return free.pop(0) if len(free) > 1 else free[0], 100

        card._torch = Namespace(cuda=Namespace(mem_get_info=mem_get_info))
        before = card.used()
        end = time.monotonic() + 30
        with card.peak(before) as most:
            while len(free) > 1 and time.monotonic() < end:
                time.sleep(0.01)
        assert before == 10
        assert most == [70]

    @pytest.mark.skipif(torch.cuda.is_available(), reason="would hold this card's memory")
    def test_memory_that_can_not_be_held_is_told(self, module):
        card, server = module("gpu_card"), module("gpu_server")
        with pytest.raises(server.PartFailedError, match="held"), card.hold_memory(2**33):
            pass
        with card.hold_memory(None):
            pass


class TestChecks:
    """What a benchmark that can't fail would let through."""

    SIZE = (16, 32, 3, 2)

    @pytest.fixture
    def written(self, module, tmp_path):
        """Write a video as the host does, and check it."""
        from PIL import Image
        from safetensors.numpy import save_file

        graphs, server = module("gpu_graphs"), module("gpu_server")
        folder = tmp_path / "output"
        folder.mkdir()

        def write(latents: np.ndarray, frames: np.ndarray):
            names = [f"{i}.png" for i in range(len(frames))]
            save_file({"latent_tensor": latents}, folder / "l.latent")
            for name, frame in zip(names, frames, strict=True):
                Image.fromarray(frame).save(folder / name)
            files = {
                "latents": {"latents": [{"filename": "l.latent", "subfolder": ""}]},
                "frames": {"images": [{"filename": n, "subfolder": ""} for n in names]},
            }
            run = server.Run(outputs=files)
            return graphs.check_video(run, tmp_path, graphs.Size(*self.SIZE))

        write.graphs, write.error = graphs, server.PartFailedError
        return write

    def video(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        return (
            rng.normal(size=(3, 4, 2, 4)).astype(np.float32),
            rng.integers(0, 256, (3, 16, 32, 3), dtype=np.uint8),
        )

    def test_a_usual_video(self, written):
        latents, frames = self.video()
        found = written(latents, frames)
        assert np.array_equal(found.latents, latents)
        assert np.array_equal(found.frames, frames)

    @pytest.mark.parametrize("value", [np.nan, np.inf, 6e4])
    def test_a_value_that_half_precision_lost(self, written, value):
        latents, frames = self.video()
        latents[1, 2, 0, 0] = value
        with pytest.raises(written.error, match="not finite"):
            written(latents, frames)

    def test_a_black_frame(self, written):
        latents, frames = self.video()
        frames[2] = 0
        with pytest.raises(written.error, match=r"\[2\] have only one colour"):
            written(latents, frames)

    def test_latents_that_do_not_vary(self, written):
        _, frames = self.video()
        with pytest.raises(written.error, match="almost constant"):
            written(np.zeros((3, 4, 2, 4), np.float32), frames)

    def test_a_frame_too_few(self, written):
        latents, frames = self.video()
        with pytest.raises(written.error, match="2 frames were saved, not 3"):
            written(latents, frames[:2])

    def test_two_videos(self, written):
        latents, frames = self.video()
        first, same = (written.graphs.Video(latents.copy(), frames.copy()) for _ in range(2))
        assert written.graphs.compare(first, same) is None
        latents[0, 0, 0, 0] += 0.5
        other = written.graphs.Video(latents, frames)
        assert "latents differ by up to 0.5" in written.graphs.compare(first, other)


class TestWeights:
    def test_vae_has_diffusers_own_names_and_shapes(self, module):
        from diffusers import AutoencoderKLTemporalDecoder

        with torch.device("meta"):
            network = AutoencoderKLTemporalDecoder(
                down_block_types=["DownEncoderBlock2D"] * 4,
                block_out_channels=[128, 256, 512, 512],
                layers_per_block=2,
            )
        assert module("gpu_weights").vae_shapes(tiny=False) == shapes(network)

    def test_image_encoder_has_transformers_own_names_and_shapes(self, module):
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

        weights = module("gpu_weights")
        config = weights.encoder_config(tiny=False)
        with torch.device("meta"):
            network = CLIPVisionModelWithProjection(CLIPVisionConfig(**config))
        assert weights.encoder_shapes(config) == shapes(network)

    @pytest.mark.parametrize("tiny", [False, True])
    def test_unet_has_the_sizes_that_fit_together(self, module, tiny):
        from diffusers import UNetSpatioTemporalConditionModel

        widths = [64, 128, 256, 256] if tiny else [320, 640, 1280, 1280]
        with torch.device("meta"):
            network = UNetSpatioTemporalConditionModel(
                block_out_channels=widths,
                num_attention_heads=[width // 64 for width in widths],
                cross_attention_dim=64 if tiny else 1024,
            )
        assert module("gpu_weights").unet_shapes(tiny) == shapes(network)

    def test_values_keep_activations_about_one(self, module):
        sizes = {"a.weight": (400, 300), "n.weight": (400,), "n.bias": (400,), "mix_factor": (1,)}
        draw = module("gpu_weights").draw_values
        values = draw(sizes, torch.float16, 3, "cpu")
        assert {name: tuple(value.shape) for name, value in values.items()} == sizes
        product = values["a.weight"].float() @ torch.randn(300, 400)
        assert product.std().item() == pytest.approx(1, abs=0.05)
        assert values["n.weight"].float().mean().item() == pytest.approx(1, abs=0.05)
        assert values["mix_factor"].item() == 0
        again = draw(sizes, torch.float16, 3, "cpu")
        assert all(torch.equal(values[name], again[name]) for name in sizes)


def shapes(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}
