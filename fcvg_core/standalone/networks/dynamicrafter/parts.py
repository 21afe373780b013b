"""The parts of a checkpoint: a network without memory, and where its tensors lie in a file."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ....errors import UserError
from ....files.weight_files import WeightFile
from ....models.dynamicrafter.towers import Piece
from ....quoting import in_short
from ....weights import misfits

Locate = Callable[[str], Piece]  # a tensor's name in a network -> where it lies in a part


@dataclass(frozen=True, eq=False)
class PartFile:
    """Tensors of a part by their names without prefix, and the file that holds them.

    Attributes:
        tensors: on the meta device.
        keys: name in the file of each tensor.
    """

    file: WeightFile
    tensors: Mapping[str, Tensor]
    keys: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name of the file, for messages."""
        return str(self.file.path)


def whole_file(file: WeightFile) -> PartFile:
    """A file that holds one part, with the names of the file."""
    return PartFile(file, file.shapes, {key: key for key in file.shapes})


@dataclass(frozen=True, eq=False)
class CheckedPart:
    """A network without memory, and where each of its tensors lies; network and file fit.

    Attributes:
        network: on the meta device.
        pieces: where the network's tensors lie, by their names in the network.
        dtype: number format of the weights.
    """

    network: nn.Module
    file: WeightFile
    pieces: Mapping[str, Piece]
    dtype: torch.dtype

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
        what: the part in words, for the message.
        locate: by default each tensor has the same name in the part.

    Raises:
        UserError: a tensor is missing, or has another shape.
    """
    pieces = {name: locate(name) for name in network.state_dict()}
    expected = {}
    for name, value in network.state_dict().items():
        piece, shape = pieces[name], tuple(value.shape)
        shape = (piece.count * shape[0], *shape[1:]) if piece.count > 1 else shape
        expected[piece.key] = _as_convolution(part.tensors.get(piece.key), shape)
    found = {key: part.tensors[key] for key in expected if key in part.tensors}
    if wrong := misfits(found, expected):
        raise UserError(
            f"{part.name} does not hold {what} of DynamiCrafter: {in_short(wrong)}. Use the "
            "original file, or download it again."
        )
    placed = {
        name: Piece(part.keys[piece.key], piece.index, piece.count)
        for name, piece in pieces.items()
    }
    return CheckedPart(network, part.file, placed, dtype)


def _as_convolution(found: Tensor | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a linear layer in a file, which may keep it as a convolution of one pixel."""
    is_convolution = found is not None and tuple(found.shape) == (*shape, 1, 1)
    return (*shape, 1, 1) if is_convolution and len(shape) == 2 else shape
