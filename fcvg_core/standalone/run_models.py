"""The models of a run and the machine that they run on: found and checked first, loaded later."""

import importlib.util
import logging
from dataclasses import dataclass

import torch

from ..catalogue.find import FCVG_SET, ModelFiles, ModelSet, find_models
from ..catalogue.integrity import check_name
from ..catalogue.model_files import Roots
from ..catalogue.stand_ins import is_stand_in
from ..models.controlnext import check_version
from ..progress import Progress
from .networks.device import choose_dtype
from .networks.loading import PARTS, Checked, Models, check_models, fill_models
from .networks.pipeline import VideoPipeline
from .spec import Machine, ModelChoice

PACKAGES_THAT_PAINT = ("torch", "diffusers", "transformers", "accelerate", "av")


@dataclass(frozen=True, eq=False)
class RunModels:
    """The models of a run before their weights are read.

    Attributes:
        files: where the models are.
        stand_ins: whether a model is a stand-in, which paints noise.
    """

    files: ModelFiles
    device: torch.device
    dtype: torch.dtype
    offload: bool
    stand_ins: bool
    _checked: dict[str, Checked]

    def load(self, kind: type[VideoPipeline], progress: Progress) -> VideoPipeline:
        """A pipeline with all networks. Call this only once: the checked networks are used up."""
        loaded = {}
        progress("loading", 0, len(PARTS))
        for name, network in fill_models(self._checked):
            loaded[name] = network
            progress("loading", len(loaded), len(PARTS))
        return kind(Models(**loaded), device=self.device, offload=self.offload)


def choose_models(
    choice: ModelChoice,
    machine: Machine,
    *,
    model_set: ModelSet,
    roots: Roots,
    device: torch.device,
) -> RunModels:
    """Find the model files and check them before they are loaded, which may take minutes.

    Args:
        model_set: the models that are looked for if `choice` does not name them.
        roots: known folders of models.

    Raises:
        ModuleNotFoundError: a package is missing.
        MissingModelsError: a model is neither named nor found, or SVD's folder lacks a part.
        UserError: a file is missing, or holds something else, or the device can't compute in the
            number format.
    """
    check_packages(PACKAGES_THAT_PAINT)
    dtype = choose_dtype(machine.dtype, device)
    files = find_models(
        choice.model, choice.unet, choice.controlnext, model_set=model_set, roots=roots
    )
    for path in (files.svd, files.unet, files.controlnext):
        check_name(path)
    checked = check_models(files.svd, files.unet, files.controlnext, dtype)
    if model_set is FCVG_SET:
        check_version(checked["controlnext"].network)
    stand_ins = any(map(is_stand_in, (files.unet, files.controlnext)))
    if stand_ins:
        logging.warning("THESE ARE STAND-IN MODELS, NOT TRAINED: THE FRAMES WILL BE NOISE.")
    return RunModels(files, device, dtype, machine.offload, stand_ins, checked)


def check_packages(names: tuple[str, ...]) -> None:
    """Raise ModuleNotFoundError for the first package that is missing, before any work."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
