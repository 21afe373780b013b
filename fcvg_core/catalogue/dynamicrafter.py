"""DynamiCrafter: four checkpoints, of which one is enough, and parts that a pruned copy may lack.

A checkpoint of the authors holds all networks. A pruned copy of other people may lack the two CLIP
encoders and the VAE; these three files have been published on their own, too.
"""

from pathlib import Path

from ..choices import AUTO
from .missing import searched
from .model_files import HUB, Download, Family, MissingModelsError, ModelFile, Roots, places
from .taesdv import TAESDV

# ComfyUI's folders.
CHECKPOINTS, TEXT_ENCODERS, CLIP_VISION, VAES = "checkpoints", "text_encoders", "clip_vision", "vae"
SIZE = 10440  # megabytes of a checkpoint in single precision
LICENCE = "for personal, research and non-commercial use only; the code is Apache-2.0"
CLIP_MERGES, CLIP_VOCABULARY = "merges.txt", "vocab.json"
CLIP_PAGE = HUB + "openai/clip-vit-large-patch14/resolve/main/"
# Names of ModelScope's text-to-video model, on which SMCD stands; both files hold the same networks
# as the files of Stable Diffusion.
MODELSCOPE = "modelscope-damo-text-to-video-synthesis"
MODELSCOPE_CLIP, MODELSCOPE_VAE = "open_clip_pytorch_model.bin", "VQGAN_autoencoder.pth"
_TEXT_ENCODERS = (
    "stable-diffusion-2-1-clip.safetensors",
    "stable-diffusion-2-1-clip-fp16.safetensors",
    f"{MODELSCOPE}/{MODELSCOPE_CLIP}",
    MODELSCOPE_CLIP,
)
_SD_VAES = (
    "vae-ft-mse-840000-ema-pruned.safetensors",
    f"{MODELSCOPE}/{MODELSCOPE_VAE}",
    MODELSCOPE_VAE,
)

CLIP_TOKENIZER = ModelFile(
    key="clip-tokenizer",
    name="CLIP's tokenizer (every ComfyUI brings it)",
    comfyui=places("tokenizers", f"clip-vit-large-patch14/{CLIP_MERGES}"),
    folder=(f"clip-vit-large-patch14/{CLIP_MERGES}",),
    downloads=(
        Download(CLIP_PAGE + CLIP_VOCABULARY, 1, name=CLIP_VOCABULARY),
        Download(CLIP_PAGE + CLIP_MERGES, 0.5, name=CLIP_MERGES),
    ),
    licence="MIT",
    source="huggingface.co/openai/clip-vit-large-patch14",
    in_comfyui=f"comfy/sd1_tokenizer/{CLIP_MERGES}",
)


def _names(variant: str) -> tuple[str, ...]:
    """Names of a checkpoint: the authors' name, and names of copies that other people have made."""
    name = f"dynamicrafter_{variant}_v1"
    return (
        f"{name}/model.ckpt",
        f"{name}/model.safetensors",
        f"{name}.ckpt",
        f"{name}.safetensors",
        f"{name}_bf16.safetensors",
        f"{name}_fp16.safetensors",
        f"dynamicrafter_{variant}_fp16_pruned.safetensors",
    )


def _checkpoint(variant: str, *, key: str, repository: str, purpose: str) -> ModelFile:
    """The authors' checkpoint of a variant.

    Args:
        repository: of the authors.
        purpose: what the model does, with the size (width x height) that it was trained at.
    """
    return ModelFile(
        key=key,
        name=f"DynamiCrafter {variant.replace('_', ' ')} ({purpose})",
        comfyui=places(CHECKPOINTS, *_names(variant)),
        folder=_names(variant),
        downloads=(Download(f"{HUB}{repository}/resolve/main/model.ckpt", SIZE),),
        licence=LICENCE,
        source=f"huggingface.co/{repository}",
        non_commercial=True,
        on_request=True,
        companions=(CLIP_TOKENIZER,),
    )


# Word of a variant -> its checkpoint.
BY_VARIANT = {
    "256": _checkpoint(
        "256",
        key="dynamicrafter-256",
        repository="Doubiiu/DynamiCrafter",
        purpose="a picture moves, 256 x 256",
    ),
    "512": _checkpoint(
        "512",
        key="dynamicrafter-512",
        repository="Doubiiu/DynamiCrafter_512",
        purpose="a picture moves, 512 x 320",
    ),
    "1024": _checkpoint(
        "1024",
        key="dynamicrafter-1024",
        repository="Doubiiu/DynamiCrafter_1024",
        purpose="a picture moves, 1024 x 576",
    ),
    "512_interp": _checkpoint(
        "512_interp",
        key="dynamicrafter-512-interp",
        repository="Doubiiu/DynamiCrafter_512_Interp",
        purpose="frames between two pictures and loops, 512 x 320",
    ),
}
TEXT_ENCODER = ModelFile(
    key="sd21-text-encoder",
    name="text encoder of Stable Diffusion 2.1 (for SMCD, and a pruned DynamiCrafter)",
    comfyui=places(TEXT_ENCODERS, *_TEXT_ENCODERS),
    folder=_TEXT_ENCODERS,
    downloads=(
        Download(
            HUB + "Manojb/stable-diffusion-2-1-base/resolve/main/text_encoder/model.safetensors",
            1361,
        ),
    ),
    licence="CreativeML Open RAIL++-M",
    source="huggingface.co/Manojb/stable-diffusion-2-1-base, a copy: its authors' page is gone",
    on_request=True,
)
IMAGE_ENCODER = ModelFile(
    key="clip-vit-h",
    name="CLIP ViT-H image encoder (for a pruned checkpoint)",
    comfyui=places(
        CLIP_VISION,
        "CLIP-ViT-H-fp16.safetensors",
        "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors",
    ),
    folder=("CLIP-ViT-H-fp16.safetensors", "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"),
    downloads=(
        Download(
            HUB + "Kijai/CLIPVisionModelWithProjection_fp16/resolve/main/"
            "CLIP-ViT-H-fp16.safetensors",
            1264,
        ),
    ),
    licence="MIT",
    source="huggingface.co/Kijai/CLIPVisionModelWithProjection_fp16; the authors' page: "
    "huggingface.co/laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    on_request=True,
)
SD_VAE = ModelFile(
    key="sd-vae",
    name="VAE of Stable Diffusion (for SMCD, and a DynamiCrafter without a VAE)",
    comfyui=places(VAES, *_SD_VAES),
    folder=_SD_VAES,
    downloads=(
        Download(
            HUB + "stabilityai/sd-vae-ft-mse-original/resolve/main/"
            "vae-ft-mse-840000-ema-pruned.safetensors",
            335,
        ),
    ),
    licence="MIT",
    source="huggingface.co/stabilityai/sd-vae-ft-mse-original",
    on_request=True,
)
# Where several checkpoints are there, the first of these moves a picture: the larger it is, the
# more memory and time it needs, and the smallest leaves marks in the picture.
ANIMATING = ("512", "1024", "256")
INTERPOLATING = ("512_interp",)
DYNAMICRAFTER = Family(
    mode="dynamicrafter",
    purpose="a picture moves as a text says, or two pictures are connected (DynamiCrafter)",
    needed=(),
    alternatives=tuple(BY_VARIANT[word] for word in (*ANIMATING, *INTERPOLATING)),
    for_command=(CLIP_TOKENIZER,),
    helpful=(TEXT_ENCODER, IMAGE_ENCODER, SD_VAE, TAESDV),
)


def find_checkpoint(variant: str, *, interpolates: bool, roots: Roots) -> Path:
    """The first checkpoint in the known folders that can do what is wanted.

    Args:
        variant: a key of BY_VARIANT, or "auto" for any variant that can do it.
        interpolates: whether frames between two pictures or a loop are wanted.
        roots: from `known_folders`.

    Raises:
        MissingModelsError: no such checkpoint is there.
    """
    usual = INTERPOLATING if interpolates else ANIMATING
    files = [BY_VARIANT[word] for word in (usual if variant == AUTO else (variant,))]
    found = (path for file in files if (path := file.find(roots)))
    if path := next(found, None):
        return path
    also = " (of a story: --interp-checkpoint)" * interpolates
    raise MissingModelsError(
        f"A checkpoint is missing: {' or '.join(file.name for file in files)}. Name it with "
        f"--checkpoint{also}, or download it with {files[0].download_command}. "
        f"{searched(roots)}"
    )
