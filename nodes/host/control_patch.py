"""ControlNeXt inside the host's SVD: a patch behind a down block's skip connection."""

from dataclasses import dataclass

import comfy.model_base
import comfy.model_management as mm
import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import CallbacksMP
from torch import Tensor

from ...fcvg_core.models.fcvg import ControlNeXt, add_control, check_fit, prepare_control
from ...fcvg_core.sampling import Window
from ...fcvg_core.sampling.schedule import timestep

# Where SVD's down blocks end in the host's count: the first with its downsampler (version 2), the
# last before the middle block (version 1). The skip connection has been taken there.
END_OF_DOWN_BLOCK = {0: ("input", 3), -1: ("input", 11)}
FRAMES_PER_CALL = 8  # of ControlNeXt, which works frame by frame: bounds its memory
PASS = "fcvg_pass"  # the key in transformer_options under which a guider leaves a ModelPass


@dataclass(frozen=True)
class ModelPass:
    """What one call of the host for several conditions is about."""

    num_frames: int  # of the whole video
    window: Window
    conditional: tuple[bool, ...]  # for each condition, whether it is not the unconditional one
    backward: tuple[bool, ...]  # and whether it is sampled backward in time


class ControlPatch:
    """Adds ControlNeXt's features to the hidden state, once computed for all passes of a step.

    Args:
        controlnext: a managed ControlNeXt.
        frames: [T, 3, H, W] control frames in 0..1.
        strength: 1.0 is the reference's.
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

    def attach(self, model: ModelPatcher) -> ModelPatcher:
        """A clone of `model` that is steered by this patch."""
        model = model.clone()
        model.set_model_patch(self, "input_block_patch_after_skip")
        model.add_callback_with_key(CallbacksMP.ON_CLEANUP, PASS, lambda patcher: self.forget())
        return model

    def models(self) -> list[ModelPatcher]:
        """What the host loads together with the model that is patched."""
        return [self.controlnext]

    def to(self, device_or_dtype: torch.device | torch.dtype) -> "ControlPatch":
        """The host manages the network, and frames are moved as they are used."""
        return self

    def __deepcopy__(self, memo: dict) -> "ControlPatch":
        """Itself: the host copies a model's options in depth whenever it clones the model.

        That would copy the network and the frames, and compute their features once a copy.
        """
        return self

    def forget(self) -> None:
        """Free what is kept of the last step."""
        self._step = self._control = None

    def __call__(self, hidden: Tensor, transformer_options: dict) -> Tensor:
        """Steer the chunks of a hidden state [chunks * T, C, h, w], each at its own level."""
        network: ControlNeXt = self.controlnext.model
        sigma = transformer_options["sigmas"][0]
        here = transformer_options["block"] == END_OF_DOWN_BLOCK[network.down_block]
        if not here or self.strength == 0:
            return hidden
        if not self.sigma_end <= float(sigma) <= self.sigma_start:
            return hidden
        conditions = transformer_options["cond_or_uncond"]
        current = transformer_options.get(PASS) or _plain_pass(hidden, conditions)
        control = self._window_control(current, sigma, hidden)
        conditional, unconditional = network.levels()
        chunks = list(hidden.chunk(len(conditions)))
        for i, condition in enumerate(conditions):
            level = conditional if current.conditional[condition] else unconditional
            if level:
                flipped = control.flip(0) if current.backward[condition] else control
                chunks[i] = add_control(chunks[i], flipped, self.strength, level)
        return torch.cat(chunks)

    def _window_control(self, current: ModelPass, sigma: Tensor, hidden: Tensor) -> Tensor:
        """Prepared features of a window's frames, forward in time."""
        if len(self.frames) != current.num_frames:
            raise ValueError(
                f"There are {len(self.frames)} control frames for a video of "
                f"{current.num_frames} frames: give as many to both."
            )
        step = (float(sigma), hidden.shape[2:], hidden.dtype)
        if step != self._step:
            self.forget()  # before the next features take memory
            self._control = self._run(sigma, hidden, _where_to_keep(current, hidden))
            self._step = step
        window = current.window
        repeats = self.controlnext.model.repeats_first_frame
        control = self._control[window.control_frames if repeats else window.frames]
        return control.to(hidden.device)

    def _run(self, sigma: Tensor, hidden: Tensor, kept: torch.device) -> Tensor:
        """Prepared features of every frame of the video."""
        network = self.controlnext.model
        shape = (len(self.frames), network.config.out_channels, *hidden.shape[2:])
        prepared = torch.empty(shape, dtype=hidden.dtype, device=kept)
        for start in range(0, len(self.frames), FRAMES_PER_CALL):
            mm.throw_exception_if_processing_interrupted()
            part = slice(start, start + FRAMES_PER_CALL)
            frames = self.frames[part].to(hidden.device, network.compute_dtype)
            features = network(frames, timestep(sigma))
            prepared[part] = prepare_control(features, hidden.shape[2:])
        return prepared


def _where_to_keep(current: ModelPass, hidden: Tensor) -> torch.device:
    """The device for features that are used at once, the host's memory for those of a long video.

    Windows overlap, so computing the features once a step for all frames is a third less work
    than once a window. They are 1.5 MB a frame (version 2, 576 x 1024, half precision): too much
    for the device to keep beside a window's activations, cheap to move there window by window.
    """
    one_window = current.window.length == current.num_frames
    return hidden.device if one_window else mm.unet_offload_device()


def _plain_pass(hidden: Tensor, conditions: list[int]) -> ModelPass:
    """The host's own guiders: the first condition is the positive one, all frames at once."""
    num_frames = len(hidden) // len(conditions)
    count = max(conditions) + 1
    return ModelPass(
        num_frames=num_frames,
        window=Window(0, num_frames),
        conditional=tuple(i == 0 for i in range(count)),
        backward=(False,) * count,
    )


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
        control_frames: IMAGE [T, H, W, C] in 0..1.
        start_percent, end_percent: 0..1, where in the sampling control acts.

    Raises:
        ValueError: there are no control frames, they are too small, or the two models do not
            belong together.
    """
    _check_unet(model, controlnext.model)
    if len(control_frames) == 0:
        raise ValueError(
            "There are no control frames: connect as many as the video is to have frames."
        )
    if min(control_frames.shape[1:3]) < 32:
        raise ValueError(
            f"The control frames are {tuple(control_frames.shape[1:3])} pixels, but ControlNeXt "
            "needs 32 or more a side: make them as large as the video."
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
    """Raise ValueError unless a model is an SVD whose channels are those of the network."""
    if not isinstance(model.model, comfy.model_base.SVD_img2vid):
        raise ValueError(
            f"ControlNeXt steers Stable Video Diffusion, but the model is "
            f"{type(model.model).__name__}: connect Load FCVG Model or an SVD checkpoint."
        )
    sizes = model.model.model_config.unet_config
    check_fit(network, [sizes["model_channels"] * times for times in sizes["channel_mult"]])
