"""Tiny checkpoints of DynamiCrafter, for tests without real weights.

The names are those of the official checkpoints, and the shapes are the official shapes with
smaller widths: 64 for the UNet, its context, the projector and the text encoder, 80 for the image
encoder, 32 for the VAE. So a test knows the names from the authors, and not from the project's own
networks. The frames are noise. All values depend only on names and shapes.
"""

import json
import re
import zipfile
from pathlib import Path

import torch
from stand_ins import packed, tensor_values
from torch import Tensor

from fcvg_core.catalogue.stand_ins import MARK

MANIFEST = Path(__file__).parent / "golden" / "dynamicrafter" / "keys_full.json"
UNET, PROJECTOR = "model.diffusion_model.", "image_proj_model."
TEXT, VISION, VAE = "cond_stage_model.", "embedder.", "first_stage_model."
# Part of a checkpoint -> official widths and the widths here. Nothing reads the token embedding
# that the image encoder's part has too, so this embedding has 16 tokens.
WIDTHS = {
    UNET: {320: 64, 640: 64, 1280: 64, 1024: 64},
    PROJECTOR: {1024: 64, 1280: 80, 768: 128, 1536: 256, 4096: 256},
    TEXT: {1024: 64, 3072: 192, 4096: 256},
    VISION: {1280: 80, 3840: 240, 5120: 320, 1024: 64, 49408: 16},
    VAE: {128: 32, 256: 32, 512: 32},
}
# Tensors of the UNet whose first sizes do not follow from WIDTHS: the embedding of the time is four
# times as wide as the UNet, feed-forward layers are four times as wide as their block, and a block
# on the way up gets the channels of two blocks.
FIRST_SIZES = {
    r"(time_embed|fps_embedding|framestride_embed)\.0\.weight": (256, 64),
    r"(time_embed|fps_embedding|framestride_embed)\.": (256, 256),
    r"emb_layers\.1\.weight": (64, 256),
    r"_blocks?\.[\d.]+transformer_blocks\.0\.ff\.net\.0\.": (512, 64),
    r"_blocks?\.[\d.]+transformer_blocks\.0\.ff\.net\.2\.weight": (64, 256),
    r"output_blocks\.\d+\.0\.in_layers\.0\.": (128,),
    r"output_blocks\.\d+\.0\.(in_layers\.2|skip_connection)\.weight": (64, 128),
}
LAYERS = 3  # of each encoder and of the projector; ComfyUI's text encoder stops two layers early
# Layers that are left out, and shortcuts between two widths: here a block's widths are equal,
# except on the UNet's way up.
LEFT_OUT = re.compile(
    rf"(resblocks|{re.escape(PROJECTOR)}layers)\.(?!([0-{LAYERS - 1}])\.)\d+\."
    r"|nin_shortcut|input_blocks\.\d+\.0\.skip_connection"
)
SCALES = {"512": 0.7, "1024": 0.3, "512_interp": 0.7}  # dynamic rescale: the last value
# What a training program of the authors writes beside the weights.
LEFTOVERS = {
    "epoch": 3, "global_step": 50000, "pytorch-lightning_version": "1.9.3", "loops": {},
    "callbacks": {"ModelCheckpoint": {"monitor": None, "best_model_path": "a/b.ckpt"}},
    "optimizer_states": [], "lr_schedulers": [],
}  # fmt: skip


def write_dynamicrafter(
    folder: Path, variant: str = "512", *, layout: str = "official", fmt: str = ".ckpt"
) -> Path:
    """Write the file of one checkpoint into a folder, and return its path.

    Args:
        variant: "256", "512", "1024" or "512_interp".
        layout: "official": all parts; "deepspeed": the same, as the authors' training program
            writes them; "pruned": UNet, projector and VAE; "unet": UNet and projector.
        fmt: ".ckpt" in single precision, or ".safetensors" in half precision.
    """
    weights = _chosen(dynamicrafter_weights(variant), layout)
    name = f"dynamicrafter_{variant}_v1"
    whole = layout in ("official", "deepspeed")
    path = folder / (f"{name}/model{fmt}" if whole else f"{name}_{layout}{fmt}")
    path.parent.mkdir(parents=True, exist_ok=True)
    if fmt == ".safetensors":
        path.write_bytes(packed(weights))
        return path
    if layout == "deepspeed":
        content = {"module": {f"_forward_module.{key}": x for key, x in weights.items()}}
    else:
        content = {**LEFTOVERS, "state_dict": weights}
    torch.save(content, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{path.stem}/{MARK}", "random values: frames will be noise")
    return path


def write_for_workflows(folder: Path) -> dict[str, Path]:
    """Write the files that the workflows name.

    Returns:
        The checkpoints by their variant, and as "unet" that of 512_interp without encoders.
    """
    files = {variant: write_dynamicrafter(folder, variant) for variant in ("512", "512_interp")}
    unet = write_dynamicrafter(folder, "512_interp", layout="unet", fmt=".safetensors")
    return {**files, "unet": unet}


def dynamicrafter_weights(variant: str) -> dict[str, Tensor]:
    """All tensors of a whole checkpoint, by their official names."""
    salt = f"dynamicrafter {variant} "
    weights = {key: tensor_values(salt + key, size) for key, size in _shapes(variant).items()}
    if variant in SCALES:
        scales = torch.full((1400,), SCALES[variant])
        scales[:400] = torch.linspace(1, SCALES[variant], 400)
        weights["scale_arr"] = scales
    return weights


def _shapes(variant: str) -> dict[str, torch.Size]:
    """Shape of each tensor by its official name."""
    manifest = json.loads(MANIFEST.read_text())
    (official,) = (keys for name, keys in manifest.items() if f"dynamicrafter_{variant}_v1" in name)
    return {
        key: torch.Size(_tiny(key, size))
        for key, size in official.items()
        if not LEFT_OUT.search(key)
    }


def _tiny(key: str, shape: list[int]) -> list[int]:
    """The shape of a tensor here."""
    widths = next((widths for part, widths in WIDTHS.items() if key.startswith(part)), {})
    tiny = [widths.get(size, size) for size in shape]
    if key.startswith(UNET):
        found = (sizes for pattern, sizes in FIRST_SIZES.items() if re.search(pattern, key))
        first = next(found, ())[: len(shape)]
        tiny[: len(first)] = first
    return tiny


def _chosen(weights: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """The tensors that a layout has."""
    parts = {"pruned": (UNET, PROJECTOR, VAE), "unet": (UNET, PROJECTOR)}.get(layout, ("",))
    return {key: value for key, value in weights.items() if key.startswith(parts)}
