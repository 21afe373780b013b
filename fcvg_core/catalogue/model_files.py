"""What the catalogue says of a model file and of a family: purpose, places and source."""

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HUB, DRIVE = "https://huggingface.co/", "https://drive.google.com/drive/folders/"
MODEL_INDEX = "model_index.json"  # of a folder in diffusers' layout
# ComfyUI's folders of models that several families use.
UNET, CONTROLNEXT, DIFFUSERS = "diffusion_models", "controlnext", "diffusers"


@dataclass(frozen=True)
class Download:
    """A file as its authors, or other people who repacked it, offer it.

    Attributes:
        url: address of the file; on Google Drive, the address of the shared folder and the
            file's name.
        size: about, in megabytes.
        sha256: in hexadecimal digits, if it is known; otherwise the hub tells it.
        name: what to call the file, in the folder that it goes to.
    """

    url: str
    size: float
    sha256: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model file, or a folder in diffusers' layout, for which its index stands.

    Attributes:
        key: its name for programs.
        name: its name for people.
        comfyui: accepted places below ComfyUI's folder of models, each "folder/name"; a download
            goes to the first.
        folder: accepted places below FCVG_MODELS, for the command line; a download goes to the
            first.
        downloads: the file; for a folder in diffusers' layout everything that is used of it, and
            last its index.
        pipeline: for a folder in diffusers' layout, the class that its index names.
        parts: for such a folder, its sub-folders whose weights are used.
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

    @property
    def size(self) -> float:
        """About, in megabytes."""
        return sum(download.size for download in self.downloads)

    @property
    def kind(self) -> str:
        """ComfyUI's folder of models that a download goes to."""
        return self.comfyui[0].partition("/")[0]

    def names(self, kind: str) -> tuple[str, ...]:
        """Accepted names in one of ComfyUI's folders of models; empty if it goes elsewhere."""
        places = (place.partition("/") for place in self.comfyui)
        return tuple(name for own, _, name in places if own == kind)

    def targets(self, kind: str, root: Path) -> list[tuple[Download, Path]]:
        """Every download and its target below a folder whose layout is "comfyui" or "folder"."""
        first = root / getattr(self, kind)[0]
        return [
            (download, first.parent / (download.name or first.name)) for download in self.downloads
        ]

    def find(self, roots: Iterable[tuple[str, Path]]) -> Path | None:
        """The first place where the file is; None if it is in no place.

        Args:
            roots: folders, each with its layout: "folder", "comfyui" or, for a folder of one kind
                of models, "comfyui/" and the kind. ComfyUI looks into their sub-folders too.
        """
        for layout, root in roots:
            for pattern in self._patterns(layout):
                # Not Path.glob, which passes over linked folders, where large models often are.
                found = sorted(glob.glob(pattern, root_dir=root, recursive=True))
                path = next(filter(self._is_it, (root / name for name in found)), None)
                if path:
                    return path
        return None

    def _patterns(self, layout: str) -> list[str]:
        if layout == "folder":
            return list(self.folder)
        _, _, kind = layout.partition("/")
        if kind:
            return [pattern for name in self.names(kind) for pattern in (name, f"**/{name}")]
        places = (place.partition("/") for place in self.comfyui)
        return [f"{own}/{pattern}" for own, _, name in places for pattern in (name, f"**/{name}")]

    def _is_it(self, path: Path) -> bool:
        """Whether a path is this file; an index has to name the pipeline and lie beside weights."""
        if not (self.pipeline and path.is_file()):
            return path.is_file()
        whole = all(part_weights(path.parent / part) for part in self.parts)
        return whole and self.pipeline.encode() in path.read_bytes()


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of models, as `models`, `doctor` and ComfyUI's folders know it.

    Attributes:
        mode: its word for --mode, which is also its command: "inbetween".
        purpose: what it makes, for people.
        needed: files that it can't do without.
        helpful: files that make it better.
    """

    mode: str
    purpose: str
    needed: tuple[ModelFile, ...]
    helpful: tuple[ModelFile, ...] = ()


def part_weights(part: Path) -> list[Path]:
    """Files with the weights of a part of a folder in diffusers' layout."""
    return [*sorted(part.glob("*.safetensors")), *sorted(part.glob("*.bin"))]


def places(folder: str, *names: str) -> tuple[str, ...]:
    """Several names in one folder, each as "folder/name"."""
    return tuple(f"{folder}/{name}" for name in names)
