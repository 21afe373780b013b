"""DWPose: two ONNX networks, of which one finds people and the other finds their joints."""

from .model_files import HUB, Download, ModelFile, places

DWPOSE = "dwpose"  # ComfyUI's folder
PAGE = HUB + "yzd-v/DWPose/resolve/main/"

BOXES = ModelFile(
    key="yolox",
    name="DWPose, yolox_l.onnx",
    comfyui=places(DWPOSE, "yolox_l.onnx"),
    folder=("yolox_l.onnx",),
    downloads=(
        Download(
            PAGE + "yolox_l.onnx",
            217,
            "7860ae79de6c89a3c1eb72ae9a2756c0ccfbe04b7791bb5880afabd97855a411",
        ),
    ),
    licence="Apache-2.0",
    source="huggingface.co/yzd-v/DWPose",
)
POINTS = ModelFile(
    key="dwpose",
    name="DWPose, dw-ll_ucoco_384.onnx",
    comfyui=places(DWPOSE, "dw-ll_ucoco_384.onnx"),
    folder=("dw-ll_ucoco_384.onnx",),
    downloads=(
        Download(
            PAGE + "dw-ll_ucoco_384.onnx",
            134,
            "724f4ff2439ed61afb86fb8a1951ec39c6220682803b4a8bd4f598cd913b1843",
        ),
    ),
    licence="Apache-2.0",
    source="huggingface.co/yzd-v/DWPose",
)
DWPOSE_ROWS = (BOXES, POINTS)
DWPOSE_FILES = tuple(row.names(DWPOSE)[0] for row in DWPOSE_ROWS)
