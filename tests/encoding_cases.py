"""The stand-in encoders and drawn frames, for the tests of what clips become in training."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from stand_ins import IMAGE_ENCODER, VAE, fill

from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.pipeline import VideoPipeline

CPU = torch.device("cpu")
SIZE = (64, 64)


def make_encoders(**networks) -> Models:
    """SVD's VAE and image encoder as stand-ins; the networks that are not named are None."""
    from diffusers import AutoencoderKLTemporalDecoder
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    vae = AutoencoderKLTemporalDecoder(**VAE)
    encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(**IMAGE_ENCODER))
    for network in (vae, encoder):
        network.load_state_dict(fill(network))
        network.eval().requires_grad_(False)
    return Models(**{"unet": None, "vae": vae, "image_encoder": encoder, **networks})


def open_pipeline(models: Models) -> VideoPipeline:
    return VideoPipeline(models, device=CPU, offload=False)


def drawn_frames(count: int, seed: int = 0) -> np.ndarray:
    """A bright square on a pattern; it moves two pixels from a frame to the next."""
    pattern = np.random.RandomState(seed).randint(0, 100, (8, 8, 3)).astype(np.uint8)
    frames = np.tile(pattern.repeat(8, 0).repeat(8, 1), (count, 1, 1, 1))
    for i, frame in enumerate(frames):
        frame[20:40, 5 + 2 * i : 25 + 2 * i] = 250
    return frames


def write_frames(folder: Path, frames: np.ndarray) -> Path:
    """A folder of pictures."""
    folder.mkdir(parents=True)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{i:04d}.png")
    return folder


class Opener:
    """Gives the encoders, and counts how often it is asked."""

    def __init__(self, pipeline: VideoPipeline):
        self._pipeline = pipeline
        self.count = 0

    def __call__(self) -> VideoPipeline:
        self.count += 1
        return self._pipeline
