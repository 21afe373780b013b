"""One or two images and control frames -> the frames of a video, on diffusers' networks."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from ...clip import clip_pixels, normalize_for_clip
from ...failures import is_out_of_memory
from ...frames import check_frames, to_image
from ...models.controlnext import check_version
from ...models.svd import augment_keyframe, check_size
from ...progress import Progress, silent
from ...sampling import (
    decode_in_chunks,
    draw_noise,
    encode_in_chunks,
    keeps_start,
    starts_empty,
)
from ...settings import SamplingSettings
from .denoising import EncodedImage, denoise
from .loading import Models


class VideoPipeline:
    """Encoding, denoising and decoding, which both pipelines share.

    Args:
        models: from `check_models` and `fill_models`.
        device: where the networks run.
        offload: keep a network on the device only while it is used: slower, but needs less
            memory.
    """

    def __init__(self, models: Models, *, device: torch.device, offload: bool):
        self.models = models
        self.device = device
        self.offload = offload

    @torch.no_grad()
    def denoise(
        self,
        images: tuple[np.ndarray, ...],
        control_frames: np.ndarray | None,
        settings: SamplingSettings,
        *,
        seed: int,
        progress: Progress,
        start: Tensor | None = None,
    ) -> Tensor:
        """Latents [T, 4, h, w] of the frames between two images, or after one image.

        Args:
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
                noise.latents.to(self.device),
                settings,
                start=start,
                draw=lambda: torch.randn(noise.latents.shape, generator=noise.generator),
                progress=lambda done: progress("denoising", done, settings.steps),
            )

    @torch.no_grad()
    def encode(self, frame: np.ndarray, noise: Tensor, augmentation: float) -> EncodedImage:
        """A uint8 keyframe or reference image [H, W, 3] as the UNet takes it."""
        pixels = to_image(frame[None]).movedim(-1, 1).to(self.device)
        encoder, vae = self.models.image_encoder, self.models.vae
        with self._on_device(encoder):
            clip = normalize_for_clip(clip_pixels(pixels)).to(encoder.dtype)
            embedding = encoder(clip).image_embeds[:, None].float()
        with self._on_device(vae):
            noisy = augment_keyframe(pixels, noise, augmentation) * 2 - 1
            latent = vae.encode(noisy.to(vae.dtype)).latent_dist.mode().float()
        return EncodedImage(embedding, latent)

    @torch.no_grad()
    def encode_video(self, frames: np.ndarray, chunk: int, progress: Progress) -> Tensor:
        """Scaled latents [T, 4, h, w] of a video, as denoising gives them.

        Args:
            frames: uint8 [T, H, W, 3].
            chunk: frames that are encoded at once; halved, with a warning, when memory runs out.

        Raises:
            UserError: the VAE gives values that are not numbers.
        """
        check_frames(frames)
        vae = self.models.vae
        chunks = encode_in_chunks(
            torch.from_numpy(np.ascontiguousarray(frames)),
            chunk,
            dtype=vae.dtype,
            encode=partial(_encode, vae, self.device),
            is_out_of_memory=is_out_of_memory,
            free_memory=torch.cuda.empty_cache,
        )
        latents, done = [], 0
        progress("encoding", 0, len(frames))
        with self._on_device(vae):
            for part in chunks:
                latents.append(part.float() * vae.config.scaling_factor)
                done += len(part)
                progress("encoding", done, len(frames))
        return torch.cat(latents)

    @torch.no_grad()
    def decode(self, latents: Tensor, chunk: int, progress: Progress) -> Iterator[np.ndarray]:
        """Frames of scaled latents [T, 4, h, w], one after the other as they are asked for.

        Args:
            chunk: frames that are decoded at once; halved, with a warning, when memory runs out.

        Yields:
            uint8 [H, W, 3].

        Raises:
            UserError: the latents or the decoded frames hold values that are not numbers.
        """
        vae = self.models.vae
        chunks = decode_in_chunks(
            latents / vae.config.scaling_factor,
            chunk,
            dtype=vae.dtype,
            decode=partial(_decode, vae),
            is_out_of_memory=is_out_of_memory,
            free_memory=torch.cuda.empty_cache,  # does nothing where CUDA is not used
            remedy="Try --dtype fp32.",
        )
        done = 0
        progress("decoding", 0, len(latents))
        with self._on_device(vae):
            for frames in chunks:
                yield from _to_pixels(frames)
                done += len(frames)
                progress("decoding", done, len(latents))

    @contextmanager
    def _on_device(self, network: nn.Module) -> Iterator[None]:
        """Move a network to the device; afterwards it stays there unless it is offloaded."""
        network.to(self.device)
        try:
            yield
        finally:
            if self.offload:
                network.to("cpu")


class InbetweenPipeline(VideoPipeline):
    """FCVG without ComfyUI: the frames between two keyframes.

    Raises:
        UserError: the ControlNeXt is not version 2, which FCVG was trained with.
    """

    def __init__(self, models: Models, *, device: torch.device, offload: bool):
        check_version(models.controlnext)
        super().__init__(models, device=device, offload=offload)

    def __call__(
        self,
        keyframes: tuple[np.ndarray, np.ndarray],
        control_frames: np.ndarray | None,
        settings: SamplingSettings,
        *,
        seed: int,
        decode_chunk: int,
        start: np.ndarray | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """Frames of the video.

        Args:
            keyframes: uint8 [H, W, 3] of the same size, multiples of 64.
            control_frames: uint8 [T, H, W, 3], or None for no control.
            decode_chunk: frames that the VAE decodes or encodes at once; 2 in the official code.
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
            keyframes, control_frames, settings, seed=seed, start=encoded, progress=progress
        )
        video = None
        for i, frame in enumerate(self.decode(latents, decode_chunk, progress)):
            if video is None:  # the video is held once, without a list of its frames beside it
                video = np.empty((len(latents), *frame.shape), frame.dtype)
            video[i] = frame
        return video


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


def _encode(vae: nn.Module, device: torch.device, frames: Tensor, dtype: torch.dtype) -> Tensor:
    """Unscaled latents [t, 4, h, w] of uint8 frames [t, H, W, 3], computed in a number format."""
    pixels = to_image(frames.numpy()).movedim(-1, 1).to(device) * 2 - 1
    with _computing_in(vae, dtype):
        return vae.encode(pixels.to(dtype)).latent_dist.mode()


def _decode(vae: nn.Module, latents: Tensor, dtype: torch.dtype) -> Tensor:
    """Decoded pixels [t, 3, H, W], about -1..1, computed in a number format."""
    with _computing_in(vae, dtype):
        return vae.decode(latents.to(dtype), num_frames=len(latents)).sample


@contextmanager
def _computing_in(vae: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """The VAE in a number format; afterwards it has its own format again."""
    own = vae.dtype
    nn.Module.to(vae, dtype)  # diffusers' own `to` would log a warning for every chunk
    try:
        yield
    finally:
        nn.Module.to(vae, own)


def _to_pixels(frames: Tensor) -> np.ndarray:
    """[t, 3, H, W] in -1..1 -> uint8 [t, H, W, 3]."""
    pixels = (frames.float() / 2 + 0.5).clamp(0, 1) * 255
    return pixels.round().to(torch.uint8).movedim(1, -1).cpu().numpy()
