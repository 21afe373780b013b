"""ControlNeXt inside the host's SVD: a patch behind a down block's skip connection."""

from threading import Lock

import comfy.model_management as mm
import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import CallbacksMP, WrappersMP
from torch import Tensor

from ....fcvg_core.models.controlnext import ControlNeXt, add_control, check_fit, prepare_control
from ....fcvg_core.sampling import Window
from ....fcvg_core.sampling.schedule import timestep
from ..passes import CURRENT, STEERED, ModelPass, check_svd, refuse_areas

# Where SVD's down blocks end in the host's count: the first with its downsampler (version 2), the
# last before the middle block (version 1). The skip connection has been taken there.
END_OF_DOWN_BLOCK = {0: ("input", 3), -1: ("input", 11)}
FRAMES_PER_CALL = 8  # of ControlNeXt, which works frame by frame: bounds its memory


class ControlPatch:
    """Adds ControlNeXt's features to the hidden state, once computed for all passes of a step.

    With several GPUs the host calls one patch from a thread for each of them. ControlNeXt stays on
    the device that it was loaded for, and the other devices get copies of the features.

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
        self._lock = Lock()

    def attach(self, model: ModelPatcher) -> ModelPatcher:
        """A clone of `model` that is steered by this patch."""
        model = model.clone()
        model.set_model_patch(self, "input_block_patch_after_skip")
        model.add_callback_with_key(CallbacksMP.ON_CLEANUP, CURRENT, lambda patcher: self.forget())
        model.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, STEERED, _name_the_steered)
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
        here = transformer_options["block"] == END_OF_DOWN_BLOCK[network.config.down_block]
        if not here or self.strength == 0:
            return hidden
        if not self.sigma_end <= float(sigma) <= self.sigma_start:
            return hidden
        steered = _steered_chunks(transformer_options)
        current = transformer_options.get(CURRENT) or _plain_pass(len(hidden) // len(steered))
        with self._lock:
            control = self._window_control(current, sigma, hidden)
        control = current.in_order(control.to(hidden.device))
        conditional, unconditional = network.levels()
        chunks = list(hidden.chunk(len(steered)))
        for i, is_conditional in enumerate(steered):
            level = conditional if is_conditional else unconditional
            if level:
                chunks[i] = add_control(chunks[i], control, self.strength, level)
        return torch.cat(chunks)

    def _window_control(self, current: ModelPass, sigma: Tensor, hidden: Tensor) -> Tensor:
        """Prepared features of a window's frames, forward in time, wherever they are kept."""
        if len(self.frames) != current.num_frames:
            raise ValueError(
                f"There are {len(self.frames)} control frames for a video of "
                f"{current.num_frames} frames: give as many to both."
            )
        step = (float(sigma), hidden.shape[2:], hidden.dtype)
        if step != self._step:
            self.forget()  # before the next features take memory
            self._control = self._run(sigma, hidden, self._where_to_keep(current))
            self._step = step
        window = current.window
        repeats = self.controlnext.model.config.repeats_first_frame
        return self._control[window.control_frames if repeats else window.frames]

    def _run(self, sigma: Tensor, hidden: Tensor, kept: torch.device) -> Tensor:
        """Prepared features of every frame of the video."""
        network, device = self.controlnext.model, self.controlnext.load_device
        shape = (len(self.frames), network.config.out_channels, *hidden.shape[2:])
        prepared = torch.empty(shape, dtype=hidden.dtype, device=kept)
        for start in range(0, len(self.frames), FRAMES_PER_CALL):
            mm.throw_exception_if_processing_interrupted()
            part = slice(start, start + FRAMES_PER_CALL)
            frames = self.frames[part].to(device, network.compute_dtype)
            features = network(frames, timestep(sigma).to(device))
            prepared[part] = prepare_control(features, hidden.shape[2:])
        return prepared

    def _where_to_keep(self, current: ModelPass) -> torch.device:
        """The GPU for features that are used at once, the CPU for those of a long video.

        Windows overlap, so computing the features once a step for all frames is a third less work
        than once a window. They are 1.5 MB a frame (version 2, 576 x 1024, half precision): too
        much for the GPU to keep beside a window's activations, cheap to move window by window.
        """
        one_window = current.window.length == current.num_frames
        return self.controlnext.load_device if one_window else mm.unet_offload_device()


def _name_the_steered(executor, *args, **kwargs):
    """Tell the patch which conds of the guider that samples are to be steered.

    Their order tells nothing: some guiders of the host evaluate the negative ones first.
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


def _steered_chunks(transformer_options: dict) -> list[bool]:
    """For each chunk of a batch whether it is conditional."""
    steered = transformer_options.get(STEERED)
    if steered is None:  # evaluated without a guider: the first cond is the positive one
        return [number == 0 for number in transformer_options["cond_or_uncond"]]
    return [uuid in steered for uuid in transformer_options["uuids"]]


def _plain_pass(num_frames: int) -> ModelPass:
    """The pass of the host's own guiders: all frames at once, forward in time."""
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
        start_percent, end_percent: 0..1, where in the sampling control acts.

    Raises:
        ValueError: the control frames are too small, or the two models do not belong together.
    """
    _check_unet(model, controlnext.model)
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
    check_svd(model, "ControlNeXt")
    sizes = model.model.model_config.unet_config
    check_fit(network, [sizes["model_channels"] * times for times in sizes["channel_mult"]])
