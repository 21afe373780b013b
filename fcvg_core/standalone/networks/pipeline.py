"""One or two images and control frames -> the frames of a video, on diffusers' networks."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ...clip import clip_pixels, normalize_for_clip
from ...frames import check_frames, to_image
from ...models.controlnext import check_version
from ...models.svd import augment_keyframe, check_size
from ...progress import Progress, silent
from ...sampling import draw_noise, keeps_start, starts_empty
from ...settings import SamplingSettings
from .denoising import denoise
from .loading import Models
from .mpd import denoise_plain
from .passes import EncodedImage
from .vae import VaePipeline, collect_video


class VideoPipeline(VaePipeline):
    """Encoding, denoising and decoding, which both pipelines share.

    Args:
        models: from `check_models` and `fill_models`.
        device, offload: see `VaePipeline`.
    """

    def __init__(self, models: Models, *, device: torch.device, offload: bool):
        super().__init__(models.vae, device=device, offload=offload)
        self.models = models

    @torch.no_grad()
    def denoise(
        self,
        images: tuple[np.ndarray, ...],
        control_frames: np.ndarray | None,
        settings: SamplingSettings,
        *,
        seed: int,
        progress: Progress,
        at: Sequence[int] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Latents [T, 4, h, w] of the frames between images, or after one image.

        Args:
            at: frames of the images, see `denoise`.
            start: latents from `encode_video`, which `settings.denoise` below 1 needs. At 0 they
                are the result, and no network runs.
        """
        size = images[0].shape[:2]
        check_size(*size)
        if start is not None and keeps_start(settings.denoise):
            return start.clone()
        noise = draw_noise(seed, size, settings.num_frames)
        encoded = tuple(
            self.encode(image, noise.augmentation, settings.augmentation) for image in images
        )
        progress("denoising", 0, settings.steps)
        control = None if control_frames is None else _to_channels_first(control_frames)
        with self._on_device(self.models.unet), self._on_device(self.models.controlnext):
            return denoise(
                self.models,
                encoded,
                control,
                noise.latents,
                settings,
                at=at,
                start=start,
                draw=lambda: torch.randn(noise.latents.shape, generator=noise.generator),
                progress=lambda done: progress("denoising", done, settings.steps),
            )

    @torch.no_grad()
    def encode(self, frame: np.ndarray, noise: Tensor, augmentation: float) -> EncodedImage:
        """A uint8 keyframe or reference image [H, W, 3] as the UNet takes it."""
        return EncodedImage(self.embed(frame), self.encode_noisy(frame, noise, augmentation))

    @torch.no_grad()
    def embed(self, frame: np.ndarray) -> Tensor:
        """CLIP's embedding [1, 1, D] float32 of a uint8 frame [H, W, 3]."""
        encoder = self.models.image_encoder
        with self._on_device(encoder):
            clip = normalize_for_clip(clip_pixels(self._pixels(frame))).to(encoder.dtype)
            return encoder(clip).image_embeds[:, None].float()

    @torch.no_grad()
    def encode_noisy(self, frame: np.ndarray, noise: Tensor, augmentation: float) -> Tensor:
        """Unscaled latent [1, 4, h, w] float32 of a uint8 frame [H, W, 3] with noise added.

        Args:
            noise, augmentation: see `augment_keyframe`.
        """
        vae = self.models.vae
        with self._on_device(vae):
            noisy = augment_keyframe(self._pixels(frame), noise, augmentation) * 2 - 1
            return vae.encode(noisy.to(vae.dtype)).latent_dist.mode().float()

    def _pixels(self, frame: np.ndarray) -> Tensor:
        """[1, 3, H, W] in 0..1 on the device."""
        return to_image(frame[None]).movedim(-1, 1).to(self.device)

    def _call_vae(self, latents: Tensor) -> Tensor:
        """SVD's decoder takes the frames of a chunk for a video of their own."""
        return self._vae.decode(latents, num_frames=len(latents)).sample


class InbetweenPipeline(VideoPipeline):
    """FCVG without ComfyUI: the frames between keyframes.

    Raises:
        UserError: the ControlNeXt is not version 2, which FCVG was trained with.
    """

    def __init__(self, models: Models, *, device: torch.device, offload: bool):
        check_version(models.controlnext)
        super().__init__(models, device=device, offload=offload)

    def __call__(
        self,
        keyframes: tuple[np.ndarray, ...],
        control_frames: np.ndarray | None,
        settings: SamplingSettings,
        *,
        seed: int,
        decode_chunk: int,
        at: Sequence[int] | None = None,
        start: np.ndarray | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """Frames of the video.

        Args:
            keyframes: at least two, uint8 [H, W, 3] of the same size, multiples of 64.
            control_frames: uint8 [T, H, W, 3], or None for no control.
            decode_chunk: frames that the VAE decodes or encodes at once; 2 in the official code.
            at: frames of the keyframes, rising from 0 to T - 1; None: there are two keyframes.
            start: uint8 [T, H, W, 3], frames that the video starts from if `settings.denoise` is
                below 1; otherwise they are not used.

        Returns:
            uint8 [T, H, W, 3].
        """
        check_size(*keyframes[0].shape[:2])
        encoded = None
        if start is not None and not starts_empty(settings.denoise):
            encoded = self.encode_video(start, decode_chunk, progress)
        latents = self.denoise(
            keyframes,
            control_frames,
            settings,
            seed=seed,
            at=at,
            start=encoded,
            progress=progress,
        )
        return collect_video(self.decode(latents, decode_chunk, progress), len(latents))


class PlainInbetweenPipeline(VideoPipeline):
    """MPD on SVD alone, without FCVG's weights: the frames between two keyframes; experimental.

    25 steps take 130 passes of the UNet, where FCVG takes 100.

    Source: MPD (arXiv 2602.12679); vvsjeon/MPDsampler mpd_seq.py.
    """

    def __call__(
        self,
        keyframes: tuple[np.ndarray, np.ndarray],
        settings: SamplingSettings,
        *,
        seed: int,
        decode_chunk: int,
        progress: Progress = silent,
    ) -> np.ndarray:
        """Frames of the video.

        Args:
            keyframes: uint8 [H, W, 3] of the same size, multiples of 64.
            settings: see `denoise_plain`, which does not use all of them.
            decode_chunk: frames that the VAE decodes at once.

        Returns:
            uint8 [T, H, W, 3].
        """
        size = keyframes[0].shape[:2]
        check_size(*size)
        noise = draw_noise(seed, size, settings.num_frames)
        encoded = tuple(
            self.encode(frame, noise.augmentation, settings.augmentation) for frame in keyframes
        )
        ends = tuple(self.encode_video(frame[None], 1, silent) for frame in keyframes)
        progress("denoising", 0, settings.steps)
        with self._on_device(self.models.unet):
            latents = denoise_plain(
                self.models,
                encoded,
                ends,
                noise.latents,
                settings,
                draw=lambda: torch.randn(noise.latents.shape, generator=noise.generator),
                progress=lambda done: progress("denoising", done, settings.steps),
            )
        return collect_video(self.decode(latents, decode_chunk, progress), len(latents))


class AnimationPipeline(VideoPipeline):
    """ControlNeXt-SVD, version 1 or 2, without ComfyUI: animates a reference image."""

    def __call__(
        self,
        reference: np.ndarray,
        control_frames: np.ndarray,
        settings: SamplingSettings,
        *,
        seed: int,
        decode_chunk: int,
        progress: Progress = silent,
    ) -> Iterator[np.ndarray]:
        """Frames of the video, as many as there are control frames.

        A frame is decoded when it is asked for, so a long video needs no more memory than its
        latents and its control frames.

        Args:
            reference: uint8 [H, W, 3], multiples of 64.
            control_frames: uint8 [T, H, W, 3], which the video follows: poses on black.
            settings: the official code uses 25 steps, fps 7, motion bucket 128, augmentation
                0.02, a guidance of 2.0 (version 1: 3.5) and no noise injection.
            decode_chunk: frames that the VAE decodes at once; 2 in the official code.

        Returns:
            Iterator of uint8 [H, W, 3].

        Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2/pipeline/
        pipeline_stable_video_diffusion_controlnext.py:366-665 and ControlNeXt-SVD/ (version 1).
        """
        latents = self.denoise((reference,), control_frames, settings, seed=seed, progress=progress)
        return self.decode(latents, decode_chunk, progress)


def _to_channels_first(frames: np.ndarray) -> Tensor:
    """uint8 [T, H, W, 3] -> uint8 [T, 3, H, W]."""
    check_frames(frames)
    return torch.from_numpy(frames).movedim(-1, 1)
