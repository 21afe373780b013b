"""What SMCD was trained on, and how its files are laid out.

Source: Mingxiao-Li/Animate-Your-Motion ms_main.py, data/concate_dataset.py.
"""

import logging
from collections.abc import Collection

from ... import bounds
from ...canvas import in_words
from ...errors import UserError
from ...weights import find_prefix
from ..sizes import check_size

NUM_FRAMES = 8
SIZE = 256  # pixels of both sides
MOST_OBJECTS = 8  # of a video; videos with fewer were filled up with absent ones

UNET, POSITION_NET, VISUAL_ENCODER = NETWORKS = ("unet", "position_net", "visual_encoder")
# Names that training writes into one folder, in the order of NETWORKS: accelerate's at the time,
# and those of newer releases.
FILE_NAMES = (
    ("pytorch_model.bin", "pytorch_model_1.bin", "pytorch_model_2.bin"),
    ("model.safetensors", "model_1.safetensors", "model_2.safetensors"),
)
# A tensor that every file of a network has, by which the prefix of a network is found in a file
# that holds all three.
MARKS = {
    UNET: "time_embed.0.weight",
    POSITION_NET: "null_positive_feature",
    VISUAL_ENCODER: "body.0.block1.weight",
}


def check_video(size: tuple[int, int], num_frames: int) -> None:
    """Raise UserError for a video that SMCD can't make; log what it was not trained with.

    Args:
        size: (height, width) in pixels.
        num_frames: frames of the video.
    """
    check_size(*size)
    if num_frames not in bounds.FRAMES:
        raise UserError(
            f"The video must have from {bounds.FRAMES} frames, got {num_frames}: {NUM_FRAMES} are "
            "recommended."
        )
    if tuple(size) != (SIZE, SIZE):
        logging.info(
            "SMCD was trained with %s pixels, but the video has %s: it may look worse.",
            in_words((SIZE, SIZE)),
            in_words(size),
        )
    if num_frames != NUM_FRAMES:
        logging.info(
            "SMCD was trained with %d frames, but the video has %d: it may look worse.",
            NUM_FRAMES,
            num_frames,
        )


def names_beside(name: str) -> dict[str, str] | None:
    """The names of all networks' files beside that of the UNet; None: it has a name of its own."""
    for names in FILE_NAMES:
        if name == names[0]:
            return dict(zip(NETWORKS, names, strict=True))
    return None


def split_merged(names: Collection[str]) -> dict[str, dict[str, str]]:
    """Where each network's tensors lie in a file; networks that the file lacks are left out.

    Args:
        names: of a file's tensors. A file that holds one network has its bare names; one that holds
            all has a prefix for each: "unet.", "position_net." and "visual_encoder.".

    Returns:
        For each network, the name in the file of each of its tensors.
    """
    found = {}
    for network, mark in MARKS.items():
        prefix = find_prefix(names, mark)
        if prefix is not None:
            keys = (key for key in names if key.startswith(prefix))
            found[network] = {key.removeprefix(prefix): key for key in keys}
    return found
