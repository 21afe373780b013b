"""Files of the commands that make clips: the videos, their frames, and run.json."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...files.claim import Claim
from ..clip_model import ClipModel
from ..media.writing import frames_size, video_size
from ..spec import DynamiCrafterSpec, StorySpec
from .keyframe_files import write_result
from .run_record import save_spec

FRAMES = "frames"
PARTS = ("text_encoder", "image_encoder", "vae", "tokenizer")  # options that name parts of a model


class VideoFiles:
    """The videos of a run, for which the disk's room is reserved until they are written.

    A video alone has its pictures in `frames/`, each of several videos has a folder in `frames/`.

    Args:
        shape: [T, H, W, 3] of each video.
        count: number of videos.
        beside: bytes of other files, for which room is reserved too; see `release`.

    Raises:
        UserError: the disk has less room.
    """

    def __init__(self, claim: Claim, shape: tuple[int, ...], *, count: int, beside: float = 0):
        self._claim, self._count, self._beside = claim, count, beside
        self._size = frames_size(shape) + video_size(shape)
        self._names: list[str] = []
        claim.reserve(self._left)

    @property
    def _left(self) -> float:
        """Bytes of all files that are still to be written."""
        return (self._count - len(self._names)) * self._size + self._beside

    def release(self, size: float) -> None:
        """Free the room of files beside the videos, which are written now: `size` bytes."""
        self._beside -= size
        self._claim.release(self._left)

    def write(self, frames: np.ndarray, fps: float, *, name: str) -> None:
        """Write a video [T, H, W, 3] uint8.

        Args:
            name: of its file, without the ending.
        """
        self._names.append(name)
        write_result(
            self._claim,
            frames,
            fps,
            video=f"{name}.mp4",
            folder=FRAMES if self._count == 1 else f"{FRAMES}/{name}",
            kept=self._left,
        )

    def describe(self) -> str:
        """What was written; see `describe_videos`."""
        return describe_videos(self._claim.path, self._names)


def describe_videos(folder: Path, names: Iterable[str]) -> str:
    """What lies in a folder of results: a line for each video and one for the pictures.

    Args:
        names: of the videos' files, without the ending.
    """
    videos = [f"video:  {folder / name}.mp4" for name in names]
    return "\n".join([*videos, f"frames: {folder / FRAMES}"])


def save_clip_run(
    folder: Path,
    command: str,
    spec: DynamiCrafterSpec | StorySpec,
    models: Mapping[str, ClipModel],
    inputs: Mapping[str, tuple[Path, ...]],
) -> None:
    """Write run.json: the spec with the files that were found, and the files that went in.

    Args:
        models: that paint, by the option that names their checkpoint.
        inputs: files that the spec names by a folder or by a list, by the option of it.
    """
    checkpoints = {option: model.files.checkpoint for option, model in models.items()}
    first = next(iter(models.values()))
    # The configuration has said which model it is for, and may be a file that is not there.
    found = {"variant": first.variant.word, "config": None, **checkpoints, **_parts(models)}
    spec = replace(spec, models=replace(spec.models, **found))
    named = {key: paths for key, paths in spec.paths().items() if key != "output"}
    for option, paths in inputs.items():
        named[option] = (*named[option], *paths)
    save_spec(
        folder,
        command,
        spec,
        named,
        device=str(first.device),
        dtype=str(first.dtype),
        stand_ins=any(model.is_stand_in for model in models.values()),
    )


def _parts(models: Mapping[str, ClipModel]) -> dict[str, Path | None]:
    """The files of parts outside the checkpoints, by their options.

    A part that the checkpoints don't have in common is left out: one option would give it to both.
    """
    files = {part: {getattr(model.files, part) for model in models.values()} for part in PARTS}
    return {part: next(iter(paths)) for part, paths in files.items() if len(paths) == 1}
