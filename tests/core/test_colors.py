"""Colours of a clip, brought to an even ramp between those of its keyframes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from fcvg_core.colors import ramp_colors, to_linear, to_srgb
from fcvg_core.frames import to_image
from fcvg_core.motion import Camera, move_picture
from fcvg_core.standalone.demo.scene import draw_scene

SIZE = (96, 160)
NUM_FRAMES = 13
LAST_LIGHT = torch.tensor([0.75, 0.65, 0.55])  # of the first frame's: evening


def clip(*, moves: bool, flickers: bool) -> Tensor:
    """A drawn town at dusk, [T, *SIZE, 3] in 0..1; the light of a flickering clip is another."""
    town = draw_scene(3, SIZE)
    camera = Camera(pan=(-0.08, 0.0), zoom=1.1) if moves else Camera()
    generator = torch.Generator().manual_seed(0)
    frames = []
    for time in torch.linspace(0, 1, NUM_FRAMES):
        picture = to_image(move_picture(town, camera, float(time), "reflect")[None])[0]
        frame = to_srgb(to_linear(picture) * torch.lerp(torch.ones(3), LAST_LIGHT, time))
        if flickers:  # exposure, cast and gradation, not in light but as a model errs
            gain = 0.95 + 0.08 * torch.rand(3, generator=generator)
            gradation = 0.92 + 0.16 * torch.rand(1, generator=generator)
            frame = (frame**gradation * gain).clamp(0, 1)
        frames.append(frame)
    return torch.stack(frames)


def matched(frames: Tensor, ends: Tensor, at=(0, NUM_FRAMES - 1)) -> Tensor:
    return torch.stack(list(ramp_colors(frames, [ends[i] for i in at], at)))


def with_ends(frames: Tensor, truth: Tensor) -> Tensor:
    """The frames, with both keyframes put back."""
    return torch.cat([truth[:1], frames[1:-1], truth[-1:]])


def means(frames: Tensor) -> Tensor:
    """[T, 3], in levels of 0..255."""
    return frames.mean(dim=(1, 2)) * 255


def jump(frames: Tensor, truth: Tensor) -> float:
    """Largest step of a channel's mean at both ends, beyond the step of the truth, in levels."""
    steps = (means(with_ends(frames, truth)) - means(truth)).diff(dim=0)[[0, -1]]
    return float(steps.abs().max())


def flicker(frames: Tensor, truth: Tensor) -> float:
    """Mean of how much the error of a channel's mean changes from frame to frame, in levels."""
    return float((means(frames) - means(truth)).diff(dim=0).abs().mean())


def psnr(frames: Tensor, truth: Tensor) -> float:
    return float(-10 * torch.log10((frames - truth).square().mean()))


class TestRampColors:
    @pytest.mark.parametrize("moves", [False, True])
    def test_a_flicker_is_gone(self, moves):
        truth = clip(moves=moves, flickers=False)
        before = clip(moves=moves, flickers=True)
        after = matched(before, truth)
        assert jump(before, truth) > 5 and flicker(before, truth) > 3
        assert jump(after, truth) < 0.5
        assert flicker(after, truth) < 0.6
        assert psnr(after, truth) > psnr(before, truth) + 8

    def test_a_clip_on_the_ramp_stays(self):
        truth = clip(moves=False, flickers=False)
        after = matched(truth, truth)
        assert (after - truth).abs().max() * 255 < 1

    def test_several_keyframes_have_a_ramp_between_each_two(self):
        truth = clip(moves=False, flickers=False)
        bent = truth.clone()
        bent[4] = to_srgb(to_linear(truth[4]) * 0.5)
        after = matched(truth, bent, at=(0, 4, 12))
        light = to_linear(after).mean(dim=(1, 2, 3))
        assert torch.allclose(light[4], to_linear(bent[4]).mean(), atol=1e-3)
        assert torch.allclose(light[2], (light[0] + light[4]) / 2, atol=1e-3)
        assert torch.allclose(light[8], (light[4] + light[12]) / 2, atol=1e-3)

    def test_values_by_hand(self):
        start = torch.full((2, 2, 3), 0.0)
        end = to_srgb(torch.full((4, 4, 3), 0.5))
        grey = torch.full((2, 2, 3), 0.9)
        after = list(ramp_colors([grey] * 3, [start, end], (0, 2)))
        for frame, light in zip(after, (0.0, 0.25, 0.5), strict=True):
            assert torch.allclose(to_linear(frame), torch.full((2, 2, 3), light), atol=1e-6)

    def test_a_blurred_frame_is_not_torn_apart(self):
        stripes = torch.zeros(8, 8, 3)
        stripes[::2] = 1
        nearly_flat = 0.5 + 0.01 * stripes
        first, _ = ramp_colors([nearly_flat] * 2, [stripes, stripes], (0, 1))
        spread = to_linear(nearly_flat).std() * 2
        assert torch.allclose(to_linear(first).std(), spread, rtol=0.01)

    def test_clamped_colours_leave_the_mean_on_the_ramp(self):
        """With the contrast of the keyframe a small lamp would be whiter than white."""
        half, lamp = torch.full((10, 10, 3), 0.3), torch.full((10, 10, 3), 0.3)
        half[:5], lamp[:2] = 0.9, 0.9
        (found, _) = ramp_colors([to_srgb(lamp)] * 2, [to_srgb(half)] * 2, (0, 1))
        assert found.max().item() == pytest.approx(1)
        assert to_linear(found).mean().item() == pytest.approx(0.6, abs=1e-3)

    def test_frames_are_read_one_by_one_and_not_written(self):
        frames = clip(moves=False, flickers=True)
        before = frames.clone()
        read = []
        source = (read.append(number) or frame for number, frame in enumerate(frames))
        made = ramp_colors(source, frames[:2], (0, 12))
        next(made)
        assert read == [0]
        assert torch.equal(frames, before)

    @pytest.mark.parametrize("at", [(0,), (1, 2), (0, 5, 5), (0, 5, 3)])
    def test_bad_numbers(self, at):
        with pytest.raises(ValueError, match="expected rising numbers of frames from 0 on"):
            ramp_colors([], torch.zeros(len(at), 4, 4, 3), at)

    def test_other_numbers_of_pictures(self):
        pictures = torch.zeros(3, 4, 4, 3)
        with pytest.raises(ValueError, match="expected 2 keyframes, got 3"):
            ramp_colors([], pictures, (0, 2))
        with pytest.raises(ValueError, match="expected 2 frames, got more"):
            list(ramp_colors(pictures, pictures[:2], (0, 1)))


def test_light_is_that_of_srgb():
    assert float(to_linear(torch.tensor(0.5))) == pytest.approx(0.21404, abs=1e-5)
    assert float(to_linear(torch.tensor(0.04))) == pytest.approx(0.04 / 12.92)
    values = torch.linspace(0, 1, 1001)
    assert np.allclose(to_srgb(to_linear(values)), values, atol=1e-5)
