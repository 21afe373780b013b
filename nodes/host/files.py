"""Files of weights -> tensors, and what is wrong with a file, in words."""

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
    """Tensors of a .safetensors, .bin, .pt or .pth file.

    Raises:
        UserError: see `read_file`; or the file holds other things.
    """
    return load_weights(path)[0]


def load_weights(path: str) -> tuple[StateDict, dict[str, str]]:
    """Tensors of a file, and the notes in its header, which only .safetensors files have.

    Raises:
        UserError: see `read_file`; or the file holds other things.
    """
    found, notes = _read(path)
    return plain_tensors(found, name=os.path.basename(path)), notes


def read_file(path: str):
    """What a file of weights holds; code in a pickle is never executed.

    Raises:
        UserError: the file is empty, cut off, compressed or not of its kind.
    """
    return _read(path)[0]


def weights_file(folder: str, part: str, stem: str) -> str:
    """The weights of one part of a diffusers folder; half precision where there is a choice."""
    for name in (f"{stem}.fp16.safetensors", f"{stem}.safetensors", f"{stem}.bin"):
        path = os.path.join(folder, part, name)
        if os.path.isfile(path):
            return path
    if part == "unet":
        raise UserError(
            f"{folder} holds no UNet, which FCVG and ControlNeXt-SVD do not need: switch with_unet "
            "off, or add unet/ to the folder."
        )
    raise UserError(f"{folder} holds no {part}/{stem}.safetensors: the download is not complete.")


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
            f"{name} is not a plain file of weights (code in it is never run). Take the "
            ".safetensors file of the model instead."
        ) from error
    except Exception as error:  # a damaged file can make a reader raise anything
        raise UserError(
            f"{name} ({os.path.getsize(path)} bytes) can't be read as model weights: it is empty, "
            f"cut off or not a {os.path.splitext(name)[1]} file. Download it again."
        ) from error


def read_settings(path: str) -> Any:
    """What a small JSON file holds.

    Raises:
        UserError: it is missing, no file, too large or no JSON.
    """
    check_there(path)
    try:
        with open(path, "rb") as opened:
            return parse_json(opened.read(MAX_SETTINGS))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no JSON: the download is not complete ({error}).") from error


@contextmanager
def building(name: str) -> Iterator[None]:
    """Raise UserError where the host can't build a network of the sizes that a file tells."""
    try:
        yield
    except mm.OOM_EXCEPTION:
        raise
    except Exception as error:  # layers raise anything over sizes that do not go together
        raise UserError(
            f"{name} describes a network that can't be built ({error}). Take the original file."
        ) from error


def check_there(path: str) -> None:
    """Raise UserError unless there is a file. A pipe or a device may never end: it is none."""
    if not os.path.isfile(path):
        raise UserError(f"{os.path.basename(path)} is no file: there is nothing to read at {path}.")


def _refuse_gguf(opened: BinaryIO, name: str) -> None:
    if opened.read(4) == b"GGUF":
        raise UserError(
            f"{name} is a GGUF file of quantised weights, which this loader can't read. Take the "
            ".safetensors file of the model instead."
        )
    opened.seek(0)
