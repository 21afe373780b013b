"""Checkpoints in the official layout: a folder checkpoint-N with a file for each network.

Beside the three files lies what training needs to go on. So SMCD's nodes, the command smcd and the
authors' code all take such a folder.

Source: Mingxiao-Li/Animate-Your-Motion ms_main.py; accelerate's save_state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...containers import SAFETENSORS
from ...errors import UserError
from ...files.flushing import flush_file
from ...files.weight_files import WeightFile, read_pickle
from ...models.smcd.rules import FILE_NAMES, NETWORKS, POSITION_NET, UNET, VISUAL_ENCODER
from ..loop import Checkpoint, Layout, list_checkpoints, newest_checkpoint, open_checkpoint
from ..loop.checkpoints import STATE
from ..trained_sets import TrainedSet
from .network import SmcdNetwork
from .start import find_names

START = "checkpoint-"
LATEST = "latest"
MOMENTS = ("optimizer.bin", "optimizer.pt")  # accelerate's file, by its release
ORDER = (UNET, VISUAL_ENCODER, POSITION_NET)  # of the official optimiser's parameters


@dataclass(frozen=True, kw_only=True, eq=False)
class OfficialLayout(Layout):
    """Where training writes all networks.

    Attributes:
        network: whose tensors are written; without it nothing can be written.
        kept: the parameters that `read` gives.
    """

    folder: str = ""
    start: str = START
    digits: int = 1
    files: tuple[str, ...] = FILE_NAMES[0]
    network: SmcdNetwork | None = None
    kept: TrainedSet = TrainedSet(("*",), "everything")

    def write(self, folder: Path, trained: Mapping[str, Tensor]) -> None:
        """Write all tensors of the networks, float32; `trained` are some of them."""
        for network, name in zip(NETWORKS, self.files, strict=True):
            tensors = getattr(self.network, network).state_dict()
            torch.save({key: value.float().cpu() for key, value in tensors.items()}, folder / name)
            flush_file(folder / name)

    def read(self, folder: Path) -> dict[str, Tensor]:
        """The trained parameters in a folder; see `Layout.read`."""
        found = {}
        for network, path in find_names(folder).items():
            file = WeightFile(path)
            names = [key for key in file.shapes if self.kept.holds(f"{network}.{key}")]
            for key, value in file.read(names, torch.float32):
                found[f"{network}.{key}"] = value.clone()
        return found


@dataclass(frozen=True, eq=False)
class AccelerateCheckpoint(Checkpoint):
    """A checkpoint of the official training program: weights and the optimiser's numbers.

    Its schedule, its scaler and its random states are left out: they are not needed, or would run
    code when they are read.
    """

    def optimizer(self) -> dict[str, Tensor]:
        """See `Checkpoint.optimizer`.

        Raises:
            UserError: there is no file of the optimiser, or it belongs to other networks.
        """
        path = next((self.path / name for name in MOMENTS if (self.path / name).is_file()), None)
        if path is None:
            raise UserError(
                f"{self.path} holds no {MOMENTS[0]}, so training can't go on from it: begin a new "
                "run with --tune-from and this folder."
            )
        return _moments(path, _names_in_order(self.path))


def open_resumed(word: str, output: Path) -> Checkpoint:
    """The checkpoint that training goes on from.

    Args:
        word: latest; the name of a folder in `output`, checkpoint-N; or the path of such a folder.
        output: the run's folder.

    Raises:
        UserError: there is no such checkpoint, it is damaged, or `output` holds a later one.
    """
    layout = OfficialLayout()
    paths = list_checkpoints(output, layout)
    if word == LATEST:
        return _newest(paths, output)
    path = next((x for x in (output / word, Path(word)) if x.is_dir()), None)
    step = None if path is None else layout.step_of(path.resolve().name)
    if step is None:
        there = ", ".join(x.name for x in paths) or "no checkpoint"
        raise UserError(
            f"There is no checkpoint {word} in {output}; expected {LATEST}, or a folder "
            f"{START}N. There is: {there}."
        )
    if later := [x.name for x in paths if layout.step_of(x.name) > step]:
        raise UserError(
            f"{output} holds {later[0]}, which is later than {path.name} and would be replaced: go "
            f"on from {LATEST}, or choose another output folder."
        )
    return _open(path.resolve())


def _newest(paths: list[Path], output: Path) -> Checkpoint:
    """The newest checkpoint of a folder that is whole; the log names those that are damaged."""
    if not paths:
        raise UserError(
            f"There is no checkpoint in {output}; expected a folder {START}N. Begin with "
            "--tune-from."
        )
    if all((path / STATE).exists() for path in paths):
        return newest_checkpoint(output, OfficialLayout())
    return _open(paths[0])


def _open(path: Path) -> Checkpoint:
    if (path / STATE).exists():
        return open_checkpoint(path, OfficialLayout())
    find_names(path)
    step, state = OfficialLayout().step_of(path.name), {"files": {}, "settings": {}}
    counts = dict.fromkeys(("skipped", "in_a_row", "ema_updates"), 0)
    return AccelerateCheckpoint(path, step, state | counts, OfficialLayout())


def _names_in_order(folder: Path) -> list[str]:
    """The parameters of the official optimiser: those of one network after the other."""
    paths = find_names(folder)
    if paths[UNET].suffix in SAFETENSORS:
        raise UserError(
            f"The order of the tensors in {paths[UNET]} is not that of the official optimiser, so "
            "training can't go on from it: begin a new run with --tune-from and this "
            "folder."
        )
    return [
        f"{network}.{key}"
        for network in ORDER
        if network in paths
        for key in WeightFile(paths[network]).shapes
    ]


def _moments(path: Path, names: list[str]) -> dict[str, Tensor]:
    """What accelerate's file says of each parameter, as "exp_avg/NAME"."""
    content = read_pickle(path)
    groups = content.get("param_groups") if isinstance(content, dict) else None
    state = content.get("state") if isinstance(content, dict) else None
    if not isinstance(groups, list) or not isinstance(state, dict):
        raise UserError(f"{path} is not the state of an optimiser; expected accelerate's file.")
    numbers = [number for group in groups for number in group.get("params", ())]
    if numbers != list(range(len(names))):
        raise UserError(
            f"{path} is of {len(numbers)} parameters, but the networks beside it have "
            f"{len(names)}: give the folder of one training."
        )
    found = {}
    for number, table in state.items():
        for kind, value in table.items():
            found[f"{kind}/{names[number]}"] = torch.as_tensor(value, dtype=torch.float32)
    return found
