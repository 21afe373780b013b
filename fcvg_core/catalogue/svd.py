"""Stable Video Diffusion: its folder in diffusers' layout, on which several families stand."""

from pathlib import Path

from .model_files import DIFFUSERS, HUB, MODEL_INDEX, Download, MissingModelsError, ModelFile

SVD_FOLDER = "stable-video-diffusion-img2vid-xt-1-1"
SVD_PARTS = ("vae", "image_encoder")  # sub-folders with the weights that are used
# Sub-folder -> beginning of the names of its files of weights.
STEMS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "image_encoder": "model",
}
ENDINGS = (".fp16.safetensors", ".safetensors")  # of these names, in half or whole precision
# Files of the folder that are used, with their size in megabytes. Of the UNet only the config is
# used here, of the other networks the weights in half precision.
USED = {
    "feature_extractor/preprocessor_config.json": 0.001,
    "image_encoder/config.json": 0.001,
    "image_encoder/model.fp16.safetensors": 1264,
    "scheduler/scheduler_config.json": 0.001,
    "unet/config.json": 0.001,
    "vae/config.json": 0.001,
    "vae/diffusion_pytorch_model.fp16.safetensors": 196,
    MODEL_INDEX: 0.001,
}
PAGE = f"{HUB}stabilityai/{SVD_FOLDER}/resolve/main/"

SVD = ModelFile(
    key="svd",
    name="SVD-XT-1.1, folder in diffusers' layout",
    comfyui=(f"{DIFFUSERS}/{SVD_FOLDER}/{MODEL_INDEX}",),
    folder=(f"{SVD_FOLDER}/{MODEL_INDEX}", MODEL_INDEX, f"*/{MODEL_INDEX}"),
    downloads=tuple(Download(PAGE + name, size, name=name) for name, size in USED.items()),
    licence="Stability AI Community License; has to be accepted on the page",
    source=f"huggingface.co/stabilityai/{SVD_FOLDER} (in ComfyUI its single file does too, in "
    "models/checkpoints, with Load Checkpoint Image Only in the place of Load SVD)",
    pipeline="StableVideoDiffusionPipeline",
    parts=SVD_PARTS,
)
# A run needs it only if no family's own UNet paints.
SVD_UNET = ModelFile(
    key="svd-unet",
    name="SVD-XT-1.1's own UNet, which paints without FCVG's models",
    comfyui=tuple(f"{DIFFUSERS}/{SVD_FOLDER}/unet/{STEMS['unet']}{end}" for end in ENDINGS),
    folder=tuple(
        f"{folder}unet/{STEMS['unet']}{end}" for folder in (f"{SVD_FOLDER}/", "") for end in ENDINGS
    ),
    downloads=(Download(f"{PAGE}unet/{STEMS['unet']}{ENDINGS[0]}", 3050),),
    licence=SVD.licence,
    source=f"huggingface.co/stabilityai/{SVD_FOLDER}",
    on_request=True,
)


def find_part(folder: Path, part: str, *, half: bool = True) -> Path | None:
    """The file with the weights of one part of SVD's folder; None if there is no such file.

    Args:
        folder: SVD's folder in diffusers' layout.
        part: one of STEMS.
        half: if files in both precisions exist, whether the file in half precision is chosen.
    """
    stem = STEMS[part]
    names = [f"{stem}{ending}" for ending in ENDINGS]
    if not half:
        names.reverse()
    paths = (folder / part / name for name in (*names, f"{stem}.bin"))
    return next((path for path in paths if path.is_file()), None)


def missing_part(folder: Path, part: str) -> MissingModelsError:
    """The error about a part of SVD's folder that `find_part` does not find."""
    return MissingModelsError(
        f"{folder} holds no {part}/{STEMS[part]}.safetensors: the download of SVD is incomplete."
    )
