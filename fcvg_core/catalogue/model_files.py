"""Types of the catalogue: a download, a model file with its places, a family with its files."""

import glob
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..files.json_file import read_json

HUB, DRIVE = "https://huggingface.co/", "https://drive.google.com/drive/folders/"
MODEL_INDEX = "model_index.json"  # the index of a folder in diffusers' layout
# ComfyUI's folders of models that several families use.
UNET, CONTROLNEXT, DIFFUSERS = "diffusion_models", "controlnext", "diffusers"
Roots = list[tuple[str, Path]]  # folders of models, each with its layout before it


class MissingModelsError(UserError):
    """Models that a run needs are neither named nor found, or not whole."""


@dataclass(frozen=True)
class Download:
    """A file on a server, from its authors or from people who have repacked it.

    Attributes:
        url: address of the file; on Google Drive, the address of the shared folder and the
            file's name.
        size: approximate size in megabytes.
        sha256: digest in hexadecimal digits; empty: the digest that the hub publishes is used.
        name: path of the file in its folder; empty: the name of the model file's first place.
    """

    url: str
    size: float
    sha256: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model file, or a folder in diffusers' layout, which is represented by its index file.

    Attributes:
        key: name for programs.
        name: name for people.
        comfyui: accepted places below ComfyUI's folder of models, each "folder/name"; a download
            goes to the first place.
        folder: accepted places below FCVG_MODELS, for the command line; a download goes to the
            first place.
        downloads: the file; for a folder in diffusers' layout all files that are used, the index
            last.
        licence: name of the licence, or what is known about it.
        source: page of the file, for people.
        pipeline: for a folder in diffusers' layout, the class that its index names.
        parts: for a folder in diffusers' layout, the sub-folders whose weights are used.
        non_commercial: whether the licence forbids commercial use.
        on_request: whether the file is downloaded only if its key is asked for, because it is
            large and not every user needs it.
        companions: small files that are downloaded too if this file is asked for by its key.
        needs: other files without which this file does not work.
        in_comfyui: place of the same file in ComfyUI's own code; empty: ComfyUI does not bring it.
    """

    key: str
    name: str
    comfyui: tuple[str, ...]
    folder: tuple[str, ...]
    downloads: tuple[Download, ...]
    licence: str
    source: str
    pipeline: str = ""
    parts: tuple[str, ...] = ()
    non_commercial: bool = False
    on_request: bool = False
    companions: tuple["ModelFile", ...] = ()
    needs: tuple["ModelFile", ...] = ()
    in_comfyui: str = ""

    @property
    def size(self) -> float:
        """Approximate size of all downloads together, in megabytes."""
        return sum(download.size for download in self.downloads)

    @property
    def kind(self) -> str:
        """ComfyUI's folder of models that a download goes to."""
        return self.comfyui[0].partition("/")[0]

    @property
    def download_command(self) -> str:
        """The command that downloads this file alone."""
        return f"python -m fcvg_core models --get --only {self.key}"

    def names(self, kind: str) -> tuple[str, ...]:
        """Accepted names in one of ComfyUI's folders of models; empty if it is the wrong folder."""
        parted = (place.partition("/") for place in self.comfyui)
        return tuple(name for folder, _, name in parted if folder == kind)

    def targets(self, kind: str, root: Path) -> list[tuple[Download, Path]]:
        """Every download and its target below a folder whose layout is "comfyui" or "folder"."""
        first = root / getattr(self, kind)[0]
        return [
            (download, first.parent / (download.name or first.name)) for download in self.downloads
        ]

    def find(self, roots: Roots) -> Path | None:
        """The first place where the file is; None if it is in no place.

        Args:
            roots: folders, each with its layout: "folder", "comfyui" or, for a folder of one kind
                of models, "comfyui/" and the kind. ComfyUI looks into their sub-folders too.
        """
        return next(filter(self._matches, self._candidates(roots)), None)

    def find_lacking(self, roots: Roots) -> Path | None:
        """What the first place lacks where the file is, but is not whole.

        Returns:
            A file that is downloaded together with this file; in a folder in diffusers' layout a
            sub-folder without weights, or a file of weights that an index names. None if there is
            no such place.
        """
        there = filter(self._is_there, self._candidates(roots))
        return next(filter(None, map(self._lacking, there)), None)

    def files_at(self, path: Path) -> list[Path]:
        """All files of weights that belong to a place which `find` has found."""
        weights = [file for part in self.parts for file in part_weights(path.parent / part)]
        return [path, *(file for file in self._together(path) if file != path), *weights]

    def _candidates(self, roots: Roots) -> Iterator[Path]:
        """Paths with an accepted name, in the order of the folders and of the names."""
        for layout, root in roots:
            for pattern in self._patterns(layout):
                # Not Path.glob, which passes over linked folders, where large models often are.
                names = sorted(glob.glob(pattern, root_dir=root, recursive=True))
                yield from (root / name for name in names)
            if layout == "comfyui" and self.in_comfyui:
                yield root.parent / self.in_comfyui

    def _patterns(self, layout: str) -> list[str]:
        if layout == "folder":
            return list(self.folder)
        _, _, kind = layout.partition("/")
        if kind:
            return [pattern for name in self.names(kind) for pattern in (name, f"**/{name}")]
        parted = (place.partition("/") for place in self.comfyui)
        return [
            f"{folder}/{pattern}" for folder, _, name in parted for pattern in (name, f"**/{name}")
        ]

    def _matches(self, path: Path) -> bool:
        """Whether a path is this file, and whole."""
        return self._is_there(path) and self._lacking(path) is None

    def _is_there(self, path: Path) -> bool:
        """Whether a path is this file; an index must name the pipeline."""
        if not self.pipeline:
            return path.is_file()
        return path.is_file() and self.pipeline.encode() in path.read_bytes()

    def _lacking(self, path: Path) -> Path | None:
        """What a place lacks: the first missing file, or part without weights; None: it is whole.

        Files that are downloaded together must be together. A file with another name, under which
        people have merged or renamed them, stands alone.
        """
        if not self.pipeline:
            return next((file for file in self._together(path) if not file.is_file()), None)
        lacking = (lacking_weights(path.parent / part) for part in self.parts)
        return next(filter(None, lacking), None)

    def _together(self, path: Path) -> list[Path]:
        """The files that a download puts beside a path, with the path; none for another name."""
        names = [download.name for download in self.downloads if download.name]
        if self.pipeline or path.name not in names:
            return []
        return [path.parent / name for name in names]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of models, as the commands `models` and `doctor` and ComfyUI's folders use it.

    Attributes:
        mode: word for --mode, which is also the family's command: "inbetween".
        purpose: what the family makes, for people.
        needed: files without which the family does not work.
        alternatives: files of which the family needs one, whichever it is.
        for_command: files without which the family's command does not work; ComfyUI's nodes do.
        helpful: files that improve the results, or that replace a missing part.
        otherwise: what can be done without some of the needed files, as a sentence for people.
    """

    mode: str
    purpose: str
    needed: tuple[ModelFile, ...]
    alternatives: tuple[ModelFile, ...] = ()
    for_command: tuple[ModelFile, ...] = ()
    helpful: tuple[ModelFile, ...] = ()
    otherwise: str = ""


def part_weights(part: Path) -> list[Path]:
    """Files with the weights of a part of a folder in diffusers' layout."""
    return [*sorted(part.glob("*.safetensors")), *sorted(part.glob("*.bin"))]


def lacking_weights(part: Path) -> Path | None:
    """What a part of a folder in diffusers' layout lacks; None if its weights are there.

    Returns:
        The part itself, if it holds no weights; or, if its weights lie in several files, the first
        file that is missing, or their index, if it can't be read.
    """
    weights = part_weights(part)
    if not weights:
        return part
    shards: set[str] = set()
    for index in sorted(part.glob("*.index.json")):
        try:
            table = read_json(index, expected="an index of weights")["weight_map"]
            shards |= {str(name) for name in table.values()}
        except (UserError, TypeError, KeyError, AttributeError):
            return index
    if any(path.name not in shards for path in weights):  # a file that holds all weights
        return None
    return next((path for name in sorted(shards) if not (path := part / name).is_file()), None)


def places(folder: str, *names: str) -> tuple[str, ...]:
    """Several names in one folder, each as "folder/name"."""
    return tuple(f"{folder}/{name}" for name in names)
