"""The host's UNet of SVD with random weights, and inputs of one pass, without a server."""

import sys
from pathlib import Path

import torch
from gpu_weights import CONTEXT, TINY_CONTEXT, unet_shapes

TIME_IDS = 768  # numbers of the three time ids


def build_unet(host: Path, device: torch.device, dtype: torch.dtype, *, tiny: bool):
    """The host's UNet; on a device that holds values, with random weights.

    The layers are the host's without its memory management: all weights are on the device.
    """
    comfy = use_host(host, on_cpu=device.type != "cuda")
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    from fcvg_core.models.svd import rename_unet

    named = {k: torch.empty(s, device="meta") for k, s in unet_shapes(tiny).items()}
    sizes = comfy.model_detection.detect_unet_config(rename_unet(named), "")
    config = comfy.supported_models.SVD_img2vid(sizes).unet_config
    network = UNetModel(
        **{**config, "dtype": dtype},
        device=device,
        operations=comfy.ops.disable_weight_init,
    )
    if device.type != "meta":
        fill(network)
    return network.eval().requires_grad_(False)


@torch.no_grad()
def fill(network: torch.nn.Module) -> None:
    """Random weights that keep activations about 1; see `gpu_weights.draw_values`."""
    for name, value in network.named_parameters():
        if value.ndim >= 2:
            value.normal_(std=value[0].numel() ** -0.5)
        elif name.endswith("mix_factor"):
            value.zero_()
        else:
            value.fill_(float(name.endswith("weight")))


def pass_inputs(
    size: tuple[int, int, int], device: torch.device, dtype: torch.dtype, *, tiny: bool
) -> dict:
    """Keyword arguments of the UNet for one pass of a video (height, width, frames)."""
    height, width, frames = size
    context = TINY_CONTEXT if tiny else CONTEXT
    options = {"device": device, "dtype": dtype}
    return {
        "x": torch.randn(frames, 8, height // 8, width // 8, **options),
        "timesteps": torch.ones(frames, device=device),
        "context": torch.randn(frames, 1, context, **options),
        "y": torch.randn(frames, TIME_IDS, **options),
        "num_video_frames": frames,
    }


def use_host(host: Path, *, on_cpu: bool):
    """The host's package `comfy`, with PyTorch's own attention as on a GPU."""
    if str(host) not in sys.path:
        sys.path.insert(0, str(host))
    import comfy.cli_args

    comfy.cli_args.args.cpu = on_cpu
    comfy.cli_args.args.use_pytorch_cross_attention = True
    import comfy.model_detection
    import comfy.ops
    import comfy.supported_models

    return comfy
