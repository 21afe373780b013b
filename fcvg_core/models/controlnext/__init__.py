"""ControlNeXt: one network, whose versions are rows of its Config."""

from .features import CONTROL_SCALE, add_control, prepare_control
from .fit import check_fit, check_version
from .keys import controlnext_config
from .network import V1, V2, Config, ControlNeXt

__all__ = [
    "CONTROL_SCALE",
    "Config",
    "ControlNeXt",
    "V1",
    "V2",
    "add_control",
    "check_fit",
    "check_version",
    "controlnext_config",
    "prepare_control",
]
