"""The tensors of TAESDV's decoder, taken from its published file."""

from ...errors import UserError
from ...weights import StateDict
from ..kinds import TAESDV, check_keys, describe_kind
from .network import Decoder

ENCODER = "encoder."  # beginning of the names of the encoder's tensors, which are not used


def decoder_weights(state_dict: StateDict, *, name: str) -> StateDict:
    """The tensors of `Decoder` by its own names, without the tensors of the encoder.

    Args:
        state_dict: tensors by name; tensors on the meta device are allowed.
        name: name of the file, for the message.

    Raises:
        UserError: the file holds something else.
    """
    kind = describe_kind(state_dict)
    if kind != TAESDV:
        raise UserError(
            f"{name} is {kind}, but the temporal decoder TAESDV is needed: use taesdv.pth of "
            "github.com/madebyollin/taesdv."
        )
    own = {key: value for key, value in state_dict.items() if not key.startswith(ENCODER)}
    expected = Decoder(device="meta").state_dict()
    check_keys(own, {key: tuple(value.shape) for key, value in expected.items()}, name=name)
    return own
