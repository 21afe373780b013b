"""The models that training starts from: found and checked first, read when they are used."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from ..catalogue.controlnext_svd import CONTROLNEXT_SVD_BASE
from ..catalogue.find import (
    CONTROLNEXT_SVD_SET,
    FCVG_SET,
    SVD_SET,
    ModelFiles,
    ModelSet,
    find_models,
)
from ..catalogue.model_files import MODEL_INDEX, MissingModelsError, Roots
from ..catalogue.stand_ins import is_stand_in
from ..catalogue.svd import SVD_PARTS, find_part
from ..models.controlnext import V2, ControlNeXt
from ..standalone.networks.loading import (
    Checked,
    Models,
    check_image_encoder_files,
    check_models,
    check_vae_files,
)
from ..standalone.networks.pipeline import VideoPipeline
from .config import Base, TrainingSpec
from .jobs import JOBS
from .loop.machine import Place
from .steps import CONTROLNEXT, UNET, SteeredUnet
from .trained_sets import FAMILIES, TrainedSet, find_trained_set

# Where files that are not named are looked for. What has no ControlNeXt takes the one that is
# named, or begins with random values.
SETS: Mapping[str, ModelSet] = {
    "svd": SVD_SET,
    "fcvg": FCVG_SET,
    "controlnext-svd": CONTROLNEXT_SVD_SET,
    "controlnext-svd-base": ModelSet("ControlNeXt-SVD", CONTROLNEXT_SVD_BASE, None),
}
REMEDY = 'With start = "svd" in the training file SVD and its own UNet are enough.'


@dataclass(frozen=True, eq=False)
class OpenedBase:
    """The models that training starts from; their files are checked, their weights are not read.

    Attributes:
        start: whose weights, one of the words of `Base.start`.
        files: where they are; without a file ControlNeXt begins with random values, or nothing is
            steered.
        device: where they will run.
        network: UNet and ControlNeXt, on the meta device until `load_network`.
        trained: the set whose parameters are read in float32.
        stand_ins: whether a file is a stand-in of the project's tests.
    """

    start: str
    files: ModelFiles
    device: torch.device
    network: SteeredUnet
    trained: TrainedSet
    stand_ins: bool
    _checked: dict[str, Checked] = field(default_factory=dict)

    def load_encoders(self) -> VideoPipeline:
        """VAE and CLIP image encoder in float32, without the networks that are trained."""
        encoder = check_image_encoder_files(self.files.svd, torch.float32).fill()
        models = Models(unet=None, vae=self.load_vae(torch.float32), image_encoder=encoder)
        return VideoPipeline(models, device=self.device, offload=False)

    def load_vae(self, dtype: torch.dtype) -> nn.Module:
        """The VAE in a number format, on the CPU."""
        return check_vae_files(self.files.svd, dtype).fill()

    def load_network(self, seed: int) -> SteeredUnet:
        """`network` with its weights, on the CPU.

        Args:
            seed: of the values of a ControlNeXt that no file gives.
        """
        for name, checked in self._checked.items():
            checked.fill(whole=lambda key, name=name: self.trained.holds(f"{name}.{key}"))
        if self.network.controlnext is not None and CONTROLNEXT not in self._checked:
            self.network.controlnext = _draw_controlnext(self.network.controlnext.config, seed)
        return self.network

    @property
    def encoder_files(self) -> tuple[Path, ...]:
        """The files that `load_encoders` reads."""
        return tuple(find_part(self.files.svd, part, half=False) for part in SVD_PARTS)

    @property
    def weight_files(self) -> tuple[Path, ...]:
        """The files that training starts from, and SVD's own UNet, if it is there."""
        files = [file.path for x in self._checked.values() for file in x.owners.values()]
        own = find_part(self.files.svd, UNET, half=False)
        return tuple(dict.fromkeys([*files, *self.encoder_files, *((own,) if own else ())]))


def open_base(spec: TrainingSpec, roots: Roots, place: Place) -> OpenedBase:
    """Find and check the models that a training file starts from.

    Args:
        roots: known folders of models.
        place: where training runs.

    Raises:
        MissingModelsError: a model is neither named nor found.
        UserError: there is no such trained set, a file is missing or holds something else, or two
            files do not fit each other.
    """
    job = JOBS[spec.job]
    start = spec.base.start or job.default_start
    trained = find_trained_set(job.family, spec.training.trained or FAMILIES[job.family].default)
    files = _find(spec.base, start, roots)
    checked = check_models(files.svd, files.unet, files.controlnext, place.dtype)
    unet, controlnext = checked["unet"], checked.get("controlnext")
    config = replace(V2, out_channels=unet.network.config.block_out_channels[0])
    network = SteeredUnet(
        unet.network,
        controlnext.network if controlnext else _empty_controlnext(config, trained),
        strength=spec.training.strength,
    )
    return OpenedBase(
        start,
        files,
        place.device,
        network,
        trained,
        _are_stand_ins(files),
        {UNET: unet} | ({CONTROLNEXT: controlnext} if controlnext else {}),
    )


def _find(base: Base, start: str, roots: Roots) -> ModelFiles:
    """The files of a start."""
    models, unet = replace(SETS[start], otherwise=REMEDY, prefix="[base] "), base.unet
    if models.unet is CONTROLNEXT_SVD_BASE and unet is None:
        unet = CONTROLNEXT_SVD_BASE.find(roots)
        if unet is None:  # SVD's own UNet would do for `find_models`
            raise MissingModelsError(
                f"{models.unet.name}, is missing: python -m fcvg_core models --get --only "
                f"{models.unet.key} downloads it, and [base] unet names it. {REMEDY}"
            )
    files = find_models(base.model, unet, base.controlnext, model_set=models, roots=roots)
    return files if files.controlnext else replace(files, controlnext=base.controlnext)


def _empty_controlnext(config, trained: TrainedSet) -> ControlNeXt | None:
    """A ControlNeXt without memory if it is trained; values that stay random would only harm."""
    network = ControlNeXt(config, device="meta")
    holds = any(trained.holds(f"{CONTROLNEXT}.{name}") for name, _ in network.named_parameters())
    return network if holds else None


def _draw_controlnext(config, seed: int) -> ControlNeXt:
    """A ControlNeXt with random values, as the official training begins."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ControlNeXt(config).requires_grad_(False).eval()


def _are_stand_ins(files: ModelFiles) -> bool:
    """Whether a file is a stand-in."""
    return is_stand_in(files.svd / MODEL_INDEX, ("unet",)) or any(
        is_stand_in(path) for path in (files.unet, files.controlnext) if path
    )
