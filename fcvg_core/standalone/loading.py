"""Model files -> diffusers' and transformers' networks, and ControlNeXt.

Nothing is held twice: networks are made without memory, and each tensor of a file becomes the
network's own, converted one at a time.
"""

import json
import logging
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..errors import UserError
from ..models.fcvg import (
    ControlNeXt,
    build_controlnext,
    check_keys,
    controlnext_config,
    describe,
)

SAFETENSORS = (".safetensors", ".sft")
WEIGHT_FILES = (*SAFETENSORS, ".bin", ".pt", ".pth")
# What is read of a mapped file stays in memory until the file is closed.
REOPEN_BYTES = 128 * 2**20


@dataclass(frozen=True)
class Models:
    """The networks of a run, in evaluation mode, on the CPU."""

    unet: Any  # diffusers.UNetSpatioTemporalConditionModel
    vae: Any  # diffusers.AutoencoderKLTemporalDecoder
    image_encoder: Any  # transformers.CLIPVisionModelWithProjection
    controlnext: ControlNeXt
    scheduler: Any  # diffusers.EulerDiscreteScheduler


PARTS = tuple(field.name for field in fields(Models))


class WeightFile:
    """The tensors of a file, read when they are asked for.

    Raises:
        UserError: the file is missing, empty, cut off, not of its kind, or a pickle that holds
            more than tensors (what it holds is never executed).
    """

    def __init__(self, path: Path):
        if not path.is_file():
            raise UserError(f"There is no file {path}.")
        if path.suffix not in WEIGHT_FILES:
            raise UserError(f"{path} is no model file: expected one of {', '.join(WEIGHT_FILES)}.")
        self.path = path
        self.shapes, self._read = _open(path)

    def read(self, keys: Iterable[str], dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
        """Tensors, one at a time; floating-point ones in `dtype`.

        Those that have it already are the file itself, mapped to memory.
        """
        read = 0
        for key in keys:
            if read > REOPEN_BYTES and _is_mapped(self.path):
                self._read = None  # closes the file before it is opened again
                read, self._read = 0, _open(self.path)[1]
            tensor = self._read(key)
            read += tensor.nbytes
            yield key, tensor.to(dtype) if tensor.is_floating_point() else tensor


def load_models(
    svd: Path, unet: Path, controlnext: Path, dtype: torch.dtype
) -> Iterator[tuple[str, Any]]:
    """Load what a run needs, one network after the other.

    Args:
        svd: SVD in diffusers' layout.
        unet: FCVG's or ControlNeXt-SVD's UNet; where it holds a part of the tensors, the rest are
            SVD's.
        controlnext: ControlNeXt, version 2 or 1.

    Yields:
        Name (a field of `Models`) and network.
    """
    if not (svd / "model_index.json").is_file():
        raise UserError(f"{svd} is no diffusers folder of SVD: it has no model_index.json.")
    yield "unet", load_unet(svd, unet, dtype)
    yield "controlnext", load_controlnext(controlnext, dtype)
    yield "vae", load_vae(svd, dtype)
    yield "image_encoder", load_image_encoder(svd, dtype)
    yield "scheduler", load_scheduler(svd)


def load_unet(svd: Path, unet: Path | None, dtype: torch.dtype):
    """SVD's UNet with a file's weights; the base's file is read only for what these lack."""
    network = _empty_unet(svd)
    files = [] if unet is None else [WeightFile(unet)]
    if not files or network.state_dict().keys() - files[0].shapes.keys():
        files.append(_part_file(svd / "unet", "diffusion_pytorch_model", dtype, files))
    return fill_network(network, files, dtype)


def is_whole(svd: Path, unet: Path) -> bool:
    """Whether a UNet file needs nothing of SVD's, whose folder needs only its config.json."""
    return not _empty_unet(svd).state_dict().keys() - WeightFile(unet).shapes.keys()


def load_controlnext(path: Path, dtype: torch.dtype) -> ControlNeXt:
    """ControlNeXt of the version and sizes that its file tells."""
    file = WeightFile(path)
    network = build_controlnext(controlnext_config(file.shapes, name=str(path)), device="meta")
    return fill_network(network, [file], dtype)


def load_vae(svd: Path, dtype: torch.dtype):
    """SVD's VAE with the temporal decoder; in float32 where it would overflow in float16."""
    from accelerate import init_empty_weights
    from diffusers import AutoencoderKLTemporalDecoder

    config = _read_config(svd / "vae")
    if dtype == torch.float16 and config.get("force_upcast", True):
        dtype = torch.float32
    with init_empty_weights():
        network = AutoencoderKLTemporalDecoder.from_config(config)
    return fill_network(network, [_part_file(svd / "vae", "diffusion_pytorch_model", dtype)], dtype)


def load_image_encoder(svd: Path, dtype: torch.dtype):
    """SVD's CLIP image encoder."""
    from accelerate import init_empty_weights
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(**_read_config(svd / "image_encoder"))
    with init_empty_weights(include_buffers=False):  # they are not in the file
        network = CLIPVisionModelWithProjection(config)
    file = _part_file(svd / "image_encoder", "model", dtype)
    return fill_network(network, [file], dtype, ignored="position_ids")


def load_scheduler(svd: Path):
    """SVD's Euler scheduler, as FCVG runs it whatever the folder says."""
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler.from_config(
        _read_config(svd / "scheduler", "scheduler_config.json"),
        use_karras_sigmas=True,
        sigma_min=0.002,
        sigma_max=700.0,
        timestep_type="continuous",
        prediction_type="v_prediction",
    )


def fill_network(
    network: nn.Module,
    files: list[WeightFile],
    dtype: torch.dtype,
    *,
    ignored: str | tuple[str, ...] = (),
) -> nn.Module:
    """Give a network its tensors: those of the first file, then what that lacks of the next.

    Args:
        ignored: how the keys end that a file may hold and the network does not need.

    Raises:
        UserError: a file holds what the network does not know, or tensors are missing.
    """
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    owners: dict[str, WeightFile] = {}
    for file in files:
        found = {key: value for key, value in file.shapes.items() if not key.endswith(ignored)}
        last = file is files[-1]
        check_keys(found, expected, name=str(file.path), partial=len(files) > 1 and not last)
        owners = {**dict.fromkeys(found, file), **owners}
    if len(files) > 1:
        taken = sum(file is files[0] for file in owners.values())
        logging.info("%s gives %d of %d tensors.", files[0].path.name, taken, len(expected))
    tensors = {}
    for file in files:
        tensors.update(file.read([key for key, owner in owners.items() if owner is file], dtype))
    network.load_state_dict(tensors, assign=True)
    return network.requires_grad_(False).eval()


def _read_config(folder: Path, name: str = "config.json") -> dict:
    path = folder / name
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} is missing or no JSON: the download of SVD is not complete."
        ) from error


def _empty_unet(svd: Path):
    """SVD's UNet of the sizes that its folder tells, without memory for weights."""
    from accelerate import init_empty_weights
    from diffusers import UNetSpatioTemporalConditionModel

    with init_empty_weights():
        return UNetSpatioTemporalConditionModel.from_config(_read_config(svd / "unet"))


def _part_file(
    folder: Path, stem: str, dtype: torch.dtype, partial: list[WeightFile] | None = None
) -> WeightFile:
    """The weights of one part of a diffusers folder, preferably in the wanted precision."""
    names = [f"{stem}.safetensors", f"{stem}.fp16.safetensors"]
    if dtype != torch.float32:
        names.reverse()
    for name in (*names, f"{stem}.bin"):
        if (folder / name).is_file():
            return WeightFile(folder / name)
    if partial:
        raise UserError(
            f"{partial[0].path} is {describe(partial[0].shapes)} without all of its "
            f"tensors, and {folder} has no {stem}.safetensors to take the rest from."
        )
    raise UserError(f"{folder} has no {stem}.safetensors: the download of SVD is not complete.")


def _open(path: Path) -> tuple[dict[str, Tensor], Callable[[str], Tensor]]:
    """A file's tensors without their values, and a function that reads one."""
    if path.suffix not in SAFETENSORS:
        tensors = _unpickle(path)
        return {key: value.to("meta") for key, value in tensors.items()}, tensors.__getitem__
    try:
        opened = safe_open(path, "pt")
        parts = {key: opened.get_slice(key) for key in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _unreadable(path) from error
    shapes = {key: torch.empty(part.get_shape(), device="meta") for key, part in parts.items()}
    return shapes, opened.get_tensor


def _is_mapped(path: Path) -> bool:
    """Whether a file is mapped to memory; torch's older kind of pickle is read at once."""
    with open(path, "rb") as opened:
        return path.suffix in SAFETENSORS or opened.read(2) == b"PK"


def read_pickle(path: Path) -> Any:
    """What torch.save wrote: tensors in tables and lists. Code in it is never executed.

    Raises:
        UserError: the file is missing, damaged, or holds more than that.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_mapped(path))
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is damaged or holds more than weights (code in it is never run). Take the "
            "model's .safetensors file."
        ) from error
    except (RuntimeError, EOFError, ValueError, OSError, KeyError, IndexError, TypeError) as error:
        raise _unreadable(path) from error


def read_weights(path: Path) -> Any:
    """What a file holds, all at once: the tensors of a .safetensors file, else `read_pickle`."""
    if path.suffix not in SAFETENSORS:
        return read_pickle(path)
    file = WeightFile(path)
    return dict(file.read(file.shapes, torch.float32))


def _unpickle(path: Path) -> dict[str, Tensor]:
    found = read_pickle(path)
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(torch.is_tensor(x) for x in found.values()):
        raise UserError(f"{path} holds no plain list of tensors, which a model file should.")
    return found


def _unreadable(path: Path) -> UserError:
    if not os.access(path, os.R_OK):
        return UserError(f"{path} may not be read by you: give yourself the right to.")
    return UserError(
        f"{path} ({path.stat().st_size} bytes) can't be read as model weights: it is empty, cut "
        f"off or no {path.suffix} file. Download it again."
    )
