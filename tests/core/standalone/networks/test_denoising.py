"""One image in, a video that follows its control frames out, on stand-in models."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from memory import PeakBytes

from fcvg_core.models.controlnext import V1, ControlNeXt
from fcvg_core.settings import SamplingSettings
from fcvg_core.standalone.demo.stand_ins import fill
from fcvg_core.standalone.networks.denoising import Keyframe, denoise, steered
from fcvg_core.standalone.networks.loading import Models, load_models
from fcvg_core.standalone.networks.pipeline import AnimationPipeline, InbetweenPipeline

SIZE = (64, 128)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def models_v2(stand_ins) -> Models:
    files = (stand_ins / "svd", stand_ins / "unet.safetensors")
    return Models(**dict(load_models(*files, stand_ins / "controlnext.safetensors", torch.float32)))


@pytest.fixture(scope="module")
def models_v1(models_v2) -> Models:
    return replace(models_v2, controlnext=controlnext_v1(out_channels=64))


@pytest.fixture(params=["v1", "v2"])
def models(request) -> Models:
    """The same SVD under either version of ControlNeXt."""
    return request.getfixturevalue(f"models_{request.param}")


def controlnext_v1(out_channels: int):
    network = ControlNeXt(replace(V1, out_channels=out_channels))
    network.load_state_dict({**fill(network), "scale": torch.tensor(1.0)})
    return network.eval()


def settings(**changes) -> SamplingSettings:
    usual = {
        "num_frames": 4,
        "window": 24,
        "overlap": 6,
        "steps": 2,
        "guidance_start": 2.0,
        "guidance_end": 2.0,
        "control_weight": 1.0,
        "fps": 7,
        "motion_bucket_id": 128,
        "augmentation": 0.02,
        "noise_injection_steps": 0,
        "noise_injection_ratio": 0.0,
    }
    return SamplingSettings(**{**usual, **changes})


def random_frames(num_frames: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (num_frames, 3, *SIZE), generator=generator, dtype=torch.uint8)


@torch.no_grad()
def run(models: Models, num_frames: int, control="random", **changes) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    reference = Keyframe(
        torch.randn(1, 1, 64, generator=generator),
        torch.randn(1, 4, SIZE[0] // 8, SIZE[1] // 8, generator=generator),
    )
    noise = torch.randn(num_frames, 4, SIZE[0] // 8, SIZE[1] // 8, generator=generator)
    control = random_frames(num_frames) if isinstance(control, str) else control
    return denoise(models, (reference,), control, noise, settings(**changes))


class Calls:
    """The first sizes of what a network is called with."""

    def __init__(self, network):
        self.shapes = []
        self.handle = network.register_forward_pre_hook(
            lambda module, args: self.shapes.append(tuple(args[0].shape[:2]))
        )


class TestOneDirection:
    def test_unet_runs_once_a_window(self, models) -> None:
        calls = Calls(models.unet)
        run(models, 9, window=4, overlap=1, steps=1)
        calls.handle.remove()
        assert calls.shapes == [(2, 4)] * 3  # both halves, four frames

    def test_controlnext_runs_once_a_frame_and_step(self, models) -> None:
        calls = Calls(models.controlnext)
        run(models, 9, window=4, overlap=1, steps=2)
        calls.handle.remove()
        assert sum(shape[0] for shape in calls.shapes) == 2 * 9

    def test_fewer_frames_than_a_window(self, models) -> None:
        assert torch.equal(run(models, 3, window=24), run(models, 3, window=3, overlap=99))

    def test_pixel_values_are_the_same_as_shares(self, models) -> None:
        shares = random_frames(3).float() / 255
        assert torch.equal(run(models, 3), run(models, 3, control=shares))

    def test_control_steers(self, models) -> None:
        plain = run(models, 3, control=None)
        assert torch.equal(plain, run(models, 3, control_weight=0.0))
        assert (plain - run(models, 3)).abs().max() > 1e-2

    def test_guidance_rises_in_every_window(self, models) -> None:
        """Frame 4 begins neither window, so it is pushed as far as the ramp says."""
        flat = run(models, 7, window=4, overlap=1, steps=1)
        ramp = run(models, 7, window=4, overlap=1, steps=1, guidance_end=3.0)
        moved = (ramp - flat).abs().amax((1, 2, 3))
        assert moved[0] == 0  # at the minimum
        assert (moved[1:3] > 0).all() and (moved[4:6] > 0).all()
        assert moved[4] < moved[6]  # starts anew in the second window

    @pytest.mark.parametrize(("name", "reaches"), [("models_v1", False), ("models_v2", True)])
    def test_first_control_frame_in_later_windows(self, request, name, reaches) -> None:
        models = request.getfixturevalue(name)
        control = random_frames(7)
        other = torch.cat([255 - control[:1], control[1:]])
        one, two = (
            run(models, 7, control=frames, window=4, overlap=1, steps=1)
            for frames in (control, other)
        )
        changed = (one - two).abs().amax((1, 2, 3)) > 0
        assert changed[:4].all()
        assert changed[4:].any() == reaches


class TestUnconditionalHalf:
    @torch.no_grad()
    @pytest.mark.parametrize(("name", "acts"), [("models_v1", True), ("models_v2", False)])
    def test_control_acts(self, request, name, acts) -> None:
        models = request.getfixturevalue(name)
        network = models.controlnext
        size = [-(-length // 2**network.config.halvings) for length in (8, 16)]
        control = torch.randn(3, 64, *size, generator=torch.Generator().manual_seed(2))
        outs = []
        for strength in (0.0, 1.0):
            with steered(
                models.unet,
                control,
                strength,
                block=network.config.down_block,
                levels=network.levels(),
            ):
                outs.append(
                    models.unet(
                        torch.ones(2, 3, 8, 8, 16),
                        torch.tensor(1.0),
                        encoder_hidden_states=torch.ones(2, 1, 64),
                        added_time_ids=torch.ones(2, 3),
                    ).sample
                )
        changed = [(one - two).abs().max() > 1e-4 for one, two in zip(*outs, strict=True)]
        assert changed == [acts, True]


class TestMemory:
    def test_a_long_video_needs_that_of_one_window(self, models) -> None:
        """A frame more costs its latents and features, not the UNet's activations."""
        peaks = {}
        for num_frames, window in ((8, 8), (24, 8), (24, 24)):
            with PeakBytes() as counted:
                run(models, num_frames, window=window, overlap=1, steps=1)
            peaks[num_frames, window] = counted.peak
        a_frame = (peaks[24, 8] - peaks[8, 8]) / 16
        a_frame_in_a_window = (peaks[24, 24] - peaks[8, 8]) / 16
        assert a_frame < 100_000  # the test's own control frame is 25 kB, its features 8 kB
        assert a_frame_in_a_window > 500_000


class TestBadInput:
    def test_overlap_as_large_as_the_window(self, models_v1) -> None:
        with pytest.raises(ValueError, match="overlap by 1 to 3 frames, got an overlap of 4"):
            run(models_v1, 9, window=4, overlap=4)

    @pytest.mark.parametrize("num_frames", [0, 1])
    def test_no_video(self, models_v1, num_frames) -> None:
        with pytest.raises(ValueError, match=f"at least 2 frames, got {num_frames}"):
            run(models_v1, num_frames)

    @pytest.mark.parametrize("given", [0, 3, 5])
    def test_wrong_number_of_control_frames(self, models, given) -> None:
        with pytest.raises(ValueError, match=f"{given} control frames for a video of 4 frames"):
            run(models, 4, control=random_frames(given))

    def test_v1_over_a_unet_that_it_does_not_fit(self, models_v2) -> None:
        wrong = replace(models_v2, controlnext=controlnext_v1(out_channels=1280))
        with pytest.raises(ValueError, match="v1 gives 1280 channels, but the UNet takes 64 into"):
            run(wrong, 4)


class TestPipeline:
    def animate(self, models, control_frames: int = 5, seed: int = 5, **changes):
        random = np.random.RandomState(0)
        reference = random.randint(0, 256, (*SIZE, 3)).astype(np.uint8)
        control = random.randint(0, 256, (control_frames, *SIZE, 3)).astype(np.uint8)
        chosen = settings(**{"num_frames": control_frames, "steps": 1, **changes})
        seen = []
        frames = AnimationPipeline(models, device=CPU, offload=True)(
            reference,
            control,
            chosen,
            seed=seed,
            decode_chunk=3,
            progress=lambda *state: seen.append(state),
        )
        return np.stack([*frames]), seen

    def test_frames(self, models) -> None:
        frames, seen = self.animate(models)
        assert frames.shape == (5, *SIZE, 3) and frames.dtype == np.uint8
        assert seen == [
            ("denoising", 0, 1),
            ("denoising", 1, 1),
            *(("decoding", i, 5) for i in (0, 3, 5)),
        ]

    def test_seed_and_windows(self, models) -> None:
        frames, _ = self.animate(models, window=4, overlap=2)
        assert np.array_equal(frames, self.animate(models, window=4, overlap=2)[0])
        assert not np.array_equal(frames, self.animate(models, window=4, overlap=2, seed=6)[0])
        assert not np.array_equal(frames, self.animate(models)[0])

    def test_wrong_number_of_frames(self, models_v1) -> None:
        with pytest.raises(ValueError, match="5 control frames for a video of 4 frames"):
            self.animate(models_v1, control_frames=5, num_frames=4)

    def test_control_frames_that_are_none(self, models_v1) -> None:
        pipeline = AnimationPipeline(models_v1, device=CPU, offload=False)
        reference = np.zeros((*SIZE, 3), np.uint8)
        with pytest.raises(ValueError, match=r"expected frames \[T, H, W, 3\] uint8"):
            pipeline(reference, np.zeros((4, *SIZE), np.uint8), settings(), seed=0, decode_chunk=2)

    def test_half_precision(self, models_v1) -> None:
        halves = {
            part: network.to(torch.bfloat16) if isinstance(network, torch.nn.Module) else network
            for part, network in vars(copy.deepcopy(models_v1)).items()
        }
        frames, _ = self.animate(Models(**halves))
        assert frames.shape == (5, *SIZE, 3)

    def test_fcvg_refuses_version_1(self, models_v1) -> None:
        with pytest.raises(ValueError, match="FCVG works with v2"):
            InbetweenPipeline(models_v1, device=CPU, offload=False)
