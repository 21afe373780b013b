"""The truth and a result -> pairs of clips that have the same frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...canvas import in_words
from ...errors import UserError
from ...quoting import in_short
from ...shell import shell_words
from ..media.pictures import read_frame
from ..media.video import list_pictures, read_every_frame, read_image_folder
from ..media.video.folder import PICTURES, count_frames

# Endings of videos, by which they are found in a folder of clips.
VIDEOS = {
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"),
    *(".flv", ".wmv", ".ogg", ".ogv", ".mxf", ".gif"),
}
FRAMES = "frames"  # the folder with the frames, in the folder of a run's results
MIN_FRAMES = 3  # both keyframes and a frame between them
MIN_SIDE = 32  # pixels: SSIM's window and LPIPS's network need about as many


@dataclass(frozen=True)
class Clip:
    """A video, or a folder of frames.

    Attributes:
        path: the file or folder.
        num_frames: number of its frames.
        size: (height, width) of its frames in pixels.
    """

    path: Path
    num_frames: int
    size: tuple[int, int]

    def read(self) -> Iterator[np.ndarray]:
        """Its frames [H, W, 3] uint8, one by one.

        Raises:
            UserError: a frame is damaged.
        """
        return _read(self.path)


@dataclass(frozen=True)
class ClipPair:
    """A clip of the truth and the clip of a result, with as many frames of the same size.

    Attributes:
        name: of the clip in a folder of clips; empty if there is only this one.
    """

    name: str
    truth: Clip
    result: Clip


def pair_clips(truth: Path, results: list[Path]) -> dict[Path, list[ClipPair]]:
    """The clips of each result, with the clips of the truth that they belong to.

    A path is a video, a folder of frames, the folder of a run's results, or a folder that holds
    several of these. In a folder of several clips, the clips of the truth and of the result are
    paired by their names without the ending.

    Raises:
        UserError: a path is named twice, is missing or holds no clip; clips lack a partner; a
            file can't be read; or two clips differ in the number or the size of their frames.
    """
    _check_named_once([truth, *results])
    clips = {path: _find_clips(path) for path in (truth, *results)}
    for path in results:
        _check_names(truth, clips[truth], path, clips[path])
    true = {name: _open_clip(path) for name, path in clips[truth].items()}
    pairs = {
        path: [ClipPair(name, true[name], _open_clip(clips[path][name])) for name in true]
        for path in results
    }
    for pair in (pair for some in pairs.values() for pair in some):
        _check_pair(pair)
    return pairs


def read_pairs(pair: ClipPair) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The frames of both clips at the same time, one by one."""
    return zip(pair.truth.read(), pair.result.read(), strict=True)


def _check_named_once(paths: list[Path]) -> None:
    named: dict[Path, Path] = {}
    for path in paths:
        place = path.resolve()
        if place in named:
            other = "" if named[place] == path else f" (it is {named[place]} too)"
            raise UserError(
                f"{path} is named twice{other}. Name the truth once, and each result once."
            )
        named[place] = path


def _find_clips(path: Path) -> dict[str, Path]:
    """The clips of a path by their names; the only clip has an empty name."""
    if not path.exists():
        raise UserError(
            f"There is no file or folder {path}. Give a video, a folder of frames, or a folder of "
            "several clips."
        )
    if path.is_file() and path.suffix.lower() in PICTURES - VIDEOS:
        raise UserError(f"{path} is one picture. Give a video, or the folder of all frames.")
    own = _clip_at(path)
    if own or not path.is_dir():
        return {"": own or path}
    found: dict[str, Path] = {}
    for inside in sorted(path.iterdir()):
        clip = _clip_at(inside)
        if clip is None or inside.name.startswith("."):
            continue
        name = inside.name if inside.is_dir() else inside.stem
        if name in found:
            raise UserError(
                f"{path} holds two clips of the name {name}. Give each clip a name of its own."
            )
        found[name] = clip
    if not found:
        raise UserError(
            f"{path} holds no frames and no clips. Expected pictures, videos, or folders of "
            "pictures."
        )
    return found


def _clip_at(path: Path) -> Path | None:
    """The video or folder of frames at a path; None if there is neither.

    Beside its folder `frames` the folder of a run may hold pictures: the strip of `demo`.
    """
    if not path.is_dir():
        return path if path.suffix.lower() in VIDEOS else None
    return next((x for x in (path / FRAMES, path) if x.is_dir() and _holds_frames(x)), None)


def _holds_frames(folder: Path) -> bool:
    """Whether a folder holds pictures; a GIF may be a video of its own."""
    return any(picture.suffix.lower() not in VIDEOS for picture in list_pictures(folder))


def _check_names(truth: Path, true: dict[str, Path], path: Path, found: dict[str, Path]) -> None:
    if ("" in true) != ("" in found):
        one, several = (truth, path) if "" in true else (path, truth)
        raise UserError(
            f"{one} is one clip, but {several} is a folder of several clips. Give two clips, or "
            "two folders of clips with the same names."
        )
    for folder, lacking in ((path, true.keys() - found), (truth, found.keys() - true)):
        if lacking:
            names = in_short(sorted(lacking), between=", ")
            other = truth if folder is path else path
            raise UserError(
                f"{folder} lacks clips that {other} has: {names}. Both need a clip of each name."
            )


def _open_clip(path: Path) -> Clip:
    """A clip with the number of its frames; a video is read once for it."""
    if path.is_dir():
        pictures = list_pictures(path)
        return Clip(path, len(pictures), read_frame(pictures[0]).shape[:2])
    count = 0
    for frame in _read(path):
        count, size = count + 1, frame.shape[:2]
    return Clip(path, count, size)


def _read(path: Path) -> Iterator[np.ndarray]:
    return read_image_folder(path, max_frames=None) if path.is_dir() else read_every_frame(path)


def _check_pair(pair: ClipPair) -> None:
    truth, result = pair.truth, pair.result
    if truth.num_frames < MIN_FRAMES:
        raise UserError(
            f"{truth.path} holds {count_frames(truth.num_frames)}. Expected at least {MIN_FRAMES}: "
            "the first, the last, and a frame between them. Give a longer clip."
        )
    if min(truth.size) < MIN_SIDE:
        raise UserError(
            f"{truth.path} has {in_words(truth.size)} pixels. Expected at least "
            f"{in_words((MIN_SIDE, MIN_SIDE))} pixels. Give larger frames."
        )
    if truth.num_frames != result.num_frames:
        raise UserError(
            f"{result.path} holds {count_frames(result.num_frames)}, but the truth {truth.path} "
            f"holds {count_frames(truth.num_frames)}. "
            f"{_how_to_cut(*sorted((truth, result), key=_count))}"
        )
    if truth.size != result.size:
        raise UserError(
            f"{result.path} has {in_words(result.size)} pixels, but the truth {truth.path} has "
            f"{in_words(truth.size)} pixels. Give both in the same size."
        )


def _count(clip: Clip) -> int:
    return clip.num_frames


def _how_to_cut(shorter: Clip, longer: Clip) -> str:
    """What to do so that two clips have as many frames."""
    count, path = shorter.num_frames, longer.path
    if path.is_dir():
        return f"Give a folder that holds {count} of the pictures in {path}."
    folder = path.with_name(f"{path.stem}_{count}")
    pictures = str(folder / "%05d.png")
    command = shell_words("ffmpeg", "-i", str(path), "-frames:v", str(count), pictures)
    return (
        f"To cut {path} to its first {count_frames(count)}, make the folder {folder}, run: "
        f"{command}, and give the folder instead."
    )
