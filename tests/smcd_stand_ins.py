"""Tiny models of SMCD and of ModelScope's folder, for tests without real weights.

The names are those of the official files, so a test knows the names from the authors, and not from
the project's own networks. The UNet is the authors' own small UNet of the golden cases, whose
context is as wide as the text encoder here; the shapes of the other networks are the official
shapes with smaller widths. The frames are noise. All values depend only on names and shapes.
"""

import json
import re
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import torch
from dropletvideo_stand_ins import write_json
from dynamicrafter_stand_ins import LAYERS, TEXT, VAE, VISION, WIDTHS
from stand_ins import packed, tensor_values
from torch import Tensor

from fcvg_core.catalogue.stand_ins import MARK
from fcvg_core.models.smcd.rules import FILE_NAMES, NETWORKS, POSITION_NET, UNET, VISUAL_ENCODER

GOLDEN = Path(__file__).parent / "golden" / "smcd"
FOLDER, MERGED = "Animate-Your-Motion", "smcd.safetensors"
MODELSCOPE = "modelscope-damo-text-to-video-synthesis"
CLIP_FILE, VAE_FILE = "open_clip_pytorch_model.bin", "VQGAN_autoencoder.pth"
BASE_FILE = "text2video_pytorch_model.pth"
BASE = "base"  # the UNet of ModelScope, from which the first stage of training begins
CONTEXT, OFFICIAL_CONTEXT = 64, 1024
# Official sizes and the sizes here.
SMALLER = {
    # Two heads of 64 channels in the first attention over frames, which has two of 16 there.
    "input_blocks.0.1.": {32: 128, 128: 512, 256: 1024},
    POSITION_NET: {1024: CONTEXT, 1088: CONTEXT + 64},
    VISUAL_ENCODER: {256: 16, 512: 32, 1024: CONTEXT},
}
LATER_LAYERS = re.compile(rf"resblocks\.(?![0-{LAYERS - 1}]\.)|nin_shortcut")
# Of ModelScope's file, as published.
CONFIGURATION = {
    "framework": "pytorch", "task": "text-to-video-synthesis",
    "model": {
        "type": "latent-text-to-video-synthesis",
        "model_args": {
            "ckpt_clip": CLIP_FILE, "ckpt_unet": BASE_FILE, "ckpt_autoencoder": VAE_FILE,
            "max_frames": 16, "tiny_gpu": 1,
        },
        "model_cfg": {
            "unet_in_dim": 4, "unet_dim": 64, "unet_y_dim": 24, "unet_context_dim": CONTEXT,
            "unet_out_dim": 4, "unet_dim_mult": [1, 2], "unet_num_heads": 2, "unet_head_dim": 64,
            "unet_res_blocks": 1, "unet_attn_scales": [1, 0.5], "unet_dropout": 0.1,
            "temporal_attention": "True", "num_timesteps": 1000, "mean_type": "eps",
            "var_type": "fixed_small", "loss_type": "mse",
        },
    },
    "pipeline": {"type": "latent-text-to-video-synthesis"},
}  # fmt: skip


def write_smcd(folder: Path, *, layout: str = "official", stage: int = 2) -> Path:
    """Write the tiny models into a folder.

    Args:
        layout: "official": the three files of the authors, in single precision; "safetensors": the
            same as newer releases of their training library write them; "merged": one file with
            all networks, in half precision.
        stage: of training; the first has no picture, so it has no visual encoder.

    Returns:
        The authors' folder, or the merged file.
    """
    weights = smcd_weights(stage)
    if layout == "merged":
        folder.mkdir(parents=True, exist_ok=True)
        merged = {f"{part}.{key}": x for part in weights for key, x in weights[part].items()}
        (folder / MERGED).write_bytes(packed(merged))
        return folder / MERGED
    folder = folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in zip(NETWORKS, FILE_NAMES[layout == "safetensors"], strict=True):
        if part not in weights:
            continue
        if layout == "safetensors":
            (folder / name).write_bytes(packed(weights[part]))
        else:
            write_pickle(folder / name, weights[part])
    return folder


def write_modelscope(folder: Path) -> Path:
    """Write ModelScope's folder, with the text encoder, the VAE and the UNet without SMCD.

    Returns:
        The folder, which is the authors' `root_path`.
    """
    folder = folder / MODELSCOPE
    folder.mkdir(parents=True, exist_ok=True)
    write_pickle(folder / CLIP_FILE, clip_weights())
    vae = {f"first_stage_model.{key}": value for key, value in vae_weights().items()}
    write_pickle(folder / VAE_FILE, {"state_dict": vae})
    write_pickle(folder / BASE_FILE, _values(BASE, _unet_shapes(1, gated=False)))
    write_json(folder / "configuration.json", CONFIGURATION)
    return folder


def write_pickle(path: Path, content: Mapping) -> None:
    """Write a file of torch.save that says that it is a stand-in."""
    torch.save(content, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{path.stem}/{MARK}", "random values: frames will be noise")


@cache
def smcd_weights(stage: int = 2) -> dict[str, dict[str, Tensor]]:
    """The tensors of each network in single precision, by their official names."""
    shapes = {UNET: _unet_shapes(stage)}
    for part, name in zip(NETWORKS[1:], FILE_NAMES[0][1:], strict=True):
        sizes = SMALLER[part]
        shapes[part] = {
            key: [sizes.get(size, size) for size in shape] for key, shape in _official(name).items()
        }
    if stage == 1:
        del shapes[VISUAL_ENCODER]
    return {part: _values(part, found) for part, found in shapes.items()}


@cache
def clip_weights() -> dict[str, Tensor]:
    """The tensors of open_clip's text encoder and image encoder."""
    return _narrow(CLIP_FILE, lambda key: WIDTHS[VISION if key.startswith("visual.") else TEXT])


@cache
def vae_weights() -> dict[str, Tensor]:
    """The tensors of the VAE, by their names after first_stage_model."""
    (name,) = (name for name in _manifest("keys_full.json") if name.startswith(VAE_FILE))
    return _narrow(name, lambda key: WIDTHS[VAE])


def _narrow(name: str, widths: Callable[[str], dict[int, int]]) -> dict[str, Tensor]:
    """Values of a ModelScope file's tensors, with smaller widths and fewer layers."""
    shapes = {
        key: [widths(key).get(size, size) for size in shape]
        for key, shape in _official(name).items()
        if not LATER_LAYERS.search(key)
    }
    return _values(name, shapes)


def _unet_shapes(stage: int, *, gated: bool = True) -> dict[str, list[int]]:
    """Shapes of the small UNet of a stage by official names; without the gate, of ModelScope's."""
    official = _manifest("keys.json")["unet" if stage == 2 else "unet_stage1"]
    shapes = {}
    for key, shape in official.items():
        sizes = next((x for prefix, x in SMALLER.items() if key.startswith(prefix)), {})
        tiny = [sizes.get(size, size) for size in shape]
        if len(tiny) == 2 and tiny[1] == OFFICIAL_CONTEXT:  # what comes in is the context
            tiny[1] = CONTEXT
        if gated or "gate_attn" not in key:
            shapes[key] = tiny
    return shapes


def _values(salt: str, shapes: Mapping[str, list[int]]) -> dict[str, Tensor]:
    return {
        key: tensor_values(f"smcd {salt} {key}", torch.Size(size)) for key, size in shapes.items()
    }


def _official(name: str) -> dict[str, list[int]]:
    """Shapes of an official file's tensors at full size."""
    return _manifest("keys_full.json")[name]


@cache
def _manifest(name: str) -> dict[str, dict[str, list[int]]]:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))
