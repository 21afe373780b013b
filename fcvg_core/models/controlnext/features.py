"""ControlNeXt's features of control frames, and how they steer a hidden state of the UNet.

Source: Tian-one/FCVG models/unet_spatio_temporal_condition_controlnext.py:452-465.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import UserError
from ..svd import timestep
from .network import CONTROL_SCALE, ControlNeXt

STD_EPSILON = 1e-5  # line 462 of the official code
FRAMES_PER_CALL = 8  # ControlNeXt works frame by frame, so fewer frames a call need less memory


def empty_features(
    network: ControlNeXt,
    num_frames: int,
    size: tuple[int, int],
    *,
    window: int,
    dtype: torch.dtype,
    device: torch.device,
    offload: torch.device,
) -> Tensor:
    """Room for the prepared features of a video at one noise level.

    The features of all frames are computed once a step: windows overlap, so computing the
    features once a window would be a third more work. One frame of version 2 needs 1.5 MB
    (576 x 1024, half precision). The features of a long video would leave the GPU too little
    memory for the activations of a window, and moving them window by window is cheap.

    Args:
        num_frames: frames of the video, T.
        size: (height, width) of the hidden state that the features will steer.
        window: number of frames that the UNet sees at once.
        device: where the features of a video of one window are kept.
        offload: where the features of a longer video are kept.

    Returns:
        [T, C, *size], not initialised.
    """
    kept = device if num_frames <= window else offload
    shape = (num_frames, network.config.out_channels, *size)
    return torch.empty(shape, dtype=dtype, device=kept)


def compute_features(
    network: ControlNeXt,
    frames: Tensor,
    sigma: Tensor,
    out: Tensor,
    *,
    device: torch.device,
    dtype: torch.dtype,
    before_call: Callable[[], None] = lambda: None,
) -> None:
    """Write the prepared features of every control frame at a noise level into `out`.

    Args:
        frames: [T, 3, H, W] in 0..1, or whole pixel values (uint8), which need a quarter of the
            memory until they are used.
        sigma: scalar, the noise level.
        out: [T, C, h, w] from `empty_features`.
        device: where the network computes.
        dtype: number format in which the network computes.
        before_call: called before each call of the network; it may raise an error to stop.
    """
    size = out.shape[2:]
    for start in range(0, len(frames), FRAMES_PER_CALL):
        before_call()
        part = slice(start, start + FRAMES_PER_CALL)
        out[part] = control_features(network, frames[part], sigma, size, device, dtype)


def control_features(
    network: ControlNeXt,
    frames: Tensor,
    sigma: Tensor,
    size: tuple[int, int],
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """The prepared features of control frames, in one call of the network; gradients pass.

    Args:
        frames: [T, 3, H, W] in 0..1 or uint8.
        sigma: the noise level, a scalar, or [T] for a level of each frame.
        size: (height, width) of the hidden state that the features will steer.
        device: where the network computes.
        dtype: number format in which the network computes.

    Returns:
        [T, C, *size] float32 on the device.
    """
    features = network(_to_unit(frames).to(device, dtype), timestep(sigma).to(device))
    return prepare_control(features, size)


def prepare_control(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Normalised features at the size of the hidden state that they will steer.

    Features are normalised first, because pooling changes mean and deviation. The hidden state's
    own mean and deviation are applied later in `add_control` (pooling is linear), so this runs
    once a step and only the small result is kept.

    Args:
        features: [T, C, h, w] of ControlNeXt.
        size: (height, width) of the hidden state.

    Returns:
        [T, C, *size] float32; before pooling the mean is 0 and the deviation is 1.
    """
    features = features.float()  # the difference may overflow in half precision
    std, mean = torch.std_mean(features, dim=(1, 2, 3), keepdim=True)
    return F.adaptive_avg_pool2d((features - mean) / (std + STD_EPSILON), size)


def steer_chunks(
    hidden: Tensor,
    control: Tensor,
    *,
    conditional: Sequence[bool],
    levels: tuple[float, float],
    strength: float,
    backward: bool,
    mask: Tensor | None = None,
) -> Tensor:
    """Steer a hidden state that holds several chunks of the same frames.

    Args:
        hidden: [chunks * T, C, h, w], chunk after chunk.
        control: [T, C, h, w] prepared features, forward in time, on any device.
        conditional: for each chunk, whether it belongs to the conditional prediction.
        levels: the network's `levels`, for conditional chunks and for all other chunks.
        strength: factor of the level; 1.0 as in the official code.
        backward: whether the chunks hold the frames in reverse order.
        mask: [T, 1, h, w] in 0..1 from `shrink_masks`, forward in time, on any device; see
            `add_control`.

    Returns:
        [chunks * T, C, h, w]. A chunk whose level is 0 keeps its values.
    """
    control = control.to(hidden)
    mask = None if mask is None else mask.to(hidden)
    if backward:
        control = control.flip(0)
        mask = None if mask is None else mask.flip(0)
    chunks = list(hidden.chunk(len(conditional)))
    for i, is_conditional in enumerate(conditional):
        level = levels[0] if is_conditional else levels[1]
        if level:
            chunks[i] = add_control(chunks[i], control, strength, level, mask)
    return torch.cat(chunks)


def add_control(
    hidden: Tensor,
    control: Tensor,
    strength: float,
    level: float = CONTROL_SCALE,
    mask: Tensor | None = None,
) -> Tensor:
    """Give control the mean and deviation of a hidden state, then add it to the hidden state.

    Args:
        hidden: [T, C, h, w] after the `down_block` of the UNet that the network's Config names,
            after its downsampler too. The skip connection was branched off before, so it is not
            steered.
        control: [T, C, h, w] from `prepare_control`.
        strength: factor of the level; 1.0 as in the official code, 0 changes nothing.
        level: one of the network's `levels`.
        mask: [T, 1, h, w] in 0..1, the share of control that is added at each place; None: all of
            it. Mean and deviation are those of whole frames all the same: so what is added inside
            does not depend on the mask, a mask of ones changes nothing, and a small mask has no
            mean and deviation of a few places.

    Returns:
        [T, C, h, w].
    """
    if hidden.shape != control.shape:
        raise UserError(
            f"ControlNeXt's features are {tuple(control.shape)} (frames, channels, height, width) "
            f"but the UNet's are {tuple(hidden.shape)}: the two files do not belong together, "
            "or the number of control frames is not that of the video."
        )
    std, mean = torch.std_mean(hidden, dim=(1, 2, 3), keepdim=True)
    added = (control * std + mean) * (level * strength)
    return hidden + (added if mask is None else added * mask)


def _to_unit(frames: Tensor) -> Tensor:
    """Frames in 0..1, from frames in 0..1 or from whole pixel values."""
    return frames.float() / 255 if frames.dtype == torch.uint8 else frames
