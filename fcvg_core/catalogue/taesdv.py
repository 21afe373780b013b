"""TAESDV, a tiny decoder for previews and drafts of every family whose latents are SD's."""

from pathlib import Path

from .comfyui import FCVG_MODELS
from .model_files import Download, MissingModelsError, ModelFile, Roots, places

VAE_APPROX = "vae_approx"  # ComfyUI's folder
NAMES = ("taesdv.pth", "taesdv.safetensors")

TAESDV = ModelFile(
    key="taesdv",
    name="TAESDV, the tiny decoder of drafts and moving previews",
    comfyui=places(VAE_APPROX, *NAMES),
    folder=NAMES,
    downloads=(Download("https://github.com/madebyollin/taesdv/raw/main/taesdv.pth", 11),),
    licence="MIT",
    source="github.com/madebyollin/taesdv",
)


def find_taesdv(roots: Roots) -> Path:
    """The first file of TAESDV in the known folders.

    Args:
        roots: from `known_folders`.

    Raises:
        MissingModelsError: there is none.
    """
    path = TAESDV.find(roots)
    if path is None:
        raise MissingModelsError(
            f"A draft is decoded by {NAMES[0]}, which is missing. Download it with "
            f"{TAESDV.download_command}, or put it into the folder that {FCVG_MODELS} names."
        )
    return path
