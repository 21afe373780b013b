"""Runs of training as they lie on the disk, without a step: the stand-ins with other values."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from fcvg_core.files.weight_files import WeightFile
from fcvg_core.standalone.networks.loading import check_models, fill_models
from fcvg_core.training.config import TrainingSpec
from fcvg_core.training.config.file import to_tables
from fcvg_core.training.loop.checkpoints import AVERAGES, OPTIMIZER, TRAINED, write_checkpoint
from fcvg_core.training.record import RunRecord, describe_file, save_record
from fcvg_core.training.steps import SteeredUnet
from fcvg_core.training.trained_sets import SVD, find_trained_set, open_for_training

MOVED = 0.05  # how far training moves a number at most


def open_network(svd: Path, unet: Path | None, controlnext: Path | None) -> SteeredUnet:
    """The networks of files in float32, as they run."""
    models = dict(fill_models(check_models(svd, unet, controlnext, torch.float32)))
    return SteeredUnet(models["unet"], models.get("controlnext"))


@torch.no_grad()
def make_run(
    run: Path,
    svd: Path,
    unet: Path | None,
    controlnext: Path | None,
    *,
    trained: str = "control+vo",
    step: int = 4,
    still: tuple[str, ...] = (),
    seed: int = 0,
) -> SteeredUnet:
    """Write the folder of a run, and give the network as it was at its last step.

    Args:
        unet, controlnext: files that the run began with, see `RunRecord`.
        still: words; a trained parameter with one of them in its name has not moved.
    """
    network = open_network(svd, unet, controlnext)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    opened = open_for_training(network, find_trained_set(SVD, trained))
    chance = torch.Generator().manual_seed(seed)
    for name, value in opened.items():
        moved = torch.rand(value.shape, generator=chance) * MOVED
        if not any(word in name for word in still):
            value.add_(moved)
    averages = {name: torch.lerp(before[name], value, 0.5) for name, value in opened.items()}
    save_checkpoint(run, step, {name: value.detach() for name, value in opened.items()}, averages)
    files = [each for each in (unet, controlnext) if each]
    files += sorted((svd / "unet").glob("*.safetensors"))
    spec = TrainingSpec()
    save_record(
        run,
        RunRecord(
            job=spec.job,
            family=SVD,
            trained=trained,
            start="svd" if unet is None else "fcvg",
            model=svd,
            unet=unet,
            controlnext=controlnext,
            files=tuple(map(describe_file, files)),
            clips=7,
            spec=to_tables(spec),
        ),
    )
    return network.requires_grad_(False)


def save_checkpoint(
    run: Path, step: int, trained: Mapping[str, Tensor], averages: Mapping[str, Tensor] | None
) -> Path:
    """A checkpoint without an optimiser's numbers."""
    files = {TRAINED: trained, OPTIMIZER: {"none": torch.zeros(1)}}
    state = {"skipped": 0, "in_a_row": 0, "ema_updates": step, "settings": {}}
    return write_checkpoint(run, step, files | ({AVERAGES: averages} if averages else {}), state)


def tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file in float32."""
    file = WeightFile(path)
    return dict(file.read(file.shapes, torch.float32))
