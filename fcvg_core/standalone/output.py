"""What a run leaves behind: a folder of its own with video, frames, conditions and run.json."""

import hashlib
import json
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import UserError

HASHED_BYTES = 64 * 2**20  # larger files are told by their size alone: hashing takes seconds
PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "safetensors", "numpy",
            "opencv-python", "opencv-python-headless", "pillow", "av")  # fmt: skip


def claim_folder(wanted: Path) -> Path:
    """Make a folder for a run: `wanted`, or the first free one of `wanted`_0001, _0002, ...

    Raises:
        OSError: the folder can't be made.
    """
    folder, number = wanted, 0
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            if number == 0 and folder.is_dir() and not any(folder.iterdir()):
                return folder
        number += 1
        folder = wanted.with_name(f"{wanted.name}_{number:04d}")


def write_frames(folder: Path, frames: np.ndarray) -> None:
    """Write frames [T, H, W, 3] uint8 as 00.png, 01.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    digits = max(len(str(len(frames) - 1)), 2)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{i:0{digits}d}.png")


def write_video(path: Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write frames [T, H, W, 3] uint8, or one by one, as an MP4; see `video.VideoWriter`."""
    from .video import VideoWriter

    with VideoWriter(path, fps) as video:
        for frame in frames:
            video.write(frame)


def write_run(path: Path, options: dict, inputs: dict[str, Path], **facts) -> None:
    """Write run.json: everything that is needed to do the run again.

    Args:
        options: of the command, as `read_run` gives them back.
        inputs: files that went in, by the name of their option.
        facts: what else is worth knowing.
    """
    run = {
        "options": options,
        "inputs": {name: describe_file(file) for name, file in inputs.items()},
        "versions": versions(),
        **facts,
    }
    path.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_run(path: Path) -> dict:
    """What `write_run` wrote.

    Raises:
        UserError: the file is missing or was not written by a run.
    """
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(run["options"], dict) and isinstance(run["inputs"], dict):
            return run
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no run.json of an earlier run: {error!r}.") from error
    raise UserError(f"{path} is no run.json of an earlier run: its options are no table.")


def changed_inputs(run: dict) -> list[str]:
    """Paths of the files of an earlier run that are not what they were then."""
    return [
        noted["path"]
        for noted in run["inputs"].values()
        if not Path(noted["path"]).exists() or describe_file(Path(noted["path"])) != noted
    ]


def describe_file(path: Path) -> dict:
    """Absolute path of a file or folder, size of a file, and its SHA-256 unless it is large."""
    path = path.absolute()
    if path.is_dir():
        return {"path": str(path)}
    size = path.stat().st_size
    if size > HASHED_BYTES:
        return {"path": str(path), "bytes": size}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"path": str(path), "bytes": size, "sha256": digest}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run depends on."""
    found = {"python": platform.python_version()}
    for package in ("fcvg", *PACKAGES):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
