"""Which parameters of a family are trained, as rows of a table.

A set is a list of patterns for names of parameters; `*` stands for any text. Another family adds
a row to `FAMILIES`.

Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2-Training/train_svd.py:1006-1036;
jeanne-wang/svd_keyframe_interpolation train_reverse_motion_with_attnflip.py:141-151;
Mingxiao-Li/Animate-Your-Motion ms_main.py, configs/object_tracking_ms_stage2.yaml.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import nn

from ..errors import UserError
from ..quoting import quote

SVD, SMCD = "svd", "smcd"
CONTROL = "controlnext.*"
VALUES_AND_OUTPUTS = ("unet.*.to_v.*", "unet.*.to_out.*")
RESNETS = "unet.*.resnets.*"
TEMPORAL = "unet.*.temporal_transformer_blocks.*.attn1."
# The second stage of SMCD: the first convolution, the gate's part for the picture, and attention
# over frames without its norm and its projections.
VISUAL_ENCODER = "visual_encoder.*"
PICTURE = (
    "unet.*.gate_attn.cross*",
    "unet.*.gate_attn.v*",
    "unet.*.2.transformer_blocks.*",
    "unet.input_blocks.0.0.*",
    VISUAL_ENCODER,
)


@dataclass(frozen=True)
class TrainedSet:
    """Parameters that are trained together.

    Attributes:
        patterns: the set holds the parameters whose names fit one of the patterns.
        words: what is trained, for a user.
    """

    patterns: tuple[str, ...]
    words: str

    def holds(self, name: str) -> bool:
        """Whether a parameter is in the set."""
        return any(fnmatchcase(name, pattern) for pattern in self.patterns)


@dataclass(frozen=True)
class Family:
    """What can be trained of a family.

    Attributes:
        sets: by the names that a user gives.
        default: name of the set that is trained if a user names none.
    """

    sets: Mapping[str, TrainedSet]
    default: str


FAMILIES = {
    SVD: Family(
        sets={
            "control": TrainedSet((CONTROL,), "ControlNeXt alone"),
            "control+vo": TrainedSet(
                (CONTROL, *VALUES_AND_OUTPUTS),
                "ControlNeXt, and values and outputs of the UNet's attention",
            ),
            "control+vo+resnet": TrainedSet(
                (CONTROL, *VALUES_AND_OUTPUTS, RESNETS),
                "ControlNeXt, and the UNet's residual blocks, values and outputs of attention",
            ),
            "temporal-vo": TrainedSet(
                (f"{TEMPORAL}to_v.weight", f"{TEMPORAL}to_out.0.weight"),
                "values and outputs of the UNet's attention over frames",
            ),
            "all": TrainedSet((CONTROL, "unet.*"), "ControlNeXt and the whole UNet"),
        },
        default="control+vo",
    ),
    SMCD: Family(
        sets={
            "picture": TrainedSet(PICTURE, "what takes in the picture, and attention over frames"),
            "picture+boxes": TrainedSet(
                (*PICTURE, "position_net.*"),
                "what takes in the picture, attention over frames, and PositionNet",
            ),
        },
        default="picture",
    ),
}


def find_trained_set(family: str, name: str) -> TrainedSet:
    """The trained set of a family by its name.

    Raises:
        UserError: the family has no such set.
    """
    sets = FAMILIES[family].sets
    if name not in sets:
        raise UserError(
            f"There is no trained set {quote(name)} of {family}; there is: {', '.join(sets)}."
        )
    return sets[name]


def open_for_training(network: nn.Module, trained: TrainedSet) -> dict[str, nn.Parameter]:
    """The parameters of a set by name, in the network's order; all others are frozen.

    The parameters of the set become float32, because small steps vanish in half precision. If the
    other parameters stay in half precision, the network needs autocast.

    Args:
        network: holds the family's networks; the first part of a name is the network's.

    Of "all", query, key and their norm in the UNet's cross-attention never get a gradient: the
    context is one token, and a softmax over one token is 1. An optimiser passes them over.

    Raises:
        UserError: a pattern fits no parameter, so the network is of another family.
    """
    found = dict(network.named_parameters())
    for pattern in trained.patterns:
        if not any(fnmatchcase(name, pattern) for name in found):
            raise UserError(
                f"The models have no parameters {pattern} to train: they belong to another family, "
                "or one of them was not given."
            )
    opened = {}
    for name, parameter in found.items():
        parameter.requires_grad_(trained.holds(name))
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
            opened[name] = parameter
    return opened


def parameter_groups(
    parameters: Mapping[str, nn.Parameter], rates: Mapping[str, float]
) -> list[dict]:
    """The groups of an optimiser: one for each network, with its learning rate.

    Args:
        parameters: from `open_for_training`.
        rates: learning rate of each network; networks without trained parameters are left out.

    Returns:
        Tables with "name" (of the network), "params" and "lr", in the order of `rates`.

    Raises:
        UserError: a network that is trained has no rate.
    """
    networks = dict.fromkeys(network_of(name) for name in parameters)
    missing = sorted(networks.keys() - rates.keys())
    if missing:
        raise UserError(f"The learning rate of {', '.join(missing)} is missing: give it too.")
    groups = []
    for network, rate in rates.items():
        params = [value for name, value in parameters.items() if network_of(name) == network]
        if params:
            groups.append({"name": network, "params": params, "lr": rate})
    return groups


def network_of(name: str) -> str:
    """The network that a parameter belongs to: the first part of its name."""
    return name.partition(".")[0]


def count_values(parameters: Iterable[torch.Tensor]) -> int:
    """How many numbers parameters hold."""
    return sum(parameter.numel() for parameter in parameters)
