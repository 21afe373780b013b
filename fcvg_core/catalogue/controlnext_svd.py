"""ControlNeXt-SVD: its UNet and its ControlNeXt, on SVD; the people of a video steer it."""

from .dwpose import DWPOSE_ROWS
from .model_files import CONTROLNEXT, HUB, UNET, Download, Family, ModelFile, places
from .svd import SVD
from .taesdv import TAESDV

# The authors' unet.bin and controlnet.bin (huggingface.co/Pbihao/ControlNeXt, ControlNeXt-SVD/v2),
# in half precision and without pickle.
PAGE = HUB + "Kijai/ControlNeXt-SVD-V2-Comfy/resolve/main/"
UNET_FILE = "controlnext-svd_v2-unet-fp16.safetensors"
CONTROLNEXT_FILE = "controlnext-svd_v2-controlnet-fp16.safetensors"
# The authors' own files under these names.
UNET_BIN, CONTROLNEXT_BIN = (
    name.replace(".safetensors", ".bin") for name in (UNET_FILE, CONTROLNEXT_FILE)
)

CONTROLNEXT_SVD_UNET = ModelFile(
    key="controlnext-svd-unet",
    name="ControlNeXt-SVD's UNet",
    comfyui=places(
        UNET,
        UNET_FILE,
        UNET_BIN,
        "controlnext_svd_unet.safetensors",
        "controlnext_svd_unet.bin",
    ),
    folder=places(
        "controlnext-svd",
        UNET_FILE,
        "unet.safetensors",
        "unet.bin",
        "unet_fp16.safetensors",
        "unet_fp16.bin",
    ),
    downloads=(Download(PAGE + UNET_FILE, 3050),),
    licence="made from SVD's: Stability AI Community License",
    source="huggingface.co/Kijai/ControlNeXt-SVD-V2-Comfy; the authors' unet.bin: "
    "huggingface.co/Pbihao/ControlNeXt, ControlNeXt-SVD/v2",
)
CONTROLNEXT_SVD_CONTROLNEXT = ModelFile(
    key="controlnext-svd-controlnext",
    name="ControlNeXt-SVD's ControlNeXt",
    comfyui=places(
        CONTROLNEXT,
        CONTROLNEXT_FILE,
        CONTROLNEXT_BIN,
        "controlnext_svd_controlnet.safetensors",
        "controlnext_svd_controlnet.bin",
    ),
    folder=places("controlnext-svd", CONTROLNEXT_FILE, "controlnet.safetensors", "controlnet.bin"),
    downloads=(Download(PAGE + CONTROLNEXT_FILE, 14),),
    licence="not stated with the file; the code is Apache-2.0",
    source="huggingface.co/Kijai/ControlNeXt-SVD-V2-Comfy; the authors' controlnet.bin: "
    "huggingface.co/Pbihao/ControlNeXt, ControlNeXt-SVD/v2",
)
# SVD's UNet after the authors trained it on videos of people, before they trained it to follow
# poses: version 1's, the only one that they published. It has no ControlNeXt.
BASE_BIN = "controlnext-svd_base-unet-fp16.bin"
CONTROLNEXT_SVD_BASE = ModelFile(
    key="controlnext-svd-base",
    name="ControlNeXt-SVD's continuously pretrained UNet, for training alone",
    comfyui=places(UNET, BASE_BIN, BASE_BIN.replace(".bin", ".safetensors")),
    folder=places(
        "controlnext-svd",
        BASE_BIN,
        BASE_BIN.replace(".bin", ".safetensors"),
        "pretrained/unet_fp16.bin",
    ),
    downloads=(
        Download(
            HUB + "Pbihao/ControlNeXt/resolve/main/ControlNeXt-SVD/pretrained/unet_fp16.bin",
            3050,
            sha256="563269368628c81e8b37b7d904cc807f8601f53eb344102b82414a3ca0f68e40",
        ),
    ),
    licence="made from SVD's: Stability AI Community License",
    source="huggingface.co/Pbihao/ControlNeXt, ControlNeXt-SVD/pretrained",
    on_request=True,
)
CONTROLNEXT_SVD = Family(
    mode="animate",
    purpose="a picture in the poses of a video (ControlNeXt-SVD)",
    needed=(SVD, CONTROLNEXT_SVD_UNET, CONTROLNEXT_SVD_CONTROLNEXT, *DWPOSE_ROWS),
    helpful=(TAESDV, CONTROLNEXT_SVD_BASE),
)
