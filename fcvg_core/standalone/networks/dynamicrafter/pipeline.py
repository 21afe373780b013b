"""A picture, or two, and a prompt -> the frames of a clip, without ComfyUI."""

from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....choices import INTERPOLATE
from ....clip import CLIP_SIZE, clip_pixels, normalize_for_clip
from ....frames import to_image
from ....models.dynamicrafter.conditioning import GREY, concat_latents, frame_tokens
from ....models.dynamicrafter.projector import ImageProjector
from ....models.dynamicrafter.variants import Variant
from ....models.unet3d import UNet3D
from ....progress import Progress, silent
from ....sampling import NoiseTable
from ..clip_text import Tokenizer, encode_prompt
from ..vae import VaePipeline, collect_video
from .denoising import Branch, ClipSettings, Conditions, denoise_clip


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks of a model, in evaluation mode, on the CPU."""

    unet: UNet3D
    projector: ImageProjector
    text_encoder: Any  # transformers.CLIPTextModel
    image_encoder: Any  # transformers.CLIPVisionModel
    vae: Any  # diffusers.AutoencoderKL
    tokenizer: Tokenizer


@dataclass(frozen=True, eq=False, kw_only=True)
class ClipRequest:
    """What a clip shall show.

    Attributes:
        first: uint8 [H, W, 3], multiples of 64.
        last: the last picture of an interpolation, of the same size; other modes take none.
        prompt: the text.
        negative_prompt: what the clip shall not show; "" in the official code.
        clip_picture: uint8 [H', W', 3] of any size, which CLIP sees; None: the first picture.
        mode: one of CLIP_MODES of `choices`.

    Raises:
        ValueError: an interpolation lacks its last picture, or this picture has another size.
    """

    first: np.ndarray
    last: np.ndarray | None = None
    prompt: str
    negative_prompt: str = ""
    clip_picture: np.ndarray | None = None
    mode: str

    def __post_init__(self):
        sizes = {None if picture is None else picture.shape for picture in self.pictures}
        if len(sizes) > 1:
            raise ValueError(f"interpolation needs two pictures of one size, got {sizes}")

    @property
    def pictures(self) -> list[np.ndarray]:
        """The pictures that the clip goes through: the first, and in an interpolation the last."""
        return [self.first, self.last] if self.mode == INTERPOLATE else [self.first]


class ClipPipeline(VaePipeline):
    """DynamiCrafter without ComfyUI.

    Args:
        variant: which model the networks are.
        table: the noise of the model's timesteps.
        device, offload: see `VaePipeline`.
    """

    def __init__(
        self,
        networks: Networks,
        variant: Variant,
        table: NoiseTable,
        *,
        device: torch.device,
        offload: bool,
    ):
        super().__init__(networks.vae, device=device, offload=offload)
        self.networks = networks
        self.variant = variant
        self.table = table

    @torch.no_grad()
    def __call__(
        self,
        request: ClipRequest,
        settings: ClipSettings,
        *,
        seed: int,
        progress: Progress = silent,
    ) -> np.ndarray:
        """Frames of a clip.

        The request should have passed `check_request`.

        Args:
            seed: of the noise at the start; the noise of the steps has the next seed. So it is
                on a CPU in ComfyUI, from release 0.8 on.

        Returns:
            uint8 [T, H, W, 3]. A loop has its first frame at its end again.

        Raises:
            UserError: the steps don't fit the spacing, or a network gives values that are not
                numbers.

        Source: Doubiiu/DynamiCrafter scripts/evaluation/inference.py:158-250.
        Differs: the VAE's mean is taken, where the official code draws a sample; the negative
            prompt is used; the noise is drawn on the CPU.
        """
        conditions = self.encode(request, settings, progress)
        shape = conditions.image_latents.shape
        seeds = index(seed), index(seed) + 1  # of NumPy's whole numbers too
        start, later = (torch.Generator("cpu").manual_seed(x % 2**64) for x in seeds)
        with self._on_device(self.networks.unet):
            latents = denoise_clip(
                self.networks.unet,
                self.variant,
                self.table,
                conditions,
                torch.randn(shape, generator=start).to(self.device),
                settings,
                draw=lambda: torch.randn(shape, generator=later),
                progress=lambda done, total: progress("denoising", done, total),
            )
        frames = self.decode(latents, settings.decode_chunk, progress)
        return collect_video(frames, len(latents))

    @torch.no_grad()
    def encode(
        self, request: ClipRequest, settings: ClipSettings, progress: Progress = silent
    ) -> Conditions:
        """What the UNet is conditioned on, on the device, in float32."""
        text, uncond_text = self._encode_prompts(
            {"prompt": request.prompt, "negative prompt": request.negative_prompt}
        )
        seen = request.first if request.clip_picture is None else request.clip_picture
        tokens, grey = (
            frame_tokens(x, settings.num_frames, settings.image_tokens)
            for x in self._encode_pictures(seen)
        )
        latents = self.encode_video(np.stack(request.pictures), 1, progress)
        last = latents[1:] if len(latents) > 1 else None
        return Conditions(
            concat_latents(latents[:1], last, settings.num_frames, request.mode),
            Branch(text, tokens),
            Branch(uncond_text, grey),
        )

    def _encode_prompts(self, prompts: dict[str, str]) -> list[Tensor]:
        """Text tokens [1, L, D] of each prompt; the prompts are given by their names."""
        networks = self.networks
        with self._on_device(networks.text_encoder):
            return [
                encode_prompt(text, networks.tokenizer, networks.text_encoder, name)
                for name, text in prompts.items()
            ]

    def _encode_pictures(self, picture: np.ndarray) -> list[Tensor]:
        """Image tokens [1, n, D] of a picture, and of a grey picture for unconditional guidance."""
        pixels = to_image(picture[None]).movedim(-1, 1).to(self.device)
        both = torch.cat([clip_pixels(pixels), pixels.new_full((1, 3, CLIP_SIZE, CLIP_SIZE), GREY)])
        encoder, projector = self.networks.image_encoder, self.networks.projector
        with self._on_device(encoder):
            pixel_values = normalize_for_clip(both).to(encoder.dtype)
            seen = encoder(pixel_values=pixel_values).last_hidden_state
        with self._on_device(projector):
            return list(projector(seen.to(projector.latents.dtype)).float()[:, None])
