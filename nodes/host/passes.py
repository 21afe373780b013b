"""The passes of a video: which frames the model sees at once, and in which direction of time.

To the host and to its hooks a pass is an ordinary clip that begins at its keyframe. The frames of
a backward pass are reversed before the host sees them, and its predictions are reversed again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

import comfy.conds
import comfy.model_base
import comfy.model_management as mm
import torch
from comfy.model_patcher import ModelPatcher, create_model_options_clone
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.sampling import Window, average_windows, fuse, shift_to_end
from .spans import select_span

# Keys in transformer_options: the current ModelPass, and the uuids of the conditional conds. All
# other conds are unconditional.
CURRENT = "fcvg_pass"
STEERED = "fcvg_steered"
Conds = list[dict] | None  # a conditioning as the host's samplers take it; None: not evaluated


@dataclass(frozen=True)
class ModelPass:
    """One pass: a window of the video, seen in one direction of time.

    Attributes:
        key: number of the pass among all passes of a step.
        num_frames: of the whole video.
        window: the frames that the model sees.
        backward: whether the model sees the frames in reverse order.
        conditional: uuids of this pass's conditional conds.
        foreign: uuids of the conds that belong to the other direction, or to another span.
    """

    key: int
    num_frames: int
    window: Window
    backward: bool
    conditional: frozenset[UUID]
    foreign: frozenset[UUID]

    def own(self, conds: Conds) -> Conds:
        """The conds that belong to this pass, with uuids that no other pass has.

        Caches such as EasyCache store a prediction under the uuid of its cond, and for the same
        cond every pass has another prediction.
        """
        if conds is None:
            return None
        return [self._own(cond) for cond in conds if cond["uuid"] not in self.foreign]

    def _own(self, cond: dict) -> dict:
        """A cond with this pass's uuid; values for each frame are cut to this pass's frames."""
        inputs = dict(cond["model_conds"])
        inputs["num_video_frames"] = comfy.conds.CONDConstant(self.window.length)
        picture = inputs.get("c_concat")
        if picture is not None and len(picture.cond) == self.num_frames:
            inputs["c_concat"] = type(picture)(self.clip(picture.cond))
        own = {**cond, "uuid": _derived(cond["uuid"], self.key), "model_conds": inputs}
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
        """Frames in order of time -> frames in this pass's order, or back."""
        return frames.flip(0) if self.backward else frames


@dataclass(frozen=True)
class VideoPasses:
    """The passes of one step: window by window, and in each window direction by direction.

    Clips are one tensor, which holds the frames of pass after pass, each in the pass's own order of
    time. Windows of different spans may have different lengths.

    Attributes:
        ends: None; or for each span [T, 4, h, w] latents of the keyframe that it ends with, scaled
            as predictions. Then only the forward passes are evaluated, and the backward passes are
            built from them. To hooks all steps look alike: some keep values of the shape of all
            clips.
    """

    passes: tuple[ModelPass, ...]
    ends: tuple[Tensor, ...] | None = None

    @classmethod
    def plan(
        cls, num_frames: int, windows: Iterable[Window], directions: dict[bool, list[dict]]
    ) -> "VideoPasses":
        """A pass for every window in every direction.

        Args:
            directions: the conditional conds of each direction, under False for the forward and
                under True for the backward direction. A cond may belong to one span alone.
        """
        every = frozenset().union(*map(_uuids, directions.values()))
        pairs = [(window, backward) for window in windows for backward in directions]
        passes = []
        for key, (window, backward) in enumerate(pairs):
            own = _uuids(select_span(directions[backward], window.span))
            found = ModelPass(
                key=key,
                num_frames=num_frames,
                window=window,
                backward=backward,
                conditional=frozenset(_derived(uuid, key) for uuid in own),
                foreign=every - own,
            )
            passes.append(found)
        return cls(tuple(passes))

    def one_by_one(self) -> list["VideoPasses"]:
        """The same passes, each that is evaluated in a group of its own."""
        size = 1 if self.ends is None else 2
        starts = range(0, len(self.passes), size)
        return [replace(self, passes=self.passes[start : start + size]) for start in starts]

    def direction(self, backward: bool) -> "VideoPasses":
        """The passes of one direction."""
        return VideoPasses(tuple(x for x in self.passes if x.backward == backward))

    def builds(self, current: ModelPass) -> bool:
        """Whether a pass is built from the pass before it, which is its window's forward pass."""
        return self.ends is not None and current.backward

    def build(self, current: ModelPass, forward: Tensor) -> Tensor:
        """The prediction [t, 4, h, w] of a pass that is built from its window's forward pass."""
        end = self.ends[current.window.span][current.window.frames][-1:]
        return current.in_order(shift_to_end(forward, end))

    def split(self, video: Tensor) -> Tensor:
        """Frames of a video [T, ...] -> clips."""
        return torch.cat([current.clip(video) for current in self.passes])

    def chunk(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Clips -> one tensor [t, ...] for each pass."""
        return clips.split([current.window.length for current in self.passes])

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
        """Options with which the host's evaluation takes clips and returns predictions as clips.

        The host's function is called once, so the hooks around it see one call a step.
        """
        return _with_evaluation(model_options, self._evaluate)

    def evaluate_video(self, model_options: dict) -> dict:
        """Options with which the host's evaluation takes a video [T, ...] and returns videos."""

        def evaluate(executor: Callable, model, conds, x, sigma, options) -> list[Tensor]:
            clips = self._evaluate(
                executor, model, conds, self.split(x), self.split(sigma), options
            )
            return [self.merge(prediction) for prediction in clips]

        return _with_evaluation(model_options, evaluate)

    def _evaluate(self, executor: Callable, model, conds, x, sigma, options) -> list[Tensor]:
        """The host's calc_cond_batch for each pass in turn."""
        found: list[list[Tensor]] = []
        parts = zip(self.passes, self.chunk(x), self.chunk(sigma), strict=True)
        for current, clip, level in parts:
            if self.builds(current):
                # A cond that is not evaluated has a prediction of zeros.
                forward = zip(conds, found[-1], strict=True)
                found.append([x if c is None else self.build(current, x) for c, x in forward])
                continue
            mm.throw_exception_if_processing_interrupted()
            own = [current.own(cond) for cond in conds]
            found.append(executor(model, own, clip, level, current.options(options)))
        return [torch.cat(clips) for clips in zip(*found, strict=True)]


def check_svd(model: ModelPatcher, what: str) -> None:
    """Raise UserError unless a model is SVD; `what` names the part that needs SVD."""
    if not isinstance(model.model, comfy.model_base.SVD_img2vid):
        raise UserError(
            f"{what} works with Stable Video Diffusion, but the model is "
            f"{type(model.model).__name__}: connect Load FCVG Model or an SVD checkpoint."
        )


def refuse_areas(conds: dict[str, list[dict]]) -> None:
    """Raise UserError if a cond is limited to an area, because control covers the whole picture.

    Args:
        conds: the conds of a guider, by name.
    """
    for name, entries in conds.items():
        if any("area" in cond or cond.get("set_area_to_bounds") for cond in entries):
            raise UserError(
                f"The conditioning {name!r} is limited to an area, but control frames "
                "steer the whole picture: remove the node that sets the area."
            )


def _with_evaluation(model_options: dict, evaluate: Callable) -> dict:
    """Options with `evaluate` as the innermost wrapper around the host's own evaluation."""
    options = create_model_options_clone(model_options)
    key = WrappersMP.CALC_COND_BATCH
    add_wrapper_with_key(key, CURRENT, evaluate, options, is_model_options=True)
    return options


def _uuids(conds: list[dict]) -> frozenset[UUID]:
    return frozenset(cond["uuid"] for cond in conds)


def _derived(uuid: UUID, key: int) -> UUID:
    return uuid5(uuid, str(key))
