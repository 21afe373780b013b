"""TAESDV in the host: for the moving preview, and for a draft of the whole video."""

import os

import comfy.model_management as mm
import comfy.ops
import comfy.utils
import torch
from comfy.latent_formats import SD15
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.models.taesdv import MULTIPLE, Decoder, decoder_weights
from ...fcvg_core.sampling import check_sampled
from .files import load_weights
from .latents import NUMBERS
from .patchers import fill, make_patcher, meant_tensors

# Number formats that the decoder may compute in; its authors use the first.
FORMATS = [torch.float16, torch.bfloat16, torch.float32]
# Numbers that are held at once for each pixel of a frame: 64 channels of the last block's input, of
# its memory, of both together, and of what its convolutions give; see `MemoryBlock`.
HELD = 64 * 6


class TinyDecoder:
    """TAESDV for the moving preview; its file is read at the first call.

    It stays outside the host's management of memory, because it is needed between two steps of
    another model, which must stay where it is.
    """

    def __init__(self, path: str):
        self._path = path
        self._network: Decoder | None = None

    def __call__(self, latents: Tensor) -> Tensor:
        """Frames [T, 3, H, W] in 0..1 of scaled latents [T, 4, h, w], on the latents' device.

        Raises:
            UserError: the file is damaged or holds another model.
        """
        if self._network is None:
            dtype = mm.vae_dtype(latents.device, FORMATS)
            self._network = Decoder(operations=comfy.ops.disable_weight_init, dtype=dtype)
            self._network.load_state_dict(_weights(self._path))
            self._network.requires_grad_(False).to(latents.device)
        dtype = next(self._network.parameters()).dtype
        memory, frames = None, []
        for latent in latents.to(dtype).split(1):
            mm.throw_exception_if_processing_interrupted()
            frame, memory = self._network(latent, memory)
            frames.append(frame)
        return torch.cat(frames).float()


class HostDecoder(Decoder):
    """TAESDV's decoder made of the host's layers.

    Args:
        operations: the host's layers, which convert their weights if the host streams them.
        dtype: number format of the weights and of the activations.
    """

    def __init__(self, *, operations, dtype: torch.dtype):
        super().__init__(operations=operations, dtype=dtype)
        self.compute_dtype = dtype


def load_taesdv(path: str) -> ModelPatcher:
    """TAESDV's decoder as a model that the host loads and frees.

    Raises:
        UserError: the file is damaged or holds another model.
    """
    device = mm.vae_device()
    dtype = mm.vae_dtype(device, FORMATS)
    operations = comfy.ops.pick_operations(dtype, None, load_device=device)
    network = HostDecoder(operations=operations, dtype=dtype).eval()
    patcher = make_patcher(network, device, mm.vae_offload_device())
    fill(patcher, network.requires_grad_(False), _weights(path), meant_tensors(network))
    return patcher


def decode_draft(patcher: ModelPatcher, latents: Tensor) -> Tensor:
    """Frames of a video, one after the other, by `load_taesdv`'s model.

    Args:
        latents: [T, 4, h, w], as on the host's wires.

    Returns:
        [T, 8h, 8w, 3] in 0..1.

    Raises:
        UserError: the latents are not a video's of SD's VAEs, or latents or frames hold values that
            are not numbers.
    """
    _check(latents)
    network, device = patcher.model, patcher.load_device
    dtype = network.compute_dtype
    height, width = (MULTIPLE * side for side in latents.shape[-2:])
    mm.load_models_gpu([patcher], memory_required=HELD * height * width * dtype.itemsize)
    scaled = SD15().process_in(latents)
    video = torch.empty(len(latents), height, width, 3, device=mm.intermediate_device())
    progress, memory = comfy.utils.ProgressBar(len(latents)), None
    for i, latent in enumerate(scaled.split(1)):
        mm.throw_exception_if_processing_interrupted()
        frame, memory = network(latent.to(device, dtype), memory)
        if not frame.isfinite().all():
            raise UserError(
                "TAESDV gave values that are not numbers: start ComfyUI with --fp32-vae, which "
                "TAESDV's number format follows."
            )
        video[i] = frame[0].movedim(0, -1)
        progress.update_absolute(i + 1)
    return video


def _weights(path: str) -> dict[str, Tensor]:
    name = os.path.basename(path)
    return decoder_weights(load_weights(path)[0], name=name)


def _check(latents: Tensor) -> None:
    if latents.ndim != 4 or latents.shape[1] != 4 or not len(latents):
        raise UserError(
            f"The latents have the shape {tuple(latents.shape)}, but TAESDV decodes videos of SVD "
            "or DynamiCrafter, whose latents are (frames, 4, height / 8, width / 8)."
        )
    check_sampled(latents, NUMBERS)
