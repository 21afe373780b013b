"""Model files -> diffusers' and transformers' networks, and ControlNeXt.

Nothing is held twice: networks are made without memory, and each tensor of a file becomes the
network's own, converted one at a time.
"""

import json
import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..models.fcvg import ControlNeXt, check_keys, controlnext_config, describe

WEIGHT_FILES = (".safetensors", ".sft", ".bin", ".pt", ".pth")


@dataclass(frozen=True)
class Models:
    """The networks of a run, in evaluation mode, on the CPU."""

    unet: Any  # diffusers.UNetSpatioTemporalConditionModel
    vae: Any  # diffusers.AutoencoderKLTemporalDecoder
    image_encoder: Any  # transformers.CLIPVisionModelWithProjection
    controlnext: ControlNeXt
    scheduler: Any  # diffusers.EulerDiscreteScheduler


class WeightFile:
    """The tensors of a file, read when they are asked for.

    Raises:
        ValueError: the file is missing, empty, cut off, not of its kind, or a pickle that holds
            more than tensors (what it holds is never executed).
    """

    def __init__(self, path: Path):
        self.path = path
        if not path.is_file():
            raise ValueError(f"There is no file {path}.")
        if path.suffix not in WEIGHT_FILES:
            raise ValueError(f"{path} is no model file: expected one of {', '.join(WEIGHT_FILES)}.")
        safe = path.suffix in (".safetensors", ".sft")
        self._tensors, self._file = (None, _open_safetensors(path)) if safe else (_unpickle(path), None)

    def shapes(self) -> dict[str, Tensor]:
        """Every tensor's name with an empty tensor of its shape and type."""
        if self._file is None:
            return {key: value.to("meta") for key, value in self._tensors.items()}
        return {key: _empty_like(self._file.get_slice(key)) for key in self._file.keys()}

    def read(self, key: str, dtype: torch.dtype | None) -> Tensor:
        """One tensor; floating-point ones in `dtype`."""
        tensor = self._tensors[key] if self._file is None else self._file.get_tensor(key)
        return tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor


def load_models(
    svd: Path, unet: Path, controlnext: Path, dtype: torch.dtype
) -> Iterator[tuple[str, Any]]:
    """Load what a run needs, one network after the other.

    Args:
        svd: SVD in diffusers' layout.
        unet: FCVG's UNet; where it holds a part of the tensors, the rest are SVD's.
        controlnext: ControlNeXt v2.

    Yields:
        Name (a field of `Models`) and network.
    """
    if not (svd / "model_index.json").is_file():
        raise ValueError(f"{svd} is no diffusers folder of SVD: it has no model_index.json.")
    yield "unet", load_unet(svd, unet, dtype)
    yield "controlnext", load_controlnext(controlnext, dtype)
    yield "vae", load_vae(svd, dtype)
    yield "image_encoder", load_image_encoder(svd, dtype)
    yield "scheduler", load_scheduler(svd)


def load_unet(svd: Path, unet: Path | None, dtype: torch.dtype):
    """SVD's UNet with FCVG's weights; the base's file is read only for what these lack."""
    from accelerate import init_empty_weights
    from diffusers import UNetSpatioTemporalConditionModel

    config = _read_config(svd / "unet")
    with init_empty_weights():
        network = UNetSpatioTemporalConditionModel.from_config(config)
    files = [] if unet is None else [WeightFile(unet)]
    if not files or network.state_dict().keys() - files[0].shapes().keys():
        files.append(_part_file(svd / "unet", "diffusion_pytorch_model", files))
    return fill_network(network, files, dtype)


def load_controlnext(path: Path, dtype: torch.dtype) -> ControlNeXt:
    """ControlNeXt v2 of the sizes that its file tells."""
    file = WeightFile(path)
    network = ControlNeXt(controlnext_config(file.shapes(), name=path.name), device="meta")
    return fill_network(network, [file], dtype)


def load_vae(svd: Path, dtype: torch.dtype):
    """SVD's VAE with the temporal decoder."""
    from accelerate import init_empty_weights
    from diffusers import AutoencoderKLTemporalDecoder

    config = _read_config(svd / "vae")
    with init_empty_weights():
        network = AutoencoderKLTemporalDecoder.from_config(config)
    return fill_network(network, [_part_file(svd / "vae", "diffusion_pytorch_model")], dtype)


def load_image_encoder(svd: Path, dtype: torch.dtype):
    """SVD's CLIP image encoder."""
    from accelerate import init_empty_weights
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(**_read_config(svd / "image_encoder"))
    with init_empty_weights(include_buffers=False):  # they are not in the file
        network = CLIPVisionModelWithProjection(config)
    file = _part_file(svd / "image_encoder", "model")
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
    network: nn.Module, files: list[WeightFile], dtype: torch.dtype, *, ignored: str = " "
) -> nn.Module:
    """Give a network its tensors: those of the first file, then what that lacks of the next.

    Raises:
        ValueError: a file holds what the network does not know, or tensors are missing.
    """
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    owners: dict[str, WeightFile] = {}
    for file in files:
        found = {key: value for key, value in file.shapes().items() if not key.endswith(ignored)}
        last = file is files[-1]
        check_keys(found, expected, name=str(file.path), partial=len(files) > 1 and not last)
        owners = {**dict.fromkeys(found, file), **owners}
    if len(files) > 1:
        taken = sum(file is files[0] for file in owners.values())
        logging.info("%s gives %d of %d tensors.", files[0].path.name, taken, len(expected))
    tensors = {key: file.read(key, dtype) for key, file in owners.items()}
    network.load_state_dict(tensors, assign=True)
    return network.requires_grad_(False).eval()


def _read_config(folder: Path, name: str = "config.json") -> dict:
    path = folder / name
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is missing or no JSON: the download of SVD is not complete."
        ) from error


def _part_file(folder: Path, stem: str, partial: list[WeightFile] | None = None) -> WeightFile:
    """The weights of one part of a diffusers folder, full precision first."""
    for name in (f"{stem}.safetensors", f"{stem}.fp16.safetensors", f"{stem}.bin"):
        if (folder / name).is_file():
            return WeightFile(folder / name)
    if partial:
        raise ValueError(
            f"{partial[0].path.name} is {describe(partial[0].shapes())} without all of its "
            f"tensors, and {folder} has no {stem}.safetensors to take the rest from."
        )
    raise ValueError(f"{folder} has no {stem}.safetensors: the download of SVD is not complete.")


def _open_safetensors(path: Path):
    try:
        return safe_open(path, "pt")
    except (SafetensorError, OSError) as error:
        raise _unreadable(path) from error


def _unpickle(path: Path) -> dict[str, Tensor]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} is damaged or holds more than weights (code in it is never run). Take the "
            "model's .safetensors file."
        ) from error
    except (RuntimeError, EOFError, ValueError, OSError) as error:
        raise _unreadable(path) from error
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(torch.is_tensor(x) for x in found.values()):
        raise ValueError(f"{path} holds no plain list of tensors, which a model file should.")
    return found


def _unreadable(path: Path) -> ValueError:
    return ValueError(
        f"{path} ({path.stat().st_size} bytes) can't be read as model weights: it is empty, cut "
        f"off or no {path.suffix} file. Download it again."
    )


def _is_zip(path: Path) -> bool:
    """Whether torch can map the file to memory instead of reading it."""
    with open(path, "rb") as opened:
        return opened.read(2) == b"PK"


def _empty_like(part) -> Tensor:
    """A tensor without memory, of the shape of a tensor in a file."""
    return torch.empty(part.get_shape(), device="meta")
