"""Model files -> diffusers' and transformers' networks, and ControlNeXt.

The headers of all files are checked before the first weight is read. No tensor is held twice:
networks are made without memory, and each tensor of a file, converted, becomes the network's own.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...catalogue.model_files import MODEL_INDEX
from ...catalogue.svd import SVD_UNET, find_part, missing_part
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
from .one_token import use_one_token

CONFIG = "config.json"


@dataclass(frozen=True)
class Models:
    """The networks of a run, in evaluation mode, on the CPU."""

    unet: Any  # diffusers.UNetSpatioTemporalConditionModel
    vae: Any  # diffusers.AutoencoderKLTemporalDecoder
    image_encoder: Any  # transformers.CLIPVisionModelWithProjection
    controlnext: ControlNeXt | None = None  # None: nothing is steered


def check_models(
    svd: Path, unet: Path | None, controlnext: Path | None, dtype: torch.dtype
) -> dict[str, "Checked"]:
    """Every network of a run by its field in `Models`, before weights are read.

    Args:
        svd: SVD in diffusers' layout.
        unet: FCVG's or ControlNeXt-SVD's UNet. Tensors that it lacks come from SVD's UNet; None
            takes SVD's UNet.
        controlnext: ControlNeXt, version 2 or 1; None if nothing is steered.

    Raises:
        UserError: a file is missing, damaged or holds another network, or two files do not fit
            each other.
    """
    check_svd(svd)
    steering = {}
    if controlnext is not None:
        steering["controlnext"] = check_controlnext_file(controlnext, dtype)
    return {
        "unet": check_unet_files(svd, unet, dtype),
        **steering,
        "vae": check_vae_files(svd, dtype),
        "image_encoder": check_image_encoder_files(svd, dtype),
    }


def fill_models(checked: dict[str, "Checked"]) -> Iterator[tuple[str, Any]]:
    """Read the weights of the networks from `check_models`; each network leaves `checked`.

    Yields:
        Name (a field of `Models`) and network.

    Raises:
        UserError: a file can't be read.
    """
    for name in list(checked):
        yield name, checked.pop(name).fill()


@dataclass(frozen=True, eq=False)
class Checked:
    """A network without memory, and the files that hold its tensors; network and files fit.

    Attributes:
        network: on the meta device.
        owners: the file of every tensor.
    """

    network: nn.Module
    owners: dict[str, WeightFile]
    dtype: torch.dtype

    def fill(self, whole: Callable[[str], bool] = lambda key: False) -> nn.Module:
        """The network with its weights, in evaluation mode.

        Args:
            whole: whether a tensor is read in float32, whatever the number format of the others.
        """
        tensors = {}
        for file in dict.fromkeys(self.owners.values()):
            keys = [key for key, owner in self.owners.items() if owner is file]
            tensors.update(file.read([key for key in keys if not whole(key)], self.dtype))
            tensors.update(file.read(filter(whole, keys), torch.float32))
        self.network.load_state_dict(tensors, assign=True)
        return self.network.requires_grad_(False).eval()


def check_svd(svd: Path) -> None:
    """Raise UserError unless a folder is SVD in diffusers' layout, judged by its config files."""
    index = svd / MODEL_INDEX
    if not index.is_file():
        raise UserError(f"{svd} is no folder of SVD in diffusers' layout: it has no {MODEL_INDEX}.")
    _config(index, INDEX)
    _config(svd / "vae" / CONFIG, VAE)
    check_together(
        _unet_config(svd),
        _image_encoder_config(svd),
        names=(str(svd / "unet" / CONFIG), str(svd / "image_encoder" / CONFIG)),
    )


def check_unet_files(svd: Path, unet: Path | None, dtype: torch.dtype) -> Checked:
    """SVD's UNet with a file's weights; tensors that the file lacks come from SVD's own file."""
    from diffusers import UNetSpatioTemporalConditionModel

    config = svd / "unet" / CONFIG
    sizes = _unet_config(svd)
    network = _empty(lambda: UNetSpatioTemporalConditionModel(**sizes), config)
    use_one_token(network)
    files = [] if unet is None else [WeightFile(unet)]
    if not files or network.state_dict().keys() - files[0].shapes.keys():
        files.append(_part_file(svd, "unet", dtype, files))
    return check_files(network, files, dtype, sizes=config)


def check_controlnext_file(path: Path, dtype: torch.dtype) -> Checked:
    """ControlNeXt; its version and its sizes are read from the file."""
    file = WeightFile(path)
    network = ControlNeXt(controlnext_config(file.shapes, name=str(path)), device="meta")
    return check_files(network, [file], dtype)


def check_vae_files(svd: Path, dtype: torch.dtype) -> Checked:
    """SVD's VAE with the temporal decoder; in float32 instead of float16, which overflows."""
    from diffusers import AutoencoderKLTemporalDecoder

    config = svd / "vae" / CONFIG
    sizes = _config(config, VAE)
    if dtype == torch.float16 and sizes["force_upcast"]:
        dtype = torch.float32
    network = _empty(lambda: AutoencoderKLTemporalDecoder(**sizes), config)
    file = _part_file(svd, "vae", dtype)
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
    file = _part_file(svd, "image_encoder", dtype)
    return check_files(network, [file], dtype, ignored="position_ids", sizes=config)


def check_files(
    network: nn.Module,
    files: list[WeightFile],
    dtype: torch.dtype,
    *,
    ignored: str | tuple[str, ...] = (),
    sizes: Path | None = None,
) -> Checked:
    """Find the file of every tensor of a network: the first of the files that holds the tensor.

    Args:
        ignored: endings of keys that a file may hold although the network does not know them.
        sizes: file from which the network's sizes were read, for messages.

    Raises:
        UserError: a file holds tensors that the network does not know, or tensors are missing.
    """
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    owners: dict[str, WeightFile] = {}
    for file in files:
        found = {key: value for key, value in file.shapes.items() if not key.endswith(ignored)}
        partial = len(files) > 1 and file is not files[-1]
        check_keys(found, expected, name=str(file.path), partial=partial, sizes=str(sizes or ""))
        owners = {**dict.fromkeys(found, file), **owners}
    if len(files) > 1:
        count = sum(file is files[0] for file in owners.values())
        logging.info("%s gives %d of %d tensors.", files[0].path.name, count, len(expected))
    return Checked(network, owners, dtype)


def _config(path: Path, rules: Rules) -> dict:
    """The values of a config file that a network needs, without the name of its class."""
    if not path.exists():
        raise UserError(f"There is no file {path}: the download of SVD is incomplete.")
    found = read_json(path, expected="a config file of SVD: the download of SVD is incomplete")
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
    """A network with the sizes of a config file, without memory for weights."""
    from accelerate import init_empty_weights

    try:
        with init_empty_weights(include_buffers=include_buffers):
            return build()
    except Exception as error:  # diffusers may raise any error for sizes that do not fit
        raise UserError(
            f"{config} describes a network that can't be built ({error}). Use the folder of SVD "
            "as it was published."
        ) from error


def _part_file(
    svd: Path, part: str, dtype: torch.dtype, partial: list[WeightFile] | None = None
) -> WeightFile:
    """The weights of one part of SVD's folder, preferably in the wanted precision."""
    path = find_part(svd, part, half=dtype != torch.float32)
    if path:
        return WeightFile(path)
    if partial:
        raise UserError(
            f"{partial[0].path} is {describe_kind(partial[0].shapes)} without all of its tensors, "
            f"and {svd / part} has no weights file with the other tensors. To download it: "
            f"{SVD_UNET.download_command}"
        )
    raise missing_part(svd, part)
