"""Pictures in, the frames between them out: for Python programs and for the command line."""

import logging

import numpy as np

from ..catalogue.find import FCVG_SET, SVD_SET, ModelSet
from ..choices import EULER
from ..colors import ramp_colors
from ..errors import UserError
from ..estimate import FCVG, Passes
from ..frames import check_frames, to_image, to_uint8
from ..motion import Motion
from ..progress import Progress, silent
from ..sampling import starts_empty
from ..settings import SamplingSettings
from .control.dwpose import Keyframes
from .networks.levels import plain_passes_of
from .networks.pipeline import InbetweenPipeline, PlainInbetweenPipeline
from .painter import Painter
from .preview import PreviewMaker, check_count
from .spec import InbetweenSpec


class InbetweenPainter(PreviewMaker, Painter):
    """Paints the frames between pictures, as often as it is called; it can preview them too.

    All that can be checked before models are loaded is checked at once. Models, matcher and pose
    detector are loaded when they are used first, and stay.

    Args:
        spec: its `output` is not used here, nor are its pictures; how many pictures it names
            counts.
        like: painter of an earlier job; its models, matcher and pose detector are kept where they
            are the same.
        paints: see `Painter`.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, a file holds something else, or settings do
            not go together.
    """

    spec_type = InbetweenSpec
    networks = FCVG

    @property
    def model_set(self) -> ModelSet:
        """FCVG's models, or SVD alone."""
        return SVD_SET if self.spec.plain else FCVG_SET

    def check_settings(self) -> None:
        """As every painter; and the sampler must not ignore a setting."""
        super().check_settings()
        if ignored := self.spec.ignored():
            what = "this setting" if len(ignored) == 1 else "these settings"
            raise UserError(
                f"With the sampler {self.spec.sampling.sampler} SVD alone paints, which would "
                f"ignore {', '.join(ignored)}: leave {what} out."
            )
        if self.spec.plain and len(self.at) > 2:
            raise UserError(
                f"The sampler {self.spec.sampling.sampler} paints between two keyframes, but there "
                f"are {len(self.at)}: take the sampler {EULER}, or two keyframes at a time."
            )

    def count_passes(self, settings: SamplingSettings) -> Passes:
        """Passes of the UNet through one window of a video."""
        return plain_passes_of(settings) if self.spec.plain else super().count_passes(settings)

    def __call__(
        self, *pictures: np.ndarray, seed: int | None = None, progress: Progress = silent
    ) -> np.ndarray:
        """The video between pictures, which are fitted to its size.

        Args:
            pictures: as many as the spec has keyframes, in the order of time, uint8 [h, w, 3].
            seed: seed of all noise; None takes the spec's seed.
            progress: gets the stage, the number of its parts that are done, and their total.

        Returns:
            uint8 [T, H, W, 3].
        """
        self.spec_of(seed)  # refuses a bad seed before anything is drawn
        keyframes = self.fit_all(pictures)
        if self.spec.plain:
            return self.paint(keyframes, None, seed=seed, progress=progress)
        found = self.find_motion(keyframes, progress=progress)
        return self.paint(
            keyframes,
            self.draw_control(found),
            start=self.draw_start(keyframes, found, progress=progress),
            seed=seed,
            progress=progress,
        )

    def draw_start(
        self, keyframes: Keyframes, found: Motion, *, progress: Progress = silent
    ) -> np.ndarray | None:
        """The preview if the spec starts from it; None if the spec starts from noise alone.

        Args:
            keyframes, found: see `draw_preview`.
        """
        if starts_empty(self.spec.sampling_settings().denoise):
            return None
        return self.draw_preview(keyframes, found, progress=progress)

    def paint(
        self,
        keyframes: Keyframes,
        control_frames: np.ndarray | None,
        *,
        start: np.ndarray | None = None,
        seed: int | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The video uint8 [T, H, W, 3], painted along control frames or by SVD alone.

        Args:
            keyframes: as many as the spec has, uint8 [H, W, 3], of the spec's size.
            control_frames: uint8 [T, H, W, 3]; None for no control. SVD alone (the sampler mpd)
                takes none.
            start: uint8 [T, H, W, 3], frames that the video starts from, of the keyframes' size.
                The spec's `from_preview` says how much noise is added to them.
            seed: seed of all noise; None takes the spec's seed.

        Raises:
            UserError: there is only one of `start` and `from_preview`, or nothing can be painted.
            ValueError: an array has another shape or type, or SVD alone gets control frames.
        """
        spec = self.spec_of(seed)
        check_count(len(keyframes), self.at)
        self._check_start(start)
        settings = spec.sampling_settings()
        more = {
            "seed": spec.sampling.seed,
            "decode_chunk": spec.machine.decode_chunk,
            "progress": progress,
        }
        if spec.plain:
            if control_frames is not None:
                raise ValueError("SVD alone (the sampler mpd) takes no control frames")
            logging.info("The sampler mpd is an experiment: SVD paints alone.")
            frames = self.load(PlainInbetweenPipeline, settings, progress)(
                keyframes, settings, **more
            )
        else:
            frames = self.load(InbetweenPipeline, settings, progress)(
                keyframes, control_frames, settings, at=self.at, start=start, **more
            )
        if spec.result.match_colors:
            _match_colors(frames, keyframes, self.at)
        if spec.result.keep_keyframes:
            frames[list(self.at)] = keyframes
        return frames

    def _check_start(self, start: np.ndarray | None) -> None:
        """Raise an error unless the spec and the frames to start from go together."""
        share = self.spec.sampling.from_preview
        if start is None:
            if not starts_empty(self.spec.sampling_settings().denoise):
                raise UserError(
                    f"With from_preview {share} the video starts from frames, but there are none: "
                    "give `start`, for example what draw_preview returns."
                )
            return
        if share is None:
            raise UserError(
                "There are frames to start from, but from_preview is None: set it to the share of "
                "denoising, 0 to 1, or leave the frames out."
            )
        check_frames(start)
        wanted = (self.spec.result.frames, *self.size, 3)
        if start.shape != wanted:
            found = list(start.shape)
            raise ValueError(f"expected frames to start from of shape {list(wanted)}, got {found}")


def _match_colors(frames: np.ndarray, keyframes: Keyframes, at: tuple[int, ...]) -> None:
    """Bring the colours of frames [T, H, W, 3] uint8 to the ramp between keyframes, in place."""
    images = (to_image(frame[None])[0] for frame in frames)
    known = [to_image(keyframe[None])[0] for keyframe in keyframes]
    for number, image in enumerate(ramp_colors(images, known, at)):
        frames[number] = to_uint8(image)
