"""Latents between two keyframes on SVD alone, with stand-in models."""

from dataclasses import replace

import pytest
import torch

from fcvg_core.models.svd import timestep
from fcvg_core.sampling import ays_sigmas
from fcvg_core.standalone.networks.mpd import denoise_plain
from fcvg_core.standalone.networks.passes import EncodedImage

LATENT = (4, 8, 16)


def random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


IMAGES = tuple(EncodedImage(random(i, 1, 1, 64), random(i + 2, 1, *LATENT)) for i in range(2))
ENDS = tuple(random(i + 4, 1, *LATENT) for i in range(2))


@pytest.fixture
def run(models_v2, settings):
    """A function that gives latents and, for each call of the UNet, its share of passes."""
    models = replace(models_v2, controlnext=None)

    def denoised(num_frames: int = 3, **changes) -> tuple[torch.Tensor, list[int]]:
        passes, generator = [], torch.Generator().manual_seed(1)
        handle = models.unet.register_forward_pre_hook(
            lambda module, args: passes.append(len(args[0]))
        )
        out = denoise_plain(
            models,
            IMAGES,
            ENDS,
            random(9, num_frames, *LATENT),
            settings(num_frames=num_frames, **changes),
            draw=lambda: torch.randn(num_frames, *LATENT, generator=generator),
        )
        handle.remove()
        return out, passes

    return denoised


class TestDenoisePlain:
    def test_passes(self, run) -> None:
        _, passes = run(steps=3)
        assert sum(passes) == 2 * (2 * 3 + 3)

    def test_ends_are_near_the_keyframes(self, run) -> None:
        out, _ = run(steps=3)
        assert torch.equal(out[:1], ENDS[0])
        torch.testing.assert_close(out[-1:], ENDS[1], rtol=0, atol=0.02)
        assert (out[1] - ENDS[0][0]).abs().max() > 0.1

    def test_windows(self, run) -> None:
        """Both ends of the video are led to the keyframes, not those of each window."""
        out, passes = run(5, steps=1, window=3, overlap=1)
        assert sum(passes) == 2 * 2 * (2 + 3)
        assert torch.equal(out[:1], ENDS[0])
        assert (out[2] - ENDS[1][0]).abs().max() > 0.1
        single, _ = run(5, steps=1)
        assert (single - out).abs().max() > 1e-3

    def test_cache_and_schedule(self, run, models_v2) -> None:
        levels = []
        handle = models_v2.unet.register_forward_pre_hook(
            lambda unet, args: levels.append(float(args[1]))
        )
        _, passes = run(steps=2, cache_interval=2, schedule="ays")
        handle.remove()
        assert sum(passes) == 10  # of 14
        assert set(levels) == {float(timestep(level)) for level in ays_sigmas(2)[:-1]}
