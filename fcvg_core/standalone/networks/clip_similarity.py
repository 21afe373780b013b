"""How similar frames and a prompt are to CLIP ViT-H, and frames to each other."""

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...catalogue.integrity import check_name
from ...catalogue.model_files import Roots
from ...clip import clip_pixels, normalize_for_clip
from ...errors import UserError
from ...files.weight_files import WeightFile
from ...frames import to_image
from ...models.clip_towers import TEXT_MARK, VISION_MARK, find_tower
from .clip_encoders import check_image_encoder, check_text_encoder
from .clip_text import Tokenizer, find_tokenizer
from .parts import PartFile, whole_file

# Names of both projections: OpenCLIP's, and transformers' with the prefix of the tower.
PROJECTIONS = {
    VISION_MARK: ("proj", "vision_model.", "visual_projection.weight"),
    TEXT_MARK: ("text_projection", "text_model.", "text_projection.weight"),
}


class ClipSimilarity:
    """CLIP's image encoder and, where the file has it, CLIP's text encoder, with their projections.

    Args:
        path: of a file with CLIP ViT-H: both encoders (open_clip_pytorch_model.bin), or the image
            encoder alone.
        tokenizer: folder with CLIP's vocab.json and merges.txt; None: see `find_tokenizer`.
        roots: known folders of models.
        device: where the networks run.

    Raises:
        MissingModelsError: the tokenizer is not found.
        UserError: the file is missing, or holds something else.
    """

    def __init__(
        self, path: Path, *, tokenizer: Path | None, roots: Roots, device: torch.device
    ) -> None:
        check_name(path)
        part = whole_file(WeightFile(path))
        dtype = torch.float32 if device.type == "cpu" else torch.float16
        projection = _projection(part, VISION_MARK)
        if projection is None:
            raise UserError(
                f"{path} lacks the projection of CLIP's image encoder, or the encoder; expected "
                "CLIP ViT-H with it, such as open_clip_pytorch_model.bin of ModelScope."
            )
        self._device = device
        self._vision = check_image_encoder(part, dtype).fill().to(device)
        self._to_shared = projection.to(device)
        self._text = None
        projection = _projection(part, TEXT_MARK)
        if projection is None:
            logging.warning("%s lacks CLIP's whole text encoder: no prompt is compared.", path)
            return
        self._tokenizer = Tokenizer(find_tokenizer(tokenizer, roots))
        self._text = check_text_encoder(part, dtype, whole=True).fill().to(device)
        self._text_to_shared = projection.to(device)

    def __call__(self, frames: np.ndarray, truth: np.ndarray, prompt: str) -> dict[str, float]:
        """Mean cosines, which are at most 1.

        Args:
            frames, truth: [T, H, W, 3] uint8, T >= 2, of a result and of the true video.

        Returns:
            "clip_frames" of neighbouring frames, "clip_first" of the first frame and the true
            first frame, and "clip_text" of the prompt and all frames, unless the text encoder is
            missing.
        """
        found, first = self.embed_frames(frames), self.embed_frames(truth[:1])
        measures = {
            "clip_frames": _mean(found[1:], found[:-1]),
            "clip_first": _mean(found[:1], first),
        }
        if self._text is not None:
            measures["clip_text"] = _mean(found, self.embed_text(prompt))
        return measures

    @torch.inference_mode()
    def embed_frames(self, frames: np.ndarray) -> Tensor:
        """CLIP's embeddings [T, D] of frames [T, H, W, 3] uint8, of length 1, float32."""
        dtype, found = next(self._vision.parameters()).dtype, []
        for frame in to_image(frames).movedim(-1, 1).to(self._device):
            pixels = normalize_for_clip(clip_pixels(frame[None])).to(dtype)
            found.append(self._vision(pixel_values=pixels).pooler_output.float() @ self._to_shared)
        return F.normalize(torch.cat(found), dim=-1)

    @torch.inference_mode()
    def embed_text(self, prompt: str) -> Tensor:
        """CLIP's embedding [1, D] of a prompt, of length 1, float32."""
        tokens = self._tokenizer(prompt).to(self._device)
        states = self._text(input_ids=tokens).last_hidden_state.float()
        end = int(tokens[0].argmax())  # END is the last token of CLIP's vocabulary
        return F.normalize(states[:, end] @ self._text_to_shared, dim=-1)


def _mean(one: Tensor, other: Tensor) -> float:
    return float((one * other).sum(-1).mean())


def _projection(part: PartFile, mark: str) -> Tensor | None:
    """What leads from a tower's channels to CLIP's embedding: [channels, D] float32; or None."""
    tower = find_tower(part.tensors, mark)
    if tower is None:
        return None
    plain, prefix, other = PROJECTIONS[mark]
    outer = tower.prefix.removesuffix(prefix)
    key = tower.prefix + plain if tower.is_open_clip else outer + other
    if key not in part.tensors:
        return None
    _, values = next(iter(part.file.read([part.keys[key]], torch.float32)))
    return values if tower.is_open_clip else values.T
