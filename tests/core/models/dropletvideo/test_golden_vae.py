"""The VAE, and what its latents become, against the official code."""

import pytest
import torch
from dropletvideo_cases import each_pipeline_case, each_vae_case, shapes

from fcvg_core.models.dropletvideo.conditioning import (
    augment,
    concat_conditions,
    condition_frames,
    mask_latents,
)
from fcvg_core.models.dropletvideo.vae import VideoVae

# Input -> what the case holds of it, by the names of the case; `decode` takes latents.
ENCODED = (
    ("in_video", "out_moments", "encode_moments"),
    ("in_video", "out_mode", "encode"),
    ("in_frame", "out_mode_1frame", "encode"),
    ("out_mode", "out_decoded", "decode"),
    ("out_mode_1frame", "out_decoded_1frame", "decode"),
    ("in_z", "out_decoded_z", "decode"),
)


def vae_of(case) -> VideoVae:
    vae = VideoVae(case.vae_config)
    vae.load_state_dict(case.vae_weights(shapes(vae)))
    return vae.eval()


@each_vae_case()
@torch.inference_mode()
def test_vae(case) -> None:
    tensors, vae = dict(case.tensors), vae_of(case)
    if "in_video" in tensors:
        tensors["in_frame"] = tensors["in_video"][:, :, :1]
    held = [(given, out, name) for given, out, name in ENCODED if out in tensors]
    assert held
    for given, out, name in held:
        case.check(getattr(vae, name)(tensors[given]), tensors[out])


@each_pipeline_case()
@torch.inference_mode()
def test_conditions(case) -> None:
    picture = case.image.permute(2, 0, 1) / 127.5 - 1
    latents = vae_of(case).encode(condition_frames(picture, None, case.num_frames))
    scale = case.scaling_factor
    mask = mask_latents(case.num_frames, latents.shape[3:], has_last=False, scale=scale)
    case.check_conditions(concat_conditions(mask, latents * scale))


@pytest.mark.parametrize("seed", [0, 7])
def test_augmentation_is_the_official_one_after_a_seed(seed) -> None:
    """The official code draws from the common generator, in the order of [1, 3, F, H, W]."""
    video = condition_frames(torch.rand(3, 4, 6), None, 5)
    torch.manual_seed(seed)
    noise = torch.where(video == -1, 0, torch.randn_like(video) * 0.0563)
    assert torch.equal(augment(video, 0.0563, seed), video + noise)
