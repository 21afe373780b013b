"""GlueStick, which matches lines, and SuperPoint, which it needs."""

from .model_files import Download, ModelFile, places

GLUESTICK = "gluestick"  # ComfyUI's folder
PAGE = "https://github.com/cvg/GlueStick/"

MATCHER = ModelFile(
    key="gluestick",
    name="GlueStick, checkpoint_GlueStick_MD.tar",
    comfyui=places(GLUESTICK, "checkpoint_GlueStick_MD.tar", "checkpoint_GlueStick_MD.safetensors"),
    folder=("checkpoint_GlueStick_MD.tar", "checkpoint_GlueStick_MD.safetensors"),
    downloads=(Download(PAGE + "releases/download/v0.1_arxiv/checkpoint_GlueStick_MD.tar", 113),),
    licence="MIT",
    source="github.com/cvg/GlueStick, releases",
)
SUPERPOINT = ModelFile(
    key="superpoint",
    name="SuperPoint, superpoint_v1.pth",
    comfyui=places(GLUESTICK, "superpoint_v1.pth", "superpoint_v1.safetensors"),
    folder=("superpoint_v1.pth", "superpoint_v1.safetensors"),
    downloads=(
        Download(
            PAGE + "raw/main/resources/weights/superpoint_v1.pth",
            5,
            "52b6708629640ca883673b5d5c097c4ddad37d8048b33f09c8ca0d69db12c40e",
        ),
    ),
    licence="non-commercial research only",
    non_commercial=True,
    source="github.com/cvg/GlueStick, resources/weights",
)
GLUESTICK_ROWS = (MATCHER, SUPERPOINT)
GLUESTICK_FILES = tuple(row.names(GLUESTICK)[0] for row in GLUESTICK_ROWS)
