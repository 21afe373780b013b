"""Text encoder, VAE and tokenizer of SMCD, which others have trained: their files, labels -> rows.

ModelScope's folder has them, the official `root_path`; the files of Stable Diffusion do as well.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ....catalogue.dynamicrafter import MODELSCOPE_CLIP, MODELSCOPE_VAE, SD_VAE, TEXT_ENCODER
from ....catalogue.model_files import Roots
from ....progress import silent
from ..clip_encoders import check_text_encoder
from ..clip_text import Tokenizer, embed_label, find_tokenizer
from ..device import DevicePipeline
from ..other_parts import check_found
from ..parts import CheckedPart, fill_parts, open_part
from ..sd_vae import check_vae

TEXT, VAE = "text_encoder", "vae"  # by their names in `EncoderFiles`
_OTHERS = {TEXT: ("text encoder", TEXT_ENCODER), VAE: ("VAE", SD_VAE)}
_MODELSCOPE = {TEXT: MODELSCOPE_CLIP, VAE: MODELSCOPE_VAE}
_CHECKS = {TEXT: check_text_encoder, VAE: check_vae}


@dataclass(frozen=True, kw_only=True)
class EncoderFiles:
    """The files of the networks that others have trained; None: see `check_encoders`.

    Attributes:
        text_encoder: CLIP ViT-H's text encoder, that of Stable Diffusion 2.1.
        vae: Stable Diffusion's VAE.
        modelscope: ModelScope's folder, which the official code calls root_path.
        tokenizer: folder with CLIP's vocab.json and merges.txt; None: see `find_tokenizer`.
    """

    text_encoder: Path | None = None
    vae: Path | None = None
    modelscope: Path | None = None
    tokenizer: Path | None = None


def check_encoders(
    files: EncoderFiles,
    dtype: torch.dtype,
    roots: Roots,
    *,
    holder: Path | None = None,
    wanted: Collection[str] = (TEXT, VAE),
) -> tuple[dict[str, CheckedPart], Tokenizer]:
    """Find text encoder, VAE and tokenizer, and check the files by their headers.

    A file that is not named is looked for in ModelScope's folder, in the folder of the model, and
    in the known folders.

    Args:
        dtype: number format in which they compute.
        roots: known folders.
        holder: file or folder of the model that needs them.
        wanted: which of both networks.

    Returns:
        The wanted networks by their names in `EncoderFiles`, and the tokenizer.

    Raises:
        MissingModelsError: one is neither named nor found.
        UserError: a file is damaged or holds something else.
    """
    tokenizer = Tokenizer(find_tokenizer(files.tokenizer, roots))
    near = [files.modelscope, holder if holder is None or holder.is_dir() else holder.parent]
    found = {name: _find(name, files, [x for x in near if x], roots) for name in wanted}
    check_found(found, _OTHERS, holder=holder)
    return {name: _CHECKS[name](open_part(path), dtype) for name, path in found.items()}, tokenizer


def _find(name: str, files: EncoderFiles, folders: Sequence[Path], roots: Roots) -> Path | None:
    """The file of a network; the log says which one has been found."""
    if given := getattr(files, name):
        return given
    what, model = _OTHERS[name]
    if files.modelscope and not (files.modelscope / _MODELSCOPE[name]).is_file():
        logging.warning("%s has no %s.", files.modelscope, _MODELSCOPE[name])
    near = (folder / _MODELSCOPE[name] for folder in folders)
    path = next(filter(Path.is_file, near), None) or model.find(roots)
    if path:
        logging.info("The %s of %s is used.", what, path)
    return path


class LabelEncoder(DevicePipeline):
    """Labels of objects -> embedded labels.

    Args:
        text_encoder: transformers' CLIPTextModel.
        device, offload: see `DevicePipeline`.
    """

    def __init__(
        self, text_encoder: Any, tokenizer: Tokenizer, *, device: torch.device, offload: bool
    ):
        super().__init__(device=device, offload=offload)
        self._text_encoder, self._tokenizer = text_encoder, tokenizer

    @torch.no_grad()
    def __call__(self, labels: Sequence[str]) -> list[Tensor]:
        """The embedded label of each object, [D] float32 on the CPU; see `embed_label`."""
        with self._on_device(self._text_encoder):
            found = {
                label: embed_label(label, self._tokenizer, self._text_encoder).cpu()
                for label in dict.fromkeys(labels)
            }
        return [found[label] for label in labels]


def load_label_encoder(files: EncoderFiles, roots: Roots, *, device: torch.device) -> LabelEncoder:
    """A label encoder of the text encoder alone, in float32; see `check_encoders`."""
    parts, tokenizer = check_encoders(files, torch.float32, roots, wanted=(TEXT,))
    network = fill_parts(parts, silent)[TEXT]
    return LabelEncoder(network, tokenizer, device=device, offload=False)
