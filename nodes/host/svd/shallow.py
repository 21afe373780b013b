"""The UNet of the host's SVD in two parts: what enters the last two output blocks, and the rest.

Source: `UNetModel._forward` in the host's comfy/ldm/modules/diffusionmodules/openaimodel.py, whose
order of blocks, patches and options the shallow part follows.
"""

from functools import partial
from itertools import chain

import torch
from comfy.ldm.modules.attention import SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import (
    UNetModel,
    forward_timestep_embed,
    timestep_embedding,
)
from torch import Tensor

SHALLOW = 2  # input blocks, and as many output blocks
AT_OUTPUT = "output_block_patch"


class DeepCapture:
    """A patch of output blocks that keeps what enters one of them, before other patches act.

    Attributes:
        deep: the features [N, C, h, w] of the last call.
    """

    def __init__(self, block: int):
        self.deep: Tensor | None = None
        self._block = block

    def __call__(self, hidden: Tensor, skip: Tensor, options: dict) -> tuple[Tensor, Tensor]:
        if options["block"] != ("output", self._block):
            return hidden, skip
        self.deep = hidden
        alone = len(options["patches"][AT_OUTPUT]) == 1
        # Other patches may write into the features.
        return (hidden if alone else hidden.clone()), skip


def capture_deep(unet: UNetModel, options: dict) -> tuple[DeepCapture, dict]:
    """A capture, and transformer_options with which a call of the UNet fills it."""
    capture = DeepCapture(len(unet.output_blocks) - SHALLOW)
    patches = options.get("patches", {})
    patches = {**patches, AT_OUTPUT: [capture, *patches.get(AT_OUTPUT, ())]}
    return capture, {**options, "patches": patches}


def predict_from_deep(
    unet: UNetModel,
    deep: Tensor,
    x: Tensor,
    timesteps: Tensor,
    context: Tensor,
    y: Tensor,
    options: dict,
    **kwargs,
) -> Tensor:
    """What the UNet gives if `deep` enters its last two output blocks.

    Args:
        deep: [N, C, h, w] from `DeepCapture`.
        x, timesteps, context, y, options, kwargs: as the host calls the UNet.
    """
    options["original_shape"] = list(x.shape)
    options["transformer_index"] = 0
    run = partial(
        forward_timestep_embed,
        emb=_embed(unet, x, timesteps, y, options),
        context=context,
        transformer_options=options,
        time_context=kwargs.get("time_context"),
        num_video_frames=kwargs.get("num_video_frames", unet.default_num_video_frames),
        image_only_indicator=kwargs.get("image_only_indicator"),
    )
    skips = _run_input_blocks(unet, x, options, run)
    options["transformer_index"] += _count_deep_transformers(unet)
    hidden = _run_output_blocks(unet, deep, skips, options, run)
    return unet.out(hidden.type(x.dtype))


def _embed(unet: UNetModel, x: Tensor, timesteps: Tensor, y: Tensor, options: dict) -> Tensor:
    """The embedding of noise level and numbers of the conditioning."""
    embedding = timestep_embedding(timesteps, unet.model_channels, repeat_only=False)
    embedding = unet.time_embed(embedding.to(x.dtype))
    for patch in options.get("patches", {}).get("emb_patch", ()):
        embedding = patch(embedding, unet.model_channels, options)
    return embedding + unet.label_emb(y)


def _run_input_blocks(unet: UNetModel, hidden: Tensor, options: dict, run: partial) -> list[Tensor]:
    """The skip connections of the shallow input blocks."""
    patches = options.get("patches", {})
    skips = []
    for number in range(SHALLOW):
        options["block"] = ("input", number)
        hidden = run(unet.input_blocks[number], hidden)
        for patch in patches.get("input_block_patch", ()):
            hidden = patch(hidden, options)
        skips.append(hidden)
        for patch in patches.get("input_block_patch_after_skip", ()):
            hidden = patch(hidden, options)
    return skips


def _run_output_blocks(
    unet: UNetModel, hidden: Tensor, skips: list[Tensor], options: dict, run: partial
) -> Tensor:
    """What the shallow output blocks make of deep features and skip connections."""
    count = len(unet.output_blocks)
    for number in range(count - SHALLOW, count):
        options["block"] = ("output", number)
        skip = skips.pop()
        for patch in options.get("patches", {}).get(AT_OUTPUT, ()):
            hidden, skip = patch(hidden, skip, options)
        if skip is not None:
            hidden = torch.cat([hidden, skip], dim=1)
        shape = skips[-1].shape if skips else None
        hidden = run(unet.output_blocks[number], hidden, output_shape=shape)
    return hidden


def _count_deep_transformers(unet: UNetModel) -> int:
    """The number of transformers that a whole call runs between the shallow parts."""
    blocks = chain(unet.input_blocks[SHALLOW:], [unet.middle_block], unet.output_blocks[:-SHALLOW])
    return sum(isinstance(layer, SpatialTransformer) for block in blocks for layer in block)
