"""ControlNets in the host's context windows: each window sees the pictures of its own frames.

The host cuts conditionings to a window, but gives every window the first pictures of a ControlNet.
"""

import copy
from collections.abc import Callable

from comfy.controlnet import ControlBase
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP
from torch import Tensor


def cut_control_to_windows(patcher: ModelPatcher) -> None:
    """Let a model's ControlNets follow context windows."""
    patcher.add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, "fcvg_control_windows", _evaluate)


def _evaluate(
    executor: Callable, model, conds: list, x: Tensor, sigma: Tensor, model_options: dict
) -> list[Tensor]:
    """The host's evaluation of one window, or of a whole video if no window is at work."""
    window = model_options["transformer_options"].get("context_window")
    if window is not None:
        anchor = getattr(window, "causal_anchor_index", None)
        frames = [*([] if anchor is None else [anchor]), *window.index_list]
        conds = _with_own_pictures(conds, frames)
    return executor(model, conds, x, sigma, model_options)


def _with_own_pictures(conds: list, frames: list[int]) -> list:
    """Conditionings whose ControlNets have the pictures of some frames.

    Entries that share a ControlNet still share it, because the host evaluates such entries at once.
    """
    found = {
        id(entry["control"]): entry["control"]
        for cond in conds
        for entry in cond or ()
        if entry.get("control") is not None
    }
    cut = {key: _cut(control, frames) for key, control in found.items()}
    return [
        cond and [{**x, "control": cut[id(x["control"])]} if x.get("control") else x for x in cond]
        for cond in conds
    ]


def _cut(control: ControlBase, frames: list[int]) -> ControlBase:
    """A ControlNet, and those before it, with the pictures of some frames.

    A ControlNet with fewer pictures than frames begins again with its first picture, as the host
    does without windows. Control of another pack may follow windows itself, so it is not changed.
    """
    # Not the host's own copy, which lacks what the host set up for this run.
    cut = copy.copy(control)
    if type(control).__module__ == ControlBase.__module__:
        pictures = control.cond_hint_original
        cut.cond_hint_original = pictures[[frame % len(pictures) for frame in frames]]
        cut.cond_hint = None
    if control.previous_controlnet is not None:
        cut.previous_controlnet = _cut(control.previous_controlnet, frames)
    return cut
