"""Where exported weights come from, as texts for the metadata of their files."""

import json
from pathlib import Path

from ..catalogue.controlnext_svd import (
    CONTROLNEXT_SVD_BASE,
    CONTROLNEXT_SVD_CONTROLNEXT,
    CONTROLNEXT_SVD_UNET,
)
from ..catalogue.fcvg import FCVG_CONTROLNEXT, FCVG_UNET
from ..catalogue.stand_ins import MARK, is_stand_in
from ..catalogue.svd import SVD as SVD_FILES
from ..catalogue.svd import SVD_UNET, find_part
from ..standalone.spec.values import PATH
from .config import TrainingSpec
from .record import RunRecord
from .steps import CONTROLNEXT, UNET

MADE_BY = "ComfyUI-FCVG, python -m fcvg_core export"
# Whose weights a run began with -> the files that their licences are known of.
_ROWS = {
    "svd": {UNET: SVD_UNET},
    "fcvg": {UNET: FCVG_UNET, CONTROLNEXT: FCVG_CONTROLNEXT},
    "controlnext-svd": {UNET: CONTROLNEXT_SVD_UNET, CONTROLNEXT: CONTROLNEXT_SVD_CONTROLNEXT},
    "controlnext-svd-base": {UNET: CONTROLNEXT_SVD_BASE},
}
_TABLES = ("data", "conditions", "training")  # of the training file, that are told
_PATHS = {key for key, x in TrainingSpec.settings_by_key().items() if x.metadata["kind"] is PATH}


def describe_recipe(record: RunRecord, step: int, *, averaged: bool) -> dict[str, str]:
    """How the weights were made, as texts for a file's metadata."""
    recipe = {
        "job": record.job,
        "start": record.start,
        "trained": record.trained,
        "steps": step,
        "averaged": averaged,
        "clips": record.clips,
        # Names of files and folders may hold the names of people.
        **{
            table: {key: value for key, value in values.items() if key not in _PATHS}
            for table, values in record.spec.items()
            if table in _TABLES and isinstance(values, dict)
        },
    }
    return {"format": "pt", "made_by": MADE_BY, "recipe": json.dumps(recipe)}


def describe_origin(record: RunRecord, network: str, *, whole: bool) -> dict[str, str]:
    """What a network was made from, and under which licence, as texts for its metadata."""
    path = _start_file(record, network)
    row = _ROWS.get(record.start, {}).get(network)
    if path is None:
        licence = "of its own, because it began with random values"
    else:
        licence = row.licence if row else f"that of {path.name}"
    found = {
        "base": SVD_FILES.name if network == UNET and not whole else "none: it is whole",
        "start": record.start if path else "random values",
        "licence": f"{licence}. The licences of the clips that it was trained on come on top",
    }
    if path is not None:
        found |= {"start_file": path.name, "start_sha256": record.digest(path)}
        if is_stand_in(path):
            found[MARK] = "trained from random values of the project's tests"
    return found


def _start_file(record: RunRecord, network: str) -> Path | None:
    """The file that a network began with; None if it began with random values."""
    if network == CONTROLNEXT:
        return record.controlnext
    noted = (Path(each["path"]) for each in record.files)
    own = (path for path in noted if path.parent == record.model / UNET)
    return record.unet or next(own, find_part(record.model, UNET, half=False))
