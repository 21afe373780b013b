"""What conditions DynamiCrafter beside the text: image tokens, image latents and the request.

Source: Doubiiu/DynamiCrafter scripts/evaluation/inference.py:158-250,
lvdm/modules/networks/openaimodel3d.py:553-564.
"""

import logging
from collections.abc import Iterator

from torch import Tensor

from ... import bounds
from ...canvas import in_words
from ...choices import ANIMATE, AUTO, INTERPOLATE, LOOP, SHARED
from ...errors import UserError
from ..sizes import check_size
from .names import CHOOSE
from .variants import FRAMES, VARIANTS, Variant

# Pixels in 0..1 of the picture of the unconditional prediction, which is grey and not black.
GREY = 0.5
FEWEST_LOOPED = 3  # frames of a loop; its last frame is left out, and a video has 2 or more


def frame_tokens(tokens: Tensor, num_frames: int, how: str) -> Tensor:
    """The image tokens that each frame attends to.

    The projector makes tokens for 16 frames. If the video has another number of frames and each
    frame shall have its own tokens, a frame takes the tokens of the frame that is nearest in time.

    Args:
        tokens: [1, n, D] from the image projector, n a multiple of 16.
        num_frames: frames of the video, T.
        how: one of IMAGE_TOKENS of `choices`. "auto": per frame for 16 frames, otherwise shared,
            as in the official code.

    Returns:
        [T, n / 16, D] if each frame has its own tokens; [1, n, D] if all frames share all tokens.
    """
    if how == SHARED or (how == AUTO and num_frames != FRAMES):
        return tokens
    groups = tokens[0].unflatten(0, (FRAMES, -1))
    last = max(num_frames - 1, 1)
    nearest = [(2 * k * (FRAMES - 1) + last) // (2 * last) for k in range(num_frames)]
    return groups[nearest]


def concat_latents(first: Tensor, last: Tensor | None, num_frames: int, mode: str) -> Tensor:
    """Image latents that are concatenated to the noisy latents of every frame.

    Args:
        first: [1, 4, h, w] latents of the first picture.
        last: [1, 4, h, w] latents of the last picture; a loop takes the first picture instead,
            an animation needs none.
        num_frames: frames of the video, T; at least 2 between two pictures.
        mode: one of CLIP_MODES of `choices`.

    Returns:
        [T, 4, h, w]. An animation has the first picture in every frame; otherwise only the first
        and the last frame have pictures, and zeros lie between.
    """
    if mode == ANIMATE:
        return first.repeat(num_frames, 1, 1, 1)
    latents = first.new_zeros(num_frames, *first.shape[1:])
    latents[0] = first[0]
    latents[-1] = (last if mode == INTERPOLATE else first)[0]
    return latents


def check_request(
    variant: Variant,
    *,
    size: tuple[int, int],
    num_frames: int,
    rate: int,
    mode: str,
    choose: str = CHOOSE,
) -> None:
    """Raise UserError for a video that a model can't make; log what it was not trained for.

    Args:
        size: (height, width) in pixels.
        num_frames: frames of the video.
        rate: frame stride of the 256 model, frames a second of the other models.
        mode: one of CLIP_MODES of `choices`.
        choose: how the user chooses a model, for the message; see CHOOSE.
    """
    check_size(*size)
    if num_frames not in bounds.FRAMES:
        raise UserError(
            f"The video must have from {bounds.FRAMES} frames, got {num_frames}: {FRAMES} are "
            "recommended."
        )
    if rate not in bounds.RATE:
        raise UserError(
            f"The {variant.rate_name} must be a number from {bounds.RATE}, got {rate}: "
            f"{variant.rate} is recommended for {variant.name}."
        )
    if mode == LOOP and num_frames < FEWEST_LOOPED:
        raise UserError(
            f"A loop needs {FEWEST_LOOPED} frames or more, got {num_frames}: its last frame is the "
            f"first again. {FRAMES} frames are recommended."
        )
    if mode != ANIMATE and not variant.interpolates:
        raise UserError(
            f"{variant.name} can't {mode}: load the file of {VARIANTS['512_interp'].name}, "
            "dynamicrafter_512_interp_v1/model.ckpt."
            + f" If this is the file, {choose.format('512_interp')}."
            * (variant.word == "512")
        )
    for sentence in _untrained(variant, size, num_frames, rate, mode):
        logging.info("%s", sentence)


def _untrained(
    variant: Variant, size: tuple[int, int], num_frames: int, rate: int, mode: str
) -> Iterator[str]:
    """A sentence for each setting with which a model was not trained; the first asks for most."""
    yield from _unusual_rate(variant, rate)
    if mode == ANIMATE and variant.interpolates:
        yield (
            f"{variant.name} was trained with a first and a last picture: "
            f"{VARIANTS['512'].name} animates one picture better."
        )
    if tuple(size) != variant.size:
        yield (
            f"{variant.title} was trained with {in_words(variant.size)} pixels, but the video has "
            f"{in_words(size)}: it may look worse."
        )
    if num_frames != FRAMES:
        yield (
            f"{variant.name} was trained with {FRAMES} frames, but the video has {num_frames}: it "
            "may look worse."
        )


def _unusual_rate(variant: Variant, rate: int) -> Iterator[str]:
    """A sentence about a rate that a model is not meant for, or that belongs to another model.

    A default that a user has left alone is the rate of one model, and may be a poor rate of
    another, even in the range of the other.
    """
    smallest, largest = variant.rates
    if not smallest <= rate <= largest:
        yield (
            f"{variant.name} is meant for {variant.rate_name} {smallest} to {largest}, got {rate}: "
            f"{variant.rate} is recommended."
        )
    elif rate != variant.rate and (owner := _owner_of_rate(variant, rate)):
        yield (
            f"The {variant.rate_name} is {rate}, as is usual for {owner.title}: {variant.rate} is "
            f"recommended for {variant.title}."
        )


def _owner_of_rate(variant: Variant, rate: int) -> Variant | None:
    """The first model with the same kind of rate for which a rate is recommended."""
    alike = (x for x in VARIANTS.values() if x.rate_is_stride == variant.rate_is_stride)
    return next((x for x in alike if x.rate == rate), None)
