"""FCVG: its UNet and its ControlNeXt, on SVD; lines and people steer it."""

from .dwpose import DWPOSE_ROWS
from .gluestick import GLUESTICK_ROWS
from .model_files import CONTROLNEXT, DRIVE, UNET, Download, Family, ModelFile, places
from .svd import SVD, SVD_UNET
from .taesdv import TAESDV

FOLDER = DRIVE + "1qIvr9WO8qk3NUdztxweTmexfkHt8oRDB/"

FCVG_UNET = ModelFile(
    key="fcvg-unet",
    name="FCVG's UNet",
    comfyui=places(UNET, "fcvg_unet.safetensors"),
    folder=("unet.safetensors",),
    downloads=(Download(FOLDER + "unet.safetensors", 6100),),
    licence="not stated; made from SVD's",
    source="github.com/Tian-one/FCVG, its folder on Google Drive: unet.safetensors",
)
FCVG_CONTROLNEXT = ModelFile(
    key="fcvg-controlnext",
    name="FCVG's ControlNeXt",
    comfyui=places(CONTROLNEXT, "fcvg_controlnext.safetensors"),
    folder=("controlnext.safetensors",),
    downloads=(Download(FOLDER + "controlnext.safetensors", 14),),
    licence="not stated",
    source="github.com/Tian-one/FCVG, its folder on Google Drive: controlnext.safetensors",
)
FCVG = Family(
    mode="inbetween",
    purpose="the frames between two frames (FCVG)",
    needed=(SVD, FCVG_UNET, FCVG_CONTROLNEXT),
    helpful=(*DWPOSE_ROWS, *GLUESTICK_ROWS, TAESDV, SVD_UNET),
    otherwise="SVD alone paints too, as an experiment: inbetween --sampler mpd. To download its "
    f"models: python -m fcvg_core models --get --only {SVD.key} {SVD_UNET.key}",
)
