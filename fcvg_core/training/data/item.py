"""A clip as a manifest names it, and what is wrong with a clip."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ...bounds import STRIDE, Bounds
from ...files.writing import save_text
from ...standalone.spec.part import Part, setting
from ...standalone.spec.values import PATH, SWITCH, TEXT, TWO_FILES, choice, number, whole

TRAIN, HELD_OUT = SPLITS = ("train", "held out")
START = Bounds(0, 100_000_000)  # frames
WEIGHT = Bounds(0.001, 1000.0)


@dataclass(frozen=True, kw_only=True)
class Item(Part):
    """A clip of a manifest. That its files exist is seen when they are read.

    Attributes:
        id: unlike that of any other clip of the manifest, also for a disk that ignores case.
        line: of the manifest, from 1; of a list in ControlNeXt-SVD's form, its place from 1.
        video, frames: the video file, or the folder of pictures; one of the two.
        start: number of the first frame, from 0.
        stride: every N-th frame is taken.
        matches: file of line matches between first and last frame, as `match` writes it; None:
            lines are looked for.
        poses: files of the people of the first and of the last frame; None: people are looked for.
        guide: video or folder of pictures of the drawn people, a frame for each frame of the clip;
            None: people are looked for.
        swapped: whether red and blue of the guide are swapped, as in the guides of ControlNeXt-SVD.
        details: file with the boxes of the hands of each frame, in ControlNeXt-SVD's form.
        weight: factor of the clip's loss.
        split: train or held out; None: the id decides.
    """

    id: str = setting(TEXT)
    line: int = setting(whole(START), 1)
    video: Path | None = setting(PATH, None)
    frames: Path | None = setting(PATH, None)
    start: int = setting(whole(START), 0)
    stride: int = setting(whole(STRIDE), 1)
    matches: Path | None = setting(PATH, None)
    poses: tuple[Path, Path] | None = setting(TWO_FILES, None)
    guide: Path | None = setting(PATH, None)
    swapped: bool = setting(SWITCH, False)
    details: Path | None = setting(PATH, None)
    weight: float = setting(number(WEIGHT), 1.0)
    split: str | None = setting(choice(*SPLITS), None)

    @property
    def source(self) -> Path:
        """The video file or the folder of pictures."""
        return self.video or self.frames


@dataclass(frozen=True)
class Fault:
    """A clip that is left out.

    Attributes:
        id, line: of its `Item`.
        message: what is wrong, and the remedy.
    """

    id: str
    line: int
    message: str


def write_faults(path: Path, faults: Iterable[Fault]) -> None:
    """Write a JSON object a line for each clip that was left out, perhaps none.

    Raises:
        UserError: the file can't be written.
    """
    save_text(path, "".join(json.dumps(asdict(fault)) + "\n" for fault in faults))
