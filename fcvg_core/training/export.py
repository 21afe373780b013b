"""A run of training -> files of weights with the official names, which both faces load over SVD.

unet.safetensors holds the tensors that differ from SVD's own UNet and nothing else, so a run that
trained 100 million of 1,500 million numbers gives a file of 0.2 GB instead of 3 GB. A run that
began from another UNet changes SVD by what that UNet changes too: those tensors are in the file.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..catalogue.svd import SVD_UNET, find_part
from ..errors import UserError
from ..files.claim import made_folder
from ..files.weight_files import WeightFile
from ..files.weight_writing import in_format, refuse_existing, write_tensors
from ..files.writing import write_aside
from ..models.controlnext import ControlNeXt, controlnext_config
from ..models.kinds import check_keys
from ..progress import Progress, silent
from ..quoting import in_short
from .differences import diff_weights
from .loop.checkpoints import find_checkpoint
from .provenance import describe_origin, describe_recipe
from .record import RunRecord, describe_file, read_record
from .steps import CONTROLNEXT, UNET

FILES = {UNET: "unet.safetensors", CONTROLNEXT: "controlnext.safetensors"}
EXPORT = "export"  # folder in that of a run


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        path: the file.
        tensors: how many it holds.
        whole: whether it holds a whole network.
    """

    path: Path
    tensors: int
    whole: bool


@dataclass(frozen=True, eq=False)
class _Network:
    """The tensors of a file to be written: first the trained ones, then those of another file."""

    trained: Mapping[str, Tensor]
    rest: tuple[tuple[WeightFile, tuple[str, ...]], ...]
    whole: bool

    def shapes(self, dtype: torch.dtype) -> dict[str, Tensor]:
        """Every tensor on the meta device, as it is written."""
        found = {name: in_format(value, dtype) for name, value in self.trained.items()}
        for file, names in self.rest:
            found |= {name: in_format(file.shapes[name], dtype) for name in names}
        return found

    def read(self, names: Iterable[str], dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
        """The tensors in the order of their names, one at a time."""
        owners = {name: file for file, some in self.rest for name in some}
        for name in names:
            if name in self.trained:
                yield name, _converted(name, self.trained[name], dtype)
            else:
                yield from owners[name].read([name], dtype)


def export_run(
    run: Path,
    output: Path | None = None,
    *,
    ema: bool = True,
    whole: bool = False,
    half: bool = True,
    progress: Progress = silent,
) -> list[Exported]:
    """Write what a run has trained, as unet.safetensors and controlnext.safetensors.

    A network of which nothing was trained has no file: its own file goes on being used.

    Args:
        run: output folder of a run, or the folder of one of its checkpoints; otherwise its newest
            whole checkpoint is taken.
        output: folder; files in it stay, and none is overwritten. None: the folder `export` of
            the run.
        ema: write the averages of the weights, if the run kept them.
        whole: write the whole UNet, which needs no SVD beneath it.
        half: write float16 instead of float32.
        progress: is told how many tensors of the UNet are compared with SVD's.

    Raises:
        UserError: the folder is no run, it has no whole checkpoint, a file of the run's start is
            missing or has changed, or a new file exists already or can't be written.
    """
    checkpoint = find_checkpoint(run)
    folder = checkpoint.path.parents[1]
    record = read_record(folder)
    averages = checkpoint.averages() if ema else None
    parameters = averages or checkpoint.trained()
    trained = {name: found for name in FILES if (found := _of_network(parameters, name))}
    output = output or folder / EXPORT
    for name in trained:
        refuse_existing(output / FILES[name])  # before the long comparison
    networks = {}
    if UNET in trained:
        networks[UNET] = _find_unet(record, trained[UNET], whole, progress)
    if CONTROLNEXT in trained:
        networks[CONTROLNEXT] = _find_controlnext(record, trained[CONTROLNEXT])
    networks = {name: each for name, each in networks.items() if each.trained or each.rest}
    if not networks:
        raise UserError(
            f"Step {checkpoint.step} of {folder} differs from SVD in no tensor, so there is "
            "nothing to export: train it for more steps."
        )
    about = describe_recipe(record, checkpoint.step, averaged=averages is not None)
    return _write(output, networks, record, about, torch.float16 if half else torch.float32)


def _write(
    output: Path,
    networks: Mapping[str, _Network],
    record: RunRecord,
    about: Mapping[str, str],
    dtype: torch.dtype,
) -> list[Exported]:
    """Write all files or none."""
    targets = {name: output / FILES[name] for name in networks}
    written = []
    with made_folder(output), ExitStack() as stack:
        for name, network in networks.items():
            part = stack.enter_context(write_aside(targets[name]))
            shapes = network.shapes(dtype)
            metadata = {**about, **describe_origin(record, name, whole=network.whole)}
            write_tensors(part, shapes, lambda x, network=network: network.read(x, dtype), metadata)
            written.append(Exported(targets[name], len(shapes), network.whole))
        for target in targets.values():
            refuse_existing(target)  # writing takes a while
    return written


def _find_unet(
    record: RunRecord, trained: Mapping[str, Tensor], whole: bool, progress: Progress
) -> _Network:
    """The UNet's tensors that make it of SVD's, or all of them."""
    own = find_part(record.model, UNET, half=False)
    start = None if record.unet is None else _open(record, record.unet)
    if own is None and (start is None or not whole):
        raise UserError(
            f"{record.model} has no UNet with which the trained one could be compared. Download "
            f"it ({SVD_UNET.download_command})"
            + (", or write the whole UNet with --whole." if start else ".")
        )
    files = [file for file in (start, own and WeightFile(own)) if file]
    _check_names(trained, files, record)
    if whole:
        return _Network(trained, _rest(files, set(trained)), whole=True)
    changed = _without_untrained(trained, files)
    others = ()
    if start is not None:
        found = diff_weights(files[1], start, progress)
        others = tuple(name for name in found.changed if name not in changed)
    return _Network(changed, ((start, others),) if others else (), whole=False)


def _without_untrained(trained: Mapping[str, Tensor], files: list[WeightFile]) -> dict[str, Tensor]:
    """The tensors that training has moved from where they were; some never get a gradient."""
    changed = dict(trained)
    for file, names in _rest(files, set()):
        mine = [name for name in names if name in trained]
        for name, before in file.read(mine, torch.float32):
            if torch.equal(before, trained[name]):
                del changed[name]
    return changed


def _find_controlnext(record: RunRecord, trained: Mapping[str, Tensor]) -> _Network:
    """A whole ControlNeXt: the trained tensors, and the others of the file it began with."""
    files = [] if record.controlnext is None else [_open(record, record.controlnext)]
    network = _Network(trained, _rest(files, set(trained)), whole=True)
    shapes = network.shapes(torch.float32)
    name = f"the ControlNeXt of this run ({record.trained})"
    expected = ControlNeXt(controlnext_config(shapes, name=name), device="meta").state_dict()
    check_keys(shapes, {key: tuple(value.shape) for key, value in expected.items()}, name=name)
    return network


def _rest(
    files: Iterable[WeightFile], known: set[str]
) -> tuple[tuple[WeightFile, tuple[str, ...]], ...]:
    """The names of each file that neither `known` nor a file before it has."""
    found, known = [], set(known)
    for file in files:
        found.append((file, tuple(name for name in file.shapes if name not in known)))
        known |= file.shapes.keys()
    return tuple(found)


def _check_names(trained: Mapping[str, Tensor], files: list[WeightFile], record: RunRecord) -> None:
    """Raise UserError unless every trained tensor has its place in the files it began with."""
    shapes = {name: file.shapes[name].shape for file in reversed(files) for name in file.shapes}
    wrong = [name for name, value in trained.items() if shapes.get(name) != value.shape]
    if wrong:
        raise UserError(
            f"{files[-1].path} has not the tensors that were trained: {in_short(wrong)}. The "
            f"folder of SVD has changed since training began from {record.start}: put the old "
            "files back."
        )


def _open(record: RunRecord, path: Path) -> WeightFile:
    """A file that the run began with, after a check that it is still the same."""
    noted = record.digest(path)
    file = WeightFile(path)
    if noted and describe_file(path)["sha256"] != noted:
        raise UserError(
            f"{path} has changed since training began from it, so the export would be another "
            "model: put the old file back."
        )
    return file


def _of_network(parameters: Mapping[str, Tensor], network: str) -> dict[str, Tensor]:
    """The parameters of a network under the names of its files."""
    begin = f"{network}."
    return {
        name.removeprefix(begin): value
        for name, value in parameters.items()
        if name.startswith(begin)
    }


def _converted(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A trained tensor in the number format of a file."""
    converted = tensor.to(dtype)
    if not converted.isfinite().all():
        raise UserError(
            f"{name} holds NaN, infinite values or values too large for {dtype}: take an earlier "
            "checkpoint of the run, or write --dtype fp32."
        )
    return converted
