"""Every model file that the project works with: what for, where it goes, where it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MODES = {
    "inbetween": "the frames between two frames (FCVG)",
    "animate": "a picture in the poses of a video (ControlNeXt-SVD)",
}
SVD_FOLDER = "stable-video-diffusion-img2vid-xt-1-1"
FCVG, CONTROLNEXT = "github.com/Tian-one/FCVG", "github.com/dvlab-research/ControlNeXt"


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file, or the folder of SVD, which is told by its model_index.json.

    Attributes:
        needed: modes that can't do without.
        helps: modes that are better with it.
        comfyui: where ComfyUI looks, below its models folder; any one of them.
        folder: where the command line looks, below FCVG_MODELS; any one of them.
        size: about, in megabytes.
    """

    name: str
    needed: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    comfyui: tuple[str, ...]
    folder: tuple[str, ...]
    size: int
    licence: str
    source: str

    def find(self, roots: Iterable[tuple[str, Path]]) -> Path | None:
        """The first place where it is, of folders that are each "comfyui" or "folder"."""
        for kind, root in roots:
            for name in getattr(self, kind):
                found = sorted(root.glob(name)) if root.is_dir() else []
                if found:
                    return found[0]
        return None


def _files(kind: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{kind}/{name}" for name in names)


CATALOGUE = (
    ModelFile(
        name="SVD-XT-1.1, folder in diffusers' layout",
        needed=("inbetween", "animate"),
        comfyui=(f"diffusers/{SVD_FOLDER}/model_index.json",),
        folder=("model_index.json", "*/model_index.json"),
        size=1500,
        licence="Stability AI Community License; has to be accepted on the page",
        source=f"huggingface.co/stabilityai/{SVD_FOLDER} (vae, image_encoder and the .json files)",
    ),
    ModelFile(
        name="FCVG's UNet",
        needed=("inbetween",),
        comfyui=_files("diffusion_models", "fcvg_unet.safetensors"),
        folder=("unet.safetensors",),
        size=6100,
        licence="not stated; made from SVD's",
        source=f"{FCVG}, unet.safetensors",
    ),
    ModelFile(
        name="FCVG's ControlNeXt",
        needed=("inbetween",),
        comfyui=_files("controlnext", "fcvg_controlnext.safetensors"),
        folder=("controlnext.safetensors",),
        size=14,
        licence="not stated",
        source=f"{FCVG}, controlnext.safetensors",
    ),
    ModelFile(
        name="ControlNeXt-SVD's UNet",
        needed=("animate",),
        comfyui=_files("diffusion_models", "controlnext_svd_unet.*"),
        folder=_files("controlnext-svd", "unet.safetensors", "unet.bin", "unet_fp16.*"),
        size=3100,
        licence="made from SVD's: Stability AI Community License",
        source=f"{CONTROLNEXT}, ControlNeXt-SVD-v2: unet.bin",
    ),
    ModelFile(
        name="ControlNeXt-SVD's ControlNeXt",
        needed=("animate",),
        comfyui=_files("controlnext", "controlnext_svd_controlnet.*"),
        folder=_files("controlnext-svd", "controlnet.safetensors", "controlnet.bin"),
        size=14,
        licence="see the repository",
        source=f"{CONTROLNEXT}, ControlNeXt-SVD-v2: controlnet.bin",
    ),
    ModelFile(
        name="DWPose, yolox_l.onnx",
        needed=("animate",),
        helps=("inbetween",),
        comfyui=_files("dwpose", "yolox_l.onnx"),
        folder=("yolox_l.onnx",),
        size=217,
        licence="Apache-2.0",
        source="huggingface.co/yzd-v/DWPose",
    ),
    ModelFile(
        name="DWPose, dw-ll_ucoco_384.onnx",
        needed=("animate",),
        helps=("inbetween",),
        comfyui=_files("dwpose", "dw-ll_ucoco_384.onnx"),
        folder=("dw-ll_ucoco_384.onnx",),
        size=134,
        licence="Apache-2.0",
        source="huggingface.co/yzd-v/DWPose",
    ),
    ModelFile(
        name="GlueStick, checkpoint_GlueStick_MD.tar",
        helps=("inbetween",),
        comfyui=_files("gluestick", "checkpoint_GlueStick_MD.tar"),
        folder=("checkpoint_GlueStick_MD.tar",),
        size=110,
        licence="MIT",
        source="github.com/cvg/GlueStick, releases",
    ),
    ModelFile(
        name="SuperPoint, superpoint_v1.pth",
        helps=("inbetween",),
        comfyui=_files("gluestick", "superpoint_v1.pth"),
        folder=("superpoint_v1.pth",),
        size=5,
        licence="non-commercial research only",
        source="github.com/cvg/GlueStick, resources/weights",
    ),
)


def missing(mode: str, roots: Iterable[tuple[str, Path]]) -> list[ModelFile]:
    """Files that a mode can't do without and that are in none of the folders."""
    roots = list(roots)
    return [file for file in CATALOGUE if mode in file.needed and file.find(roots) is None]
