"""What DropletVideo takes: sizes, lengths, frame rates, texts. Nothing here needs torch.

Source: IEIT-AGI/DropletVideo inference.py, pipeline.py; arXiv 2503.06053.
"""

import logging

from ... import bounds
from ...canvas import in_words
from ...errors import UserError

SIZE = (384, 672)  # (height, width) of the official default, in pixels
FRAMES = 85
FPS = 16
SAMPLED_FPS = (4, 32)  # smallest and largest FPS of the published samples
STEPS = 50
GUIDANCE = 6.0
AUGMENTATION = 0.0563  # standard deviation of the noise on the given pictures, in -1..1
FILE_FPS = 8  # frame rate of every official video file, whatever FPS is
TEXT_TOKENS = 400
TRAINED_WORDS = 206  # of a description, on average
QUALITY = (
    "The video is of high quality, and the view is very clear. High quality, masterpiece, best "
    "quality, highres, ultra-detailed, fantastic."
)
NEGATIVE = "The video is low quality, blurry, distortion. "  # with the space at its end
MULTIPLE = bounds.DROPLET_SIZE.step  # pixels: 8 of the VAE, times 2 of a patch
FRAMES_A_LATENT = 4
FEWEST_FRAMES = 5  # of a video; 1 frame is a picture
# Pixels of a frame with which the model was trained: 512 x 512 to 1120 x 640 and 896 x 896.
TRAINED_AREA = (384 * 672, 896 * 896)


def count_latents(num_frames: int) -> int:
    """Latent frames of a video of so many frames: 85 -> 22."""
    return (num_frames - 1) // FRAMES_A_LATENT + 1


def whole_frames(num_frames: int) -> int:
    """The number of frames 4k + 1 that is at most `num_frames`: 88 -> 85."""
    return FRAMES_A_LATENT * (count_latents(num_frames) - 1) + 1


def decoded_frames(latents: int) -> int:
    """Frames that the VAE decodes from so many latent frames.

    An even number of latents gives 4 frames each (22 -> 88), because the VAE decodes in chunks of
    two. An odd number begins with a chunk of three, or of one, whose first latent gives one frame
    (13 -> 49).
    """
    return FRAMES_A_LATENT * latents - (latents % 2) * (FRAMES_A_LATENT - 1)


def kept_frames(num_frames: int, *, trim: bool) -> slice:
    """Which of the decoded frames a video of `num_frames` frames shows.

    If more frames are decoded than were asked for, the first latent has become four frames, all
    nearly the given picture. The first three of these are left out, so that frame i shows the
    time of frame i of the request.

    Args:
        num_frames: as asked for, 4k + 1.
        trim: False keeps all frames, as the official code does: 88 for 85.
    """
    decoded = decoded_frames(count_latents(num_frames))
    return slice(decoded - num_frames if trim else 0, decoded)


def round_frames(num_frames: int) -> int:
    """The number of frames that the model can make: 4k + 1, rounded down, with a word in the log.

    Raises:
        UserError: 2, 3 or 4 frames, or a number outside the bounds.
    """
    if num_frames not in bounds.DROPLET_FRAMES or 1 < num_frames < FEWEST_FRAMES:
        raise UserError(
            f"A video must have {FEWEST_FRAMES} to {bounds.DROPLET_FRAMES.maximum} frames, got "
            f"{num_frames}: {FRAMES} are recommended (1 frame makes a picture)."
        )
    rounded = whole_frames(num_frames)
    if rounded != num_frames:
        logging.warning(
            "DropletVideo makes 5, 9, 13 ... frames: %d are rounded down to %d.",
            num_frames,
            rounded,
        )
    return rounded


def check_size(size: tuple[int, int], *, pad: bool = False) -> None:
    """Raise UserError for a size that the model can't take; log one that it was not trained with.

    Args:
        size: (height, width) in pixels.
        pad: whether a size that is no multiple of 16 will be padded, see `padded_size`.
    """
    for name, value in zip(("height", "width"), size, strict=True):
        allowed = bounds.Bounds(bounds.DROPLET_SIZE.minimum, bounds.DROPLET_SIZE.maximum)
        if value in bounds.DROPLET_SIZE or (pad and value in allowed):
            continue
        beside = " or ".join(map(str, bounds.DROPLET_SIZE.around(value)))
        raise UserError(
            f"The {name} must be a multiple of {MULTIPLE} from {bounds.DROPLET_SIZE}, got {value}: "
            f"use {beside}" + ", or let the frames be padded (pad_to_16)" * (value in allowed) + "."
        )
    smallest, largest = TRAINED_AREA
    if not smallest <= size[0] * size[1] <= largest:
        logging.warning(
            "DropletVideo was trained with sizes from 512 x 512 to 1120 x 640 and 896 x 896, but "
            "the video has %s: it may look worse.",
            in_words(size),
        )


def padded_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) rounded up to multiples of 16."""
    height, width = (-(-value // MULTIPLE) * MULTIPLE for value in size)
    return height, width


def check_fps(fps: int) -> None:
    """Raise UserError for an FPS outside 1 to 60; log one that no published sample has."""
    if fps not in bounds.DROPLET_FPS:
        raise UserError(
            f"FPS must be a number from {bounds.DROPLET_FPS}, got {fps}: a lower one moves more "
            f"from frame to frame; {FPS} is recommended."
        )
    smallest, largest = SAMPLED_FPS
    if not smallest <= fps <= largest:
        logging.info(
            "The published samples have an FPS from %d to %d, but FPS is %d: the motion may be "
            "worse.",
            smallest,
            largest,
            fps,
        )


def whole_prompt(prompt: str, *, quality: bool = True) -> str:
    """The prompt as the official code gives it to the text encoder: with words about quality."""
    return f"{prompt} {QUALITY}" if quality else prompt


def check_prompt(prompt: str) -> None:
    """Log a prompt without a word: it is allowed, as in the official code."""
    if not prompt.strip():
        logging.warning(
            "The prompt is empty: DropletVideo was trained with descriptions of %d words, so say "
            "what moves, and how the camera moves.",
            TRAINED_WORDS,
        )
