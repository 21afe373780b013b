"""Sampling that starts from a video: Encode Frames, the guiders, the all-in-one samplers."""

from types import SimpleNamespace

import pytest
import torch
from guiding import FRAMES, Rig, apply_hook, random
from streaming import WAYS

SIZE = (64, 128)
BOXES = ("FCVG_Sampler", "FCVG_AnimateSampler")


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


def pictures(count: int, size: tuple[int, int] = SIZE, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, *size, 3, generator=torch.Generator().manual_seed(seed))


@pytest.mark.seam
class TestEncodeFrames:
    @pytest.fixture(autouse=True, params=WAYS, ids=WAYS)
    def weights_are(self, request, host, monkeypatch):
        """Encoding in a host that streams weights, too."""
        WAYS[request.param](monkeypatch)

    @pytest.fixture
    def vae(self, load, stand_ins):
        return load("nodes.host.svd.loading").load_svd_encoders(str(stand_ins / "svd"))[1]

    @pytest.fixture
    def encode(self, node_classes, vae):
        """The node: latents of pictures."""

        def run(frames: torch.Tensor, chunk: int = 2) -> torch.Tensor:
            return node_classes["FCVG_EncodeFrames"].execute(vae, frames, chunk).args[0]["samples"]

        return run

    def test_latents_are_those_of_the_hosts_node(self, encode, vae):
        frames = pictures(2)
        latents = encode(frames)
        assert latents.shape == (2, 4, 8, 16) and latents.dtype == torch.float32
        assert torch.equal(latents, vae.encode(frames))

    def test_layout_is_that_of_an_empty_video(self, load, encode):
        empty = load("nodes.host.latents").empty_video(3, SIZE)["samples"]
        latents = encode(pictures(3))
        assert latents.shape == empty.shape and latents.dtype == empty.dtype

    def test_alpha_and_values_outside(self, encode):
        frames = pictures(1)
        wide = torch.cat([frames * 1.2, torch.zeros(1, *SIZE, 1)], dim=-1)
        assert torch.equal(encode(wide), encode((frames * 1.2).clamp(0, 1)))

    def test_free_memory_does_not_matter(self, encode, vae, monkeypatch):
        import comfy.model_management

        sizes, run = [], vae.first_stage_model.encode
        monkeypatch.setattr(
            vae.first_stage_model, "encode", lambda x: sizes.append(len(x)) or run(x)
        )
        plenty = encode(pictures(5))
        monkeypatch.setattr(comfy.model_management, "get_free_memory", lambda *args: 1)
        assert torch.equal(encode(pictures(5)), plenty)
        assert sizes == [2, 2, 1] * 2

    def test_memory_runs_out(self, encode, vae, monkeypatch, caplog):
        network = vae.first_stage_model
        run = network.encode

        def small_card(pixels):
            if len(pixels) > 1:
                raise torch.cuda.OutOfMemoryError("out of memory")
            return run(pixels)

        monkeypatch.setattr(network, "encode", small_card)
        latents = encode(pictures(3))
        assert "encoded at once reduced to 1" in caplog.text
        assert torch.equal(latents, encode(pictures(3), 1))

    def test_overflow_is_encoded_in_float32(self, load, stand_ins, monkeypatch, caplog):
        import comfy.model_management as mm

        encode, loading = (load(f"nodes.host.svd.{name}") for name in ("encode", "loading"))
        monkeypatch.setattr(mm, "vae_dtype", lambda *args, **kwargs: torch.bfloat16)
        vae = loading.load_svd_encoders(str(stand_ins / "svd"))[1]
        network = vae.first_stage_model
        run = network.encode
        seen = []

        def overflowing(pixels):
            seen.append(pixels.dtype)
            return run(pixels) * (torch.nan if pixels.dtype != torch.float32 else 1)

        monkeypatch.setattr(network, "encode", overflowing)
        assert encode.encode_frames(vae, pictures(2), 2).isfinite().all()
        assert seen == [torch.bfloat16, torch.float32] and "encoding in float32" in caplog.text

    @pytest.mark.parametrize(
        ("frames", "message"),
        [
            (pictures(2) * torch.nan, "frames holds NaN or infinite"),
            (pictures(0), "frames is an empty batch"),
            (pictures(2).mul(255).byte(), "frames holds numbers of type torch.uint8"),
            (pictures(2, (64, 72)), "width must be a multiple of 64 from 64 to 4096, got 72"),
            (pictures(2, (8, 64)), "height must be a multiple of 64 from 64 to 4096, got 8"),
            ({"samples": 1}, "frames is of type dict"),
        ],
    )
    def test_bad_frames(self, encode, frames, message):
        with pytest.raises(ValueError, match=message):
            encode(frames)

    @pytest.mark.parametrize(("name", "value"), [("latent_channels", 16), ("latent_dim", 3)])
    def test_vae_of_another_model(self, encode, vae, monkeypatch, name, value):
        monkeypatch.setattr(vae, name, value)
        with pytest.raises(ValueError, match="connect the VAE that came with the SVD model"):
            encode(pictures(2))

    def test_interrupt(self, encode):
        import comfy.model_management as mm

        mm.interrupt_current_processing(True)
        with pytest.raises(mm.InterruptProcessingException):
            encode(pictures(2))


@pytest.mark.seam
@pytest.mark.parametrize("kind", ["inbetween", "animation"])
class TestGuiders:
    """Both guiders in the host's SamplerCustomAdvanced, with the sigmas of its BasicScheduler."""

    @pytest.fixture
    def run(self, load, tiny_models, kind):
        rig = Rig(load, *tiny_models)

        def sample(latents: torch.Tensor, denoise: float) -> torch.Tensor:
            import comfy.samplers

            guider = getattr(rig, kind)(rig.steer(), window=4)
            sigmas = apply_hook(
                "nodes_custom_sampler", "BasicScheduler", rig.model, "karras", 2, denoise
            )
            out = apply_hook(
                "nodes_custom_sampler",
                "SamplerCustomAdvanced",
                SimpleNamespace(seed=0, generate_noise=lambda latent: random(0, *latents.shape)),
                guider,
                comfy.samplers.sampler_object("euler"),
                sigmas,
                {"samples": latents},
            )
            return out["samples"]

        return sample

    def test_a_start_is_kept_in_part(self, run):
        start = random(5, FRAMES, 4, 8, 8)
        strong, weak = (run(start, denoise) for denoise in (0.5, 0.05))
        assert strong.shape == start.shape
        assert (weak - start).std() < (strong - start).std()
        assert (strong - run(torch.zeros_like(start), 0.5)).abs().max() > 0.1

    def test_nothing_gives_the_start_back(self, run):
        start = random(5, FRAMES, 4, 8, 8)
        assert torch.equal(run(start, 0.0), start)

    def test_from_the_highest_noise_on_a_start_hardly_counts(self, run):
        """The host adds the latent to noise that is 700 times as strong."""
        start = random(5, FRAMES, 4, 8, 8)
        empty = run(torch.zeros_like(start), 1.0)
        moved = (run(start, 1.0) - empty).abs().max() / empty.std()
        assert 0 < moved <= 1e-2


@pytest.fixture(scope="module")
def models(load, tiny_models, stand_ins):
    """MODEL, CLIP_VISION, VAE and ControlNeXt."""
    encoders = load("nodes.host.svd.loading").load_svd_encoders(str(stand_ins / "svd"))
    return tiny_models[0], *encoders, tiny_models[1]


class TestBoxes:
    @pytest.fixture(params=BOXES)
    def sample(self, request, node_classes, models):
        """An all-in-one node: the latents of a short run."""
        node = node_classes[request.param]
        model, clip_vision, vae, controlnext = models
        frame = pictures(2, seed=1)
        given = {"controlnext": controlnext, "control_frames": pictures(FRAMES, seed=2)}
        if request.param == "FCVG_Sampler":
            given |= {"first_frame": frame[:1], "last_frame": frame[1:], "num_frames": FRAMES}
        else:
            given |= {"reference_image": frame[:1]}
        inputs = node.define_schema().inputs
        widgets = {x.id: x.default for x in inputs if getattr(x, "default", None) is not None}
        del widgets["denoise"]  # as in a graph of an older release

        def run(**changes) -> torch.Tensor:
            settings = {**widgets, "height": SIZE[0], "width": SIZE[1], "steps": 2, **given}
            out = node.execute(model, clip_vision, vae, **{**settings, **changes})
            return out.args[0]["samples"]

        return run

    @pytest.fixture
    def no_model_runs(self, models, monkeypatch):
        def refuse(*args, **kwargs):
            raise AssertionError("a model is loaded")

        import comfy.model_management as mm

        for name in ("load_models_gpu", "load_model_gpu"):
            monkeypatch.setattr(mm, name, refuse)

    @pytest.mark.parametrize("windows", [{}, {"window": 4, "overlap": 2}])
    def test_the_whole_is_what_older_graphs_get(self, sample, windows):
        start = {"samples": random(5, FRAMES, 4, 8, 16), "noise_mask": torch.zeros(1, 8, 16)}
        before = sample(**windows, steps=1)
        for latent in (start, {"samples": torch.zeros(1, 4, 1, 1)}):
            out = sample(**windows, steps=1, latent_image=latent, denoise=1.0)
            assert torch.equal(out, before)

    @pytest.mark.seam
    def test_nothing_gives_the_start_back(self, sample, no_model_runs):
        start = random(5, FRAMES, 4, 8, 16)
        out = sample(latent_image={"samples": start}, denoise=0.0)
        assert torch.equal(out, start) and out is not start

    def test_a_start_is_kept_in_part(self, sample):
        latent = {"samples": random(5, FRAMES, 4, 8, 16)}
        before = latent["samples"].clone()
        far, near = (sample(latent_image=latent, denoise=x) for x in (0.8, 0.1))
        assert (near - before).std() < (far - before).std()
        assert torch.equal(latent["samples"], before)

    @pytest.mark.seam
    def test_steps_and_noise_levels_are_those_of_the_hosts_sampler(self, load, sample, monkeypatch):
        guider = load("nodes.host.guider").VideoGuider
        seen, run = [], guider.sample

        def noted(self, noise, latent_image, sampler, sigmas, *args, **kwargs):
            seen.append(sigmas)
            return run(self, noise, latent_image, sampler, sigmas, *args, **kwargs)

        monkeypatch.setattr(guider, "sample", noted)
        sample(latent_image={"samples": random(5, FRAMES, 4, 8, 16)}, denoise=0.5, steps=2)
        sample(steps=4)
        part, whole = seen
        assert torch.equal(part, whole[-3:])

    @pytest.mark.seam
    def test_a_mask_keeps_a_part_of_the_picture(self, sample):
        latent, mask = random(5, FRAMES, 4, 8, 16), torch.ones(1, 8, 16)
        mask[..., :8] = 0
        out = sample(latent_image={"samples": latent, "noise_mask": mask}, denoise=0.5)
        torch.testing.assert_close(out[..., :8], latent[..., :8], atol=1e-4, rtol=1e-4)
        assert (out[..., 8:] - latent[..., 8:]).abs().max() > 0.1

    @pytest.mark.parametrize(
        ("latent", "denoise", "message"),
        [
            (None, 0.7, "denoise is 0.7, but no video to start from is connected"),
            (None, 0.0, "denoise is 0, but no video to start from is connected"),
            (torch.zeros(3, 4, 8, 16), 0.7, r"latent_image is \(3, 4, 8, 16\), but the latents of"),
            (torch.zeros(FRAMES, 4, 8, 8), 0.7, r"of 128 x 64 pixels are \(5, 4, 8, 16\)"),
            (torch.zeros(FRAMES, 16, 8, 16), 0.0, r"latent_image is \(5, 16, 8, 16\)"),
            (torch.full((FRAMES, 4, 8, 16), torch.nan), 0.7, "values that are not numbers"),
            (torch.zeros(FRAMES, 4, 8, 16), 1.5, "denoise is 1.5: set it to a number from 0 to 1"),
            (torch.zeros(FRAMES, 4, 8, 16), float("nan"), "denoise is nan"),
        ],
    )
    def test_bad_starts(self, sample, no_model_runs, latent, denoise, message):
        latent = None if latent is None else {"samples": latent}
        with pytest.raises(ValueError, match=message):
            sample(latent_image=latent, denoise=denoise)

    def test_several_tensors(self, sample, no_model_runs):
        nested = SimpleNamespace(is_nested=True)
        with pytest.raises(ValueError, match="latent_image is several tensors"):
            sample(latent_image={"samples": nested}, denoise=0.5)
