"""The file that steers an animation: a film of a person, or control frames drawn already."""

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..control import looks_drawn
from ..errors import UserError
from ..video import Sound
from .media.video import read_audio, read_image_folder, read_video
from .spec import AnimateSpec

FILM_STRIDE, DRAWN_STRIDE = 2, 1  # if the user chooses none
LOOKED_AT = 8  # of so many frames one is looked at, to find out whether a video is drawn
FOLDER_FPS = 14.0  # of pictures, which have no frame rate; ControlNeXt-SVD's


@dataclass(frozen=True)
class DrivingSource:
    """A video, or a folder of control frames, and how it is read.

    Attributes:
        path: the file or folder.
        drawn: whether its frames are the control frames.
        stride: every N-th frame of a video is read; of a folder every picture.
    """

    path: Path
    drawn: bool
    stride: int

    @classmethod
    def of(cls, spec: AnimateSpec) -> "DrivingSource":
        """The source of a spec, which names either a film or control frames.

        A video that shows drawn people is recognised, unless the spec says what it shows.

        Raises:
            UserError: the file or folder is missing, damaged, or no video or pictures; or there
                are fewer than 2 control frames.
        """
        path, stride, drawn = spec.video, spec.driving.stride, spec.driving.drawn
        if spec.control_frames:
            path, drawn = spec.control_frames, True
        elif drawn is None:
            drawn = _shows_drawn_people(path, stride or FILM_STRIDE, spec.result.frames)
        source = cls(path, drawn, stride or (DRAWN_STRIDE if drawn else FILM_STRIDE))
        frames, _ = source.read(2)
        with closing(frames):
            found = len(list(frames))
        if drawn and found < 2:
            raise UserError(
                f"A video needs at least 2 frames, but {path} gives {found}: use a longer video, "
                "more pictures or a smaller --stride."
            )
        return source

    def read(self, max_frames: int) -> tuple[Generator[np.ndarray, None, None], float]:
        """Frames [h, w, 3] uint8 of one size, one by one, and their frame rate per second.

        Of a film one frame less is read, because the first frame of the animation shows the
        picture's own pose.

        Args:
            max_frames: maximum number of frames of the animation, 2 or more.
        """
        if self.path.is_dir() and self.drawn:
            return read_image_folder(self.path, max_frames=max_frames), FOLDER_FPS
        before = 0 if self.drawn else 1
        return read_video(
            self.path,
            stride=self.stride,
            max_frames=max_frames - before,
            thin_out=not self.drawn,
            limit=lambda count: f"--frames {count + before}",
        )

    def read_sound(self, num_frames: int, fps: float, played: float) -> Sound | None:
        """The sound that belongs to the animation; None if there is none, or if it does not fit.

        Args:
            num_frames: of the animation.
            fps: frame rate of the frames that were read.
            played: frame rate of the animation.
        """
        if self.path.is_dir():
            return None
        sound = read_audio(self.path, num_frames / fps)
        if sound is None:
            return None
        if played != fps:
            logging.info(
                "The sound of %s is left out: it fits %g frames per second, but the animation has "
                "%g. Leave out --fps to keep the sound.",
                self.path,
                fps,
                played,
            )
            return None
        # The picture's own pose comes before the first frame of the film.
        return sound if self.drawn else sound.after_silence(1 / fps)


def _shows_drawn_people(path: Path, stride: int, max_frames: int) -> bool:
    """Whether a video is drawn already; if so, this is said."""
    few = -(-max_frames // LOOKED_AT)
    frames, _ = read_video(path, stride=stride * LOOKED_AT, max_frames=few)
    with closing(frames):
        drawn = looks_drawn(_up_to_damage(frames))
    if drawn:
        logging.info(
            "%s shows drawn poses: its frames are the control frames, as they are. With "
            "--no-drawn people are looked for in it.",
            path,
        )
    return drawn


def _up_to_damage(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames before damage. If the frames that are used are damaged, reading them says so."""
    try:
        yield from frames
    except UserError:
        return
