"""SVD Cache: in some steps the UNet's deep features of an earlier step are used again.

Source: Ma et al., DeepCache (arXiv 2312.00858) section 3. The features are those that enter the
last but one output block, so two input blocks and two output blocks are computed in every step.
"""

import logging
from collections import Counter
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

import comfy.model_management as mm
import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ....fcvg_core import bounds
from ....fcvg_core.errors import UserError
from ....fcvg_core.sampling import FeatureCache, check_cache_interval
from ..passes import CURRENT, check_svd
from ..step import keeps_attention
from .shallow import capture_deep, predict_from_deep

KEY = "fcvg_cache"  # of the wrappers on a model


class FeatureReuse:
    """Wrappers of a model that decide, for each call of the UNet, how much of it is computed.

    With several GPUs the host calls one wrapper from one thread for each GPU.

    Args:
        interval: every `interval`-th evaluation is whole, 2 or more.
        sigma_start, sigma_end: noise levels between which features are kept and used again,
            start >= end.
        shown: what is logged in this context is shown on the node that samples.
    """

    def __init__(
        self,
        interval: int,
        *,
        sigma_start: float,
        sigma_end: float,
        shown: Callable[[], AbstractContextManager] = nullcontext,
    ):
        self.interval = interval
        self.sigma_start = sigma_start
        self.sigma_end = sigma_end
        self.shown = shown
        self._cache: FeatureCache | None = None  # of the run that is under way
        self._lock = Lock()

    def sample(self, executor, noise: Tensor, latent_image: Tensor, sampler, sigmas, *args, **kw):
        """Sample with features of this run alone, and log how many passes used them again.

        Raises:
            UserError: before models are loaded, if the run has fewer steps than the interval.
        """
        with self.shown():
            if len(sigmas) > 1:
                check_cache_interval(self.interval, len(sigmas) - 1)
            obstacle = _obstacle(executor.class_obj.model_options)
            if obstacle is not None:
                logging.warning("SVD Cache does nothing in this run: %s", obstacle)
                return executor(noise, latent_image, sampler, sigmas, *args, **kw)
            self._cache = cache = FeatureCache(self.interval)
            try:
                out = executor(noise, latent_image, sampler, sigmas, *args, **kw)
            finally:
                self._cache = None
            logging.info(
                "SVD Cache: %d of %d passes used kept features.",
                cache.reused,
                cache.reused + cache.whole,
            )
            return out

    def __call__(
        self,
        executor,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        y: Tensor,
        control: dict | None,
        transformer_options: dict,
        **kwargs,
    ) -> Tensor:
        """A call of the UNet, whole or with the kept features of all its chunks."""
        inputs, unet = (x, timesteps, context, y), executor.class_obj
        level = float(transformer_options["sigmas"][0])
        in_range = self.sigma_end <= level <= self.sigma_start
        # The residuals of a ControlNet go into the deep blocks, and they are new in every step.
        acts = self._cache is not None and in_range and control is None
        keys = _keys(transformer_options, x.device) if acts else []
        kept = self._kept(level, keys) if acts else None
        # Every call has this patch: the host's torch.compile takes for granted that patches stay.
        capture, options = capture_deep(unet, transformer_options)
        if kept is not None:
            return predict_from_deep(unet, kept, *inputs, options, **kwargs)
        out = executor(*inputs, control, options, **kwargs)
        if acts and capture.deep is not None:  # another pack's wrapper may have spared the call
            self._keep(keys, capture.deep, options)
        return out

    def _kept(self, level: float, keys: list[Hashable]) -> Tensor | None:
        """The kept features of all chunks of a call; None: the call has to be whole."""
        with self._lock:
            if self._cache.needs_whole(level, keys):
                return None
            kept = [self._cache.get(key) for key in keys]
        return torch.cat([features.to(key[-1]) for key, features in zip(keys, kept, strict=True)])

    def _keep(self, keys: list[Hashable], deep: Tensor, options: dict) -> None:
        """Keep the deep features of a whole call, those of a long video outside the device."""
        device = mm.unet_offload_device() if _is_part(options) else deep.device
        with self._lock:
            for key, features in zip(keys, deep.chunk(len(keys)), strict=True):
                self._cache.put(key, features.to(device))


def _obstacle(model_options: dict) -> str | None:
    """Why features can't be used again with what else is on a model; None: they can."""
    other = model_options["transformer_options"].get("easycache")
    if other is not None:  # LazyCache has the same key
        return (
            f"the model has {other.name}, which skips calls of the model. Take one of the two out."
        )
    if keeps_attention(model_options):
        return (
            "a node such as Self-Attention Guidance reads the attention of the inner blocks after "
            "every pass. Take one of the two out."
        )
    return None


def _keys(options: dict, device: torch.device) -> list[Hashable]:
    """A key for each chunk of a batch, the same in every step.

    The host's context windows have the same conds, and a guidance such as Perturbed-Attention
    Guidance evaluates a cond once more, with other attention.
    """
    window = options.get("context_window")
    frames = None if window is None else tuple(window.index_list)
    replaced = frozenset(
        (kind, place, id(patch))
        for kind, patches in options.get("patches_replace", {}).items()
        for place, patch in patches.items()
    )
    numbers: Counter = Counter()
    keys = []
    for uuid in options["uuids"]:
        keys.append((uuid, numbers[uuid], frames, replaced, device))
        numbers[uuid] += 1
    return keys


def _is_part(options: dict) -> bool:
    """Whether the model sees one window of several, so that many features are kept."""
    current = options.get(CURRENT)
    if current is not None:
        return current.window.length < current.num_frames
    return "context_window" in options


def keeps_features(model: ModelPatcher) -> bool:
    """Whether a model has SVD Cache."""
    return bool(model.get_wrappers(WrappersMP.DIFFUSION_MODEL, KEY))


def cache_features(
    model: ModelPatcher,
    *,
    interval: int,
    start_percent: float = 0.0,
    end_percent: float = 1.0,
    shown: Callable[[], AbstractContextManager] = nullcontext,
) -> ModelPatcher:
    """A clone of an SVD model that computes every `interval`-th evaluation whole.

    The clone has no other SVD Cache: the last one counts.

    Args:
        interval: 1: every evaluation is whole.
        start_percent, end_percent: 0..1, the part of the sampling in which features are used
            again; see `level_at`.
        shown: see `FeatureReuse`.

    Raises:
        UserError: the model is not SVD, or the settings are not possible.
    """
    check_svd(model, "SVD Cache")
    if interval not in bounds.CACHE_INTERVAL:
        raise UserError(
            f"The interval of SVD Cache is {interval}, but it can be {bounds.CACHE_INTERVAL}: "
            "2 computes every second step whole, 1 every step."
        )
    if start_percent >= end_percent:
        raise UserError(
            f"SVD Cache never acts, because start_percent ({start_percent:g}) is not below "
            f"end_percent ({end_percent:g}): set start_percent to a smaller number."
        )
    model = model.clone()
    for kind in (WrappersMP.OUTER_SAMPLE, WrappersMP.DIFFUSION_MODEL):
        model.remove_wrappers_with_key(kind, KEY)
    if interval == 1:
        return model
    sampling = model.get_model_object("model_sampling")
    reuse = FeatureReuse(
        interval,
        sigma_start=sampling.percent_to_sigma(start_percent),
        sigma_end=sampling.percent_to_sigma(end_percent),
        shown=shown,
    )
    model.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, reuse.sample)
    model.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, KEY, reuse)
    return model
