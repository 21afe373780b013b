"""What a guider says of its run: before sampling what it needs, then how far it is."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import comfy.model_management as mm
from comfy.model_patcher import ModelPatcher

from ...fcvg_core.advice import advise
from ...fcvg_core.estimate import (
    FITS,
    PASSES,
    STREAMS,
    TOO_LARGE,
    Estimate,
    Networks,
    Video,
    estimate,
    in_gigabytes,
)
from .patchers import is_dynamic
from .svd.cache import keeps_features

# Shows lines on a guider's node, in place of the lines that it has shown before.
Display = Callable[[Sequence[str]], None]
GREEN = "\N{LARGE GREEN CIRCLE} "
YELLOW = "\N{LARGE YELLOW CIRCLE} "
RED = "\N{LARGE RED CIRCLE} "
LIGHTS = {FITS: GREEN, STREAMS: YELLOW, TOO_LARGE: RED}
SECONDS_BETWEEN = 1.0  # two texts about steps


@dataclass(frozen=True)
class Card:
    """Memory of the card that a model runs on, in bytes.

    Attributes:
        usable: what is free, and what the host can make free.
        kept: what the host keeps free for a step when it loads weights; 0 if it moves weights while
            they are used.
    """

    usable: int
    kept: int


def log_needs(model: ModelPatcher, video: Video, networks: Networks) -> str:
    """Log what a video needs, and return the line with its light.

    It is called before weights are loaded. Without a card it says nothing of memory.

    Args:
        networks: of the model's family; the sizes of the weights come from the model.
    """
    card = look_at_card(model, video)
    fit, text = (None, "") if card is None else compare(model, video, card, networks)
    line = f"{video}.{text}"
    light = LIGHTS.get(fit, "")
    level = logging.WARNING if fit == TOO_LARGE else logging.INFO
    logging.log(level, line, extra={"light": light})
    return light + line


def look_at_card(model: ModelPatcher, video: Video) -> Card | None:
    """The card that a model runs on; None without a card whose free memory the host knows."""
    device = model.load_device
    if device.type in ("cpu", "mps", "privateuseone"):  # the last one is DirectML
        return None
    loaded = [x for x in mm.loaded_models() if x is not None and x.load_device == device]
    usable = mm.get_free_memory(device) + sum(x.loaded_size() for x in loaded)
    return Card(int(usable), 0 if is_dynamic(model) else _kept_by_host(model, video))


def compare(model: ModelPatcher, video: Video, card: Card, networks: Networks) -> tuple[str, str]:
    """Whether a video fits a card, and a sentence about it."""
    weights = sum(x.model_size() for x in (model, *model.model_patches_models()))
    dtype = model.model.manual_cast_dtype or model.model.get_dtype()
    kept = networks.directions * PASSES if keeps_features(model) else 0

    def needs(size: tuple[int, int], window: int) -> Estimate:
        found = estimate(
            size,
            video.num_frames,
            window,
            "fp32" if mm.dtype_size(dtype) == 4 else "bf16",
            overlap=video.overlap,
            at=video.at,
            networks=networks,
            decode_chunk=0,
            kept=kept,
        )
        return replace(found, weights=weights)

    found = needs(video.size, video.window)
    fit, usable = found.fit(card.usable), in_gigabytes(card.usable)
    whole = f" Needs about {in_gigabytes(found.whole)} on the card"
    slower = "a part of the weights will be streamed from main memory, which is slower."
    if fit == FITS and weights + card.kept <= card.usable:
        return FITS, f"{whole}; ComfyUI can use {usable}."
    if fit == FITS:
        free = in_gigabytes(card.kept)
        return STREAMS, f"{whole}. Of {usable} ComfyUI keeps {free} free for a step, so {slower}"
    if fit == STREAMS:
        return STREAMS, f"{whole}, but ComfyUI can use {usable}: {slower}"
    advice = advise(
        lambda size, window: needs(size, window).least,
        video.size,
        video.at_once,
        card.usable,
        overlap=video.overlap,
    )
    return TOO_LARGE, (
        f" Needs about {in_gigabytes(found.least)} on the card even if weights are streamed, but "
        f"ComfyUI can use {usable}: {advice}."
    )


def _kept_by_host(model: ModelPatcher, video: Video) -> int:
    """Bytes that the host keeps free for a step when it loads weights.

    Source: ComfyUI comfy/sampler_helpers.py `estimate_memory` (the minimum, which decides how many
    weights are loaded) and comfy/model_management.py `load_models_gpu`.
    """
    height, width = video.size
    shape = [video.at_once, 4, height // 8, width // 8]
    step = model.model.memory_required(shape) + mm.extra_reserved_memory()
    return int(max(step, mm.minimum_inference_memory()))


@contextmanager
def running_clock(display: Display | None, line: str, calls: int) -> Iterator["StepClock | None"]:
    """A clock that shows below a line how far a run is; None if there is no display.

    Args:
        calls: how often the sampler will call its callback.
    """
    if display is None:
        yield None
        return
    display([line])
    clock = StepClock(lambda step: display([line, step]), calls)
    try:
        yield clock
    finally:
        clock.finish()


class StepClock:
    """Shows which step a sampler has done, how long a step takes, and how long the rest takes.

    Args:
        show: shows a line.
        calls: how often the sampler will call its callback.
    """

    def __init__(self, show: Callable[[str], None], calls: int):
        self._show, self._calls = show, calls
        self._begin = self._shown = None
        self._ends: list[float] = []

    def start(self) -> None:
        """The model is about to be evaluated; the first of these calls counts."""
        if self._begin is None:
            self._begin = time.monotonic()

    def timed(self, callback: Callable | None) -> Callable:
        """A sampler's callback that does as `callback` does, and notes the time."""

        def note(step, x0, x, total_steps):
            if callback is not None:
                callback(step, x0, x, total_steps)
            self._note(step + 1, total_steps)

        return note

    def finish(self) -> None:
        """The run has ended, even if not all steps were done."""
        if not self._ends:
            return
        seconds = self._ends[-1] - self._begin
        count = len(self._ends)
        text = f"{count} {'step' if count == 1 else 'steps'} in {_in_words(seconds)}."
        logging.info(text)  # so the result of an all-in-one node has it
        self._show(text)

    def _note(self, step: int, total: int) -> None:
        self.start()  # a cache or a sampler may call back without an evaluation
        now = time.monotonic()
        self._ends.append(now)
        if self._shown is not None and now - self._shown < SECONDS_BETWEEN:
            return
        self._shown = now
        left = max(self._calls - len(self._ends), 0) * self._seconds_a_step()
        self._show(
            f"Step {step} of {max(step, total)}, {self._seconds_a_step():.1f} s a step, about "
            f"{_in_words(left)} left."
        )

    def _seconds_a_step(self) -> float:
        """Without the first step, in which the host still moves weights, as soon as possible."""
        if len(self._ends) == 1:
            return self._ends[0] - self._begin
        return (self._ends[-1] - self._ends[0]) / (len(self._ends) - 1)


def _in_words(seconds: float) -> str:
    """A duration: "35 s", "4 min", "1.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
