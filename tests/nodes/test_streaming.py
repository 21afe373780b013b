"""Models of a host that streams weights do what they do elsewhere. `streaming.py` simulates it.

The loaders' own tests run both ways in `test_loading.py`, the decoding's in `test_decode.py`.
"""

import shutil

import pytest
import torch
from comfy_server import ComfyServer, make_small, read_workflow
from guiding import compute_in_half
from safetensors.torch import load_file, save_file
from streaming import WAYS, make_streaming_host, stream_as_on_a_card, stream_weights

# Latents are up to 6. A memory map's tensors may lie at any address, which changes the order in
# which a CPU sums up: 2e-4 here, and 0 if the same tensors are copied first.
EXACT, MAPPED = 1e-5, 1e-3
FORMATS = [torch.float32, torch.float16, torch.bfloat16]
NAMES = {"fp8_e4m3fn": torch.float8_e4m3fn, "fp8_e5m2": torch.float8_e5m2}


@pytest.fixture(scope="module")
def loading(load):
    return load("nodes.host.svd.loading")


@pytest.fixture(scope="module")
def in_formats(stand_ins, tmp_path_factory):
    """A folder of the stand-ins in every number format that published files have."""
    folder = tmp_path_factory.mktemp("formats")
    for dtype in FORMATS:
        target = folder / str(dtype)
        shutil.copytree(stand_ins, target, ignore=shutil.ignore_patterns("*.tar", "*.onnx"))
        for path in target.rglob("*.safetensors"):
            save_file({k: v.to(dtype) for k, v in load_file(path).items()}, path)
    return folder


@pytest.fixture(scope="module")
def streaming_server(host, stand_ins, gluestick_files, dwpose_files, tmp_path_factory):
    """A started ComfyUI that streams weights, with the pack and the stand-ins."""
    copy = make_streaming_host(host, tmp_path_factory.mktemp("streaming"))
    with ComfyServer(copy, tmp_path_factory.mktemp("comfy"), stand_ins) as running:
        yield running


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture
def on_a_card(host, monkeypatch):
    """Half precision everywhere."""
    compute_in_half(monkeypatch)


def sample(model, steps: int = 2) -> torch.Tensor:
    """Latents by the host's own guider."""
    import comfy.samplers

    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(3, 4, 8, 8, generator=draw)
    given = {
        "concat_latent_image": torch.randn(1, 4, 8, 8, generator=draw),
        "motion_bucket_id": 127,
        "fps": 6,
        "augmentation_level": 0.0,
    }
    embedding = torch.randn(1, 1, 64, generator=draw)
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds([[embedding, given]], [[torch.zeros_like(embedding), given]])
    guider.set_cfg(2.0)
    sigmas = torch.linspace(3.0, 0.0, steps + 1)
    euler = comfy.samplers.sampler_object("euler")
    return guider.sample(noise, torch.zeros_like(noise), euler, sigmas, seed=0, disable_pbar=True)


def run_all(load, folder) -> dict[str, torch.Tensor]:
    """What every kind of model makes of fixed inputs."""
    loading = load("nodes.host.svd.loading")
    clip_vision, vae = loading.load_svd_encoders(str(folder / "svd"))
    draw = torch.Generator().manual_seed(1)
    pixels = torch.rand(3, 64, 64, 3, generator=draw)
    loader = load("nodes.host.controlnext.loading")
    controlnext = loader.load_controlnext(str(folder / "controlnext.safetensors"))
    control = pixels.movedim(-1, 1).to(controlnext.model.compute_dtype)
    model = loading.load_unet(str(folder / "unet.safetensors"), None, "default")
    steered = load("nodes.host.controlnext.patch").steer(
        model, controlnext, pixels, strength=1.0, start_percent=0.0, end_percent=1.0
    )
    latents = torch.randn(3, 4, 8, 8, generator=draw)
    return {
        "clip": clip_vision.encode_image(pixels).image_embeds,
        "encoded": vae.encode(pixels),
        "decoded by the host": vae.decode(latents),
        "decoded": load("nodes.host.svd.decode").decode_frames(vae, latents, 2),
        "controlnext": controlnext.model(control, torch.tensor(0.1)),
        "latents": sample(model),
        "steered latents": sample(steered),
    }


@pytest.fixture(scope="module")
def plain_results(load, in_formats):
    """What `run_all` gives without streaming, computed once for each case."""
    found = {}

    def get(dtype: torch.dtype, case: str) -> dict[str, torch.Tensor]:
        if (dtype, case) not in found:
            found[dtype, case] = run_all(load, in_formats / str(dtype))
        return found[dtype, case]

    return get


@pytest.mark.parametrize("stream", [stream_weights, stream_as_on_a_card])
class TestSameNumbers:
    @pytest.mark.parametrize("dtype", FORMATS, ids=str)
    def test_in_float32(self, load, in_formats, plain_results, monkeypatch, stream, dtype):
        plain = plain_results(dtype, "float32")
        stream(monkeypatch)
        streamed = run_all(load, in_formats / str(dtype))
        for name, value in plain.items():
            assert value.isfinite().all(), name
            near = EXACT if stream is stream_weights else MAPPED
            assert (streamed[name] - value).abs().max() <= near, name

    @pytest.mark.parametrize("dtype", FORMATS, ids=str)
    def test_in_half_precision(
        self, load, in_formats, plain_results, monkeypatch, on_a_card, stream, dtype
    ):
        plain = plain_results(dtype, "half precision")
        stream(monkeypatch)
        streamed = run_all(load, in_formats / str(dtype))
        assert streamed["controlnext"].dtype == torch.float16
        for name, value in plain.items():
            assert value.isfinite().all(), name
            near = EXACT if stream is stream_weights else MAPPED
            assert (streamed[name] - value).abs().max() <= near, name

    def test_line_matches(self, load, gluestick_files, monkeypatch, stream):
        gluestick = load("nodes.host.gluestick")
        frames = torch.randint(0, 256, (2, 96, 96, 3), dtype=torch.uint8).numpy()
        paths = [str(path) for path in gluestick_files]
        plain = gluestick.match_lines(gluestick.load_gluestick(*paths), *frames, threshold=0.0)
        stream(monkeypatch)
        streamed = gluestick.match_lines(gluestick.load_gluestick(*paths), *frames, threshold=0.0)
        assert torch.equal(plain.lines1, streamed.lines1)


class TestFormats:
    """Weights are in the format that they are meant to have, streamed or not."""

    @pytest.fixture(autouse=True, params=WAYS, ids=WAYS)
    def weights_are(self, request, host, monkeypatch):
        WAYS[request.param](monkeypatch)

    @staticmethod
    def formats(network) -> set[torch.dtype]:
        return {p.dtype for key, p in network.named_parameters() if not key.endswith("mix_factor")}

    @pytest.mark.parametrize("dtype", FORMATS, ids=str)
    @pytest.mark.parametrize("name", NAMES)
    def test_fp8(self, loading, in_formats, dtype, name):
        path = in_formats / str(dtype) / "unet.safetensors"
        network = loading.load_unet(str(path), None, name).model.diffusion_model
        assert self.formats(network) == {NAMES[name]}
        mixers = {p.dtype for k, p in network.named_parameters() if k.endswith("mix_factor")}
        assert mixers == {torch.float32}

    @pytest.mark.parametrize("dtype", FORMATS, ids=str)
    def test_half_precision(self, load_controlnext, loading, in_formats, on_a_card, dtype):
        folder = in_formats / str(dtype)
        unet = loading.load_unet(str(folder / "unet.safetensors"), None, "default")
        assert self.formats(unet.model.diffusion_model) == {torch.float16}
        assert sample(unet).isfinite().all()
        controlnext = load_controlnext(str(folder / "controlnext.safetensors"))
        assert self.formats(controlnext.model) == {torch.float16}
        vae = loading.load_svd_encoders(str(folder / "svd"))[1]
        assert {p.dtype for p in vae.first_stage_model.parameters()} == {torch.bfloat16}
        assert vae.decode(torch.zeros(1, 4, 8, 8)).isfinite().all()

    def test_gluestick_in_half_precision(self, load, gluestick_files, on_a_card):
        paths = [str(path) for path in gluestick_files]
        network = load("nodes.host.gluestick").load_gluestick(*paths).model
        assert self.formats(network) == {torch.float16}
        assert {x.dtype for x in network.buffers()} == {torch.float32}

    def test_file_in_fp8(self, loading, stand_ins, tmp_path):
        """All tensors in fp8 and no scales, as some published UNets are."""
        rounded = {
            k: v.to(torch.float8_e4m3fn)
            for k, v in load_file(stand_ins / "unet.safetensors").items()
        }
        out = []
        for name, dtype in (("fp8", torch.float8_e4m3fn), ("fp32", torch.float32)):
            path = tmp_path / f"{name}.safetensors"
            save_file({k: v.to(dtype) for k, v in rounded.items()}, path)
            out.append(sample(loading.load_unet(str(path), None, "default")))
        torch.testing.assert_close(*out, rtol=0, atol=MAPPED)

    def test_weights_of_a_plain_patcher_can_be_written_to(
        self, load_controlnext, loading, stand_ins
    ):
        """A memory map of a file can't: the process would end."""
        patcher = load_controlnext(str(stand_ins / "controlnext.safetensors"))
        if getattr(patcher, "is_dynamic", bool)():
            pytest.skip("this patcher leaves the file's memory maps as they are")
        for weight in patcher.model.parameters():
            weight.data.add_(1)
        again = load_controlnext(str(stand_ins / "controlnext.safetensors"))
        for first, second in zip(patcher.model.parameters(), again.model.parameters(), strict=True):
            torch.testing.assert_close(first, second + 1)


class TestLoadingAgain:
    """The host asks for the same weights again: for another card, or without streaming."""

    @pytest.fixture(autouse=True, params=[stream_weights, stream_as_on_a_card])
    def weights_are(self, request, host, monkeypatch):
        request.param(monkeypatch)

    @pytest.fixture
    def patchers(
        self, load_controlnext, load, loading, stand_ins, gluestick_files, tmp_path
    ) -> dict:
        weights = load_file(stand_ins / "unet.safetensors")
        part = {k: v for k, v in weights.items() if "attn1" in k or "mix_factor" in k}
        save_file(part, tmp_path / "part.safetensors")
        unet = stand_ins / "svd" / "unet" / "diffusion_pytorch_model.safetensors"
        svd = loading.load_unet(str(unet), None, "default")
        clip_vision, vae = loading.load_svd_encoders(str(stand_ins / "svd"))
        return {
            "unet": loading.load_unet(str(stand_ins / "unet.safetensors"), None, "fp8_e4m3fn"),
            "part": loading.load_unet(str(tmp_path / "part.safetensors"), svd, "default"),
            "svd": svd,
            "controlnext": load_controlnext(str(stand_ins / "controlnext.safetensors")),
            "clip": clip_vision.patcher,
            "vae": vae.patcher,
            "gluestick": load("nodes.host.gluestick").load_gluestick(
                *(str(path) for path in gluestick_files)
            ),
        }

    def test_for_another_card(self, patchers):
        for name, patcher in patchers.items():
            self.check(name, patcher, patcher.deepclone_multigpu(torch.device("cpu")))

    def test_without_streaming(self, patchers):
        from comfy.model_patcher import ModelPatcher

        for name, patcher in patchers.items():
            load_again, arguments = patcher.cached_patcher_init[:2]
            again = load_again(*arguments, disable_dynamic=True)
            assert type(again) is ModelPatcher, name
            self.check(name, patcher, again)

    @staticmethod
    def check(name, patcher, again):
        assert again.model is not patcher.model, name
        first, second = patcher.model.state_dict(), again.model.state_dict()
        assert first.keys() == second.keys(), name
        for key, value in first.items():
            assert value.dtype == second[key].dtype, (name, key)
            assert torch.equal(value.float(), second[key].float()), (name, key)
            assert value.data_ptr() != second[key].data_ptr(), (name, key)

    def test_a_steered_model(self, load, patchers):
        steered = load("nodes.host.controlnext.patch").steer(
            patchers["part"],
            patchers["controlnext"],
            torch.rand(3, 64, 64, 3),
            strength=1.0,
            start_percent=0.0,
            end_percent=1.0,
        )
        again = steered.deepclone_multigpu(torch.device("cpu"))
        torch.testing.assert_close(sample(again), sample(steered), rtol=0, atol=MAPPED)


@pytest.mark.server
class TestServer:
    @pytest.mark.parametrize(
        "name", ["fcvg_simple.json", "fcvg_inbetween.json", "controlnext_svd_simple.json"]
    )
    def test_graph(self, streaming_server, name):
        history = streaming_server.run(make_small(read_workflow(f"api/{name}")))
        assert history["status"]["status_str"] == "success", history["status"]
        assert "Weights are streamed." in streaming_server.written()
