"""DropletVideo-5B: the authors' folder, or its networks in files of their own.

Who has a T5 encoder for ComfyUI already needs of the folder the transformer and the VAE alone.
"""

from pathlib import Path

from .missing import missing_folder
from .model_files import (
    DIFFUSERS,
    HUB,
    MODEL_INDEX,
    UNET,
    Download,
    Family,
    ModelFile,
    Roots,
    places,
)

TEXT_ENCODERS, VAES, TOKENIZERS = "text_encoders", "vae", "tokenizers"  # ComfyUI's folders
REPOSITORY, FOLDER = "DropletVideo-5B", "DropletVideo-V1.0-weights"
SOURCE = f"huggingface.co/DropletX/{REPOSITORY}"
PAGE = f"{HUB}DropletX/{REPOSITORY}/resolve/main/{FOLDER}/"
PARTS = ("transformer", "vae", "text_encoder")  # sub-folders with weights
TRANSFORMER_FILE, VAE_FILE = (f"{part}/diffusion_pytorch_model.safetensors" for part in PARTS[:2])
# Files of the folder that are used, with their size in megabytes, if the transformer and the VAE
# are in single precision: the authors do not state a size.
USED = {
    "scheduler/scheduler_config.json": 0.001,
    "tokenizer/spiece.model": 0.8,
    "tokenizer/tokenizer_config.json": 0.02,
    "text_encoder/config.json": 0.001,
    "text_encoder/model.safetensors.index.json": 0.02,
    "text_encoder/model-00001-of-00002.safetensors": 4994,
    "text_encoder/model-00002-of-00002.safetensors": 4531,
    "transformer/config.json": 0.001,
    TRANSFORMER_FILE: 22290,
    "vae/config.json": 0.001,
    VAE_FILE: 862,
    MODEL_INDEX: 0.001,
}
LICENCE = (
    "Apache-2.0, as the authors' README says; built on CogVideoX, whose terms may apply to the VAE"
)
_FOLDERS = tuple(
    f"{folder}/{MODEL_INDEX}" for folder in (FOLDER, f"{REPOSITORY}/{FOLDER}", REPOSITORY)
)
_TRANSFORMERS = tuple(
    f"dropletvideo_5b{ending}.safetensors" for ending in ("", "_bf16", "_fp16", "_fp8_e4m3fn")
)
_VAES = tuple(f"dropletvideo_vae{ending}.safetensors" for ending in ("", "_bf16", "_fp16"))
_T5 = ("t5xxl_fp16.safetensors", "t5xxl_fp8_e4m3fn.safetensors")
_TOKENIZERS = ("t5-v1_1-xxl/spiece.model", "t5-v1_1-xxl/tokenizer.json")

T5_TOKENIZER = ModelFile(
    key="t5-tokenizer",
    name="T5's tokenizer (every ComfyUI and the folder of DropletVideo bring it)",
    comfyui=places(TOKENIZERS, *_TOKENIZERS),
    folder=_TOKENIZERS,
    downloads=(Download(f"{HUB}google/t5-v1_1-xxl/resolve/main/spiece.model", 0.8),),
    licence="Apache-2.0",
    source="huggingface.co/google/t5-v1_1-xxl",
    on_request=True,
    in_comfyui="comfy/text_encoders/t5_tokenizer/tokenizer.json",
)
T5_XXL = ModelFile(
    key="t5xxl",
    name="T5 v1.1 XXL, the text encoder (for DropletVideo in files of their own)",
    comfyui=places(TEXT_ENCODERS, *_T5),
    folder=_T5,
    downloads=(Download(f"{HUB}comfyanonymous/flux_text_encoders/resolve/main/{_T5[0]}", 9788),),
    licence="Apache-2.0",
    source="huggingface.co/comfyanonymous/flux_text_encoders",
    on_request=True,
    companions=(T5_TOKENIZER,),
)
DROPLET_VAE = ModelFile(
    key="dropletvideo-vae",
    name="VAE of DropletVideo in its own file",
    comfyui=places(VAES, *_VAES),
    folder=_VAES,
    downloads=(Download(PAGE + VAE_FILE, USED[VAE_FILE]),),
    licence=LICENCE,
    source=f"{SOURCE}, {FOLDER}/{VAE_FILE}",
    on_request=True,
)
DROPLET_TRANSFORMER = ModelFile(
    key="dropletvideo-transformer",
    name="transformer of DropletVideo in its own file",
    comfyui=places(UNET, *_TRANSFORMERS),
    folder=_TRANSFORMERS,
    downloads=(Download(PAGE + TRANSFORMER_FILE, USED[TRANSFORMER_FILE]),),
    licence=LICENCE,
    source=f"{SOURCE}, {FOLDER}/{TRANSFORMER_FILE}",
    on_request=True,
    companions=(DROPLET_VAE,),
    needs=(DROPLET_VAE, T5_XXL),
)
DROPLET = ModelFile(
    key="dropletvideo",
    name="DropletVideo-5B, folder in diffusers' layout",
    comfyui=places(DIFFUSERS, *_FOLDERS),
    folder=_FOLDERS,
    downloads=tuple(Download(PAGE + name, size, name=name) for name, size in USED.items()),
    licence=LICENCE,
    source=SOURCE,
    # The class of the whole pipeline has no published name, but the text encoder's class has.
    pipeline="T5EncoderModel",
    parts=PARTS,
    on_request=True,
)
DROPLETVIDEO = Family(
    mode="droplet",
    purpose="a picture moves as a text says, more or less by a number (DropletVideo)",
    needed=(),
    alternatives=(DROPLET, DROPLET_TRANSFORMER),
    helpful=(DROPLET_VAE, T5_XXL, T5_TOKENIZER),
)


def find_droplet(roots: Roots) -> Path:
    """The authors' folder in the known folders, else the file of the transformer.

    The file needs other files, which are looked for by `DROPLET_VAE.find`, `T5_XXL.find` and
    `T5_TOKENIZER.find`.

    Args:
        roots: from `known_folders`.

    Raises:
        MissingModelsError: there is neither, or the folder is not whole.
    """
    if index := DROPLET.find(roots):
        return index.parent
    if path := DROPLET_TRANSFORMER.find(roots):
        return path
    raise missing_folder(DROPLET, roots, family="DropletVideo")
