"""The preview while a video is sampled: in the editor a film, everywhere its middle frame."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import latent_preview
import torch
from comfy.cli_args import LatentPreviewMethod, args
from comfy.latent_formats import SD15
from comfy.taesd.taesd import TAESD
from torch import Tensor
from torch.nn import functional as F

from ...fcvg_core.models.taesdv import LONGEST_SIDE, MULTIPLE, shrink_latents
from .film import EVENT, Decode, Film, film_event
from .folders import find_taesdv
from .page import is_editor, running_node, send_to_page
from .taesdv import TinyDecoder

# The host's previewers that show one picture. Previewers of packs that play the whole video are
# not in this list: they get all frames in order.
_ONE_PICTURE = (latent_preview.Latent2RGBPreviewer, latent_preview.TAESDPreviewerImpl)


@contextmanager
def moving_preview(callback: Callable | None) -> Iterator[Callable | None]:
    """A sampler's callback that does as `callback` does, and lets the editor play all frames.

    The host's own preview, which every client gets, shows the middle frame instead of the first:
    it differs most from the keyframes. If the host shows no preview, nothing is played. Without
    one of the host's previewers nothing changes.
    """
    previewer = _previewer(callback)
    if not isinstance(previewer, _ONE_PICTURE):
        yield callback
        return
    _show_middle_frame(previewer)
    node_id = running_node()
    if node_id is None or not is_editor():
        yield callback
        return
    film = Film(
        _decoders(previewer),
        lambda frames, fps: send_to_page(EVENT, film_event(node_id, frames, fps)),
    )

    def show(step, x0, x, total_steps):
        # First, so that the editor has the film before the host's picture.
        film.show(x0, is_last=step + 1 >= total_steps)
        callback(step, x0, x, total_steps)

    try:
        yield show
    finally:
        film.end()


def _show_middle_frame(previewer: latent_preview.LatentPreviewer) -> None:
    """Make a previewer show the middle frame instead of the first.

    The callback itself still gets the frames in order, because the host keeps the last frames that
    the callback gets as a result.
    """
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


def _decoders(previewer: latent_preview.LatentPreviewer) -> list[Decode]:
    """The best decoder that the host's settings allow, then those that replace it if it fails."""
    found = []
    if args.preview_method != LatentPreviewMethod.Latent2RGB and (path := find_taesdv()):
        found.append(partial(_decode_small, TinyDecoder(path)))
    elif isinstance(previewer, latent_preview.TAESDPreviewerImpl):
        found.append(partial(_decode_small, partial(_decode_by_taesd, previewer.taesd)))
    return [*found, _decode_linearly]


def _decode_small(decode: Decode, latents: Tensor) -> Tensor:
    """Frames of at most `LONGEST_SIDE` pixels a side."""
    return decode(shrink_latents(latents))


def _decode_by_taesd(taesd: TAESD, latents: Tensor) -> Tensor:
    """Frames by the host's decoder of single pictures, which gives -1..1."""
    frames = [taesd.decode(latent)[0] for latent in latents.split(1)]
    return torch.stack(frames).float().add(1).div(2).clamp(0, 1)


def _decode_linearly(latents: Tensor) -> Tensor:
    """Frames whose colours are sums of the latents' channels, as the host's fastest preview."""
    factors = torch.tensor(SD15().latent_rgb_factors).to(latents)
    colors = torch.einsum("tchw,cr->trhw", latents, factors).float().add(1).div(2).clamp(0, 1)
    sides = colors.shape[-2:]
    scale = min(MULTIPLE, LONGEST_SIDE / max(sides))
    size = tuple(max(round(side * scale), 1) for side in sides)
    return F.interpolate(colors, size=size, mode="bilinear", antialias=scale < 1)
