"""Files that people take for a checkpoint of DynamiCrafter, and what both faces say of them."""

import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file

UNET = "model.diffusion_model."
NEEDED = "but a checkpoint or a UNet of DynamiCrafter is needed: use model.ckpt of Doubiiu/"
UNREADABLE = "can't be read as model weights .* incomplete or a different kind of file: download it"
# Stable Diffusion 1.5 and Stable Video Diffusion, by names that every file of theirs has.
SD15 = {
    f"{UNET}input_blocks.0.0.weight": (320, 4, 3, 3),
    f"{UNET}input_blocks.1.0.in_layers.0.weight": (320,),
    f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
    "cond_stage_model.transformer.text_model.final_layer_norm.weight": (768,),
    "first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3),
    "betas": (1000,),
}
SVD = {
    f"{UNET}input_blocks.0.0.weight": (320, 8, 3, 3),
    f"{UNET}input_blocks.1.0.in_layers.0.weight": (320,),
    f"{UNET}input_blocks.1.0.time_stack.in_layers.0.weight": (320,),
    f"{UNET}label_emb.0.0.weight": (1280, 768),
    "conditioner.embedders.0.open_clip.model.visual.ln_post.weight": (1280,),
    "first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3),
}
# File name -> what is said of it.
SAID = {
    "sd15.ckpt": rf"is a UNet without temporal layers \(SD 1.5, 2 or XL\), {NEEDED}",
    "sd15.safetensors": rf"is a UNet without temporal layers \(SD 1.5, 2 or XL\), {NEEDED}",
    "svd.safetensors": f"is an SVD UNet, {NEEDED}",
    "svd_unet.safetensors": f"is an SVD UNet, {NEEDED}",
    "vae.safetensors": f"is a VAE, {NEEDED}",
    "projector.safetensors": f"is an image projector of DynamiCrafter, {NEEDED}",
    "half.ckpt": UNREADABLE,
    "nearly_whole.ckpt": UNREADABLE,
    "empty.ckpt": UNREADABLE,
    "page.ckpt": UNREADABLE,
    "document.ckpt": UNREADABLE,
}


def write_bad_file(path: Path, whole: Path) -> Path:
    """Write the file of SAID that has this path's name.

    Args:
        whole: a checkpoint of DynamiCrafter, a .ckpt file.
    """
    if path.name.startswith(("half", "nearly_whole")):
        content = whole.read_bytes()
        path.write_bytes(content[: len(content) // 2] if "half" in path.name else content[:-20])
    elif path.name == "empty.ckpt":
        path.touch()
    elif path.name == "page.ckpt":
        path.write_text("<!DOCTYPE html><html>Please log in.</html>")
    elif path.name == "document.ckpt":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("word/document.xml", "<text/>")
    else:
        _write_tensors(path)
    return path


def _write_tensors(path: Path) -> None:
    names = {
        "sd15": SD15,
        "svd": SVD,
        "svd_unet": {
            key.removeprefix(UNET): size for key, size in SVD.items() if key.startswith(UNET)
        },
        "vae": {"encoder.conv_in.weight": (8, 3, 3, 3), "decoder.conv_in.weight": (8, 4, 3, 3)},
        "projector": {"latents": (1, 256, 64), "layers.0.0.to_kv.weight": (128, 64)},
    }[path.stem]
    tensors = {key: torch.zeros(size) for key, size in names.items()}
    if path.suffix == ".ckpt":
        torch.save({"epoch": 1, "state_dict": tensors}, path)
    else:
        save_file(tensors, path)
