"""What was found in a clip and encoded of it, as a file: made once, read at every step."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ...errors import UserError
from ...failures import explain_disk
from ...files.marks import read_mark
from ...files.writing import write_aside
from .encoded import EncodedClip
from .item import Item

VERSION = 1  # of what is in a file; another version is another key
ENDING = ".safetensors"
HALVES = ("mean", "deviation", "pictures")  # kept in half precision
ENCODED = (*HALVES, "embeddings")
FILES = ("video", "frames", "matches", "poses", "guide", "details")  # fields of an item


@dataclass(frozen=True, eq=False)
class Contents:
    """What a job knows of a clip.

    Attributes:
        encoded: its frames.
        tensors: what else the job keeps, by its own names.
        texts: the same, as texts.
    """

    encoded: EncodedClip
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def cache_key(decides: Mapping[str, Any]) -> str:
    """The name of a clip in the cache: the hash of all that decides what is found and encoded.

    Args:
        decides: values as JSON has them.
    """
    text = json.dumps({**decides, "version": VERSION}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def mark_files(item: Item) -> dict[str, list[str]]:
    """Marks of the content of a clip's files, by the fields that name them.

    Raises:
        UserError: a file is missing, or can't be read.
    """
    marks = {}
    for name in FILES:
        found = getattr(item, name)
        paths = found if isinstance(found, tuple) else (found,)
        marks[name] = [mark_path(path) for path in paths if path is not None]
    return marks


def mark_path(path: Path) -> str:
    """The mark of a file, or of a folder: of the names and marks of its files.

    Raises:
        UserError: there is no such file, or it can't be read.
    """
    try:
        if not path.is_dir():
            return read_mark(path)
        files = sorted(each for each in path.iterdir() if each.is_file())
        lines = [f"{each.name}\n{read_mark(each)}" for each in files]
    except OSError as error:
        raise UserError(explain_disk(error, path)) from error
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def save_contents(path: Path, contents: Contents) -> None:
    """Write a clip's file; it appears under its name when it is whole.

    Raises:
        UserError: the file can't be written.
    """
    encoded = {name: getattr(contents.encoded, name) for name in ENCODED}
    halves = {name: encoded[name].half() for name in HALVES}
    tensors = {**encoded, **halves, **contents.tensors}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    metadata = {
        "at": json.dumps(contents.encoded.at),
        "texts": json.dumps(dict(contents.texts)),
        "digest": _digest(tensors),
    }
    with write_aside(path) as part:
        part.write_bytes(save(tensors, metadata))  # save_file gives a full disk no errno


def load_contents(path: Path, *, verify: bool = False) -> Contents:
    """A clip's file. Its tensors are mapped: the pages of a frame are read when it is used.

    Args:
        verify: whether all of it is read, to see that it is what was written.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with safe_open(path, "pt") as opened:
            metadata = opened.metadata()
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        encoded = {key: tensors.pop(key) for key in ENCODED}
        at, texts = (json.loads(metadata[key]) for key in ("at", "texts"))
        if verify and _digest({**encoded, **tensors}) != metadata["digest"]:
            raise ValueError("other values were written")
        return Contents(EncodedClip(at=tuple(at), **encoded), tensors, texts)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}, a file of the cache, is missing or damaged ({error}): start again, and it "
            "is made again."
        ) from error


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the names and the bytes of tensors."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()
