"""The files of a DynamiCrafter model -> its networks; all faults are found before weights are read.

An official checkpoint holds all parts. Pruned copies may hold the UNet and the projector alone;
then the encoders and the VAE come from files of their own.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from .... import estimate
from ....catalogue.comfyui import known_folders
from ....catalogue.dynamicrafter import IMAGE_ENCODER, SD_VAE, TEXT_ENCODER
from ....catalogue.model_files import ModelFile
from ....catalogue.stand_ins import is_stand_in
from ....choices import AUTO
from ....files.weight_files import WeightFile
from ....models.dynamicrafter.keys import (
    SCALES,
    CheckpointParts,
    find_variant,
    projector_config,
    split_checkpoint,
    unet3d_config,
)
from ....models.dynamicrafter.projector import ImageProjector
from ....models.dynamicrafter.variants import Variant
from ....models.unet3d import UNet3D
from ....progress import Progress
from ....sampling import NoiseTable, noise_table
from ..clip_encoders import check_image_encoder, check_text_encoder
from ..clip_text import Tokenizer, find_tokenizer
from ..other_parts import check_found, check_width
from ..parts import CheckedPart, PartFile, check_part, fill_parts, open_part
from ..sd_vae import check_vae
from .pipeline import ClipPipeline, Networks

CHOOSE_MODEL = "add --model {}"  # see CHOOSE of `models.dynamicrafter.names`


@dataclass(frozen=True)
class _Other:
    """A network that others have trained, which a checkpoint may lack.

    Attributes:
        what: the network in words.
        part: which part of a checkpoint it is.
        model: the file where it lies by itself.
        check: checks a file that should hold it.
    """

    what: str
    part: str
    model: ModelFile
    check: Callable[[PartFile, torch.dtype], CheckedPart]


# By the names of `DynamiCrafterFiles`.
_OTHERS = {
    "text_encoder": _Other("text encoder", "text", TEXT_ENCODER, check_text_encoder),
    "image_encoder": _Other("image encoder", "vision", IMAGE_ENCODER, check_image_encoder),
    "vae": _Other("VAE", "vae", SD_VAE, check_vae),
}


@dataclass(frozen=True, kw_only=True)
class DynamiCrafterFiles:
    """The files of a model.

    Attributes:
        checkpoint: an official checkpoint, or a file with the UNet and the projector.
        variant: a word of VARIANTS of `models.dynamicrafter.variants`, or "auto".
        text_encoder: CLIP ViT-H's text encoder, that of Stable Diffusion 2.1. None, here and for
            the next two: the checkpoint's own, or if it has none, the file in a known folder.
        image_encoder: CLIP ViT-H's image encoder.
        vae: Stable Diffusion's VAE.
        tokenizer: folder with CLIP's vocab.json and merges.txt; None: see `find_tokenizer`.
    """

    checkpoint: Path
    variant: str = AUTO
    text_encoder: Path | None = None
    image_encoder: Path | None = None
    vae: Path | None = None
    tokenizer: Path | None = None


@dataclass(frozen=True, eq=False)
class CheckedModels:
    """A model whose files fit each other, before weights are read.

    Attributes:
        files: where its parts are, also those that were found in known folders.
        variant: which model it is.
        table: the noise of its timesteps.
        is_stand_in: whether it is a stand-in, which paints noise.
    """

    files: DynamiCrafterFiles
    variant: Variant
    table: NoiseTable
    is_stand_in: bool
    _tokenizer: Tokenizer
    _parts: dict[str, CheckedPart]

    def networks(self) -> estimate.Networks:
        """What the networks need, with the sizes of the model's own. Call this before `load`."""
        sizes = {name: part.size for name, part in self._parts.items()}
        encoders = sizes["text_encoder"] + sizes["image_encoder"] + sizes["projector"]
        return replace(
            estimate.DYNAMICRAFTER, unet=sizes["unet"], encoders=encoders, vae=sizes["vae"]
        )

    def load(self, device: torch.device, offload: bool, progress: Progress) -> ClipPipeline:
        """A pipeline with all networks. Call this only once: the checked networks are used up.

        Args:
            device, offload: see `DevicePipeline`.

        Raises:
            UserError: a file can't be read, or a weight is no finite number.
        """
        networks = Networks(**fill_parts(self._parts, progress), tokenizer=self._tokenizer)
        return ClipPipeline(networks, self.variant, self.table, device=device, offload=offload)


def check_files(
    files: DynamiCrafterFiles, dtype: torch.dtype, *, interpolates: bool = False
) -> CheckedModels:
    """Check the files of a model by their headers.

    Args:
        dtype: number format in which the networks compute.
        interpolates: see `find_variant`.

    Raises:
        MissingModelsError: a part is in no file.
        UserError: a file is missing, damaged or holds another network, or two files do not fit
            each other.
    """
    checkpoint = open_part(files.checkpoint).file
    parts = split_checkpoint(_with_scales(checkpoint), name=str(files.checkpoint))
    # The folder of an official file tells the model, the file itself is called model.ckpt.
    name = str(files.checkpoint.absolute())
    variant = find_variant(
        parts, name=name, chosen=files.variant, interpolates=interpolates, choose=CHOOSE_MODEL
    )
    tokenizer = find_tokenizer(
        files.tokenizer, known_folders()
    )  # before the checks that take seconds
    checked = _check_own(checkpoint, parts, dtype)
    others = _find_others(files, parts)
    for network, other in _OTHERS.items():
        path = others[network]
        inside = getattr(parts, other.part)
        found = _part(checkpoint, inside) if path is None else open_part(path)
        checked[network] = other.check(found, dtype)
    _check_together(checked)
    return CheckedModels(
        replace(files, variant=variant.word, tokenizer=tokenizer, **others),
        variant,
        noise_table(zero_snr=variant.zero_snr, base_scale=variant.base_scale),
        any(is_stand_in(path) for path in (files.checkpoint, *others.values()) if path),
        Tokenizer(tokenizer),
        checked,
    )


def _with_scales(file: WeightFile) -> dict[str, Tensor]:
    """The tensors of a checkpoint without values, and those with values that tell the model."""
    scales = [key for key in file.shapes if key.endswith(SCALES)]
    return {**file.shapes, **dict(file.read(scales, torch.float32))}


def _check_own(
    file: WeightFile, parts: CheckpointParts, dtype: torch.dtype
) -> dict[str, CheckedPart]:
    """DynamiCrafter's own networks: UNet and projector."""
    name = str(file.path)
    unet = UNet3D(unet3d_config(parts.unet, name=name), device="meta")
    projector = ImageProjector(projector_config(parts.projector, name=name), device="meta")
    networks = {
        "unet": (unet, parts.unet, "the UNet of DynamiCrafter"),
        "projector": (projector, parts.projector, "the image projector of DynamiCrafter"),
    }
    return {
        key: check_part(network, _part(file, tensors), dtype, what=what)
        for key, (network, tensors, what) in networks.items()
    }


def _find_others(files: DynamiCrafterFiles, parts: CheckpointParts) -> dict[str, Path | None]:
    """The file of each network that others have trained; None: it is in the checkpoint."""
    paths = {name: getattr(files, name) for name in _OTHERS}
    lacking = {
        name: other
        for name, other in _OTHERS.items()
        if paths[name] is None and not getattr(parts, other.part)
    }
    paths |= {name: other.model.find(known_folders()) for name, other in lacking.items()}
    check_found(
        {name: paths[name] for name in lacking},
        {name: (other.what, other.model) for name, other in lacking.items()},
        holder=files.checkpoint,
    )
    for name, other in lacking.items():
        logging.info("%s holds no %s: %s is used.", files.checkpoint.name, other.what, paths[name])
    return paths


def _part(file: WeightFile, tensors: dict) -> PartFile:
    """A part of a checkpoint. `split_checkpoint` copies nothing, so tensors tell their names."""
    names = {id(tensor): name for name, tensor in file.shapes.items()}
    return PartFile(file, tensors, {key: names[id(x)] for key, x in tensors.items()})


def _check_together(checked: dict[str, CheckedPart]) -> None:
    """Raise UserError unless each network takes what the network before it gives."""
    unet, projector = checked["unet"], checked["projector"]
    text, vision = checked["text_encoder"], checked["image_encoder"]
    wanted = unet.network.config.context_channels
    for part, given, what in (
        (text, text.network.config.hidden_size, "text encoder"),
        (projector, projector.network.config.out_channels, "image projector"),
    ):
        check_width(what, part, given, "UNet", unet, wanted, f"the {what} of this model")
    given, wanted = vision.network.config.hidden_size, projector.network.config.in_channels
    use = "CLIP ViT-H's image encoder"
    check_width("image encoder", vision, given, "image projector", projector, wanted, use)
