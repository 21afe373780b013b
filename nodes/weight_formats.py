"""The widget for the number format of a UNet's weights."""

from comfy_api.latest import io

from ..fcvg_core import choices


def weight_dtype_input(weights: str = "the weights", more: str = "") -> io.Input:
    """The widget.

    Args:
        weights: which weights it is for.
        more: a sentence that only one loader needs.
    """
    return io.Combo.Input(
        "weight_dtype",
        options=list(choices.WEIGHT_FORMATS),
        default=choices.WEIGHT_FORMATS[0],
        tooltip=f"Number format of {weights}. default: what suits the card. fp8_e4m3fn: half the "
        f"memory, a little less detail. fp8_e5m2: half the memory, less detail still.{more}",
    )


def check_weight_dtype(word: str) -> None:
    """Raise UserError unless a word, which a link may bring, names a number format."""
    from ..fcvg_core.errors import UserError

    if word not in choices.WEIGHT_FORMATS:
        raise UserError(
            f"weight_dtype is {word!r}; expected one of {', '.join(choices.WEIGHT_FORMATS)}."
        )
