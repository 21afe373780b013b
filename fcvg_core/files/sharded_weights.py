"""Weights that lie in several files, with an index that tells which tensor lies in which file.

diffusers and transformers write networks above some gigabytes like this.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from ..containers import SAFETENSORS
from ..errors import UserError
from ..quoting import in_short, quote, unquoted
from .json_file import read_json
from .weight_files import WEIGHT_FILES, WeightFile

INDEX = ".index.json"  # ending of an index: "model.safetensors.index.json"
PLACES = "weight_map"  # the index's table: name of a tensor -> name of a file beside the index
_SHARD = re.compile(r"-\d+-of-\d+\.")


class ShardedWeights:
    """The tensors of an index and its files, as `WeightFile` has those of one file.

    Attributes:
        path: the index.
        paths: its files.
        shapes: every tensor of the index by name, on the meta device.

    Raises:
        UserError: a file is missing or damaged, or index and files do not fit.
    """

    def __init__(self, path: Path):
        self.path = path
        self._places = read_index(path)
        self._files = {file: WeightFile(file) for file in dict.fromkeys(self._places.values())}
        if wrong := self._misplaced():
            raise UserError(
                f"{path} does not fit its files: {in_short(wrong)}. Download them again, all of "
                "one model."
            )
        self.paths = tuple(self._files)
        self.shapes = {key: self._files[file].shapes[key] for key, file in self._places.items()}

    def read(self, keys: Iterable[str], dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
        """Names and tensors, one at a time and file by file; see `WeightFile.read`."""
        wanted = list(keys)
        for path, file in self._files.items():
            yield from file.read([key for key in wanted if self._places[key] == path], dtype)

    def _misplaced(self) -> list[str]:
        """Tensors that are not where the index says, in words."""
        wrong = [
            f"{unquoted(key)} is not in {path.name}"
            for key, path in self._places.items()
            if key not in self._files[path].shapes
        ]
        return wrong + [
            f"{unquoted(key)} is in {path.name} too"
            for path, file in self._files.items()
            for key in file.shapes
            if self._places.get(key, path) != path
        ]


def read_index(path: Path) -> dict[str, Path]:
    """The file of every tensor, by the tensor's name; the files exist.

    Raises:
        UserError: the index is no index, or a file is missing.
    """
    expected = "the index of weights in several files"
    content = read_json(path, expected=expected)
    places = content.get(PLACES) if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places or not all(map(_is_name, places.values())):
        raise UserError(
            f"{path} is not {expected}: its {PLACES} must name a file beside it for each tensor. "
            "Download it again."
        )
    files = {name: path.parent / name for name in dict.fromkeys(places.values())}
    if missing := [name for name, file in files.items() if not file.is_file()]:
        raise UserError(
            f"{path.parent} lacks {in_short(missing, between=', ')}, which {path.name} names: "
            f"{len(files) - len(missing)} of {len(files)} files are there. Download the others."
        )
    return {key: files[name] for key, name in places.items()}


Weights = WeightFile | ShardedWeights


def open_weights(path: Path) -> Weights:
    """A file of weights, an index with its files, or a folder that holds either.

    Raises:
        UserError: see `WeightFile` and `ShardedWeights`; or the folder holds neither.
    """
    if path.is_dir():
        path = _in_folder(path)
    return ShardedWeights(path) if path.name.lower().endswith(INDEX) else WeightFile(path)


def _in_folder(folder: Path) -> Path:
    """The weights in a folder: one file rather than several, .safetensors rather than others."""
    names = sorted(path.name for path in folder.iterdir())
    shards = [name for name in names if _SHARD.search(name) and not name.endswith(INDEX)]
    single = [name for name in names if name.lower().endswith(WEIGHT_FILES) and name not in shards]
    found = single + [name for name in names if name.endswith(INDEX)]
    if not found:
        lacking = f"no index ({INDEX}) for {quote(shards[0])}" if shards else "no weights"
        raise UserError(f"{folder} has {lacking}: the download is incomplete.")
    # A name with a word more is another number format, such as "model.fp16.safetensors".
    safe = [name for name in found if name.lower().removesuffix(INDEX).endswith(SAFETENSORS)]
    return folder / min(safe or found, key=lambda name: (name.endswith(INDEX), len(name)))


def _is_name(name: object) -> bool:
    """Whether a value of an index is the name of a file of weights, and no path."""
    return isinstance(name, str) and name == Path(name).name and name.endswith(WEIGHT_FILES)
