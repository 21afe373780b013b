"""Passes of diffusers' UNet over a window of frames: in one direction, in one or both halves.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402, 620-745; dvlab-research/ControlNeXt
ControlNeXt-SVD-v2/pipeline/pipeline_stable_video_diffusion_controlnext.py:540-640.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...models.svd import noisy_deviation, timestep
from ...sampling import FeatureCache, Window
from ...settings import SamplingSettings
from .shallow import ShallowUnet
from .steering import Control


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """A keyframe or a reference image as the UNet takes it."""

    embedding: Tensor  # [1, 1, D] from CLIP
    latent: Tensor  # [1, 4, h, w] from the VAE, unscaled


def join_image(scaled: Tensor, image: EncodedImage, *, share: float) -> Tensor:
    """The UNet's input for a video: the latents of every frame, and beside them the image's.

    Args:
        scaled: [T, 4, h, w] latents divided by `noisy_deviation`.
        share: 0 where the image is not shown, otherwise 1.

    Returns:
        [T, 8, h, w] on the device of `scaled`.
    """
    repeated = image.latent.to(scaled.device).expand(len(scaled), -1, -1, -1)
    return torch.cat([scaled, repeated * share], dim=1)


class UnetPasses:
    """The UNet under the images and the control frames of a run.

    Args:
        unet: diffusers' UNet of SVD.
        images: the keyframes in their order, sampled in both directions; or one reference image,
            sampled in one direction.
        control: None if nothing is steered.
        features_on: where deep features wait until they are used again.
    """

    def __init__(
        self,
        unet: nn.Module,
        images: tuple[EncodedImage, ...],
        control: Control | None,
        settings: SamplingSettings,
        *,
        features_on: torch.device,
    ):
        self._unet = unet
        self._images = images
        self._control = control
        self._ids = (settings.fps - 1, settings.motion_bucket_id, settings.augmentation)
        self._features_on = features_on
        self._cache = self._shallow = None
        if settings.cache_interval > 1:
            self._cache, self._shallow = FeatureCache(settings.cache_interval), ShallowUnet(unet)

    def predict(
        self, latents: Tensor, sigma: Tensor, window: Window, *, backward: bool, both: bool
    ) -> Tensor:
        """v-predictions of one direction.

        Args:
            latents: [T, 4, h, w] of the window at the noise level `sigma`, in the direction's
                order of time.
            both: whether the unconditional half is computed too.

        Returns:
            [halves, T, 4, h, w] float32, on the device and in the order of `latents`; the
            conditional half is the last one.
        """
        unet, image = self._unet, self._images[window.span + backward]
        halves = (0.0, 1.0) if both else (1.0,)  # shares of the image
        shares = torch.tensor(halves).to(unet.device)
        scaled = (latents / noisy_deviation(sigma)).to(unet.device)
        sample = torch.stack([join_image(scaled, image, share=share) for share in halves])
        context = image.embedding.to(unet.device) * shares[:, None, None]
        inputs = (sample.to(unet.dtype), timestep(sigma).to(unet.device))
        conditions = {
            "encoder_hidden_states": context.to(unet.dtype),
            "added_time_ids": scaled.new_tensor([self._ids] * len(shares)),
            "return_dict": False,
        }
        steering = self._steering(sigma, window, backward)
        if self._cache is None:
            with steering:
                out = unet(*inputs, **conditions)[0]
        else:
            keys = [(backward, half, window) for half in halves]
            out = self._call_cached(float(sigma), keys, steering, *inputs, **conditions)[0]
        return out.float().to(latents.device)

    def _steering(self, sigma: Tensor, window: Window, backward: bool) -> AbstractContextManager:
        if self._control is None:
            return nullcontext()
        return self._control.steering(self._unet, sigma, window, backward=backward)

    def _call_cached(
        self,
        level: float,
        keys: list[tuple[bool, float, Window]],
        steering: AbstractContextManager,
        *inputs: Tensor,
        **conditions: Any,
    ) -> tuple[Tensor]:
        """What the UNet returns: whole, or with the deep features of an earlier evaluation.

        Args:
            keys: of the passes of the batch, in their order.
            steering: is not begun where no deep block runs, because control acts on deep blocks.
        """
        if not self._cache.needs_whole(level, keys):
            kept = [self._cache.get(key).to(self._unet.device) for key in keys]
            return self._shallow(*inputs, features=torch.cat(kept), **conditions)
        with steering, self._shallow.keeping() as kept:
            out = self._unet(*inputs, **conditions)
        for key, features in zip(keys, kept[0].chunk(len(keys)), strict=True):
            self._cache.put(key, features.to(self._features_on))
        return out
