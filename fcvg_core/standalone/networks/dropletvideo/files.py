"""The files of a DropletVideo model -> its networks; all faults are found before weights are read.

The official folder holds all parts. Files of their own may take the place of its parts.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from .... import estimate
from ....catalogue.dropletvideo import (
    DROPLET,
    DROPLET_VAE,
    FOLDER,
    PARTS,
    T5_XXL,
    find_droplet,
)
from ....catalogue.integrity import check_name
from ....catalogue.model_files import MissingModelsError, ModelFile, Roots
from ....catalogue.stand_ins import is_stand_in
from ....errors import UserError
from ....files.json_file import read_json
from ....files.plain_file import check_file
from ....files.sharded_weights import open_weights
from ....models.dropletvideo.config import ModelSettings
from ....models.dropletvideo.keys import transformer_config, vae_config
from ....models.dropletvideo.network import DropletVideoTransformer
from ....models.dropletvideo.settings import (
    FILES,
    WEIGHTS_NAME,
    describe_settings,
    model_settings,
)
from ....progress import Progress
from ..other_parts import check_found, check_width
from ..parts import CheckedPart, PartFile, check_part, fill_parts, part_below, whole_file
from .encoders import VAE_MARK, check_text_encoder, check_vae
from .pipeline import DropletPipeline, Networks
from .text import Tokenizer, find_tokenizer

TRANSFORMER_MARK = "patch_embed.proj.weight"
CONFIG = "config.json"  # of a part with weights
# Other networks than the transformer, by their names in `DropletFiles` and in the official folder.
_OTHERS = {
    "text_encoder": ("text encoder", T5_XXL),
    "vae": ("VAE", DROPLET_VAE),
}


@dataclass(frozen=True, kw_only=True)
class DropletFiles:
    """The files of a model; what is None comes from `ckpt`, or from a known folder.

    Attributes:
        ckpt: the official folder, or the file of a transformer.
        transformer: a file, or a folder with config.json and weights; so are the next two.
        text_encoder: the encoder of T5 v1.1 XXL.
        vae: the VAE of DropletVideo, which is CogVideoX's.
        tokenizer: T5's spiece.model or tokenizer.json, or a folder with one of them.
    """

    ckpt: Path | None = None
    transformer: Path | None = None
    text_encoder: Path | None = None
    vae: Path | None = None
    tokenizer: Path | None = None


@dataclass(frozen=True, eq=False)
class CheckedDroplet:
    """A model whose files fit each other, before weights are read.

    Attributes:
        files: where its parts are, also those that were found in known folders.
        settings: what configuration files say beside sizes.
        is_stand_in: whether it is a stand-in, which paints noise.
    """

    files: DropletFiles
    settings: ModelSettings
    is_stand_in: bool
    _tokenizer: Tokenizer
    _parts: dict[str, CheckedPart]

    def networks(self) -> estimate.Networks:
        """What the networks need, with the sizes of the model's own. Call this before `load`."""
        sizes = {name: part.size for name, part in self._parts.items()}
        return replace(
            estimate.DROPLETVIDEO.on_the_command_line,
            unet=sizes["transformer"],
            encoders=sizes["text_encoder"],
            vae=sizes["vae"],
        )

    def load(self, device: torch.device, offload: bool, progress: Progress) -> DropletPipeline:
        """A pipeline with all networks. Call this only once: the checked networks are used up.

        Args:
            device, offload: see `DevicePipeline`.

        Raises:
            UserError: a file can't be read, or a weight is no finite number.
        """
        networks = Networks(**fill_parts(self._parts, progress), tokenizer=self._tokenizer)
        return DropletPipeline(networks, device=device, offload=offload)


def check_droplet(files: DropletFiles, dtype: torch.dtype, roots: Roots) -> CheckedDroplet:
    """Check the files of a model by their headers.

    Args:
        dtype: number format in which the networks compute.
        roots: known folders, where missing parts are looked for.

    Raises:
        MissingModelsError: a part is in no file.
        UserError: a file is missing, damaged or holds another network, or two files do not fit
            each other.
    """
    files = _look_into_ckpt(files, roots)
    # Whoever names a wrong transformer is told so before being asked for other files.
    transformer, told = _open(files.transformer), _read_config("transformer", files)
    transformer = _check_transformer(transformer, told, dtype)
    files = replace(files, **_find_others(files, roots))
    files = replace(files, tokenizer=find_tokenizer(files.tokenizer, roots))
    tokenizer = Tokenizer(files.tokenizer)
    configs = {"transformer": told} | {x: _read_config(x, files) for x in ("vae", "scheduler")}
    settings = model_settings(configs)
    checked = {
        "transformer": transformer,
        "text_encoder": check_text_encoder(_open(files.text_encoder), dtype),
        "vae": _check_vae(_open(files.vae), configs["vae"], settings, dtype),
    }
    _check_together(checked, tokenizer)
    logging.info(describe_settings(settings))
    paths = [path for part in checked.values() for path in part.file.paths]
    return CheckedDroplet(files, settings, any(map(is_stand_in, paths)), tokenizer, checked)


def _look_into_ckpt(files: DropletFiles, roots: Roots) -> DropletFiles:
    """The files with every part that is in `ckpt`, or in the model of the known folders."""
    ckpt = files.ckpt
    if ckpt is None and files.transformer is None:
        ckpt = find_droplet(roots)
    if ckpt is not None and not ckpt.is_dir():
        check_file(ckpt, expected="DropletVideo's folder, or the file of its transformer")
        return replace(files, ckpt=None, transformer=files.transformer or ckpt)
    if ckpt is not None:
        ckpt = _official_folder(ckpt)
        inside = {name: ckpt / name for name in (*PARTS, "tokenizer") if (ckpt / name).is_dir()}
        given = {name: getattr(files, name) or path for name, path in inside.items()}
        files = replace(files, ckpt=ckpt, **given)
    if files.transformer is None:
        raise MissingModelsError(
            f"{ckpt} holds no folder transformer, so it is not DropletVideo's folder {FOLDER}, or "
            f"not whole. To download it: {DROPLET.download_command}."
        )
    return files


def _official_folder(folder: Path) -> Path:
    """The folder with the parts: a folder, or the only one in it that a download made."""
    below = folder / FOLDER
    return below if below.is_dir() and not (folder / PARTS[0]).is_dir() else folder


def _find_others(files: DropletFiles, roots: Roots) -> dict[str, Path]:
    """The networks beside the transformer that are given nowhere: files in known folders."""
    lacking = {name: row for name, row in _OTHERS.items() if getattr(files, name) is None}
    found = {name: _find_part(name, model, roots) for name, (_, model) in lacking.items()}
    check_found(found, lacking, holder=files.ckpt or files.transformer)
    for name, (what, _) in lacking.items():
        logging.info("The %s of %s is used.", what, found[name])
    return found


def _find_part(name: str, model: ModelFile, roots: Roots) -> Path | None:
    """A part in its own file, or in the official folder, in a known folder."""
    if path := model.find(roots):
        return path
    index = DROPLET.find(roots)
    return index.parent / name if index else None


def _read_config(part: str, files: DropletFiles) -> Any:
    """What the configuration file of a part holds; an empty table if there is none."""
    if part == "scheduler":
        path = files.ckpt and files.ckpt / FILES[part]
    else:
        path = _config_of(getattr(files, part))
    if not path or not path.exists():
        return {}
    return read_json(path, expected=f"a config file of DropletVideo's {part}")


def _config_of(path: Path) -> Path | None:
    """The config file of a part. In ComfyUI's folders, a config file may be another network's."""
    if path.is_dir():
        return path / CONFIG
    return path.with_name(CONFIG) if path.name.startswith(WEIGHTS_NAME) else None


def _open(path: Path) -> PartFile:
    check_name(path)
    return whole_file(open_weights(path))


def _check_transformer(part: PartFile, told: Any, dtype: torch.dtype) -> CheckedPart:
    part = part_below(part, TRANSFORMER_MARK)
    config = transformer_config(part.tensors, name=part.name, told=told)
    network = DropletVideoTransformer(config, device="meta")
    return check_part(network, part, dtype, what="the transformer of DropletVideo")


def _check_vae(
    part: PartFile, told: Any, settings: ModelSettings, dtype: torch.dtype
) -> CheckedPart:
    part = part_below(part, VAE_MARK)
    config = vae_config(part.tensors, name=part.name, told=told)
    return check_vae(part, config, settings, dtype)


def _check_together(checked: Mapping[str, CheckedPart], tokenizer: Tokenizer) -> None:
    """Raise UserError unless each network takes what comes before it; VAEs have one width."""
    transformer, text = checked["transformer"], checked["text_encoder"]
    given, wanted = text.network.config.d_model, transformer.network.config.text_channels
    use = "T5 v1.1 XXL"
    check_width("text encoder", text, given, "transformer", transformer, wanted, use)
    known = text.network.config.vocab_size
    if tokenizer.size > known:
        raise UserError(
            f"The tokenizer has {tokenizer.size} tokens, but the text encoder in "
            f"{text.file.path} knows {known}: use the tokenizer of T5."
        )
