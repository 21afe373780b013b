"""Files of weights -> tensors, read by the host's own reader."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import comfy.model_management as mm
import comfy.utils

from ...fcvg_core.catalogue.svd import find_part, missing_part
from ...fcvg_core.containers import SAFETENSORS
from ...fcvg_core.errors import UserError
from ...fcvg_core.files.sharded_weights import open_weights
from ...fcvg_core.files.weight_files import checked_weights, load_pickle
from ...fcvg_core.weights import StateDict, plain_tensors


def load_weights(path: str) -> tuple[StateDict, dict[str, str]]:
    """Tensors of a file of weights, and the metadata in its header.

    Files other than .safetensors have no header.

    Raises:
        UserError: see `checked_weights`; or the file holds other things than tensors.
    """
    found, notes = _read(path)
    return plain_tensors(found, name=os.path.basename(path)), notes


def load_sharded(path: str) -> tuple[StateDict, dict[str, str], str]:
    """Tensors of a file, or of a folder with a file or with several and their index.

    Returns:
        Tensors by name, the metadata in the headers, and the name for messages.

    Raises:
        UserError: see `open_weights` and `load_weights`.
    """
    weights = open_weights(Path(path))
    tensors, notes = {}, {}
    for part in weights.paths:
        more, told = load_weights(str(part))
        tensors.update(more)
        notes.update(told)
    return tensors, notes, str(Path(*weights.path.parts[-2:]))


def read_file(path: str):
    """What a file of weights holds; code in a pickle is never run.

    Raises:
        UserError: see `checked_weights`.
    """
    return _read(path)[0]


def weights_file(folder: str, part: str) -> str:
    """The file with the weights of one part of SVD's folder; half precision if there is a choice.

    Raises:
        UserError: the folder has no such file.
    """
    path = find_part(Path(folder), part)
    if path:
        return str(path)
    if part == "unet":
        raise UserError(
            f"{folder} holds no UNet, which FCVG and ControlNeXt-SVD do not need: switch with_unet "
            "off, or add unet/ to the folder."
        )
    raise missing_part(Path(folder), part)


def _read(path: str) -> tuple:
    with checked_weights(Path(path), name=os.path.basename(path)):
        if path.lower().endswith(SAFETENSORS):
            found, notes = comfy.utils.load_torch_file(path, safe_load=True, return_metadata=True)
            return found, notes or {}
        return load_pickle(Path(path)), {}


@contextmanager
def building(name: str) -> Iterator[None]:
    """Raise UserError if the host can't build a network of the sizes in a file."""
    try:
        yield
    except mm.OOM_EXCEPTION:
        raise
    except Exception as error:  # layers may raise anything if sizes do not fit each other
        raise UserError(
            f"{name} describes a network that can't be built ({error}). Take the original file."
        ) from error
