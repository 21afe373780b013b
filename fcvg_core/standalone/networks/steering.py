"""ControlNeXt beside diffusers' UNet: its features at a noise level, and where they are added."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ...models.controlnext import (
    ControlNeXt,
    add_control,
    check_fit,
    check_num_frames,
    compute_features,
    empty_features,
    steer_chunks,
)
from ...sampling import Window


class Control:
    """Control frames of a video, and the network's features of them at the current noise level.

    Args:
        frames: [T, 3, H, W] in 0..1 or uint8.
        features: [T, C, h, w] from `empty_features`.
        strength: see `steered`.
    """

    def __init__(self, network: ControlNeXt, frames: Tensor, features: Tensor, strength: float):
        self.network = network
        self.strength = strength
        self._frames = frames
        self._features = features
        self._level: float | None = None  # noise level of the features

    @contextmanager
    def steering(
        self, unet: nn.Module, sigma: Tensor, window: Window, *, backward: bool
    ) -> Iterator[None]:
        """Let the UNet's passes over a window at a noise level be steered.

        The features of the whole video are computed when the first window of a noise level needs
        them: a pass that uses the deep features of an earlier pass needs none.
        """
        if self._level != float(sigma):
            self._compute(sigma)
        repeats = self.network.config.repeats_first_frame
        control = window.cut_control(self._features, repeats_first_frame=repeats)
        with steered(unet, self.network, control, self.strength, backward=backward):
            yield

    def _compute(self, sigma: Tensor) -> None:
        weight = next(self.network.parameters())
        compute_features(
            self.network,
            self._frames,
            sigma,
            self._features,
            device=weight.device,
            dtype=weight.dtype,
        )
        self._level = float(sigma)


def make_control(
    network: ControlNeXt | None,
    unet: nn.Module,
    frames: Tensor | None,
    latents: Tensor,
    *,
    window: int,
    strength: float,
) -> Control | None:
    """Control with room for its features; None if nothing is steered.

    Args:
        frames: see `Control`; None for no control.
        latents: [T, 4, h, w] of the video.
        window: number of frames that the UNet sees at once.
    """
    if frames is None:
        return None
    check_num_frames(frames, len(latents))
    check_fit(network, unet.config.block_out_channels)
    if strength == 0:
        return None
    weight = next(network.parameters())
    features = empty_features(
        network,
        len(frames),
        network.config.hidden_size(tuple(latents.shape[2:])),
        window=window,
        dtype=weight.dtype,
        device=weight.device,
        offload=torch.device("cpu"),
    )
    return Control(network, frames, features, strength)


@contextmanager
def steered(
    unet: nn.Module,
    network: ControlNeXt,
    control: Tensor,
    strength: float,
    *,
    backward: bool = False,
) -> Iterator[None]:
    """Let ControlNeXt steer the UNet. The conditional half has to be the last of the UNet's batch.

    Args:
        control: [T, C, h, w] prepared features, forward in time.
        strength: 1.0 in the official code.
        backward: whether the UNet gets the frames in reverse order.
    """

    def steer(block: nn.Module, args: tuple, output: tuple) -> tuple:
        hidden, skips = output
        unconditional = len(hidden) // len(control) - 1
        hidden = steer_chunks(
            hidden,
            control,
            conditional=[False] * unconditional + [True],
            levels=network.levels(),
            strength=strength,
            backward=backward,
        )
        return hidden, skips

    with _hooked(unet, network, steer):
        yield


@contextmanager
def steered_samples(
    unet: nn.Module,
    network: ControlNeXt,
    controls: Sequence[Tensor | None],
    strength: float,
) -> Iterator[None]:
    """Let ControlNeXt steer each sample of the UNet's batch by its own control.

    Args:
        controls: for each sample prepared features [T, C, h, w] in the sample's order of time;
            None: the sample is not steered.
        strength: see `steered`.
    """
    level = network.levels()[0]

    def steer(block: nn.Module, args: tuple, output: tuple) -> tuple:
        hidden, skips = output
        chunks = [
            chunk
            if control is None
            else add_control(chunk, control.to(chunk), strength=strength, level=level)
            for chunk, control in zip(hidden.chunk(len(controls)), controls, strict=True)
        ]
        return torch.cat(chunks), skips

    with _hooked(unet, network, steer):
        yield


@contextmanager
def _hooked(unet: nn.Module, network: ControlNeXt, steer: Callable[..., tuple]) -> Iterator[None]:
    """Let a hook change what leaves the block of the UNet that a network steers."""
    handle = unet.down_blocks[network.config.down_block].register_forward_hook(steer)
    try:
        yield
    finally:
        handle.remove()
