"""Decoded frames: their colours are matched to the keyframes, and the keyframes are put back."""

from dataclasses import dataclass

from comfy.model_management import throw_exception_if_processing_interrupted
from torch import Tensor

from ...fcvg_core.colors import ramp_colors
from ...fcvg_core.errors import UserError
from .fitting import fit_pictures
from .images import first_picture
from .keyframes import Keyframes


@dataclass(frozen=True, eq=False)
class KnownFrame:
    """A frame of the video that is known.

    Attributes:
        name: of its picture, for messages.
        picture: [1, h, w, 3] in 0..1, of any size.
    """

    name: str
    picture: Tensor


def read_known(
    first_frame: Tensor | None,
    last_frame: Tensor | None,
    keyframes: Keyframes | None,
    num_frames: int,
) -> dict[int, KnownFrame]:
    """The known frames of a video by their numbers, in the order of time.

    Args:
        first_frame, last_frame: IMAGE inputs of a node.
        num_frames: of the video.

    Raises:
        ValueError: an input is no picture, or a keyframe lies outside of the video.
    """
    known = {}
    if keyframes is not None:
        places = keyframes.at(num_frames)[1:-1]
        for at, image in zip(places, keyframes.images, strict=True):
            known[at] = KnownFrame(f"keyframe {at}", image)
    ends = ((0, first_frame, "first_frame"), (num_frames - 1, last_frame, "last_frame"))
    for at, image, name in ends:
        if image is not None:
            known[at] = KnownFrame(name, first_picture(image, name))
    return dict(sorted(known.items()))


def check_ramp(known: dict[int, KnownFrame], num_frames: int) -> None:
    """Raise UserError unless the first and the last of `num_frames` frames are known."""
    if 0 not in known or num_frames - 1 not in known:
        raise UserError(
            "match_colors needs the colours of both ends: connect first_frame and last_frame, or "
            "switch match_colors off."
        )


def put_back(frames: Tensor, known: dict[int, KnownFrame], *, match_colors: bool) -> None:
    """Write known frames into a decoded video [T, H, W, 3], exactly.

    Args:
        match_colors: bring the colours of all other frames to the ramp between the known frames.
    """
    size = tuple(frames.shape[1:3])
    fitted = {at: fit_pictures(each.picture, size, each.name)[0] for at, each in known.items()}
    if match_colors and len(frames) > 1:
        for number, frame in enumerate(ramp_colors(frames, [*fitted.values()], [*fitted])):
            throw_exception_if_processing_interrupted()
            frames[number] = frame
    for at, picture in fitted.items():
        frames[at] = picture
