"""Which tensors of two files of weights differ, and by how much; and the small file of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..catalogue.svd import find_part, missing_part
from ..errors import UserError
from ..files.weight_files import WeightFile
from ..files.weight_writing import (
    check_target,
    in_format,
    read_in_formats,
    refuse_existing,
    write_tensors,
)
from ..files.writing import write_aside
from ..models.kinds import describe_kind
from ..progress import Progress, silent
from ..quoting import in_short
from .steps import CONTROLNEXT, UNET
from .trained_sets import FAMILIES, SVD, network_of

# Number formats, those with finer steps first. Two formats are compared in the coarser.
_FINENESS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
# Words in a tensor's name -> what it is; the first row that fits counts.
KINDS = (
    ((".to_v.",), "values"),
    ((".to_out.",), "outputs"),
    ((".to_q.", ".to_k."), "queries and keys"),
    ((".resnets.",), "residual blocks"),
    ((".ff.", ".ff_in."), "feed forward"),
    ((".time_pos_embed.", "time_embedding.", "add_embedding."), "embeddings"),
    ((".norm",), "norms"),
)
TEMPORAL = ("temporal", "time_mixer", "time_pos_embed")  # words of what works over frames


@dataclass(frozen=True)
class Differences:
    """How the tensors of a file B differ from those of a file A.

    Attributes:
        only_a, only_b: names that one file alone has.
        other_shapes: names that both have in different shapes.
        changed: the largest difference of each tensor that differs.
        same: names of tensors that are equal.
        number_format: the format in which tensors were compared: the coarser one of the two files.
        rounded: whether a file was rounded for that.
        sizes: how many numbers each tensor of B has.
    """

    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    other_shapes: tuple[str, ...]
    changed: Mapping[str, float]
    same: tuple[str, ...]
    number_format: str
    rounded: bool
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class Group:
    """Tensors of one kind.

    Attributes:
        name: of the kind, for people.
        changed: how many of them differ.
        total: how many both files have.
        values: how many numbers the tensors that differ have.
        largest: the largest difference; 0.0 if none differs.
    """

    name: str
    changed: int
    total: int
    values: int
    largest: float


def open_weights(path: Path) -> WeightFile:
    """A file of weights, or the UNet of a folder of SVD in diffusers' layout.

    Raises:
        UserError: there is no such file, it holds something else, or the folder has no UNet.
    """
    if not path.is_dir():
        return WeightFile(path)
    found = find_part(path, "unet", half=False)
    if found is None:
        raise missing_part(path, "unet")
    return WeightFile(found)


def diff_weights(a: WeightFile, b: WeightFile, progress: Progress = silent) -> Differences:
    """Compare two files, tensor by tensor: neither is ever whole in memory.

    Where the number formats differ, both tensors are rounded to the coarser format first, because
    a file that was merely saved in half precision is the same model.

    Args:
        progress: is told how many tensors are compared.

    Raises:
        UserError: the files share no tensor of the same name and shape, or one can't be read.
    """
    both = [name for name in a.shapes if name in b.shapes]
    equal_shapes = [name for name in both if a.shapes[name].shape == b.shapes[name].shape]
    if not equal_shapes:
        raise UserError(
            f"{a.path} and {b.path} share no tensor of the same name and shape: the first is "
            f"{describe_kind(a.shapes)}, the second {describe_kind(b.shapes)}. Give two files of "
            "the same network."
        )
    coarser = {name: _coarser(a.shapes[name], b.shapes[name]) for name in equal_shapes}
    changed, same = {}, []
    pairs = zip(*(file.read(equal_shapes, torch.float32) for file in (a, b)), strict=True)
    for done, ((name, first), (_, second)) in enumerate(pairs, 1):
        apart = _apart(first, second, coarser[name])
        if apart:
            changed[name] = apart
        else:
            same.append(name)
        progress("comparing", done, len(equal_shapes))
    return Differences(
        only_a=tuple(name for name in a.shapes if name not in b.shapes),
        only_b=tuple(name for name in b.shapes if name not in a.shapes),
        other_shapes=tuple(name for name in both if name not in coarser),
        changed=changed,
        same=tuple(same),
        number_format=", ".join(sorted({str(x).removeprefix("torch.") for x in coarser.values()})),
        rounded=any(a.shapes[name].dtype != b.shapes[name].dtype for name in equal_shapes),
        sizes={name: value.numel() for name, value in b.shapes.items()},
    )


def group_differences(found: Differences) -> list[Group]:
    """The tensors that both files have, by what they are; first what differs in most numbers."""
    names: dict[str, list[str]] = {}
    for name in (*found.changed, *found.same):
        names.setdefault(kind_of(name), []).append(name)
    groups = (_group(kind, members, found) for kind, members in names.items())
    return sorted(groups, key=lambda group: -group.values)


def kind_of(name: str) -> str:
    """What a tensor of SVD's UNet is, in words; of another network the first part of its name."""
    dotted = f".{name}"
    kind = next((kind for words, kind in KINDS if any(word in dotted for word in words)), None)
    if kind is None:
        return network_of(name)
    return f"{kind}, over frames" if any(word in name for word in TEMPORAL) else kind


def smallest_set(found: Differences) -> str | None:
    """The trained set of SVD with the fewest tensors that holds every tensor that differs.

    Returns:
        Its name; None if no set holds them all.
    """
    network = CONTROLNEXT if any(name.startswith("mid_convs.") for name in found.sizes) else UNET
    held = {
        key: [name for name in found.sizes if trained.holds(f"{network}.{name}")]
        for key, trained in FAMILIES[SVD].sets.items()
    }
    fitting = [key for key, names in held.items() if found.changed.keys() <= set(names)]
    return min(fitting, key=lambda key: len(held[key]), default=None)


def write_differences(
    path: Path,
    a: WeightFile,
    b: WeightFile,
    found: Differences,
    *,
    dtype: torch.dtype | None = None,
) -> int:
    """Write the tensors of B that differ from A's, or that A lacks.

    Args:
        path: a new .safetensors file.
        dtype: number format; None: that of B.

    Returns:
        How many tensors were written.

    Raises:
        UserError: see `check_target`; nothing differs, or a tensor has another shape than A's, so
            that the small file would not fit over A.
    """
    check_target(path)
    if found.other_shapes:
        raise UserError(
            f"{b.path} has tensors in other shapes than {a.path}: {in_short(found.other_shapes)}. "
            "A small file of them would not fit over the first: give models of the same sizes."
        )
    names = [name for name in b.shapes if name in found.changed or name in found.only_b]
    if not names:
        raise UserError(
            f"No tensor of {b.path} differs from {a.path}, so there is nothing to write."
        )
    shapes = {name: in_format(b.shapes[name], dtype) for name in names}
    about = {"format": "pt", "base": a.path.name, "tensors_of": b.path.name}
    with write_aside(path) as part:
        write_tensors(part, shapes, lambda order: read_in_formats(b, shapes, order), about)
        refuse_existing(path)  # writing takes a while
    return len(names)


def _group(kind: str, names: list[str], found: Differences) -> Group:
    changed = [name for name in names if name in found.changed]
    return Group(
        name=kind,
        changed=len(changed),
        total=len(names),
        values=sum(found.sizes[name] for name in changed),
        largest=max((found.changed[name] for name in changed), default=0.0),
    )


def _coarser(first: Tensor, second: Tensor) -> torch.dtype:
    """The number format in which two tensors are compared."""
    kinds = {torch.float32, first.dtype, second.dtype}  # finer numbers are read as float32
    known = [kind for kind in _FINENESS if kind in kinds]
    return next(iter(kinds - set(known)), known[-1])


def _apart(first: Tensor, second: Tensor, dtype: torch.dtype) -> float:
    """The largest difference of two tensors of one shape in a number format."""
    if first.dtype != torch.float32 or second.dtype != torch.float32:  # counters
        first, second = first.double(), second.double()
    elif dtype.is_floating_point:
        first, second = (x.to(dtype).float() for x in (first, second))
    return float((first - second).abs().max()) if first.numel() else 0.0
