"""Text encoder and VAE in training: prompts -> tokens, frames -> the distribution of latents."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...catalogue.model_files import Roots
from ...errors import UserError
from ...progress import silent
from ...standalone.networks.clip_text import Tokenizer, encode_prompt
from ...standalone.networks.parts import CheckedPart, fill_parts
from ...standalone.networks.smcd.encoders import TEXT, VAE, EncoderFiles, check_encoders
from ...standalone.networks.vae import VaePipeline
from .spec import StartFiles
from .start import Start

CHUNK = 4  # frames that the VAE encodes at once


class TrainingEncoders(VaePipeline):
    """The encoders of inference on the device that trains; see `task.Encoders`.

    Args:
        vae: diffusers' network.
        text_encoder: transformers' CLIPTextModel.
        device: where they stay.
    """

    def __init__(
        self, vae: nn.Module, text_encoder: Any, tokenizer: Tokenizer, *, device: torch.device
    ):
        super().__init__(vae, device=device, offload=False)
        self._text_encoder, self._tokenizer = text_encoder, tokenizer

    @torch.no_grad()
    def encode_prompt(self, prompt: str) -> Tensor:
        """Tokens [L, D] of a prompt, float32 on the CPU."""
        with self._on_device(self._text_encoder):
            return encode_prompt(prompt, self._tokenizer, self._text_encoder)[0].cpu()

    def encode_frames(self, frames: np.ndarray) -> tuple[Tensor, Tensor]:
        """Mean and deviation [T, 4, h, w] of the scaled latents of frames, on the CPU.

        Args:
            frames: uint8 [T, H, W, 3].

        Raises:
            UserError: the VAE gives values that are not numbers.
        """
        return self.encode_distribution(frames, CHUNK, silent)


@dataclass(frozen=True, eq=False)
class CheckedEncoders:
    """Text encoder, VAE and tokenizer, whose files are checked; no weights are read."""

    tokenizer: Tokenizer
    parts: dict[str, CheckedPart]

    def load(self, device: torch.device) -> TrainingEncoders:
        """The encoders with their weights. Call this once: the checked networks are used up."""
        loaded = fill_parts(self.parts, silent)
        return TrainingEncoders(loaded[VAE], loaded[TEXT], self.tokenizer, device=device)


def open_encoders(
    files: StartFiles, start: Start, dtype: torch.dtype, roots: Roots
) -> CheckedEncoders:
    """Find and check the files of text encoder, VAE and tokenizer.

    Args:
        start: what training starts from; ModelScope's files may lie beside its UNet.

    Raises:
        MissingModelsError: one is neither named nor found.
        UserError: a file holds something else, or embeds labels in another width than SMCD takes.
    """
    named = EncoderFiles(
        text_encoder=files.text_encoder,
        vae=files.vae,
        modelscope=files.root_path,
        tokenizer=files.tokenizer,
    )
    parts, tokenizer = check_encoders(named, dtype, roots, holder=start.path)
    given = parts[TEXT].network.config.hidden_size
    wanted = start.network.position_net.config.in_channels
    if given != wanted:
        raise UserError(
            f"The text encoder in {parts[TEXT].file.path} gives tokens of width {given}, but SMCD "
            f"in {start.path} takes {wanted}: use CLIP ViT-H's text encoder."
        )
    return CheckedEncoders(tokenizer, parts)
