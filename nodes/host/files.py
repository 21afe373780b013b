"""Files of weights -> tensors; faults of a file are described in words."""

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import comfy.model_management as mm
import comfy.utils
import torch

from ...fcvg_core.containers import SAFETENSORS, check_pickle, read_header
from ...fcvg_core.errors import UserError
from ...fcvg_core.json_text import parse_json
from ...fcvg_core.weights import StateDict, plain_tensors

MAX_SETTINGS = 2**20  # bytes


def load_state_dict(path: str) -> StateDict:
    """Tensors of a .safetensors, .bin, .pt or .pth file by name.

    Raises:
        UserError: see `read_file`; or the file holds objects that are not tensors.
    """
    return load_weights(path)[0]


def load_weights(path: str) -> tuple[StateDict, dict[str, str]]:
    """Tensors of a file by name, and its metadata, which only .safetensors files have.

    Raises:
        UserError: see `read_file`; or the file holds objects that are not tensors.
    """
    found, notes = _read(path)
    return plain_tensors(found, name=os.path.basename(path)), notes


def read_file(path: str):
    """Contents of a file of weights; code in a pickle is never executed.

    Raises:
        UserError: the file is empty, incomplete, compressed or in another format.
    """
    return _read(path)[0]


def weights_file(folder: str, part: str, stem: str) -> str:
    """Path of the weights of one part of a diffusers folder; half precision is preferred."""
    for name in (f"{stem}.fp16.safetensors", f"{stem}.safetensors", f"{stem}.bin"):
        path = os.path.join(folder, part, name)
        if os.path.isfile(path):
            return path
    if part == "unet":
        raise UserError(
            f"{folder} holds no UNet. FCVG and ControlNeXt-SVD do not need it: switch with_unet "
            "off. Otherwise add unet/ to the folder."
        )
    raise UserError(
        f"{folder} holds no {part}/{stem}.safetensors: complete the download of the folder."
    )


def _read(path: str) -> tuple:
    name = os.path.basename(path)
    check_there(path)
    try:
        with open(path, "rb") as opened:
            if path.lower().endswith(SAFETENSORS):
                read_header(opened, name=name)
                found, notes = comfy.utils.load_torch_file(
                    path, safe_load=True, return_metadata=True
                )
                return found, notes or {}
            _refuse_gguf(opened, name)
            check_pickle(opened, name=name)
        return torch.load(path, map_location="cpu", weights_only=True), {}
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{name} is not a plain file of weights (code in it is never run). Use the "
            ".safetensors file of the model instead."
        ) from error
    except Exception as error:  # the readers raise many types for damaged files
        raise UserError(
            f"{name} ({os.path.getsize(path)} bytes) can't be read as model weights. It is empty, "
            f"incomplete or not a {os.path.splitext(name)[1]} file: download it again."
        ) from error


def read_settings(path: str) -> Any:
    """The values of a small JSON file.

    Raises:
        UserError: the file is missing, not a regular file, too large or not JSON.
    """
    check_there(path)
    try:
        with open(path, "rb") as opened:
            return parse_json(opened.read(MAX_SETTINGS))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not JSON ({error}): download it again.") from error


@contextmanager
def building(name: str) -> Iterator[None]:
    """Raise UserError if the host can't build a network with the sizes in the file `name`."""
    try:
        yield
    except mm.OOM_EXCEPTION:
        raise
    except Exception as error:  # layers raise many types for sizes that do not fit each other
        raise UserError(
            f"{name} describes a network that can't be built ({error}). Use the original file."
        ) from error


def check_there(path: str) -> None:
    """Raise UserError unless a path is a regular file; a pipe or a device may never end."""
    if not os.path.isfile(path):
        raise UserError(f"{os.path.basename(path)} is not a file: nothing can be read at {path}.")


def _refuse_gguf(opened: BinaryIO, name: str) -> None:
    if opened.read(4) == b"GGUF":
        raise UserError(
            f"{name} is a GGUF file of quantised weights, which this loader can't read. Use the "
            ".safetensors file of the model instead."
        )
    opened.seek(0)
