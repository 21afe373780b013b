"""ControlNeXt inside the host's SVD: a patch behind a down block's skip connection."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

import comfy.model_management as mm
import numpy as np
import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import CallbacksMP, WrappersMP
from torch import Tensor

from ....fcvg_core.control import fit_control_frames
from ....fcvg_core.errors import UserError
from ....fcvg_core.frames import to_uint8
from ....fcvg_core.models.controlnext import (
    ControlNeXt,
    check_fit,
    check_num_frames,
    compute_features,
    empty_features,
    steer_chunks,
)
from ....fcvg_core.sampling import Window
from ..guider import InbetweenGuider, VideoGuider
from ..passes import CURRENT, STEERED, ModelPass, check_svd
from ..spans import refuse_spans
from .loading import HostControlNeXt
from .mask import ControlMask
from .steered import conditional_chunks, name_the_steered

# A down block of SVD -> the last block of it in the host's UNet: the first down block ends with a
# downsampler (version 2), the last down block comes before the middle block (version 1). The patch
# acts there, behind the skip connection.
END_OF_DOWN_BLOCK = {0: ("input", 3), -1: ("input", 11)}
MIN_SIDE = 32  # pixels; ControlNeXt can't take smaller frames
TRAINED_FRAMES = 25  # of the longest videos that SVD was trained on


class ControlPatch:
    """Adds ControlNeXt's features to a hidden state of the UNet.

    The features are computed once a step and serve all passes of the step. With several GPUs the
    host calls one patch from one thread for each GPU: ControlNeXt stays on the device that it was
    loaded for, and the other devices get copies of the features.

    Args:
        controlnext: the host's patcher around a HostControlNeXt.
        frames: [T, 3, H, W] control frames in 0..1, of any size.
        strength: 1.0 in the official code.
        sigma_start, sigma_end: noise levels between which control acts, start >= end.
        mask: where control acts; None: everywhere.
        shown: what is logged in this context is shown on the node that samples.
    """

    def __init__(
        self,
        controlnext: ModelPatcher,
        frames: Tensor,
        *,
        strength: float,
        sigma_start: float,
        sigma_end: float,
        mask: ControlMask | None = None,
        shown: Callable[[], AbstractContextManager] = nullcontext,
    ):
        self.controlnext = controlnext
        self.frames = frames
        self.strength = strength
        self.sigma_start = sigma_start
        self.sigma_end = sigma_end
        self.mask = mask
        self.shown = shown
        self._fitted = frames  # in the size of the video that is sampled
        self._step = None
        self._control = None
        self._lock = Lock()

    @property
    def acts(self) -> bool:
        """Whether control acts at any noise level."""
        return self.strength != 0 and self.sigma_start > self.sigma_end

    def attach(self, model: ModelPatcher) -> ModelPatcher:
        """A clone of `model` that this patch steers."""
        model = model.clone()
        model.set_model_patch(self, "input_block_patch_after_skip")
        model.add_callback_with_key(CallbacksMP.ON_CLEANUP, CURRENT, lambda patcher: self.forget())
        model.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, STEERED, self.sample)
        return model

    def sample(self, executor, noise: Tensor, *args, **kwargs):
        """Sample a video under this patch; what does not fit is found before models are loaded.

        Raises:
            UserError: the control frames do not fit the video.
        """
        guider = executor.class_obj
        with self.shown():
            # Of several patches on a model the first one speaks.
            if STEERED not in guider.model_options["transformer_options"]:
                name_the_steered(guider)
                if not isinstance(guider, InbetweenGuider):
                    refuse_spans(guider.conds)
                _say_what_is_missing(guider, len(noise), self.controlnext.model.config.version)
            if self.strength:
                self._fit(noise, guider)
            try:
                return executor(noise, *args, **kwargs)
            finally:
                self._fitted = self.frames

    def _fit(self, noise: Tensor, guider) -> None:
        """Bring the control frames to the size of the video whose noise is [T, 4, H / 8, W / 8]."""
        if "context_handler" in guider.model_options:
            raise UserError(
                "The model has Context Windows, which control frames can't follow: take Context "
                "Windows out, and set window and overlap in Inbetween Guider or Animation Guider."
            )
        check_num_frames(self.frames, len(noise))
        size = tuple(8 * side for side in noise.shape[-2:])
        if min(size) < MIN_SIDE:
            raise UserError(
                f"The video has {size[1]} x {size[0]} pixels, but ControlNeXt needs {MIN_SIDE} or "
                "more on each side: choose a larger width and height."
            )
        if self.frames.shape[2:] != size:
            fitted = fit_control_frames(map(_read_frame, self.frames), size)
            self._fitted = torch.from_numpy(fitted).movedim(-1, 1)

    def models(self) -> list[ModelPatcher]:
        """The models that the host loads together with the patched model."""
        return [self.controlnext]

    def to(self, device_or_dtype: torch.device | torch.dtype) -> "ControlPatch":
        """Itself: the host moves the network, and frames go to the device part by part."""
        return self

    def __deepcopy__(self, memo: dict) -> "ControlPatch":
        """Itself: the host deep-copies a model's options whenever it clones the model.

        A real copy would hold the network and the frames again, and compute the features again.
        """
        return self

    def forget(self) -> None:
        """Free the features of the last step."""
        self._step = self._control = None

    def __call__(self, hidden: Tensor, transformer_options: dict) -> Tensor:
        """Steer the chunks of a hidden state [chunks * T, C, h, w], each chunk at its own level."""
        network: ControlNeXt = self.controlnext.model
        sigma = transformer_options["sigmas"][0]
        here = transformer_options["block"] == END_OF_DOWN_BLOCK[network.config.down_block]
        if not here or self.strength == 0:
            return hidden
        if not self.sigma_end <= float(sigma) <= self.sigma_start:
            return hidden
        conditional = conditional_chunks(transformer_options)
        current = transformer_options.get(CURRENT) or _plain_pass(len(hidden) // len(conditional))
        with self._lock:
            control = self._window_control(current, sigma, hidden)
            mask = self._window_mask(current, tuple(hidden.shape[2:]))
        return steer_chunks(
            hidden,
            control,
            conditional=conditional,
            levels=network.levels(),
            strength=self.strength,
            backward=current.backward,
            mask=mask,
        )

    def _window_control(self, current: ModelPass, sigma: Tensor, hidden: Tensor) -> Tensor:
        """Prepared features of a window's frames, forward in time."""
        step = (float(sigma), hidden.shape[2:], hidden.dtype)
        if step != self._step:
            self.forget()  # before the next features need memory
            self._control = self._compute(current, sigma, hidden)
            self._step = step
        repeats = self.controlnext.model.config.repeats_first_frame
        return current.window.cut_control(self._control, repeats_first_frame=repeats)

    def _window_mask(self, current: ModelPass, size: tuple[int, int]) -> Tensor | None:
        """Masks of a window's frames at the size of the hidden state, forward in time."""
        if self.mask is None:
            return None
        frames, fitted = (tuple(x.shape[2:]) for x in (self.frames, self._fitted))
        repeats = self.controlnext.model.config.repeats_first_frame
        mask = self.mask.shrink(frames, fitted, size)
        return current.window.cut_control(mask, repeats_first_frame=repeats)

    def _compute(self, current: ModelPass, sigma: Tensor, hidden: Tensor) -> Tensor:
        """Prepared features of every frame of the video."""
        network: HostControlNeXt = self.controlnext.model
        device = self.controlnext.load_device
        features = empty_features(
            network,
            len(self._fitted),
            tuple(hidden.shape[2:]),
            window=current.window.length,
            dtype=hidden.dtype,
            device=device,
            offload=mm.unet_offload_device(),
        )
        compute_features(
            network,
            self._fitted,
            sigma,
            features,
            device=device,
            dtype=network.compute_dtype,
            before_call=mm.throw_exception_if_processing_interrupted,
        )
        return features


def _read_frame(frame: Tensor) -> np.ndarray:
    """A control frame [3, H, W] in 0..1 -> [H, W, 3] uint8."""
    mm.throw_exception_if_processing_interrupted()
    return to_uint8(frame.movedim(0, -1))


def _say_what_is_missing(guider, num_frames: int, version: int) -> None:
    """Log what the pack's guiders would do, if this guider is another one."""
    if isinstance(guider, VideoGuider):
        return
    if num_frames > TRAINED_FRAMES:
        logging.warning(
            "All %d frames are sampled at once, but the model was trained on %d. Connect Inbetween "
            "Guider or Animation Guider, which sample a long video in windows.",
            num_frames,
            TRAINED_FRAMES,
        )
    elif version == 2:
        logging.warning(
            "The frames are sampled in one direction only, as is right for one picture. Between "
            "two keyframes connect Inbetween Guider."
        )


def _plain_pass(num_frames: int) -> ModelPass:
    """The pass that the host's own guiders evaluate: all frames at once, forward in time."""
    nothing = frozenset()
    window = Window(0, num_frames)
    return ModelPass(0, num_frames, window, backward=False, conditional=nothing, foreign=nothing)


def steer(
    model: ModelPatcher,
    controlnext: ModelPatcher,
    control_frames: Tensor,
    *,
    strength: float,
    start_percent: float,
    end_percent: float,
    mask: ControlMask | None = None,
    shown: Callable[[], AbstractContextManager] = nullcontext,
) -> ModelPatcher:
    """A clone of an SVD model that follows control frames.

    Args:
        control_frames: [T, H, W, 3] in 0..1, of any size, from `check_image`.
        start_percent, end_percent: 0..1, the part of the sampling in which control acts.
        mask: where control acts, from `read_mask`; None: everywhere.
        shown: see `ControlPatch`.

    Raises:
        UserError: the two models do not belong together.
    """
    _check_unet(model, controlnext.model)
    if start_percent >= end_percent:
        logging.warning(
            "Control never acts, because start_percent (%g) is not below end_percent (%g): set "
            "start_percent to a smaller number.",
            start_percent,
            end_percent,
        )
    sampling = model.get_model_object("model_sampling")
    return ControlPatch(
        controlnext,
        control_frames[..., :3].movedim(-1, 1),
        strength=0.0 if mask and mask.is_empty else strength,
        sigma_start=sampling.percent_to_sigma(start_percent),
        sigma_end=sampling.percent_to_sigma(end_percent),
        mask=mask,
        shown=shown,
    ).attach(model)


def _check_unet(model: ModelPatcher, network: ControlNeXt) -> None:
    """Raise UserError unless a model is SVD with the channels that the network needs."""
    check_svd(model, "ControlNeXt")
    sizes = model.model.model_config.unet_config
    check_fit(network, [sizes["model_channels"] * times for times in sizes["channel_mult"]])
