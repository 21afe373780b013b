"""ControlNeXt-SVD in the host: the guider, the box, and what both say of bad input."""

import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from guiding import note_memory
from stand_ins import fill

from fcvg_core.models.controlnext import V1, ControlNeXt
from fcvg_core.settings import SamplingSettings
from fcvg_core.standalone.networks.denoising import denoise
from fcvg_core.standalone.networks.loading import Models, check_models, fill_models
from fcvg_core.standalone.networks.pipeline import AnimationPipeline

SIZE = (64, 128)
SETTINGS = {
    "num_frames": 5, "window": 24, "overlap": 6, "steps": 2, "guidance_start": 1.5,
    "guidance_end": 3.0, "control_weight": 1.0, "fps": 7, "motion_bucket_id": 128,
    "augmentation": 0.02, "noise_injection_steps": 0, "noise_injection_ratio": 0.0,
    "denoise": 1.0, "schedule": "karras", "guidance_from": 0.0, "guidance_until": 1.0,
    "forward_share": 0.0, "cache_interval": 1,
}  # fmt: skip
NOT_WIDGETS = (
    "noise_injection_steps", "noise_injection_ratio", "guidance_from", "guidance_until",
    "forward_share", "cache_interval",
)  # fmt: skip
RENAMED = {
    "min_guidance": "guidance_start", "max_guidance": "guidance_end", "scheduler": "schedule",
}  # fmt: skip
WIDGETS = {"seed": 5, "sampler_name": "euler"}
WINDOWS = {"num_frames": 7, "window": 4, "overlap": 2}


@pytest.fixture(scope="module")
def files(stand_ins, tmp_path_factory) -> dict:
    """A ControlNeXt file of each version that fits the stand-in, and a v1 file that does not."""
    folder = tmp_path_factory.mktemp("controlnext")
    paths = {"v2": stand_ins / "controlnext.safetensors"}
    for name, channels in (("v1", 64), ("misfit", 1280)):
        network = ControlNeXt(replace(V1, out_channels=channels))
        paths[name] = folder / f"{name}.bin"
        torch.save({**fill(network), "scale": torch.tensor(1.0)}, paths[name])
    return paths


@pytest.fixture(scope="module")
def native(load, stand_ins):
    """MODEL, CLIP_VISION and VAE of the host."""
    loading = load("nodes.host.svd.loading")
    model = loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default")
    return model, *loading.load_svd_encoders(str(stand_ins / "svd"))


@pytest.fixture(scope="module")
def controlnext(load_controlnext, files):
    """Managed ControlNeXts by name."""
    return {name: load_controlnext(str(path)) for name, path in files.items()}


def picture(seed: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (*SIZE, 3), np.uint8)


def control_frames(num_frames: int) -> np.ndarray:
    frames = [picture(10 + i) for i in range(num_frames)]
    return np.stack(frames) if frames else np.empty((0, *SIZE, 3), np.uint8)


def as_image(frames: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frames).float() / 255


@pytest.fixture
def animate(node_classes, native, controlnext):
    """The box: latents of a run; what is not named is SETTINGS."""

    def run(version: str = "v2", given: int | None = None, **changes) -> torch.Tensor:
        settings = {**SETTINGS, **WIDGETS, "height": SIZE[0], "width": SIZE[1], **changes}
        for name in NOT_WIDGETS:
            settings.pop(name)
        for widget, name in RENAMED.items():
            settings[widget] = settings.pop(name)
        num_frames = settings.pop("num_frames")
        frames = num_frames if given is None else given
        with torch.inference_mode():
            return (
                node_classes["FCVG_AnimateSampler"]
                .execute(
                    *native,
                    as_image(picture(1)[None]),
                    controlnext[version],
                    as_image(control_frames(frames)),
                    **settings,
                )
                .args[0]["samples"]
            )

    return run


@pytest.fixture
def guide(node_classes, load, native, controlnext):
    """The nodes one by one, as a graph for Sampler Custom Advanced has them: latents of a run."""

    def run(
        version="v2",
        *,
        num_frames=5,
        given=None,
        window=24,
        overlap=6,
        steps=2,
        guidance=(1.5, 3.0),
        seed=5,
        sampler="euler",
    ):
        import comfy.samplers

        model, clip_vision, vae = native
        with torch.inference_mode():
            positive, negative, latent = (
                node_classes["FCVG_EncodeReference"]
                .execute(
                    clip_vision,
                    vae,
                    as_image(picture(1)[None]),
                    SIZE[1],
                    SIZE[0],
                    num_frames,
                    7,
                    128,
                    0.02,
                    seed,
                )
                .args
            )
            frames = as_image(control_frames(num_frames if given is None else given))
            steered = node_classes["FCVG_ApplyControlNeXt"].execute(
                model, controlnext[version], frames, 1.0, 0.0, 1.0
            )
            guider = (
                node_classes["FCVG_GuideAnimation"]
                .execute(steered.args[0], positive, negative, *guidance, window, overlap)
                .args[0]
            )
            sampling = steered.args[0].get_model_object("model_sampling")
            noise = load("fcvg_core.sampling").draw_noise(seed, SIZE, num_frames).latents
            return guider.sample(
                noise,
                latent["samples"],
                comfy.samplers.sampler_object(sampler),
                comfy.samplers.calculate_sigmas(sampling, "karras", steps),
                disable_pbar=True,
                seed=seed,
            )

    return run


class TestBothFacesAgree:
    @pytest.fixture
    def pipeline(self, stand_ins, files):
        """AnimationPipeline by the version of its ControlNeXt."""

        def build(version: str) -> AnimationPipeline:
            svd, unet = stand_ins / "svd", stand_ins / "unet.safetensors"
            checked = check_models(svd, unet, files[version], torch.float32)
            parts = dict(fill_models(checked))
            return AnimationPipeline(Models(**parts), device=torch.device("cpu"), offload=False)

        return build

    @pytest.mark.parametrize("version", ["v1", "v2"])
    @pytest.mark.parametrize("changed", [{}, WINDOWS], ids=["plain", "windows"])
    def test_latents(self, load, pipeline, animate, version, changed):
        settings = {**SETTINGS, **changed}
        painter = pipeline(version)
        noise = load("fcvg_core.sampling").draw_noise(5, SIZE, settings["num_frames"])
        control = torch.from_numpy(control_frames(settings["num_frames"])).movedim(-1, 1)
        reference = painter.encode(picture(1), noise.augmentation, 0.02)
        theirs = denoise(
            painter.models, (reference,), control, noise.latents, SamplingSettings(**settings)
        )
        ours = animate(version, **changed) * 0.18215
        assert (ours - theirs).abs().max() <= 1e-3 * theirs.std()

    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_frames(self, load, native, pipeline, animate, version):
        theirs = pipeline(version)(
            picture(1), control_frames(5), SamplingSettings(**SETTINGS), seed=5, decode_chunk=2
        )
        with torch.inference_mode():
            latents = animate(version)
            ours = load("nodes.host.svd.decode").decode_frames(native[2], latents, 2)
        theirs = torch.from_numpy(np.stack([*theirs]))
        assert (ours * 255 - theirs).abs().max() <= 1.0  # theirs is rounded

    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_box_is_the_nodes_one_by_one(self, animate, guide, version):
        torch.testing.assert_close(animate(version), guide(version))


class TestGuider:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_fewer_frames_than_a_window(self, guide, version):
        assert torch.equal(
            guide(version, num_frames=3), guide(version, num_frames=3, window=3, overlap=99)
        )

    @pytest.mark.parametrize(("version", "sampler"), [("v1", "dpmpp_2m"), ("v2", "euler")])
    def test_the_first_window_is_a_video_of_its_own(self, guide, version, sampler):
        """Of the frame that windows share, what the second window predicts does not count."""
        video, alone = (
            guide(version, num_frames=count, window=4, overlap=1, sampler=sampler, steps=1)
            for count in (7, 4)
        )
        torch.testing.assert_close(video[:4], alone, rtol=1e-4, atol=1e-4)

    def test_unet_sees_no_more_than_a_window(self, guide, native):
        seen = []
        handle = native[0].model.diffusion_model.register_forward_hook(
            lambda module, args, out: seen.append(len(args[0]))
        )
        guide(num_frames=9, window=4, overlap=1, steps=1)
        handle.remove()
        assert sum(seen) == 3 * 2 * 4  # three windows, both halves
        assert max(seen) <= 2 * 4

    def test_controlnext_runs_once_a_frame_and_step(self, guide, controlnext):
        seen = []
        handle = controlnext["v1"].model.register_forward_hook(
            lambda module, args, out: seen.append(len(args[0]))
        )
        guide("v1", num_frames=9, window=4, overlap=1, steps=2)
        handle.remove()
        assert sum(seen) == 2 * 9

    def test_memory_is_asked_for_a_window(self, guide, monkeypatch):
        shapes = note_memory(monkeypatch)
        guide(num_frames=9, window=4, overlap=1, steps=1)
        assert shapes == [[4, 4, 8, 16]]

    def test_a_guider_goes_at_once(self, load, native):
        """Without waiting for the garbage collector: the host looks for models by their owners."""
        guider = load("nodes.host.guider").AnimationGuider(
            native[0], window=24, overlap=6, guidance_start=2.0, guidance_end=2.0
        )
        gone = weakref.ref(guider.model_patcher)
        del guider
        assert gone() is None


class TestControlPatch:
    def patch(self, load, native, controlnext, version: str):
        steered = load("nodes.host.controlnext.patch").steer(
            native[0],
            controlnext[version],
            as_image(control_frames(3)),
            strength=1.0,
            start_percent=0.0,
            end_percent=1.0,
        )
        patches = steered.model_options["transformer_options"]["patches"]
        return patches["input_block_patch_after_skip"][0]

    @pytest.mark.parametrize(
        ("version", "block", "size", "same"),
        [("v2", 3, (4, 8), [True, False]), ("v1", 11, (1, 2), [False, False])],
    )
    def test_acts_at_its_block_only(self, load, native, controlnext, version, block, size, same):
        """Version 1 acts on both halves, with 0.65 on the unconditional one."""
        patch = self.patch(load, native, controlnext, version)
        hidden = torch.randn(6, 64, *size, generator=torch.Generator().manual_seed(0))
        options = {"cond_or_uncond": [1, 0], "sigmas": torch.tensor([3.0])}
        with torch.inference_mode():
            for other in ({3, 11} - {block}) | {0, 6}:
                assert patch(hidden, {**options, "block": ("input", other)}) is hidden
            out = patch(hidden, {**options, "block": ("input", block)})
        halves = zip(out.chunk(2), hidden.chunk(2), strict=True)
        assert [torch.equal(a, b) for a, b in halves] == same

    def test_long_videos_leave_the_device(self, load, monkeypatch):
        patches = load("nodes.host.controlnext.patch")
        window = load("fcvg_core.sampling").Window
        monkeypatch.setattr(patches.mm, "unet_offload_device", lambda: torch.device("cpu"))
        monkeypatch.setattr(patches, "compute_features", lambda *args, **kwargs: None)
        network = SimpleNamespace(config=SimpleNamespace(out_channels=2), compute_dtype=None)
        controlnext = SimpleNamespace(model=network, load_device=torch.device("meta"))
        nothing = frozenset()
        for num_frames, kept in ((4, "meta"), (9, "cpu")):
            patch = patches.ControlPatch(
                controlnext,
                torch.zeros(num_frames, 3, 32, 32),
                strength=1.0,
                sigma_start=1.0,
                sigma_end=0.0,
            )
            current = patches.ModelPass(0, num_frames, window(0, 4), False, nothing, nothing)
            features = patch._compute(current, torch.tensor(1.0), torch.zeros(4, 2, 3, 5))
            assert features.device.type == kept and features.shape == (num_frames, 2, 3, 5)


class TestBadInput:
    @pytest.mark.parametrize("run", ["guide", "animate"])
    def test_overlap_as_large_as_the_window(self, request, run):
        with pytest.raises(ValueError, match="overlap by 1 to 3 frames, got an overlap of 4"):
            request.getfixturevalue(run)("v1", num_frames=9, window=4, overlap=4)

    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_wrong_number_of_control_frames(self, guide, version):
        with pytest.raises(ValueError, match="video has 5 frames but there are 4 control frames"):
            guide(version, num_frames=5, given=4)

    def test_no_control_frames(self, guide, animate):
        for run in (guide, animate):
            with pytest.raises(ValueError, match="control_frames is an empty batch"):
                run("v1", given=0)

    @pytest.mark.parametrize("run", ["guide", "animate"])
    def test_v1_over_a_unet_that_it_does_not_fit(self, request, run):
        with pytest.raises(ValueError, match="v1 gives 1280 channels, but the UNet takes 64 into"):
            request.getfixturevalue(run)("misfit")

    def test_model_that_is_no_svd(self, load, controlnext):
        other = type("Patcher", (), {"model": object()})()
        with pytest.raises(ValueError, match="works with Stable Video Diffusion, but the model"):
            load("nodes.host.controlnext.patch").steer(
                other,
                controlnext["v1"],
                as_image(control_frames(2)),
                strength=1.0,
                start_percent=0.0,
                end_percent=1.0,
            )

    def test_size_that_the_model_can_not_take(self, animate, node_classes):
        with pytest.raises(ValueError, match="height must be a multiple of 64 .*, got 72"):
            animate(height=72)
        with pytest.raises(ValueError, match="height must be a multiple of 64 .*, got 72"):
            node_classes["FCVG_EncodeReference"].execute(
                None, None, None, 128, 72, 5, 7, 128, 0.02, 0
            )

    def test_fcvg_sampler_refuses_version_1(self, load, native, controlnext):
        boxes = load("nodes.host.boxes")
        settings = boxes.BoxSettings(size=SIZE, sampling=SamplingSettings(**SETTINGS), **WIDGETS)
        frames = as_image(control_frames(5))
        images = dict.fromkeys(("first_frame", "last_frame"), frames[:1])
        models = boxes.SvdModels(*native)
        control = boxes.Control(controlnext["v1"], frames)
        with pytest.raises(ValueError, match="FCVG works with v2"):
            boxes.sample_inbetween(models, images, control, settings)


def test_defaults_are_those_of_the_official_code(node_classes):
    defaults = {
        name: {item.id: getattr(item, "default", None) for item in node.define_schema().inputs}
        for name, node in node_classes.items()
    }
    video = {"fps": 7, "motion_bucket_id": 128, "augmentation": 0.02, "width": 512, "height": 768}
    guidance = {"window": 24, "overlap": 6, "min_guidance": 2.0, "max_guidance": 2.0}
    assert video.items() <= defaults["FCVG_EncodeReference"].items()
    assert guidance.items() <= defaults["FCVG_GuideAnimation"].items()
    box = {**video, **guidance, "steps": 25, "sampler_name": "euler", "scheduler": "karras"}
    assert box.items() <= defaults["FCVG_AnimateSampler"].items()
