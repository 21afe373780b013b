"""Files of SMCD -> the host's MODEL, the encoders of boxes and of the picture, CLIP and VAE.

Layer sizes come from the tensors' shapes, so a tiny model runs the same code as the real one.
"""

from dataclasses import dataclass
from pathlib import Path

import comfy.model_management as mm
import comfy.ops
import comfy.sd
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher
from torch import nn

from ....fcvg_core.catalogue.model_files import MissingModelsError
from ....fcvg_core.errors import UserError
from ....fcvg_core.models.smcd import PositionNet, VisualEncoder
from ....fcvg_core.models.smcd.keys import (
    OFFICIAL,
    WORDS,
    position_net_config,
    smcd_unet_config,
    visual_encoder_config,
)
from ....fcvg_core.models.smcd.rules import (
    FILE_NAMES,
    POSITION_NET,
    UNET,
    VISUAL_ENCODER,
    names_beside,
    split_merged,
)
from ....fcvg_core.models.unet3d import Config
from ....fcvg_core.weights import StateDict
from ..files import load_weights
from ..model_building import build_model
from ..patchers import can_load_again, fill, make_patcher, meant_tensors, without_streaming
from ..quantised import refuse_quantised
from ..unet3d.control import cut_control_to_windows
from ..unet3d.encoders import open_text_encoder, open_vae
from .model import SmcdConfig

# Nothing bounds the visual encoder's values, which half precision may not hold. Both networks run
# once for a clip.
COMPUTE = torch.float32


class HostEncoders(nn.Module):
    """PositionNet and the visual encoder, made of the host's layers; they compute in float32."""

    def __init__(self, position_net: PositionNet, visual_encoder: VisualEncoder):
        super().__init__()
        self.position_net, self.visual_encoder = position_net, visual_encoder


@dataclass(frozen=True, eq=False)
class SmcdEncoders:
    """Turns boxes and the first frame into tokens; the value of the socket.

    Attributes:
        patcher: holds a `HostEncoders`.
    """

    patcher: ModelPatcher


@dataclass(frozen=True, eq=False)
class Loaded:
    """What SMCD's files hold."""

    model: ModelPatcher
    encoders: SmcdEncoders


def load_smcd(path: str, weight_dtype: str) -> Loaded:
    """The networks of SMCD.

    Args:
        path: the UNet's file with its official name, beside which the other two files lie; or a
            file that holds all three networks.
        weight_dtype: a key of WEIGHT_DTYPES, for the UNet.

    Raises:
        UserError: a file is missing, damaged or quantised, holds another network, or a network of
            the first stage of training; or the networks do not fit each other.
    """
    file = _open(Path(path))
    config = _unet_config(file)  # a folder of the first stage is told by it, and lacks a file
    encoders = [_read(file, network) for network in (POSITION_NET, VISUAL_ENCODER)]
    model = _build_model(config, _read(file, UNET), weight_dtype)
    patcher = _build_encoders(*encoders)
    _check_together(model, patcher, path)
    can_load_again(model, _load_model, path, weight_dtype)
    can_load_again(patcher, _load_encoders, path)
    return Loaded(model, SmcdEncoders(patcher))


def load_clip(path: str, disable_dynamic: bool = False) -> comfy.sd.CLIP:
    """The text encoder of Stable Diffusion 2.1, which SMCD reads prompts and labels with.

    Args:
        path: ModelScope's open_clip_pytorch_model.bin, or the text encoder alone.
        disable_dynamic: see `can_load_again`.

    Raises:
        UserError: the file can't be read, is quantised, or holds no such encoder.
    """
    clip = open_text_encoder(path, disable_dynamic)
    can_load_again(clip.patcher, _load_clip_patcher, path)
    return clip


def load_vae(path: str, disable_dynamic: bool = False) -> comfy.sd.VAE:
    """The VAE of Stable Diffusion.

    Args:
        path: ModelScope's VQGAN_autoencoder.pth, which the host's Load VAE can't read, or a VAE
            of Stable Diffusion 1 or 2.
        disable_dynamic: see `can_load_again`.

    Raises:
        UserError: the file can't be read, is quantised, or holds no such VAE.
    """
    vae = without_streaming(open_vae(path), disable_dynamic)
    can_load_again(vae.patcher, _load_vae_patcher, path)
    return vae


def _load_model(path: str, weight_dtype: str, disable_dynamic: bool = False) -> ModelPatcher:
    """Load the UNet again, and return its patcher."""
    file = _open(Path(path))
    patcher = _build_model(_unet_config(file), _read(file, UNET), weight_dtype, disable_dynamic)
    return can_load_again(patcher, _load_model, path, weight_dtype)


def _load_encoders(path: str, disable_dynamic: bool = False) -> ModelPatcher:
    """Load the encoders again, and return their patcher."""
    file = _open(Path(path))
    encoders = (_read(file, network) for network in (POSITION_NET, VISUAL_ENCODER))
    patcher = _build_encoders(*encoders, disable_dynamic=disable_dynamic)
    return can_load_again(patcher, _load_encoders, path)


def _load_clip_patcher(path: str, disable_dynamic: bool = False) -> ModelPatcher:
    return load_clip(path, disable_dynamic).patcher


def _load_vae_patcher(path: str, disable_dynamic: bool = False) -> ModelPatcher:
    return load_vae(path, disable_dynamic).patcher


@dataclass(frozen=True, eq=False)
class _File:
    """The tensors of a file, and the name in the file of each tensor of each network."""

    path: Path
    tensors: StateDict
    networks: dict[str, dict[str, str]]

    def part(self, network: str) -> "_Part":
        """The tensors of a network; all tensors of a file that does not hold it."""
        names = self.networks.get(network, {key: key for key in self.tensors})
        return _Part({key: self.tensors[name] for key, name in names.items()}, self.path.name)


@dataclass(frozen=True, eq=False)
class _Part:
    """The tensors of a network, and the name of its file for messages."""

    tensors: StateDict
    name: str


def _open(path: Path) -> _File:
    tensors, notes = load_weights(str(path))
    refuse_quantised(tensors, notes, name=path.name)
    return _File(path, tensors, split_merged(tensors))


def _unet_config(file: _File) -> Config:
    """Sizes of the UNet in a file; UserError if it holds another network."""
    unet = file.part(UNET)
    return smcd_unet_config(unet.tensors, name=unet.name)


def _read(file: _File, network: str) -> _Part:
    """A network of a file, or of the file that lies beside it."""
    if network in file.networks:
        return file.part(network)
    names = names_beside(file.path.name)
    if names is None:
        raise MissingModelsError(
            f"{file.path.name} holds no {WORDS[network]}, and its name does not tell in which file "
            f"it is: give SMCD's three files in one folder the names {', '.join(FILE_NAMES[0])}, "
            "or merge them by python -m fcvg_core smcd-merge."
        )
    path = file.path.with_name(names[network])
    if not path.is_file():
        raise MissingModelsError(
            f"{path.parent} lacks {path.name}, SMCD's {WORDS[network]}: put {OFFICIAL[network]} "
            f"beside {file.path.name}."
        )
    return _open(path).part(network)


def _build_model(
    config: Config, part: _Part, weight_dtype: str, disable_dynamic: bool = False
) -> ModelPatcher:
    """The model in the number format that suits the device, or that the user chose."""
    patcher = build_model(
        SmcdConfig(config),
        part.tensors,
        name=part.name,
        weight_dtype=weight_dtype,
        disable_dynamic=disable_dynamic,
    )
    cut_control_to_windows(patcher)
    return patcher


def _build_encoders(position: _Part, visual: _Part, disable_dynamic: bool = False) -> ModelPatcher:
    """Both encoders in one patcher."""
    sizes = position_net_config(position.tensors, name=position.name)
    visual_sizes = visual_encoder_config(visual.tensors, name=visual.name)
    tensors = {f"{POSITION_NET}.{key}": x for key, x in position.tensors.items()}
    tensors |= {f"{VISUAL_ENCODER}.{key}": x for key, x in visual.tensors.items()}
    device, offload = mm.get_torch_device(), mm.unet_offload_device()
    dtype = mm.unet_dtype(weight_dtype=comfy.utils.weight_dtype(tensors))
    layers = comfy.ops.pick_operations(dtype, COMPUTE, load_device=device)
    network = HostEncoders(
        PositionNet(sizes, operations=layers, dtype=dtype),
        VisualEncoder(visual_sizes, operations=layers, dtype=dtype),
    )
    patcher = make_patcher(network.eval(), device, offload, disable_dynamic=disable_dynamic)
    fill(patcher, network.requires_grad_(False), tensors, meant_tensors(network))
    return patcher


def _check_together(model: ModelPatcher, encoders: ModelPatcher, path: str) -> None:
    """Raise UserError unless the UNet takes the tokens that the encoders make."""
    wanted = model.model.diffusion_model.config.context_channels
    network = encoders.model
    for part, found in (
        (POSITION_NET, network.position_net.config.out_channels),
        (VISUAL_ENCODER, network.visual_encoder.config.channels[-1]),
    ):
        if found != wanted:
            raise UserError(
                f"SMCD's {WORDS[part]} makes tokens of width {found}, but the UNet in "
                f"{Path(path).name} takes {wanted}: use files of one training."
            )
