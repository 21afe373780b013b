"""One step of sampling in the way of FCVG's official code, on the project's own networks.

The maths is that of `fcvg_core.standalone.networks.denoising`. The work differs: all networks are
in float32, and ControlNeXt runs four times a step, for the frames of both directions and for both
halves of guidance. Its features of the unconditional half are not used. (The official code
multiplies them by zero.) The project runs ControlNeXt once a step: it works frame by frame, so the
features of the backward pass are those of the forward pass in reverse order. Attention to CLIP's
one token computes a query and a softmax, which the project leaves out.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402, 620-745.
"""

import torch
from torch import Tensor, nn

from fcvg_core.models.controlnext import prepare_control
from fcvg_core.models.svd import denoise_latents, noisy_deviation, timestep
from fcvg_core.sampling import Guidance, euler_step, fuse, guide
from fcvg_core.settings import SamplingSettings
from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.one_token import OneTokenAttention
from fcvg_core.standalone.networks.passes import EncodedImage
from fcvg_core.standalone.networks.steering import steered


def use_ordinary_attention(unet: nn.Module) -> None:
    """Give the UNet back the attention that diffusers has."""
    for layer in unet.modules():
        processor = getattr(layer, "processor", None)
        if isinstance(processor, OneTokenAttention):
            layer.set_processor(processor.ordinary)


@torch.no_grad()
def reference_step(
    models: Models,
    images: tuple[EncodedImage, EncodedImage],
    control_frames: Tensor,
    latents: Tensor,
    sigmas: tuple[Tensor, Tensor],
    settings: SamplingSettings,
) -> Tensor:
    """Latents [T, 4, h, w] at the next noise level.

    Args:
        models: in float32, on the device of `latents`; their UNet is changed by
            `use_ordinary_attention`.
        images: first and last keyframe.
        control_frames: uint8 [T, 3, H, W].
        latents: [T, 4, h, w], all in one window.
        sigmas: this noise level, and the next one.
        settings: their guidance, control weight and time ids count.
    """
    sigma, sigma_next = sigmas
    frames = control_frames.to(latents) / 255
    scaled = latents / noisy_deviation(sigma)
    forward = _predict(models, images[0], frames, scaled, sigma, settings)
    backward = _predict(models, images[1], frames.flip(0), scaled.flip(0), sigma, settings)
    denoised = denoise_latents(fuse(forward, backward.flip(0)), latents, sigma)
    return euler_step(latents, denoised, sigma, sigma_next)


def _predict(
    models: Models,
    image: EncodedImage,
    frames: Tensor,
    scaled: Tensor,
    sigma: Tensor,
    settings: SamplingSettings,
) -> Tensor:
    """v-prediction [T, 4, h, w] of one direction; all tensors are in the direction's order."""
    unet, network = models.unet, models.controlnext
    time = timestep(sigma).to(scaled.device)
    features = network(torch.cat([frames, frames]), time)[len(frames) :]
    control = prepare_control(features, network.config.hidden_size(tuple(scaled.shape[2:])))
    repeated = image.latent.expand(len(scaled), -1, -1, -1)
    halves = [torch.cat([scaled, x], dim=1) for x in (torch.zeros_like(repeated), repeated)]
    ids = (settings.fps - 1, settings.motion_bucket_id, settings.augmentation)
    with steered(unet, network, control, settings.control_weight):
        uncond, cond = unet(
            torch.stack(halves),
            time,
            encoder_hidden_states=torch.cat([torch.zeros_like(image.embedding), image.embedding]),
            added_time_ids=scaled.new_tensor([ids, ids]),
            return_dict=False,
        )[0]
    guidance = Guidance(settings.guidance_start, settings.guidance_end)
    return guide(cond, uncond, guidance.ramp(scaled))
