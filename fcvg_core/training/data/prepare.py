"""Clips of a manifest -> clips that training can take: once for all runs, kept in the cache."""

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from ...errors import UserError
from ...files.claim import made_folder
from ...progress import Progress, silent
from ...standalone.networks.pipeline import VideoPipeline
from ..clips import Clip
from ..config import TrainingSpec
from ..jobs.job import Finder, Job, Tools
from .cache import ENDING, Contents, cache_key, load_contents, mark_files, mark_path, save_contents
from .item import Fault, Item

CACHE = "cache"  # folder in a run's folder
SHOWN = 3  # faults that a message names
ENCODED_FIELDS = ("width", "height", "fit", "frames", "augmentation", "versions")


@dataclass(frozen=True, eq=False)
class PreparedClip:
    """A clip whose contents are in a file; they are read whenever they are used.

    Attributes:
        item: the clip in the manifest.
        path: the file.
        job, spec: what the clip is for.
    """

    item: Item
    path: Path
    job: Job
    spec: TrainingSpec

    @property
    def name(self) -> str:
        """Its id."""
        return self.item.id

    @property
    def weight(self) -> float:
        """How much it counts."""
        return self.item.weight

    def clip(self, chance: torch.Generator | None) -> Clip:
        """What a step takes of it; see `Job.clip`.

        Raises:
            UserError: the file is gone or damaged.
        """
        return self.job.clip(load_contents(self.path), self.spec, chance)

    def frames(self) -> np.ndarray:
        """The true frames of `clip(None)`, uint8 [T, H, W, 3]; they are read from the video."""
        return self.job.true_frames(self.item, load_contents(self.path), self.spec)


@dataclass(frozen=True)
class Prepared:
    """What became of the clips of a manifest.

    Attributes:
        clips: that can be used, in the manifest's order.
        faults: of the clips that are left out.
    """

    clips: list[PreparedClip] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def prepare(
    items: Sequence[Item],
    spec: TrainingSpec,
    job: Job,
    tools: Tools,
    *,
    progress: Progress = silent,
) -> Prepared:
    """Find and encode what the cache does not hold yet. A clip that can't be used is left out.

    Args:
        items: at least one.
        job: what the clips are for.
        tools: networks are opened when the first clip needs them, and freed at the end.

    Raises:
        UserError: no clip can be used, a model is missing, or the cache can't be written.
    """
    folder, prepared = spec.data.cache or spec.output / CACHE, Prepared()
    maker = _Maker(spec, job, tools)
    with made_folder(folder), closing(maker):
        for done, item in enumerate(items):
            progress("preparing", done, len(items))
            try:
                path = maker.provide(item, folder)
            except _BadClipError as error:
                prepared.faults.append(Fault(item.id, item.line, str(error)))
                logging.warning("The clip %s is left out: %s", item.id, error)
            else:
                prepared.clips.append(PreparedClip(item, path, job, spec))
        progress("preparing", len(items), len(items))
    if not prepared.clips:
        raise UserError(_none_left(prepared.faults))
    return prepared


class _BadClipError(Exception):
    """A clip can't be used; the message says why."""


class _Maker:
    """Provides the files of clips, and opens what it needs for that."""

    def __init__(self, spec: TrainingSpec, job: Job, tools: Tools):
        self._spec, self._job, self._tools = spec, job, tools

    def provide(self, item: Item, folder: Path) -> Path:
        """The file of a clip in the cache, which is made unless it is there and whole."""
        key = self._key(item)
        path = folder / f"{key}{ENDING}"
        if not _is_whole(path):
            contents = self._make(item, int(key[:12], 16))
            save_contents(path, contents)
        return path

    def close(self) -> None:
        """Free the memory of what finds conditions; the encoders go with this object."""
        if "_finder" in self.__dict__:
            self._finder.release()

    def _key(self, item: Item) -> str:
        try:
            files = mark_files(item)
        except UserError as error:
            raise _BadClipError(str(error)) from error
        data, needs = self._spec.data, self._job.needs_finder(item)
        return cache_key(
            {
                "job": self._spec.job,
                "files": files,
                "start": item.start,
                "stride": item.stride,
                "data": {name: getattr(data, name) for name in ENCODED_FIELDS},
                "encoders": self._encoder_marks,
                "finder": self._finder_marks if needs else [],
                "found": self._job.decides(item, self._spec),
            }
        )

    def _make(self, item: Item, seed: int) -> Contents:
        """The contents of a clip. Models that are missing are no fault of the clip."""
        encoders = self._encoders
        finder = self._finder if self._job.needs_finder(item) else None
        try:
            return self._job.make_contents(item, self._spec, encoders, finder, seed)
        except UserError as error:
            raise _BadClipError(str(error)) from error

    @cached_property
    def _encoder_marks(self) -> list[str]:
        return [mark_path(path) for path in self._tools.encoder_files]

    @cached_property
    def _finder_marks(self) -> list[str]:
        files = self._job.finder_files(self._spec, self._tools.roots)
        return [mark_path(path) for path in files]

    @cached_property
    def _encoders(self) -> VideoPipeline:
        return self._tools.load_encoders()

    @cached_property
    def _finder(self) -> Finder:
        return self._job.open_finder(self._spec, self._tools)


def _is_whole(path: Path) -> bool:
    """Whether a clip's file is there and what was written; a damaged file is named in the log."""
    if not path.exists():
        return False
    try:
        load_contents(path, verify=True)
    except UserError:
        logging.warning("%s, a file of the cache, is damaged: it is made again.", path)
        return False
    return True


def _none_left(faults: Sequence[Fault]) -> str:
    """The message if no clip can be used."""
    reasons = "\n".join(f"{each.id} (line {each.line}): {each.message}" for each in faults[:SHOWN])
    more = f"\nand {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return f"None of the {len(faults)} clips can be used:\n{reasons}{more}"
