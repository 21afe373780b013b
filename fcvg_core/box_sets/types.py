"""The types that pass between the modules of this folder: a video with boxes, and a set of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..boxes import BoxTracks


@dataclass(frozen=True, eq=False)
class BoxVideo:
    """A video, or a window of it, whose objects have boxes.

    Attributes:
        name: of its folder in the data set.
        frames: the picture of each frame, T files.
        size: (height, width) in pixels of the frames that the boxes belong to; None: there are no
            boxes.
        tracks: of T frames; at most 8 objects.
        prompt: what the video shows.
        embeddings: embedded label [D] float32 of each label, from the data set's files.
    """

    name: str
    frames: tuple[Path, ...]
    size: tuple[int, int] | None
    tracks: BoxTracks
    prompt: str
    embeddings: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        if len(self.frames) != self.tracks.num_frames:
            raise ValueError(
                f"expected boxes of {len(self.frames)} frames, got {self.tracks.num_frames}"
            )


class BoxSet(Sequence[BoxVideo]):
    """The videos of a data set, in the order of their names; each is read when it is asked for.

    Args:
        dataset: its name: got10k or youvis.
        folders: of the videos.
        read: gives the video in a folder. It raises UserError for a file that is missing or has
            another form; so does asking for a video.
    """

    def __init__(
        self, dataset: str, folders: Sequence[Path], read: Callable[[Path], BoxVideo]
    ) -> None:
        self.dataset = dataset
        self._folders = tuple(folders)
        self._read = read

    @property
    def names(self) -> list[str]:
        """The name of each video."""
        return [folder.name for folder in self._folders]

    def first(self, count: int) -> "BoxSet":
        """The set of the first videos."""
        return BoxSet(self.dataset, self._folders[:count], self._read)

    def __len__(self) -> int:
        return len(self._folders)

    def __getitem__(self, index: int) -> BoxVideo:
        return self._read(self._folders[index])
