"""A picture, a prompt and an FPS -> the frames of a video, without ComfyUI."""

from dataclasses import dataclass
from functools import partial
from operator import index
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....frames import to_image
from ....models.dropletvideo import rules
from ....models.dropletvideo.conditioning import (
    augment,
    concat_conditions,
    condition_frames,
    mask_latents,
)
from ....models.dropletvideo.network import DropletVideoTransformer
from ....progress import Progress, silent
from ..device import DevicePipeline
from .denoising import Conditions, denoise_video
from .text import Tokenizer, encode_prompt
from .vae import VideoCoder


@dataclass(frozen=True, eq=False, kw_only=True)
class DropletRequest:
    """What a video shall show.

    Attributes:
        first: uint8 [H, W, 3], multiples of 16.
        last: the last picture, of the same size; the model was not trained with one.
        prompt: the whole text, see `whole_prompt`.
        negative_prompt: what the video shall not show; NEGATIVE of `rules` in the official code.
        fps: the lower, the more moves from frame to frame.

    Raises:
        ValueError: the pictures have different sizes.
    """

    first: np.ndarray
    last: np.ndarray | None = None
    prompt: str
    negative_prompt: str = ""
    fps: int

    def __post_init__(self):
        if self.last is not None and self.last.shape != self.first.shape:
            raise ValueError(f"expected one size, got {self.first.shape} and {self.last.shape}")


@dataclass(frozen=True, kw_only=True)
class DropletSettings:
    """How a video is sampled and decoded.

    Attributes:
        num_frames: as asked for, 4k + 1; `decoded_frames` of `rules` tells how many come.
        steps: DDIM steps.
        guidance: scale of guidance by the text; 1 leaves it out.
        augmentation: standard deviation of the noise on the given pictures, in -1..1.
        augmentation_seed: its seed.
        tiling: whether the VAE decodes tiles of the frames at once; else only if memory runs out.
    """

    num_frames: int = rules.FRAMES
    steps: int = rules.STEPS
    guidance: float = rules.GUIDANCE
    augmentation: float = 0.0
    augmentation_seed: int = 0
    tiling: bool = False


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks of a model, in evaluation mode, on the CPU."""

    transformer: DropletVideoTransformer
    text_encoder: Any  # transformers' T5Stack
    vae: Any  # diffusers.AutoencoderKLCogVideoX
    tokenizer: Tokenizer


class DropletPipeline(DevicePipeline):
    """DropletVideo without ComfyUI.

    Args:
        device, offload: see `DevicePipeline`.
    """

    def __init__(self, networks: Networks, *, device: torch.device, offload: bool):
        super().__init__(device=device, offload=offload)
        self.networks = networks
        self._vae = VideoCoder(networks.vae, device)

    @torch.no_grad()
    def __call__(
        self,
        request: DropletRequest,
        settings: DropletSettings,
        *,
        seed: int,
        progress: Progress = silent,
    ) -> np.ndarray:
        """All decoded frames of a video, uint8 [F', H, W, 3]; see `kept_frames` of `rules`.

        Args:
            seed: of the noise at the start.
            progress: gets the stages "encoding", "denoising" and "decoding".

        Raises:
            UserError: the steps are too few or too many, or a network gives values that are not
                numbers.

        Differs: the noise is drawn on the CPU and as ComfyUI draws it, so that a seed gives one
            video in both faces; the official code draws it on the card, frames before channels.
        """
        conditions = self.encode(request, settings, progress)
        _, _, frames, height, width = conditions.beside.shape
        channels = self.networks.transformer.config.out_channels
        generator = torch.Generator("cpu").manual_seed(index(seed) % 2**64)
        noise = torch.randn(1, channels, frames, height, width, generator=generator)
        with self._on_device(self.networks.transformer):
            latents = denoise_video(
                self.networks.transformer,
                conditions,
                noise.to(self.device),
                steps=settings.steps,
                guidance=settings.guidance,
                progress=partial(progress, "denoising"),
            )
        with self._on_device(self.networks.vae):
            return self._vae.decode(latents, progress, tiling=settings.tiling)

    @torch.no_grad()
    def encode(
        self, request: DropletRequest, settings: DropletSettings, progress: Progress = silent
    ) -> Conditions:
        """What the transformer is conditioned on, in float32."""
        text, negative_text = self._encode_prompts(request, guided=settings.guidance != 1)
        pictures = [None if x is None else _to_pixels(x) for x in (request.first, request.last)]
        video = condition_frames(*pictures, settings.num_frames)
        seed = index(settings.augmentation_seed) % 2**64
        video = augment(video, settings.augmentation, seed)
        with self._on_device(self.networks.vae):
            latents = self._vae.encode(video, progress)
        mask = mask_latents(
            settings.num_frames,
            latents.shape[-2:],
            has_last=request.last is not None,
            scale=self._vae.scale,
        )
        return Conditions(text, negative_text, concat_conditions(mask, latents), request.fps)

    def _encode_prompts(
        self, request: DropletRequest, *, guided: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Text tokens [1, L, D] of the prompt, and of the negative prompt if it guides."""
        encode = partial(
            encode_prompt, tokenizer=self.networks.tokenizer, encoder=self.networks.text_encoder
        )
        with self._on_device(self.networks.text_encoder):
            text = encode(request.prompt)
            if not guided:
                return text, None
            return text, encode(request.negative_prompt, name="negative prompt")


def _to_pixels(picture: np.ndarray) -> Tensor:
    """uint8 [H, W, 3] -> [3, H, W] in -1..1."""
    return to_image(picture[None])[0].movedim(-1, 0) * 2 - 1
