"""The parts of a checkpoint: a network without memory, and where its tensors lie in a file."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...catalogue.integrity import check_name
from ...errors import UserError
from ...files.sharded_weights import Weights
from ...files.weight_files import WeightFile
from ...progress import Progress
from ...quoting import in_short
from ...weights import Piece, find_prefix, misfits

Locate = Callable[[str], Piece]  # a tensor's name in a network -> where it lies in a part
SCALES = ("scale_weight", "weight_scale", "scaled_fp8", "comfy_quant")  # beside quantised weights


@dataclass(frozen=True, eq=False)
class PartFile:
    """Tensors of a part by their names without prefix, and the file that holds them.

    Attributes:
        tensors: on the meta device.
        keys: name in the file of each tensor.
    """

    file: Weights
    tensors: Mapping[str, Tensor]
    keys: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name of the file, for messages."""
        return str(self.file.path)


def whole_file(file: Weights) -> PartFile:
    """A file that holds one part, with the names of the file."""
    return PartFile(file, file.shapes, {key: key for key in file.shapes})


def open_part(path: Path) -> PartFile:
    """The file that a path names, as one part; see `WeightFile` for the errors."""
    check_name(path)
    return whole_file(WeightFile(path))


def part_below(part: PartFile, mark: str) -> PartFile:
    """The tensors of a part that have the prefix of a tensor, without this prefix.

    Args:
        mark: name of the tensor without prefix. If no tensor ends with it, the part stays as it is.
    """
    prefix = find_prefix(part.tensors, mark) or ""
    keys = {
        key.removeprefix(prefix): own for key, own in part.keys.items() if key.startswith(prefix)
    }
    return PartFile(part.file, {key: part.tensors[prefix + key] for key in keys}, keys)


@dataclass(frozen=True, eq=False)
class CheckedPart:
    """A network without memory, and where each of its tensors lies; network and file fit.

    Attributes:
        network: on the meta device.
        pieces: where the network's tensors lie, by their names in the network.
        dtype: number format of the weights.
    """

    network: nn.Module
    file: Weights
    pieces: Mapping[str, Piece]
    dtype: torch.dtype

    @property
    def size(self) -> int:
        """Numbers in the network's parameters. Ask before `fill`, which uses the network up."""
        return sum(x.numel() for x in self.network.parameters())

    def fill(self) -> nn.Module:
        """The network with its weights, in evaluation mode; no tensor is held twice.

        Raises:
            UserError: the file can't be read, or a weight is no finite number.
        """
        shapes = {name: value.shape for name, value in self.network.state_dict().items()}
        names = defaultdict(list)
        for name, piece in self.pieces.items():
            names[piece.key].append(name)
        tensors = {}
        for key, tensor in self.file.read(names, self.dtype):
            for name in names[key]:
                piece = self.pieces[name]
                cut = tensor.chunk(piece.count)[piece.index] if piece.count > 1 else tensor
                tensors[name] = cut.reshape(shapes[name])
        self.network.load_state_dict(tensors, assign=True)
        return self.network.requires_grad_(False).eval()


def check_part(
    network: nn.Module,
    part: PartFile,
    dtype: torch.dtype,
    *,
    what: str,
    locate: Locate = Piece,
) -> CheckedPart:
    """Find every tensor of a network in a file; what else the file holds is left alone.

    Args:
        network: on the meta device.
        what: the part in words, for the message: "the VAE of DynamiCrafter".
        locate: by default each tensor has the same name in the part.

    Raises:
        UserError: a tensor is missing, has another shape, or has a scale beside it.
    """
    if any(key.endswith(SCALES) for key in part.tensors):
        raise UserError(
            f"{part.name} is quantised with a scale for each layer, which only ComfyUI reads. Use "
            "a file in fp16, bf16 or plain fp8."
        )
    pieces = {name: locate(name) for name in network.state_dict()}
    expected = {}
    for name, value in network.state_dict().items():
        piece, shape = pieces[name], tuple(value.shape)
        shape = (piece.count * shape[0], *shape[1:]) if piece.count > 1 else shape
        expected[piece.key] = _as_convolution(part.tensors.get(piece.key), shape)
    found = {key: part.tensors[key] for key in expected if key in part.tensors}
    if wrong := misfits(found, expected):
        raise UserError(
            f"{part.name} does not hold {what}: {in_short(wrong)}. Use the "
            "original file, or download it again."
        )
    placed = {
        name: Piece(part.keys[piece.key], piece.index, piece.count)
        for name, piece in pieces.items()
    }
    return CheckedPart(network, part.file, placed, dtype)


def fill_parts(parts: dict[str, CheckedPart], progress: Progress) -> dict[str, nn.Module]:
    """Every network with its weights, by its name; each part leaves `parts` when it is filled.

    Args:
        progress: gets the stage "loading".

    Raises:
        UserError: see `CheckedPart.fill`.
    """
    loaded, total = {}, len(parts)
    progress("loading", 0, total)
    for name in list(parts):
        loaded[name] = parts.pop(name).fill()
        progress("loading", len(loaded), total)
    return loaded


def without_memory() -> AbstractContextManager:
    """Networks made in this block have no weights; buffers that are in no file have values."""
    from accelerate import init_empty_weights

    return init_empty_weights(include_buffers=False)


def _as_convolution(found: Tensor | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a linear layer in a file, which may keep it as a convolution of one pixel."""
    is_convolution = found is not None and tuple(found.shape) == (*shape, 1, 1)
    return (*shape, 1, 1) if is_convolution and len(shape) == 2 else shape
