"""Sizes of frames that a VAE and a UNet can take together."""

from .. import bounds
from ..errors import UserError


def check_size(height: int, width: int) -> None:
    """Raise UserError unless SVD, DynamiCrafter and SMCD can take frames of this size."""
    for name, value in (("height", height), ("width", width)):
        if value not in bounds.SIZE:
            beside = " or ".join(map(str, bounds.SIZE.around(value)))
            raise UserError(
                f"The {name} must be a multiple of {bounds.SIZE.step} from {bounds.SIZE}, got "
                f"{value}: use {beside}."
            )
