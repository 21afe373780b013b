"""An entry of a list of clips as the training code of ControlNeXt-SVD takes it.

Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2-Training README.md ("Meta info"),
utils/vid_dataset.py:122-168.
"""

from typing import Any

from ...errors import UserError
from ...quoting import quote

STRIDE = 3  # frames; that of the official script
# Name in the official list -> name in a manifest.
NAMES = {"video_path": "video", "guide_path": "guide", "meta_info": "details"}


def official_values(entry: Any) -> dict[str, Any]:
    """The fields of a manifest for an entry of an official list.

    Every 3rd frame is taken. Red and blue of the guide are swapped: the official code reads guides
    so.

    Raises:
        UserError: it is no such entry.
    """
    if not isinstance(entry, dict) or "video_path" not in entry:
        raise UserError(
            f"it is {quote(entry)}; a list has objects with video_path, guide_path and meta_info, "
            "as ControlNeXt-SVD has them. Other manifests have an object on each line."
        )
    for name in entry:
        if name not in NAMES:
            raise UserError(f"there is no field {quote(name)}; expected {', '.join(NAMES)}.")
    values = {NAMES[name]: value for name, value in entry.items()}
    return {**values, "stride": STRIDE, "swapped": "guide" in values}
