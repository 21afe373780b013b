"""A picture, boxes that move and a prompt -> the frames of a video, without ComfyUI."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import index
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....boxes import BoxTracks, check_count, stack_padded
from ....errors import UserError
from ....models.smcd import PositionNet, VisualEncoder
from ....models.smcd.rules import MOST_OBJECTS, NUM_FRAMES
from ....models.smcd.tokens import absent_tokens, image_tokens, object_tokens
from ....models.unet3d import UNet3D
from ....progress import Progress, silent
from ....quoting import quote
from ..branches import UNCOND, Scales
from ..clip_text import Tokenizer, encode_prompt
from ..vae import VaePipeline, collect_video
from .denoising import Conditions, Scene, denoise_video
from .encoders import LabelEncoder


@dataclass(frozen=True, eq=False, kw_only=True)
class SmcdRequest:
    """What a video shall show.

    Attributes:
        first: uint8 [H, W, 3], the first frame, of the video's size: multiples of 64.
        tracks: the objects of the video, each with a box in as many frames as the video has; with
            no object the picture and the prompt alone count.
        prompt: the text.
        negative_prompt: what the video shall not show; "" in the official code.
        embeddings: of each label, [D] float32, as data sets have them; None: the text encoder
            makes them.
    """

    first: np.ndarray
    tracks: BoxTracks
    prompt: str
    negative_prompt: str = ""
    embeddings: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True, kw_only=True)
class SmcdSettings:
    """How a video is sampled and decoded; the defaults are the official ones.

    Attributes:
        num_frames: frames of the video.
        steps: DDIM steps; a number that does not divide 1000 gives more.
        guidance: scale of guidance by the text; 1 leaves it out.
        scene_guidance: scale of guidance by the picture and the boxes together; 1 leaves it out,
            any other scale but that of the text costs a third pass.
        pad_to: number of objects, 0 to 8, that absent ones fill a video up to; training had 8.
        decode_chunk: frames that the VAE decodes at once.
    """

    num_frames: int = NUM_FRAMES
    steps: int = 50
    guidance: float = 7.5
    scene_guidance: float = 1.0
    pad_to: int = 0
    decode_chunk: int = 1

    @property
    def scales(self) -> Scales:
        """Scales of guidance."""
        return Scales(self.guidance, self.scene_guidance)


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks of a model, in evaluation mode, on the CPU."""

    unet: UNet3D
    position_net: PositionNet
    visual_encoder: VisualEncoder
    text_encoder: Any  # transformers.CLIPTextModel
    vae: Any  # diffusers.AutoencoderKL
    tokenizer: Tokenizer


class SmcdPipeline(VaePipeline):
    """SMCD without ComfyUI.

    Args:
        device, offload: see `VaePipeline`.
    """

    def __init__(self, networks: Networks, *, device: torch.device, offload: bool):
        super().__init__(networks.vae, device=device, offload=offload)
        self.networks = networks
        self._label_encoder = LabelEncoder(
            networks.text_encoder, networks.tokenizer, device=device, offload=offload
        )
        self._said_width = False

    @torch.no_grad()
    def __call__(
        self,
        request: SmcdRequest,
        settings: SmcdSettings,
        *,
        seed: int,
        progress: Progress = silent,
    ) -> np.ndarray:
        """Frames of a video, uint8 [T, H, W, 3].

        Args:
            seed: of the noise at the start.
            progress: gets the stages "encoding", "denoising" and "decoding".

        Raises:
            UserError: there are more than 8 objects, boxes for another number of frames, a label
                without an embedding, too few or too many steps, or a network gives values that
                are not numbers.

        Source: Mingxiao-Li/Animate-Your-Motion inference_customize.py, ms_pipeline.py.
        Differs: the VAE's mean is taken, where the official code draws a sample; each object has
            its own label, where the official code says dog; the negative prompt is used; the noise
            is drawn on the CPU and as ComfyUI draws it, so that a seed gives one video in both
            faces.
        """
        conditions = self.encode(request, settings, progress)
        generator = torch.Generator("cpu").manual_seed(index(seed) % 2**64)
        shape = settings.num_frames, *conditions.scene.latents.shape[1:]
        with self._on_device(self.networks.unet):
            latents = denoise_video(
                self.networks.unet,
                conditions,
                torch.randn(shape, generator=generator).to(self.device),
                steps=settings.steps,
                scales=settings.scales,
                progress=partial(progress, "denoising"),
            )
        frames = self.decode(latents, settings.decode_chunk, progress)
        return collect_video(frames, len(latents))

    @torch.no_grad()
    def encode(
        self, request: SmcdRequest, settings: SmcdSettings, progress: Progress = silent
    ) -> Conditions:
        """What the UNet is conditioned on, in float32; see `__call__` for the errors."""
        _check_tracks(request.tracks, settings.num_frames)
        text, negative_text = self._encode_prompts(
            {"prompt": request.prompt, "negative prompt": request.negative_prompt}
        )
        labels = self._labels(request)
        latents = self.encode_video(request.first[None], 1, progress)
        scene = self._scene(latents, request.tracks, settings, labels)
        nothing = None
        if UNCOND in settings.scales.branches:
            nothing = self._empty_scene(scene)
        return Conditions(text, negative_text, scene, nothing)

    def embed_labels(self, labels: Sequence[str]) -> list[Tensor]:
        """The embedded label of each object, [D] float32 on the CPU; see `embed_label`."""
        return self._label_encoder(labels)

    def _labels(self, request: SmcdRequest) -> list[Tensor]:
        """The embedded name of each object, [D] float32 on the CPU.

        Given embeddings of another width are those of another text encoder, and are not used.
        """
        names, given = request.tracks.labels, request.embeddings
        if given is None or not names:
            return self.embed_labels(names)
        if lacking := [name for name in names if name not in given]:
            raise UserError(
                f"The label {quote(lacking[0])} has no embedding among the given ones; expected "
                "one for each label: leave them out, or add it."
            )
        wanted = self.networks.position_net.null_positive_feature.shape
        if any(given[name].shape != wanted for name in names):
            if not self._said_width:
                logging.warning(
                    "The given embeddings of labels have %d numbers, but %d are expected: the text "
                    "encoder makes them anew.",
                    given[names[0]].size,
                    wanted[0],
                )
            self._said_width = True
            return self.embed_labels(names)
        return [torch.from_numpy(given[name]) for name in names]

    def _encode_prompts(self, prompts: dict[str, str]) -> list[Tensor]:
        """Text tokens [1, L, D] of each prompt; the prompts are given by their names."""
        networks = self.networks
        with self._on_device(networks.text_encoder):
            return [
                encode_prompt(text, networks.tokenizer, networks.text_encoder, name)
                for name, text in prompts.items()
            ]

    def _scene(
        self, latents: Tensor, tracks: BoxTracks, settings: SmcdSettings, labels: Sequence[Tensor]
    ) -> Scene:
        """The scene of a picture's latents and of boxes with embedded labels."""
        position_net = self.networks.position_net
        boxes, present = stack_padded(tracks, settings.pad_to)
        with self._on_device(position_net):
            labels = [label.to(self.device) for label in labels]
            objects = object_tokens(position_net, boxes, present, labels)
        return Scene(latents, objects, self._see(latents, len(boxes)))

    def _empty_scene(self, scene: Scene) -> Scene:
        """A scene without picture and boxes, with as many tokens as another one."""
        latents, (num_frames, count, _) = torch.zeros_like(scene.latents), scene.objects.shape
        with self._on_device(self.networks.position_net):
            objects = absent_tokens(self.networks.position_net, num_frames, count)
        return Scene(latents, objects, self._see(latents, num_frames))

    def _see(self, latents: Tensor, num_frames: int) -> Tensor:
        """Image tokens [T, m, D] of a picture's latents."""
        with self._on_device(self.networks.visual_encoder):
            return image_tokens(self.networks.visual_encoder, latents.to(self.device), num_frames)


def _check_tracks(tracks: BoxTracks, num_frames: int) -> None:
    """Raise UserError unless SMCD takes these objects in a video of so many frames."""
    check_count(tracks, MOST_OBJECTS, name="SMCD")
    if tracks.num_frames != num_frames:
        raise UserError(
            f"The box tracks have {tracks.num_frames} frames, but the video has {num_frames}: give "
            "a box for every frame, or let the boxes be interpolated over the video."
        )
