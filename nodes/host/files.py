"""Files of weights -> tensors, and what is wrong with a file, in words."""

import os
import pickle

import comfy.utils
import torch
from safetensors import SafetensorError

# What readers raise for a file that is not what its name says.
_UNREADABLE = (
    ValueError, RuntimeError, EOFError, OSError, SafetensorError, KeyError, IndexError, TypeError,
)  # fmt: skip


def load_state_dict(path: str) -> dict[str, torch.Tensor]:
    """Tensors of a .safetensors, .bin, .pt or .pth file.

    Raises:
        ValueError: see `read_file`; or the file holds other things.
    """
    return load_weights(path)[0]


def load_weights(path: str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors of a file, and the notes in its header, which only .safetensors files have.

    Raises:
        ValueError: see `read_file`; or the file holds other things.
    """
    found, notes = _read(path)
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(torch.is_tensor(x) for x in found.values()):
        name = os.path.basename(path)
        raise ValueError(f"{name} holds no plain list of tensors, which a model file should.")
    return found, notes


def read_file(path: str):
    """What a file of weights holds; code in a pickle is never executed.

    Raises:
        ValueError: the file is empty, cut off or not of its kind.
    """
    return _read(path)[0]


def weights_file(folder: str, part: str, stem: str) -> str:
    """The weights of one part of a diffusers folder; half precision where there is a choice."""
    for name in (f"{stem}.fp16.safetensors", f"{stem}.safetensors", f"{stem}.bin"):
        path = os.path.join(folder, part, name)
        if os.path.isfile(path):
            return path
    if part == "unet":
        raise ValueError(
            f"{folder} holds no UNet, which FCVG and ControlNeXt-SVD do not need: switch with_unet "
            "off, or add unet/ to the folder."
        )
    raise ValueError(f"{folder} holds no {part}/{stem}.safetensors: the download is not complete.")


def _read(path: str) -> tuple:
    name = os.path.basename(path)
    try:
        if path.lower().endswith((".safetensors", ".sft")):
            found, notes = comfy.utils.load_torch_file(path, safe_load=True, return_metadata=True)
            return found, notes or {}
        _refuse_gguf(path)
        return torch.load(path, map_location="cpu", weights_only=True), {}
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{name} is not a plain file of weights (code in it is never run). Take the "
            ".safetensors file of the model instead."
        ) from error
    except _GgufError as error:
        raise ValueError(str(error)) from error
    except _UNREADABLE as error:
        size = os.path.getsize(path)
        raise ValueError(
            f"{name} ({size} bytes) can't be read as model weights: it is empty, cut off or not "
            f"a {os.path.splitext(name)[1]} file. Download it again."
        ) from error


class _GgufError(Exception):
    """Names a kind of file that this pack can't load."""


def _refuse_gguf(path: str) -> None:
    with open(path, "rb") as opened:
        if opened.read(4) == b"GGUF":
            raise _GgufError(
                f"{os.path.basename(path)} is a GGUF file of quantised weights, which this loader "
                "can't read. Take the .safetensors file of the model instead."
            )
