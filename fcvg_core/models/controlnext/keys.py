"""The version and the sizes of a ControlNeXt network, read from its file's tensors."""

from dataclasses import replace

from ...errors import UserError
from ...weights import StateDict
from ..kinds import describe_kind
from .network import V1, V2, Config

MAX_CHANNELS = 8192  # no block of an SVD UNet is so wide; the official files have 320 and 1280


def controlnext_config(state_dict: StateDict, *, name: str) -> Config:
    """Version and sizes of a ControlNeXt file, from its keys and the shape of its last layer.

    Args:
        state_dict: tensors by name; tensors on the meta device are allowed.
        name: name of the file, for the message.

    Raises:
        UserError: the file holds something else.
    """
    last = state_dict.get("mid_convs.1.weight")
    if last is None or last.ndim != 4 or not 0 < last.shape[0] <= MAX_CHANNELS:
        raise UserError(
            f"{name} is {describe_kind(state_dict)}, but a ControlNeXt v2 or v1 network is needed: "
            "use controlnext.safetensors of FCVG, or controlnet.bin of ControlNeXt-SVD."
        )
    is_v1 = "scale" in state_dict or any(key.startswith("down_res.2.") for key in state_dict)
    return replace(V1 if is_v1 else V2, out_channels=last.shape[0])
