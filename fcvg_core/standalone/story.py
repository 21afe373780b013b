"""A list of shots in, one video out: for Python programs and for the command line."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..choices import ANIMATE, INTERPOLATE
from ..errors import UserError
from ..files.json_file import read_json
from ..progress import Progress, silent
from ..quoting import in_short, quote
from ..sampling import join_clips
from .clip_model import ClipModel
from .frame_maker import FrameMaker
from .media.pictures import fit_picture, read_frame
from .networks.dynamicrafter import ClipRequest, ClipSettings
from .networks.vae import collect_video
from .spec import Shot, StoryModelChoice, StorySpec

INTERPOLATING = "512_interp"  # the model of shots that end with a given picture
SHOTS = "shots"  # name of the list in a file
MOST = 1000  # shots of a story
EXAMPLE = '{"prompt": "a boat leaves", "picture": "boat.png"}'


def read_story(path: Path) -> list[Shot]:
    """The shots of a file: {"shots": [{"prompt": "...", "picture": "a.png"}, ...]}.

    Relative paths of pictures are looked for beside the file.

    Raises:
        UserError: the file is missing, or holds something else; the message names the shot.
    """
    table = read_json(path, expected="a story")
    if not isinstance(table, dict) or not isinstance(table.get(SHOTS), list):
        raise UserError(
            f'{path} is no story: expected {{"{SHOTS}": [...]}}, a list with a table for each shot.'
        )
    if other := sorted(table.keys() - {SHOTS}):
        raise UserError(
            f'{path} has {in_short([*map(quote, other)], between=", ")} beside "{SHOTS}": a story '
            "has its shots alone. Settings of all shots are options of the command."
        )
    if not 1 <= len(table[SHOTS]) <= MOST:
        raise UserError(f"{path} has {len(table[SHOTS])} shots: a story has 1 to {MOST}.")
    shots = []
    for number, values in enumerate(table[SHOTS], 1):
        with _named(number, f"{path}, "):
            shots.append(_read_shot(values, path.parent))
    return shots


class StoryPainter(FrameMaker):
    """Paints the shots of a story, each from a given picture or from the end of the shot before.

    Everything is checked, and the pictures are read, before a model is loaded. A model is loaded
    when its first shot is painted, and stays.

    Args:
        spec: its `output`, `result.fps` and `shot_frames` are about files and are not used here.
        shots: 1 or more; None reads them from the spec's `story`.

    Attributes:
        models: the checked models, by what they do: animate, interpolate.
        shots: the shots, in order.
        shape: [T, H, W, 3] of the video.
        kept: for each shot, which of its frames the video has: a shot that begins with the end of
            the shot before does not repeat this frame.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, a file holds something else, or settings do
            not go together; if this concerns one shot, the message names the shot.
    """

    spec_type = StorySpec
    named_parts = ()

    def __init__(self, spec: StorySpec, shots: Sequence[Shot] | None = None):
        super().__init__(spec)
        if shots is None:
            if spec.story is None:
                raise UserError("There is no story: name its file, or give its shots.")
            shots = read_story(spec.story)
        if not shots:
            raise UserError("The story is empty: give it one shot or more.")
        self.shots = tuple(shots)
        if others := {type(shot).__name__ for shot in self.shots if not isinstance(shot, Shot)}:
            raise ValueError(f"expected shots of type Shot, got {', '.join(sorted(others))}")
        for number, shot in enumerate(self.shots, 1):
            with _named(number):
                _check_pictures(shot, is_first=number == 1)
        self.models = self._open_models()
        self.size = next(iter(self.models.values())).size(spec.result)
        self._settings = self._settle()
        lengths = [settings.num_frames for settings in self._settings]
        self.kept = join_clips(lengths, [shot.picture is None for shot in self.shots])
        self.shape = (sum(x.stop - x.start for x in self.kept), *self.size, 3)

    @property
    def pictures(self) -> tuple[Path, ...]:
        """The files of all pictures."""
        return tuple(path for shot in self.shots for (path,) in shot.paths().values())

    def __call__(self, *, progress: Progress = silent) -> np.ndarray:
        """The video uint8 [T, H, W, 3] of all shots, joined without a doubled frame."""
        return self.join(self.paint(progress=progress))

    def join(self, shots: Iterable[np.ndarray]) -> np.ndarray:
        """The video uint8 [T, H, W, 3] of all shots that `paint` gives."""
        parts = (frames[kept] for frames, kept in zip(shots, self.kept, strict=True))
        return collect_video(itertools.chain.from_iterable(parts), self.shape[0])

    def paint(self, *, progress: Progress = silent) -> Iterator[np.ndarray]:
        """All frames uint8 [T, H, W, 3] of each shot, one shot after the other.

        Args:
            progress: gets the stage with the shot's number, the number of its parts that are done,
                and their total.
        """
        end = None
        for i, shot in enumerate(self.shots):
            frames = self._paint(shot, self._settings[i], end, _naming(progress, i + 1))
            end = frames[-1]
            yield frames

    def _open_models(self) -> dict[str, ClipModel]:
        """The checked models, by what they do; one model does both if it is chosen for all."""
        modes = {shot.mode for shot in self.shots}
        if modes == {ANIMATE}:
            return {ANIMATE: self._open(self.spec.models, ANIMATE)}
        choice = self.spec.models
        for_all = choice.variant == INTERPOLATING or ANIMATE not in modes
        own = choice
        if choice.interp_checkpoint or not (for_all and choice.checkpoint):
            between = choice.interp_checkpoint
            own = replace(choice, variant=INTERPOLATING, checkpoint=between, config=None)
        model = self._open(own, INTERPOLATE)
        if ANIMATE not in modes:
            return {INTERPOLATE: model}
        return {ANIMATE: model if for_all else self._open(choice, ANIMATE), INTERPOLATE: model}

    def _open(self, choice: StoryModelChoice, mode: str) -> ClipModel:
        return ClipModel(
            choice,
            self.spec.machine,
            interpolates=mode == INTERPOLATE,
            roots=self.roots,
            device=self.device,
        )

    def _settle(self) -> list[ClipSettings]:
        """How each shot is sampled; its model must be able to do it.

        What the log says of a shot is not said again of another shot of the same kind.
        """
        found, checked = [], []
        for number, shot in enumerate(self.shots, 1):
            model = self.models[shot.mode]
            settings = model.settings(
                self.spec.sampling,
                self.spec.machine,
                num_frames=shot.frames or self.spec.result.frames,
                rate=shot.rate,
            )
            kind = (shot.mode, settings.num_frames, settings.rate)
            if kind not in checked:
                with _named(number):
                    model.check(self.size, settings, shot.mode)
                checked.append(kind)
            found.append(settings)
        return found

    def _paint(
        self, shot: Shot, settings: ClipSettings, end: np.ndarray | None, progress: Progress
    ) -> np.ndarray:
        """The frames of a shot.

        Args:
            end: uint8 [H, W, 3], the last frame of the shot before; None: there is none.
        """
        first = end if shot.picture is None else self._fitted(shot.picture)
        last = None if shot.last is None else self._fitted(shot.last)
        text = self.spec.negative_prompt if shot.negative_prompt is None else shot.negative_prompt
        request = ClipRequest(
            first=first,
            last=last,
            prompt=shot.prompt,
            negative_prompt=text,
            mode=shot.mode,
        )
        seed = self.spec.sampling.seed if shot.seed is None else shot.seed
        return self.models[shot.mode].paint(
            request,
            settings,
            seed=seed,
            keep_keyframes=self.spec.result.keep_keyframes,
            progress=progress,
        )

    def _fitted(self, path: Path) -> np.ndarray:
        """A picture at the size of the video; the log says what is cut off."""
        result = self.spec.result
        return fit_picture(read_frame(path), self.size, result.fit, result.anchor, name=path)


def _check_pictures(shot: Shot, *, is_first: bool) -> None:
    """Raise UserError unless a shot has something to start from, and its pictures can be read.

    The pictures are not kept: there may be many.
    """
    if is_first and shot.picture is None:
        raise UserError(
            "there is nothing to start from: give the first shot a picture, for later shots can "
            "begin with the end of the shot before."
        )
    for (path,) in shot.paths().values():
        read_frame(path)


def _read_shot(values: Any, folder: Path) -> Shot:
    """A shot of a table; its pictures are looked for in a folder."""
    known = Shot.settings_by_key()
    if not isinstance(values, dict):
        raise UserError(f"expected a table such as {EXAMPLE}, got {quote(values)}.")
    if unknown := sorted(values.keys() - known.keys()):
        names = in_short([*map(quote, unknown)], between=", ")
        raise UserError(f"there is no setting {names}: expected {', '.join(known)}.")
    shot = Shot.from_options(values)
    paths = {key: folder / path for key, (path,) in shot.paths().items()}
    return replace(shot, **paths)


@contextmanager
def _named(number: int, where: str = "") -> Iterator[None]:
    """Errors that the user can correct name the shot."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}shot {number}: {error}") from error


def _naming(progress: Progress, number: int) -> Progress:
    """Progress whose stages name the shot."""
    return lambda stage, done, total: progress(f"shot {number}, {stage}", done, total)
