"""The official configuration of a training (.yaml) -> options of this program.

Source: Mingxiao-Li/Animate-Your-Motion configs/object_tracking_ms_stage2.yaml, ms_main.py.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...quoting import quote
from .spec import OFFICIAL, SmcdTrainingSpec

POINTLESS = re.compile(r"\d+e[+-]?\d+", re.IGNORECASE)  # a number
SCHEDULES = ("constant", "constant_with_warmup")
PRECISIONS = {"no": "fp32", "bf16": "bf16", "fp16": "auto"}
# Names without an effect here: what they say is so in any case, or the command line says it.
SILENT = {
    "pretrained_model_path",
    "pretrained_weight_path",
    "tracker",
    "use_wandb",
    "val_batch_size",
    "validation_data",
    "validation_steps",
    "enable_xformers_memory_efficient_attention",
    "train_grounding",
    "cat_init",
    "cross_vision",
}
STAGE_ONE = (
    "The first stage of SMCD's training (boxes alone, on GLIGEN's pictures) is not supported: its "
    "official code can't run. Give --tune-from with a folder of the first stage, or with "
    "SMCD's released weights."
)


def to_options(content: Mapping[str, Any], *, name: str) -> dict[str, Any]:
    """The options that a configuration says, by their names on the command line.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        UserError: it is of another training, or wants what is not supported.
    """
    values = dict(content)
    data = values.pop("train_data", None) or {}
    if not isinstance(data, Mapping):
        raise UserError(f"{name}: train_data is {quote(data)}; expected a table.")
    _check(values, data, name)
    values |= {key: value for key, value in data.items() if key != "name"}
    precision = values.pop("mixed_precision", None)
    if precision is not None:
        values["dtype"] = PRECISIONS.get(str(precision).lower(), precision)
    values = {OFFICIAL.get(key, key): _plain(value) for key, value in values.items()}
    _check_root(values, name)
    known = SmcdTrainingSpec.settings_by_key()
    if unknown := sorted(values.keys() - known.keys() - SILENT):
        logging.warning("%s: %s is ignored.", name, ", ".join(map(quote, unknown)))
    return {key: value for key, value in values.items() if key in known and value is not None}


def _check(values: dict[str, Any], data: Mapping[str, Any], name: str) -> None:
    """Raise UserError for what is not supported; what is checked leaves `values`."""
    kind = data.get("name", "object_tracking")
    if kind == "gligen" or values.pop("use_image_dataset", False):
        raise UserError(f"{name}: {STAGE_ONE}")
    if kind != "object_tracking":
        raise UserError(
            f"{name}: train_data is of {quote(kind)}; expected object_tracking, the data sets "
            "GOT-10k and YouTube-VIS."
        )
    schedule = values.pop("lr_scheduler", SCHEDULES[0])
    if schedule not in SCHEDULES:
        raise UserError(
            f"{name}: lr_scheduler is {quote(schedule)}; expected {' or '.join(SCHEDULES)}."
        )
    if schedule == SCHEDULES[0]:
        values.pop("lr_warmup_steps", None)  # a constant schedule has no warm-up there
    if values.pop("use_8bit_adam", False):
        raise UserError(f"{name}: use_8bit_adam is not supported: set it to False.")


def _check_root(values: dict[str, Any], name: str) -> None:
    """Leave a folder out that is not there: the official file names a folder of its authors."""
    root = values.get("root_path")
    if isinstance(root, str) and not Path(root).is_dir():
        logging.warning("%s: there is no folder %s: it is ignored.", name, root)
        del values["root_path"]


def _plain(value: Any) -> Any:
    """A value as the settings take it: YAML reads 5e-5 as a text, since it has no point."""
    return float(value) if isinstance(value, str) and POINTLESS.fullmatch(value) else value


def read_configuration(path: Path) -> SmcdTrainingSpec:
    """What a file says; what it leaves out has its default.

    Raises:
        UserError: see `to_options`; or the file can't be read, or has a value that can't be.
    """
    from ...standalone.media.official_config import read_config

    if not path.is_file():
        raise UserError(f"There is no file {path}; expected a configuration of the official code.")
    options = to_options(read_config(path), name=str(path))
    try:
        return SmcdTrainingSpec.from_options(options)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
