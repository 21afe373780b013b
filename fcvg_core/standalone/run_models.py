"""The models of a run and the machine that they run on: found and checked first, loaded later."""

import importlib.util
import logging
from dataclasses import dataclass, field, replace

import torch

from ..catalogue.find import FCVG_SET, ModelFiles, ModelSet, find_models
from ..catalogue.integrity import check_name
from ..catalogue.model_files import MODEL_INDEX, Roots
from ..catalogue.stand_ins import is_stand_in
from ..estimate import Networks
from ..models.controlnext import check_version
from ..models.taesdv import Decoder
from ..progress import Progress
from .networks.device import choose_dtype
from .networks.draft import load_draft
from .networks.loading import Checked, Models, check_models, fill_models
from .networks.pipeline import VideoPipeline
from .spec import Machine, ModelChoice

PACKAGES_THAT_PAINT = ("torch", "diffusers", "transformers", "accelerate", "av")


@dataclass(frozen=True, eq=False)
class RunModels:
    """The models of a run before their weights are read.

    Attributes:
        files: where the models are.
        stand_ins: whether a model is a stand-in, which paints noise.
        draft: the tiny decoder that decodes in the VAE's place; None: the VAE decodes.
    """

    files: ModelFiles
    device: torch.device
    dtype: torch.dtype
    offload: bool
    stand_ins: bool
    draft: Decoder | None
    _checked: dict[str, Checked]
    _loaded: list[VideoPipeline] = field(default_factory=list)

    @property
    def is_loaded(self) -> bool:
        """Whether the weights were read."""
        return bool(self._loaded)

    def networks(self, family: Networks) -> Networks:
        """What the networks of a family need, with the sizes of the run's own. Call this first."""
        sizes = {
            name: sum(x.numel() for x in checked.network.parameters())
            for name, checked in self._checked.items()
        }
        return replace(
            family,
            unet=sizes["unet"],
            control=sizes.get("controlnext", 0),
            encoders=sizes["image_encoder"],
            vae=sizes["vae"],
        )

    def load(self, kind: type[VideoPipeline], progress: Progress) -> VideoPipeline:
        """A pipeline with all networks, whose weights are read at the first call.

        After an error the models have to be chosen again: the checked networks are used up.
        """
        if not self._loaded:
            self._loaded.append(self._read(kind, progress))
        return self._loaded[0]

    def _read(self, kind: type[VideoPipeline], progress: Progress) -> VideoPipeline:
        loaded = {}
        total = len(self._checked)
        progress("loading", 0, total)
        for name, network in fill_models(self._checked):
            loaded[name] = network
            progress("loading", len(loaded), total)
        pipeline = kind(Models(**loaded), device=self.device, offload=self.offload)
        pipeline.draft = self.draft
        return pipeline


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
        MissingModelsError: a model is neither named nor found, or SVD's folder lacks a part, or
            the tiny decoder of a draft is missing.
        UserError: a file is missing, or holds something else, or the device can't compute in the
            number format.
    """
    check_packages(PACKAGES_THAT_PAINT)
    dtype = choose_dtype(machine.dtype, device)
    draft = load_draft(roots, dtype) if machine.draft else None
    files = find_models(
        choice.model, choice.unet, choice.controlnext, model_set=model_set, roots=roots
    )
    for path in files.named.values():
        check_name(path)
    checked = check_models(files.svd, files.unet, files.controlnext, dtype)
    if model_set is FCVG_SET:
        check_version(checked["controlnext"].network)
    parts = ("unet",) if files.unet is None else ()  # of SVD's folder
    stand_ins = any(
        is_stand_in(path / MODEL_INDEX if name == "model" else path, parts)
        for name, path in files.named.items()
    )
    if stand_ins:
        logging.warning("THESE ARE STAND-IN MODELS, NOT TRAINED: THE FRAMES WILL BE NOISE.")
    return RunModels(files, device, dtype, machine.offload, stand_ins, draft, checked)


def check_packages(names: tuple[str, ...]) -> None:
    """Raise ModuleNotFoundError for the first package that is missing, before any work."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
