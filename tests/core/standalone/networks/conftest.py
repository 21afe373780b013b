"""Stand-in networks under both versions of ControlNeXt, and the settings of a short run."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from stand_ins import fill

from fcvg_core.models.controlnext import V1, ControlNeXt
from fcvg_core.settings import SamplingSettings
from fcvg_core.standalone.networks.loading import Models, check_models, fill_models

SHORT = SamplingSettings(
    num_frames=4,
    window=25,
    overlap=6,
    steps=2,
    guidance_start=3.0,
    guidance_end=3.0,
    control_weight=1.0,
    fps=7,
    motion_bucket_id=127,
    augmentation=0.02,
    noise_injection_steps=0,
    noise_injection_ratio=0.0,
    denoise=1.0,
    schedule="karras",
    guidance_from=0.0,
    guidance_until=1.0,
    forward_share=0.0,
    cache_interval=1,
)


@pytest.fixture(scope="session")
def load_stand_ins(stand_ins) -> Callable[[torch.dtype], Models]:
    """A function that loads the stand-in models in a number format."""

    def load(dtype: torch.dtype) -> Models:
        files = (
            stand_ins / name for name in ("svd", "unet.safetensors", "controlnext.safetensors")
        )
        return Models(**dict(fill_models(check_models(*files, dtype))))

    return load


@pytest.fixture(scope="session")
def models_v2(load_stand_ins) -> Models:
    return load_stand_ins(torch.float32)


@pytest.fixture(scope="session")
def make_controlnext_v1() -> Callable[[int], ControlNeXt]:
    """A function that makes a ControlNeXt of version 1 for a number of channels."""

    def make(out_channels: int) -> ControlNeXt:
        network = ControlNeXt(replace(V1, out_channels=out_channels))
        network.load_state_dict({**fill(network), "scale": torch.tensor(1.0)})
        return network.eval()

    return make


@pytest.fixture(scope="session")
def models_v1(models_v2, make_controlnext_v1) -> Models:
    return replace(models_v2, controlnext=make_controlnext_v1(64))


@pytest.fixture(params=["v1", "v2"])
def models(request) -> Models:
    """The same SVD under either version of ControlNeXt."""
    return request.getfixturevalue(f"models_{request.param}")


@pytest.fixture(scope="session")
def settings() -> Callable[..., SamplingSettings]:
    """The settings of a short run, with some of them changed."""
    return partial(replace, SHORT)
