"""Preview during sampling: shows the middle frame, which differs most from the keyframes."""

import inspect
from collections.abc import Callable

import latent_preview
from torch import Tensor

# The host's previewers that show one picture. Previewers of other packs, which play the whole
# video, get all frames in order.
_ONE_PICTURE = (latent_preview.Latent2RGBPreviewer, latent_preview.TAESDPreviewerImpl)


def show_middle_frame(callback: Callable | None) -> None:
    """Make the previewer of a sampler's callback show the middle frame instead of the first.

    The callback itself still gets all frames in order, because the host keeps its last argument
    as a result. A callback without one of the host's previewers is not changed.
    """
    previewer = _previewer(callback)
    if not isinstance(previewer, _ONE_PICTURE):
        return
    decode = previewer.decode_latent_to_preview

    def decode_middle(x0: Tensor):
        return decode(x0[len(x0) // 2 :])

    # The host makes a new previewer for every run, so the change ends with the run.
    previewer.decode_latent_to_preview = decode_middle


def _previewer(callback: Callable | None):
    """The previewer in the closure of `latent_preview.prepare_callback`; None if there is none."""
    if not inspect.isfunction(callback):
        return None
    return inspect.getclosurevars(callback).nonlocals.get("previewer")
