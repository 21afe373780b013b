"""Model files -> diffusers' and transformers' networks, and ControlNeXt.

Every file's header is checked before the first weight is read. Nothing is held twice: networks are
made without memory, and each tensor of a file becomes the network's own, converted one at a time.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...catalogue.model_files import MODEL_INDEX
from ...errors import UserError
from ...files.json_file import read_json
from ...files.weight_files import WeightFile
from ...models.controlnext import ControlNeXt, controlnext_config
from ...models.kinds import check_keys, describe_kind
from ...models.svd.configs import (
    CLASSES,
    IMAGE_ENCODER,
    INDEX,
    UNET,
    VAE,
    Rules,
    check_image_encoder,
    check_together,
    check_unet,
    read_config,
)

CONFIG = "config.json"
# SVD's scheduler as FCVG runs it, whatever a folder says.
SCHEDULER = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "interpolation_type": "linear",
    "prediction_type": "v_prediction", "sigma_min": 0.002, "sigma_max": 700.0, "steps_offset": 1,
    "timestep_spacing": "leading", "timestep_type": "continuous", "use_karras_sigmas": True,
}  # fmt: skip


@dataclass(frozen=True)
class Models:
    """The networks of a run, in evaluation mode, on the CPU."""

    unet: Any  # diffusers.UNetSpatioTemporalConditionModel
    vae: Any  # diffusers.AutoencoderKLTemporalDecoder
    image_encoder: Any  # transformers.CLIPVisionModelWithProjection
    controlnext: ControlNeXt
    scheduler: Any  # diffusers.EulerDiscreteScheduler


PARTS = tuple(field.name for field in fields(Models))


def load_models(
    svd: Path, unet: Path, controlnext: Path, dtype: torch.dtype
) -> Iterator[tuple[str, Any]]:
    """Load what a run needs, one network after the other; before the first one, check them all.

    Args:
        svd: SVD in diffusers' layout.
        unet: FCVG's or ControlNeXt-SVD's UNet; where it holds a part of the tensors, the rest are
            SVD's.
        controlnext: ControlNeXt, version 2 or 1.

    Yields:
        Name (a field of `Models`) and network.

    Raises:
        UserError: a file is missing, damaged or another one, or files do not go together.
    """
    yield from fill_models(check_models(svd, unet, controlnext, dtype))


def check_models(
    svd: Path, unet: Path, controlnext: Path, dtype: torch.dtype
) -> dict[str, "Checked"]:
    """Every network of a run, before any weight is read; arguments and errors of `load_models`."""
    check_svd(svd)
    return {
        "unet": check_unet_files(svd, unet, dtype),
        "controlnext": check_controlnext_file(controlnext, dtype),
        "vae": check_vae_files(svd, dtype),
        "image_encoder": check_image_encoder_files(svd, dtype),
    }


def fill_models(checked: dict[str, "Checked"]) -> Iterator[tuple[str, Any]]:
    """Read the weights of what `check_models` gave, which holds no network afterwards.

    Yields:
        As `load_models`.
    """
    for name in list(checked):
        yield name, checked.pop(name).fill()
    yield "scheduler", load_scheduler()


@dataclass(frozen=True, eq=False)
class Checked:
    """A network without memory, and the files that its tensors are in: they fit each other.

    Attributes:
        network: on the meta device.
        owners: the file of every tensor.
    """

    network: nn.Module
    owners: dict[str, WeightFile]
    dtype: torch.dtype

    def fill(self) -> nn.Module:
        """The network with its tensors, in evaluation mode."""
        tensors = {}
        for file in dict.fromkeys(self.owners.values()):
            keys = [key for key, owner in self.owners.items() if owner is file]
            tensors.update(file.read(keys, self.dtype))
        self.network.load_state_dict(tensors, assign=True)
        return self.network.requires_grad_(False).eval()


def check_svd(svd: Path) -> None:
    """Raise UserError unless a folder is SVD's, in diffusers' layout, by all its config files."""
    index = svd / MODEL_INDEX
    if not index.is_file():
        raise UserError(f"{svd} is no diffusers folder of SVD: it has no {MODEL_INDEX}.")
    _config(index, INDEX)
    _config(svd / "vae" / CONFIG, VAE)
    check_together(
        _unet_config(svd),
        _image_encoder_config(svd),
        names=(str(svd / "unet" / CONFIG), str(svd / "image_encoder" / CONFIG)),
    )


def check_unet_files(svd: Path, unet: Path | None, dtype: torch.dtype) -> Checked:
    """SVD's UNet with a file's weights; the base's file gives only what that lacks."""
    from diffusers import UNetSpatioTemporalConditionModel

    config = svd / "unet" / CONFIG
    sizes = _unet_config(svd)
    network = _empty(lambda: UNetSpatioTemporalConditionModel(**sizes), config)
    files = [] if unet is None else [WeightFile(unet)]
    if not files or network.state_dict().keys() - files[0].shapes.keys():
        files.append(_part_file(svd / "unet", "diffusion_pytorch_model", dtype, files))
    return check_files(network, files, dtype, sizes=config)


def check_controlnext_file(path: Path, dtype: torch.dtype) -> Checked:
    """ControlNeXt of the version and sizes that its file tells."""
    file = WeightFile(path)
    network = ControlNeXt(controlnext_config(file.shapes, name=str(path)), device="meta")
    return check_files(network, [file], dtype)


def check_vae_files(svd: Path, dtype: torch.dtype) -> Checked:
    """SVD's VAE with the temporal decoder; in float32 where it would overflow in float16."""
    from diffusers import AutoencoderKLTemporalDecoder

    config = svd / "vae" / CONFIG
    sizes = _config(config, VAE)
    if dtype == torch.float16 and sizes["force_upcast"]:
        dtype = torch.float32
    network = _empty(lambda: AutoencoderKLTemporalDecoder(**sizes), config)
    file = _part_file(svd / "vae", "diffusion_pytorch_model", dtype)
    return check_files(network, [file], dtype, sizes=config)


def check_image_encoder_files(svd: Path, dtype: torch.dtype) -> Checked:
    """SVD's CLIP image encoder."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = svd / "image_encoder" / CONFIG
    sizes = _image_encoder_config(svd)
    network = _empty(
        lambda: CLIPVisionModelWithProjection(CLIPVisionConfig(**sizes)),
        config,
        include_buffers=False,  # they are not in the file
    )
    file = _part_file(svd / "image_encoder", "model", dtype)
    return check_files(network, [file], dtype, ignored="position_ids", sizes=config)


def load_scheduler():
    """SVD's Euler scheduler."""
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(**SCHEDULER)


def check_files(
    network: nn.Module,
    files: list[WeightFile],
    dtype: torch.dtype,
    *,
    ignored: str | tuple[str, ...] = (),
    sizes: Path | None = None,
) -> Checked:
    """Give every tensor of a network its file: the first one, where that lacks it the next.

    Args:
        ignored: how the keys end that a file may hold and the network does not need.
        sizes: file that tells the network's sizes, for messages.

    Raises:
        UserError: a file holds what the network does not know, or tensors are missing.
    """
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    owners: dict[str, WeightFile] = {}
    for file in files:
        found = {key: value for key, value in file.shapes.items() if not key.endswith(ignored)}
        partial = len(files) > 1 and file is not files[-1]
        check_keys(found, expected, name=str(file.path), partial=partial, sizes=str(sizes or ""))
        owners = {**dict.fromkeys(found, file), **owners}
    if len(files) > 1:
        taken = sum(file is files[0] for file in owners.values())
        logging.info("%s gives %d of %d tensors.", files[0].path.name, taken, len(expected))
    return Checked(network, owners, dtype)


def _config(path: Path, rules: Rules) -> dict:
    """The values of a config file that are used, without the name of a class."""
    if not path.exists():
        raise UserError(f"There is no file {path}: the download of SVD is not complete.")
    found = read_json(path, expected="a config file of SVD: the download of SVD is not complete")
    config = read_config(found, rules, name=str(path))
    return {key: value for key, value in config.items() if key not in CLASSES}


def _unet_config(svd: Path) -> dict:
    path = svd / "unet" / CONFIG
    config = _config(path, UNET)
    check_unet(config, name=str(path))
    return config


def _image_encoder_config(svd: Path) -> dict:
    path = svd / "image_encoder" / CONFIG
    config = _config(path, IMAGE_ENCODER)
    check_image_encoder(config, name=str(path))
    return config


def _empty(build: Callable[[], nn.Module], config: Path, *, include_buffers: bool = True):
    """A network of the sizes that a config file tells, without memory for weights."""
    from accelerate import init_empty_weights

    try:
        with init_empty_weights(include_buffers=include_buffers):
            return build()
    except Exception as error:  # diffusers may raise anything over sizes that do not go together
        raise UserError(
            f"{config} describes a network that can't be built ({error}). Take the folder of SVD "
            "as it was published."
        ) from error


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
            f"{partial[0].path} is {describe_kind(partial[0].shapes)} without all of its "
            f"tensors, and {folder} has no {stem}.safetensors to take the rest from."
        )
    raise UserError(f"{folder} has no {stem}.safetensors: the download of SVD is not complete.")
