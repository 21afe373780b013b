"""What is said of a model that is in no known folder, or is not whole."""

import os

from .comfyui import FCVG_MODELS
from .model_files import MissingModelsError, ModelFile, Roots


def missing_folder(model: ModelFile, roots: Roots, *, family: str) -> MissingModelsError:
    """The error about a folder, which --ckpt names: it is not there, or it lacks a file.

    Args:
        family: name of the model for people.
    """
    if lacking := model.find_lacking(roots):
        return MissingModelsError(
            f"{lacking} is missing, so {family} is not whole. Download what is missing with "
            f"{model.download_command}."
        )
    return MissingModelsError(
        f"{model.name}, is missing. Name the folder with --ckpt, or download it (about "
        f"{model.size / 1000:.0f} GB) with {model.download_command}. {searched(roots)}"
    )


def searched(roots: Roots) -> str:
    """Where a model was looked for, as a sentence."""
    folders = ", ".join(dict.fromkeys(str(root) for _, root in roots)) or "no folder"
    return f"Searched: {folders} ({FCVG_MODELS} is {os.environ.get(FCVG_MODELS) or 'not set'})."
