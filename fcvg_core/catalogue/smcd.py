"""SMCD ("Animate Your Motion"): three files of one training, or one file made from them.

Text encoder and VAE are those of Stable Diffusion 2.1, or the same networks of ModelScope's
text-to-video model. This model's own UNet is not needed, because SMCD's file holds a whole UNet.
"""

from pathlib import Path

from .dynamicrafter import CLIP_TOKENIZER, SD_VAE, TEXT_ENCODER
from .missing import missing_folder
from .model_files import HUB, UNET, Download, Family, ModelFile, Roots, places
from .taesdv import TAESDV

SOURCE = "huggingface.co/Lixiaoming/Animate-Your-Motion"
PAGE = f"{HUB}Lixiaoming/Animate-Your-Motion/resolve/main/"
FOLDERS = ("smcd", "Animate-Your-Motion")
# Names that training gives to visual encoder, PositionNet and UNet, with their sizes in megabytes.
# The UNet comes last, because it is found only if the others are there.
USED = {"pytorch_model_2.bin": 812, "pytorch_model_1.bin": 5, "pytorch_model.bin": 7335}
UNET_FILE = "pytorch_model.bin"
_MERGED = tuple(f"smcd{ending}.safetensors" for ending in ("", "_fp16", "_bf16"))
_NAMES = (*(f"{folder}/{UNET_FILE}" for folder in FOLDERS), *_MERGED)

SMCD_TEXT, SMCD_VAE = TEXT_ENCODER, SD_VAE
SMCD = ModelFile(
    key="smcd",
    name="SMCD (a picture and boxes that move, 256 x 256), three files",
    comfyui=places(UNET, *_NAMES),
    folder=_NAMES,
    downloads=tuple(Download(PAGE + name, size, name=name) for name, size in USED.items()),
    licence="none is stated, so all rights are reserved; trained from ModelScope's text-to-video "
    "model, which is CC-BY-NC 4.0: for non-commercial use only",
    source=SOURCE,
    non_commercial=True,
    on_request=True,
    companions=(CLIP_TOKENIZER, SMCD_TEXT, SMCD_VAE),
    needs=(SMCD_TEXT, SMCD_VAE),
)
SMCD_FAMILY = Family(
    mode="smcd",
    purpose="a picture moves as boxes around its objects and a text say (SMCD)",
    needed=(),
    alternatives=(SMCD,),
    for_command=(CLIP_TOKENIZER,),
    helpful=(SMCD_TEXT, SMCD_VAE, TAESDV),
)


def find_smcd(roots: Roots) -> Path:
    """The UNet's file, beside which the two others are, or a merged file, in the known folders.

    Args:
        roots: from `known_folders`.

    Raises:
        MissingModelsError: there is neither, or one of the three files is missing.
    """
    if path := SMCD.find(roots):
        return path
    raise missing_folder(SMCD, roots, family="SMCD")
