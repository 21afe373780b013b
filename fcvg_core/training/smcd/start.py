"""The files that training starts from -> networks; what no file holds begins with random values.

A folder of the first stage holds UNet and PositionNet, a folder of the second stage all networks.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from ...catalogue.stand_ins import is_stand_in
from ...errors import UserError
from ...files.weight_files import WeightFile
from ...models.kinds import describe_kind
from ...models.smcd import PositionNet, PositionNetConfig, VisualEncoder, VisualEncoderConfig
from ...models.smcd.keys import position_net_config, visual_encoder_config
from ...models.smcd.rules import (
    FILE_NAMES,
    NETWORKS,
    POSITION_NET,
    UNET,
    VISUAL_ENCODER,
    names_beside,
    split_merged,
)
from ...models.unet3d import Config, UNet3D, unet3d_config
from .network import SmcdNetwork

FIRST_CONV = "input_blocks.0.0.weight"
WHAT = "the folder of a first stage of training, or of SMCD's released weights"


@dataclass(frozen=True, eq=False)
class StartFile:
    """A network's tensors in a file.

    Attributes:
        keys: where each of the network's tensors lies in the file.
    """

    file: WeightFile
    keys: Mapping[str, str]

    @property
    def shapes(self) -> dict[str, torch.Tensor]:
        """The tensors by their names in the network, on the meta device."""
        return {name: self.file.shapes[key] for name, key in self.keys.items()}


@dataclass(frozen=True, eq=False)
class Start:
    """The networks that training starts from; files are checked, and no weights are read.

    Attributes:
        files: of each network; one that has none begins with random values. `load` empties it.
        network: on the meta device until `load`.
    """

    files: dict[str, StartFile]
    network: SmcdNetwork

    @property
    def path(self) -> Path:
        """The file of the UNet."""
        return self.files[UNET].file.path

    @property
    def has_boxes(self) -> bool:
        """Whether PositionNet has been trained."""
        return POSITION_NET in self.files

    @property
    def is_stand_in(self) -> bool:
        """Whether a file is a stand-in of the project's tests."""
        return any(is_stand_in(each.file.path) for each in self.files.values())

    def load(self, seed: int) -> SmcdNetwork:
        """`network` with its weights, float32 on the CPU. Call this only once.

        Args:
            seed: of the values that no file holds.

        Raises:
            UserError: a file can't be read, or a weight is no finite number.
        """
        for name in list(self.files):
            part = self.files.pop(name)  # so that no file stays open
            network, names = getattr(self.network, name), {v: k for k, v in part.keys.items()}
            # A copy: a file that stays mapped would be written whole into every checkpoint.
            tensors = {names[k]: x.clone() for k, x in part.file.read(names, torch.float32)}
            if name == UNET:
                tensors[FIRST_CONV] = _widened(tensors[FIRST_CONV], network.config.in_channels)
            network.load_state_dict(tensors, strict=False, assign=True)
        _draw_rest(self.network, seed)
        return self.network


def open_start(path: Path) -> Start:
    """Check the files that training starts from.

    Args:
        path: a folder; the file of a UNet, beside which the others are; or a merged file.

    Raises:
        UserError: there is no UNet, a file holds something else, or two networks do not fit.
    """
    files = _find(path)
    if UNET not in files:
        raise UserError(f"{path} holds no UNet of SMCD; expected {WHAT}.")
    config = _unet_config(files[UNET])
    width = config.context_channels
    positions = PositionNetConfig(in_channels=width, out_channels=width)
    pictures = VisualEncoderConfig(channels=(width // 4, width // 2, width, width))
    if POSITION_NET in files:
        positions = position_net_config(files[POSITION_NET].shapes, name=_name(files, POSITION_NET))
    else:
        logging.warning("%s holds no PositionNet, so it is trained from random values.", path)
    if VISUAL_ENCODER in files:
        pictures = visual_encoder_config(
            files[VISUAL_ENCODER].shapes, name=_name(files, VISUAL_ENCODER)
        )
    else:
        logging.info("%s is of the first stage: its visual encoder begins anew.", path)
    for name, given in (
        (POSITION_NET, positions.out_channels),
        (VISUAL_ENCODER, pictures.channels[-1]),
    ):
        if given != width:
            raise UserError(
                f"{_name(files, name)} gives tokens of width {given}, but the UNet in "
                f"{_name(files, UNET)} takes {width}: use the files of one training."
            )
    network = SmcdNetwork(
        UNet3D(config, device="meta"),
        PositionNet(positions, device="meta"),
        VisualEncoder(pictures, device="meta"),
    )
    return Start(files, network)


def find_names(folder: Path) -> dict[str, Path]:
    """The files of networks in a folder that training has written, by network.

    Raises:
        UserError: there is no UNet.
    """
    for names in FILE_NAMES:
        if (folder / names[0]).is_file():
            paths = dict(zip(NETWORKS, (folder / name for name in names), strict=True))
            return {network: path for network, path in paths.items() if path.is_file()}
    firsts = " and no ".join(names[0] for names in FILE_NAMES)
    raise UserError(f"{folder} holds no {firsts}; expected {WHAT}.")


def _find(path: Path) -> dict[str, StartFile]:
    """The file of each network that is there."""
    if not path.exists():
        raise UserError(f"There is no {path}; expected {WHAT}.")
    if path.is_dir():
        found = find_names(path)
    elif names_beside(path.name):
        found = find_names(path.parent)
    else:
        file = WeightFile(path)
        parts = split_merged(file.shapes)
        return {network: StartFile(file, keys) for network, keys in parts.items()}
    files = {network: WeightFile(each) for network, each in found.items()}
    return {
        network: StartFile(file, {key: key for key in file.shapes})
        for network, file in files.items()
    }


def _name(files: Mapping[str, StartFile], network: str) -> str:
    return str(files[network].file.path) if network in files else network


def _unet_config(part: StartFile) -> Config:
    """Sizes of the UNet with which training goes on: it takes a picture beside the boxes."""
    name, shapes = str(part.file.path), part.shapes
    config = unet3d_config(shapes, name=name)
    if config.gate is None:
        raise UserError(
            f"{name} is {describe_kind(shapes)} without gates for boxes; expected {WHAT}. The "
            "first stage of training, which adds them, is not supported: its official code can't "
            "run."
        )
    latents = config.out_channels
    if config.in_channels not in (latents, 2 * latents):
        raise UserError(
            f"The UNet in {name} takes {config.in_channels} channels, but {latents} or "
            f"{2 * latents} are expected; expected {WHAT}."
        )
    return replace(config, in_channels=2 * latents, gate="objects and image")


def _widened(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """The first convolution for more channels, which begin without effect."""
    return F.pad(weight, (0, 0, 0, 0, 0, channels - weight.shape[1]))


def _draw_rest(network: nn.Module, seed: int) -> None:
    """Give values to what is still on the meta device: layers as torch draws them, others zeros."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        for module in network.modules():
            own = dict(module.named_parameters(recurse=False))
            lacking = {name: value for name, value in own.items() if value.is_meta}
            if lacking and hasattr(module, "reset_parameters"):
                module.to_empty(device="cpu", recurse=False)
                module.reset_parameters()
            else:
                for name, value in lacking.items():
                    module.register_parameter(name, nn.Parameter(torch.zeros(value.shape)))
