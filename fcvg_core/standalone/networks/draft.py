"""Latents -> frames by TAESDV instead of the VAE: rough, but in a fraction of the VAE's time."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ...catalogue.model_files import Roots
from ...catalogue.taesdv import find_taesdv
from ...errors import UserError
from ...files.weight_files import WeightFile
from ...frames import to_uint8
from ...models.taesdv import Decoder, decoder_weights
from ...progress import Progress
from ...sampling import check_sampled


def load_draft(roots: Roots, dtype: torch.dtype) -> Decoder:
    """The tiny decoder, on the CPU, in evaluation mode.

    Args:
        roots: known folders of models.
        dtype: number format of the weights.

    Raises:
        MissingModelsError: its file is in none of the folders.
        UserError: the file is damaged or holds something else.
    """
    file = WeightFile(find_taesdv(roots))
    wanted = decoder_weights(file.shapes, name=str(file.path))
    network = Decoder(device="meta", dtype=dtype)
    network.load_state_dict(dict(file.read(wanted, dtype)), assign=True)
    return network.requires_grad_(False).eval()


def decode_draft(decoder: Decoder, latents: Tensor, progress: Progress) -> Iterator[np.ndarray]:
    """Frames of scaled latents [T, 4, h, w], one after the other as they are asked for.

    Args:
        decoder: on the device of the latents.

    Yields:
        uint8 [H, W, 3].

    Raises:
        UserError: the latents or the decoded frames hold values that are not numbers.
    """
    check_sampled(latents, "Try --dtype fp32.")  # the decoder would clamp infinite values
    weight = next(decoder.parameters())
    memory = None
    progress("decoding", 0, len(latents))
    for i, latent in enumerate(latents.split(1)):
        frame, memory = decoder(latent.to(weight), memory)
        if not frame.isfinite().all():
            raise UserError("TAESDV gave values that are not numbers. Try --dtype fp32.")
        yield to_uint8(frame[0].float().movedim(0, -1).cpu())
        progress("decoding", i + 1, len(latents))
