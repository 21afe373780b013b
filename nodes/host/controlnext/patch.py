"""ControlNeXt inside the host's SVD: a patch behind a down block's skip connection."""

from threading import Lock

import comfy.model_management as mm
import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import CallbacksMP, WrappersMP
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.controlnext import (
    ControlNeXt,
    check_fit,
    check_num_frames,
    compute_features,
    empty_features,
    steer_chunks,
)
from ....fcvg_core.sampling import Window
from ..passes import CURRENT, STEERED, ModelPass, check_svd, refuse_areas
from .loading import HostControlNeXt

# A down block of SVD -> the last block of it in the host's UNet: the first down block ends with a
# downsampler (version 2), the last down block comes before the middle block (version 1). The patch
# acts there, behind the skip connection.
END_OF_DOWN_BLOCK = {0: ("input", 3), -1: ("input", 11)}


class ControlPatch:
    """Adds ControlNeXt's features to a hidden state of the UNet.

    The features are computed once a step and serve all passes of the step. With several GPUs the
    host calls one patch from one thread for each GPU: ControlNeXt stays on the device that it was
    loaded for, and the other devices get copies of the features.

    Args:
        controlnext: the host's patcher around a HostControlNeXt.
        frames: [T, 3, H, W] control frames in 0..1.
        strength: 1.0 in the official code.
        sigma_start, sigma_end: noise levels between which control acts, start >= end.
    """

    def __init__(
        self,
        controlnext: ModelPatcher,
        frames: Tensor,
        *,
        strength: float,
        sigma_start: float,
        sigma_end: float,
    ):
        self.controlnext = controlnext
        self.frames = frames
        self.strength = strength
        self.sigma_start = sigma_start
        self.sigma_end = sigma_end
        self._step = None
        self._control = None
        self._lock = Lock()

    def attach(self, model: ModelPatcher) -> ModelPatcher:
        """A clone of `model` that this patch steers."""
        model = model.clone()
        model.set_model_patch(self, "input_block_patch_after_skip")
        model.add_callback_with_key(CallbacksMP.ON_CLEANUP, CURRENT, lambda patcher: self.forget())
        model.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, STEERED, _name_the_steered)
        return model

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
        conditional = _conditional_chunks(transformer_options)
        current = transformer_options.get(CURRENT) or _plain_pass(len(hidden) // len(conditional))
        with self._lock:
            control = self._window_control(current, sigma, hidden)
        return steer_chunks(
            hidden,
            control,
            conditional=conditional,
            levels=network.levels(),
            strength=self.strength,
            backward=current.backward,
        )

    def _window_control(self, current: ModelPass, sigma: Tensor, hidden: Tensor) -> Tensor:
        """Prepared features of a window's frames, forward in time."""
        check_num_frames(self.frames, current.num_frames)
        step = (float(sigma), hidden.shape[2:], hidden.dtype)
        if step != self._step:
            self.forget()  # before the next features need memory
            self._control = self._compute(current, sigma, hidden)
            self._step = step
        repeats = self.controlnext.model.config.repeats_first_frame
        return current.window.cut_control(self._control, repeats_first_frame=repeats)

    def _compute(self, current: ModelPass, sigma: Tensor, hidden: Tensor) -> Tensor:
        """Prepared features of every frame of the video."""
        network: HostControlNeXt = self.controlnext.model
        device = self.controlnext.load_device
        features = empty_features(
            network,
            len(self.frames),
            tuple(hidden.shape[2:]),
            window=current.window.length,
            dtype=hidden.dtype,
            device=device,
            offload=mm.unet_offload_device(),
        )
        compute_features(
            network,
            self.frames,
            sigma,
            features,
            device=device,
            dtype=network.compute_dtype,
            before_call=mm.throw_exception_if_processing_interrupted,
        )
        return features


def _name_the_steered(executor, *args, **kwargs):
    """Name the conds that the patch steers at their conditional level: all but the negative ones.

    The order of the conds does not show it: some guiders of the host evaluate the negative conds
    first.
    """
    guider = executor.class_obj
    refuse_areas(guider.conds)
    guider.model_options["transformer_options"][STEERED] = frozenset(
        cond["uuid"]
        for name, conds in guider.conds.items()
        for cond in conds
        if "negative" not in (name, cond.get("prompt_type"))
    )
    return executor(*args, **kwargs)


def _conditional_chunks(transformer_options: dict) -> list[bool]:
    """For each chunk of a batch, whether it is conditional."""
    steered = transformer_options.get(STEERED)
    if steered is None:  # without a guider: the host's first cond is the positive one
        return [number == 0 for number in transformer_options["cond_or_uncond"]]
    return [uuid in steered for uuid in transformer_options["uuids"]]


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
) -> ModelPatcher:
    """A clone of an SVD model that follows control frames.

    Args:
        control_frames: [T, H, W, 3] in 0..1, from `check_image`.
        start_percent, end_percent: 0..1, the part of the sampling in which control acts.

    Raises:
        UserError: the control frames are too small, or the two models do not belong together.
    """
    _check_unet(model, controlnext.model)
    if min(control_frames.shape[1:3]) < 32:
        raise UserError(
            f"The control frames are {tuple(control_frames.shape[1:3])} pixels (height, width), "
            "but ControlNeXt needs 32 or more on each side: make the control frames as large as "
            "the video."
        )
    sampling = model.get_model_object("model_sampling")
    return ControlPatch(
        controlnext,
        control_frames[..., :3].movedim(-1, 1),
        strength=strength,
        sigma_start=sampling.percent_to_sigma(start_percent),
        sigma_end=sampling.percent_to_sigma(end_percent),
    ).attach(model)


def _check_unet(model: ModelPatcher, network: ControlNeXt) -> None:
    """Raise UserError unless a model is SVD with the channels that the network needs."""
    check_svd(model, "ControlNeXt")
    sizes = model.model.model_config.unet_config
    check_fit(network, [sizes["model_channels"] * times for times in sizes["channel_mult"]])
