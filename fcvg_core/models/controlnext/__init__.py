"""ControlNeXt: one network, whose versions are rows of its Config."""

from .features import (
    add_control,
    compute_features,
    control_features,
    empty_features,
    prepare_control,
    steer_chunks,
)
from .fit import check_fit, check_num_frames, check_version
from .keys import controlnext_config
from .network import V1, V2, Config, ControlNeXt
from .regions import check_num_masks, shrink_masks, soften_masks

__all__ = [
    "Config",
    "ControlNeXt",
    "V1",
    "V2",
    "add_control",
    "check_fit",
    "check_num_frames",
    "check_num_masks",
    "check_version",
    "compute_features",
    "control_features",
    "controlnext_config",
    "empty_features",
    "prepare_control",
    "shrink_masks",
    "soften_masks",
    "steer_chunks",
]
