"""The preview while a video is sampled: its middle frame, which differs most from the keyframes."""

import inspect
from collections.abc import Callable

import latent_preview
from torch import Tensor

# The host's previewers that show one picture. Previewers of packs that play the whole video are
# not in this list: they get all frames in order.
_ONE_PICTURE = (latent_preview.Latent2RGBPreviewer, latent_preview.TAESDPreviewerImpl)


def show_middle_frame(callback: Callable | None) -> None:
    """Make the previewer of a sampler's callback show the middle frame instead of the first.

    The callback itself still gets the frames in order, because the host keeps the last frames that
    the callback gets as a result. Without one of the host's previewers nothing changes.
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
