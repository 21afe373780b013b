"""The passes of a video: which frames the model sees at once, and in which direction of time.

To the host and to its hooks a pass is an ordinary clip that begins at its keyframe: frames of a
backward pass are reversed before the host sees them, and its predictions are reversed again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

import comfy.conds
import comfy.model_base
import comfy.model_management as mm
import torch
from comfy.model_patcher import ModelPatcher, create_model_options_clone
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from ...fcvg_core.sampling import Window, average_windows, fuse

# Keys in transformer_options: the ModelPass that is evaluated, and the uuids of the conds that are
# steered, all others being unconditional.
CURRENT = "fcvg_pass"
STEERED = "fcvg_steered"
Conds = list[dict] | None  # what the host makes of a conditioning; None is not evaluated


@dataclass(frozen=True)
class ModelPass:
    """What one call of the model is about.

    Attributes:
        key: number of the pass among all passes of a step.
        num_frames: of the whole video.
        window: the frames that the model sees.
        backward: whether it sees them in reverse order.
        conditional: uuids of its conditional conds.
        foreign: uuids of the conds that belong to the other direction.
    """

    key: int
    num_frames: int
    window: Window
    backward: bool
    conditional: frozenset[UUID]
    foreign: frozenset[UUID]

    def own(self, conds: Conds) -> Conds:
        """Those of the conds that belong to this pass, with uuids of its own.

        Caches such as EasyCache keep what the model predicted under the uuid of a cond, and passes
        predict different things for the same cond.
        """
        if conds is None:
            return None
        return [self._own(cond) for cond in conds if cond["uuid"] not in self.foreign]

    def _own(self, cond: dict) -> dict:
        """A cond as this pass sees it: its uuid, and of what has a value a frame the clip's."""
        told = dict(cond["model_conds"])
        told["num_video_frames"] = comfy.conds.CONDConstant(self.window.length)
        picture = told.get("c_concat")
        if picture is not None and len(picture.cond) == self.num_frames:
            told["c_concat"] = type(picture)(self.clip(picture.cond))
        own = {**cond, "uuid": _derived(cond["uuid"], self.key), "model_conds": told}
        if len(own.get("mask", ())) == self.num_frames:
            own["mask"] = self.clip(own["mask"])
        return own

    def options(self, model_options: dict) -> dict:
        """The options with which the host evaluates a clip of this pass."""
        options = create_model_options_clone(model_options)
        options["transformer_options"].update({CURRENT: self, STEERED: self.conditional})
        return options

    def clip(self, video: Tensor) -> Tensor:
        """The frames of a video [T, ...] that this pass sees, in its own order of time."""
        return self.in_order(video[self.window.frames])

    def in_order(self, frames: Tensor) -> Tensor:
        """Frames of the window in this pass's order of time, and back."""
        return frames.flip(0) if self.backward else frames


@dataclass(frozen=True)
class VideoPasses:
    """Passes of one step: window by window, and in each window direction by direction.

    Clips are a tensor [len(passes) * t, ...]: the frames of each pass in its own order of time.
    All windows have the same length t.
    """

    passes: tuple[ModelPass, ...]

    @classmethod
    def plan(
        cls, num_frames: int, windows: Iterable[Window], directions: dict[bool, list[dict]]
    ) -> "VideoPasses":
        """Every window in every direction.

        Args:
            directions: for backward = False, and perhaps True, the conditional conds.
        """
        uuids = {backward: _uuids(conds) for backward, conds in directions.items()}
        pairs = [(window, backward) for window in windows for backward in directions]
        return cls(
            tuple(
                ModelPass(
                    key=key,
                    num_frames=num_frames,
                    window=window,
                    backward=backward,
                    conditional=frozenset(_derived(uuid, key) for uuid in uuids[backward]),
                    foreign=frozenset().union(*uuids.values()) - uuids[backward],
                )
                for key, (window, backward) in enumerate(pairs)
            )
        )

    def one_by_one(self) -> list["VideoPasses"]:
        """The same passes, each alone."""
        return [VideoPasses((current,)) for current in self.passes]

    def split(self, video: Tensor) -> Tensor:
        """Frames of a video [T, ...] -> clips."""
        return torch.cat([current.clip(video) for current in self.passes])

    def chunk(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Clips -> one tensor [t, ...] for each pass."""
        return clips.chunk(len(self.passes))

    def merge(self, clips: Tensor) -> Tensor:
        """Predictions as clips -> [T, ...]: directions are fused, then windows are averaged."""
        found: dict[Window, list[Tensor]] = {}
        for current, clip in zip(self.passes, self.chunk(clips), strict=True):
            found.setdefault(current.window, []).append(current.in_order(clip))

        def predict(_, window: Window) -> Tensor:
            directions = found[window]
            return fuse(*directions) if len(directions) == 2 else directions[0]

        video = clips.new_empty(self.passes[0].num_frames, *clips.shape[1:])
        return average_windows(video, list(found), predict)

    def evaluate_clips(self, model_options: dict) -> dict:
        """Options with which the host's evaluation takes clips, and returns predictions as clips.

        The host's function is called once, so the hooks around it see one call a step.
        """
        return _with_evaluation(model_options, self._evaluate)

    def evaluate_video(self, model_options: dict) -> dict:
        """Options with which the host's evaluation takes a video [T, ...], and returns videos."""

        def evaluate(executor: Callable, model, conds, x, sigma, options) -> list[Tensor]:
            clips = self._evaluate(
                executor, model, conds, self.split(x), self.split(sigma), options
            )
            return [self.merge(prediction) for prediction in clips]

        return _with_evaluation(model_options, evaluate)

    def _evaluate(self, executor: Callable, model, conds, x, sigma, options) -> list[Tensor]:
        """The host's calc_cond_batch for each pass in turn."""
        found = []
        parts = zip(self.passes, self.chunk(x), self.chunk(sigma), strict=True)
        for current, clip, level in parts:
            mm.throw_exception_if_processing_interrupted()
            own = [current.own(cond) for cond in conds]
            found.append(executor(model, own, clip, level, current.options(options)))
        return [torch.cat(clips) for clips in zip(*found, strict=True)]


def check_svd(model: ModelPatcher, what: str) -> None:
    """Raise ValueError unless a model is SVD; `what` works with nothing else."""
    if not isinstance(model.model, comfy.model_base.SVD_img2vid):
        raise ValueError(
            f"{what} works with Stable Video Diffusion, but the model is "
            f"{type(model.model).__name__}: connect Load FCVG Model or an SVD checkpoint."
        )


def refuse_areas(conds: dict[str, list[dict]]) -> None:
    """Raise ValueError where a cond covers a part of the picture: control frames cover all of it.

    Args:
        conds: a guider's, by name.
    """
    for name, entries in conds.items():
        if any("area" in cond or cond.get("set_area_to_bounds") for cond in entries):
            raise ValueError(
                f"The conditioning {name!r} is limited to an area, but the whole picture is "
                "steered: take the node that sets the area out."
            )


def _with_evaluation(model_options: dict, evaluate: Callable) -> dict:
    """Options in which `evaluate` stands nearest to the host's own evaluation."""
    options = create_model_options_clone(model_options)
    key = WrappersMP.CALC_COND_BATCH
    add_wrapper_with_key(key, CURRENT, evaluate, options, is_model_options=True)
    return options


def _uuids(conds: list[dict]) -> frozenset[UUID]:
    return frozenset(cond["uuid"] for cond in conds)


def _derived(uuid: UUID, key: int) -> UUID:
    return uuid5(uuid, str(key))
