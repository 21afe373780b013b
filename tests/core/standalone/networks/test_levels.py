"""The passes that settings make, also against a run whose passes are counted."""

import pytest
import torch

from fcvg_core.estimate import Passes
from fcvg_core.settings import FAST
from fcvg_core.standalone.networks.denoising import denoise
from fcvg_core.standalone.networks.levels import passes_of, plain_passes_of, warn_if_unguided
from fcvg_core.standalone.networks.passes import EncodedImage

WHOLE = {"num_frames": 25, "window": 25, "steps": 25}


@pytest.mark.parametrize(
    ("changes", "whole", "shallow"),
    [
        ({}, 100, 0),
        ({"schedule": "ays", "steps": 10}, 40, 0),
        ({**FAST, "cache_interval": 1}, 28, 0),
        (FAST, 14, 14),
        ({"forward_share": 0.2}, 90, 0),
        ({"noise_injection_steps": 1, "noise_injection_ratio": 0.2}, 120, 0),
        ({"denoise": 0.5}, 100, 0),
        ({"denoise": 0.0}, 0, 0),
    ],
)
def test_passes_of_settings(settings, changes, whole, shallow):
    found = passes_of(settings(**{**WHOLE, **changes}), directions=2)
    assert (found.whole, found.shallow) == (whole, shallow)


@pytest.mark.parametrize(
    "changes",
    [
        {"guidance_from": 0.2, "guidance_until": 0.6},
        {"cache_interval": 2, "guidance_from": 0.2, "guidance_until": 0.6, "forward_share": 0.4},
        {"cache_interval": 2, "noise_injection_steps": 1, "noise_injection_ratio": 0.4},
    ],
)
def test_as_many_as_a_run_makes(settings, models_v2, changes):
    """In each window; the first layer computes every pass, the middle block the whole passes."""
    chosen = settings(steps=3, num_frames=4, window=3, overlap=2, **changes)
    unet, counted = models_v2.unet, {}
    first_and_middle = unet.conv_in, unet.mid_block.resnets[0]
    handles = [
        layer.register_forward_pre_hook(
            lambda layer, inputs: counted.setdefault(layer, []).append(len(inputs[0]))
        )
        for layer in first_and_middle
    ]
    image = EncodedImage(torch.zeros(1, 1, 64), torch.zeros(1, 4, 8, 8))
    noise = torch.zeros(chosen.num_frames, 4, 8, 8)
    denoise(models_v2, (image, image), None, noise, chosen, draw=lambda: noise)
    for handle in handles:
        handle.remove()
    every, whole = (sum(counted[layer]) / (2 * chosen.window) for layer in first_and_middle)
    found = passes_of(chosen, directions=2)
    assert (found.whole, found.shallow) == (whole, every - whole)


def test_passes_of_mpd(settings):
    """130 for 25 steps; every second evaluation uses kept features where it has them."""
    assert plain_passes_of(settings(**WHOLE)) == Passes(130, shallow=0, steered=0)
    found = plain_passes_of(settings(steps=2, cache_interval=2))
    assert (found.whole, found.shallow) == (10, 4)


def test_passes_are_those_of_one_window(settings):
    long = settings(num_frames=100, window=10, steps=3)
    assert passes_of(long, directions=1) == Passes(6, shallow=0, steered=3)


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, False),
        ({"guidance_from": 0.9, "guidance_until": 0.95}, True),
        ({"guidance_from": 0.9, "guidance_until": 0.95, "denoise": 0.0}, False),
    ],
)
def test_settings_without_a_guided_step_are_said(settings, caplog, changes, warned):
    warn_if_unguided(settings(steps=3, **changes))
    assert bool(caplog.messages) is warned
