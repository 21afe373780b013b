"""Files of DropletVideo -> the host's MODEL, CLIP and VAE.

Layer sizes come from the tensors' shapes, so a tiny model runs the same code as the real one.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.sd
from comfy.model_patcher import ModelPatcher

from ....fcvg_core.catalogue.dropletvideo import DROPLET, PARTS
from ....fcvg_core.catalogue.model_files import MissingModelsError
from ....fcvg_core.files.json_file import read_json
from ....fcvg_core.files.sharded_weights import open_weights
from ....fcvg_core.models.dropletvideo.config import ModelSettings
from ....fcvg_core.models.dropletvideo.keys import transformer_config, vae_config
from ....fcvg_core.models.dropletvideo.settings import (
    FILES,
    WEIGHTS_NAME,
    describe_settings,
    model_settings,
)
from ....fcvg_core.weights import find_prefix
from ..files import building, load_sharded
from ..model_building import build_model
from ..patchers import can_load_again, fill, meant_tensors
from ..quantised import host_quantised, quantisation, refuse_quantised
from .model import DropletVideoConfig
from .text_encoder import load_text_encoder
from .vae import DropletVideoVae

TRANSFORMER, VAE, TEXT = PARTS
# A tensor of each network, by which a prefix of a checkpoint is found.
MARKS = {TRANSFORMER: "patch_embed.proj.weight", VAE: "decoder.conv_in.conv.weight"}


@dataclass(frozen=True, eq=False)
class Loaded:
    """What the official folder holds."""

    model: ModelPatcher
    clip: comfy.sd.CLIP
    vae: comfy.sd.VAE


def load_folder(path: str, weight_dtype: str) -> Loaded:
    """All networks of the official folder.

    Args:
        weight_dtype: a key of WEIGHT_DTYPES, for the transformer.

    Raises:
        UserError: the folder lacks a file, or a file holds another network than its name says.
    """
    folder = Path(path)
    if lacking := [part for part in PARTS if not (folder / part).is_dir()]:
        raise MissingModelsError(
            f"{folder} holds no folder {' and no folder '.join(lacking)}, so it is not the folder "
            "of DropletVideo, or not whole. Load DropletVideo Transformer and Load DropletVideo "
            f"VAE take files of their own. To download the folder: {DROPLET.download_command}."
        )
    for part in PARTS:  # what is missing or damaged is told before gigabytes are read
        open_weights(folder / part)
    vae = load_vae(str(folder / VAE))
    model = load_transformer(str(folder / TRANSFORMER), weight_dtype)
    return Loaded(model, load_text_encoder(str(folder / TEXT)), vae)


def load_transformer(path: str, weight_dtype: str, disable_dynamic: bool = False) -> ModelPatcher:
    """The model of a transformer's file.

    Args:
        path: a file, or a folder of weights. If it lies in the official folder under its official
            name, the folder's config files are read.
        weight_dtype: a key of WEIGHT_DTYPES.
        disable_dynamic: see `can_load_again`.

    Raises:
        UserError: the file holds another network, or can't be read.
    """
    configs, settings = _read_settings(Path(path))
    state_dict, notes, name = _read(path, TRANSFORMER)
    quantised = quantisation(state_dict, notes) is not None
    if quantised:
        state_dict = host_quantised(state_dict, notes, name=name)
    config = transformer_config(state_dict, name=name, told=configs.get(TRANSFORMER, {}))
    logging.info(describe_settings(settings))
    patcher = build_model(
        DropletVideoConfig(config, settings),
        state_dict,
        name=name,
        weight_dtype=weight_dtype,
        quantised=quantised,
        disable_dynamic=disable_dynamic,
    )
    return can_load_again(patcher, load_transformer, path, weight_dtype)


def load_vae(path: str, disable_dynamic: bool = False) -> DropletVideoVae:
    """The VAE of a file, or of a folder of weights; see `load_transformer`."""
    configs, _ = _read_settings(Path(path))
    state_dict, notes, name = _read(path, VAE)
    refuse_quantised(state_dict, notes, name=name)
    config = vae_config(state_dict, name=name, told=configs.get(VAE, {}))
    with building(name):
        vae = DropletVideoVae(config, disable_dynamic=disable_dynamic)
    network = vae.first_stage_model
    fill(vae.patcher, network, state_dict, meant_tensors(network, default=vae.vae_dtype))
    can_load_again(vae.patcher, _load_vae_patcher, path)
    return vae


def _load_vae_patcher(path: str, disable_dynamic: bool = False) -> ModelPatcher:
    """Load the VAE again, and return its patcher."""
    return load_vae(path, disable_dynamic).patcher


def _read(path: str, part: str) -> tuple:
    """Tensors of a part without prefix, the notes in its header, and its name for messages."""
    state_dict, notes, name = load_sharded(path)
    if prefix := find_prefix(state_dict, MARKS[part]):
        state_dict = {
            key.removeprefix(prefix): value
            for key, value in state_dict.items()
            if key.startswith(prefix)
        }
    return state_dict, notes, name


def _read_settings(path: Path) -> tuple[Mapping[str, Any], ModelSettings]:
    """What the config files of the official folder say, if a part lies in this folder."""
    folder = path if path.is_dir() else path.parent
    # Beside other files, a config file may be another network's.
    official = folder.name in PARTS and (path.is_dir() or path.name.startswith(WEIGHTS_NAME))
    configs = {
        part: read_json(file, expected=f"a config file of DropletVideo's {part}")
        for part, place in FILES.items()
        if official and (file := folder.parent / place).exists()
    }
    return configs, model_settings(configs)
