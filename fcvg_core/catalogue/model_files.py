"""Every model file that the project works with: what for, where it goes, where it comes from."""

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MODES = {
    "inbetween": "the frames between two frames (FCVG)",
    "animate": "a picture in the poses of a video (ControlNeXt-SVD)",
}
HUB, DRIVE = "https://huggingface.co/", "https://drive.google.com/drive/folders/"
SVD_FOLDER = "stable-video-diffusion-img2vid-xt-1-1"
MODEL_INDEX = "model_index.json"
SVD_PARTS = ("vae", "image_encoder")  # what is used of it besides the UNet


@dataclass(frozen=True)
class Download:
    """A file as its authors, or those who repacked it, offer it.

    Attributes:
        url: of the file; for one in a shared folder of Google Drive, the folder's and its name.
        size: about, in megabytes.
        sha256: in hexadecimal digits, where it is known; otherwise the hub tells it.
        name: what to call it, in the folder that it goes to.
    """

    url: str
    size: float
    sha256: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file, or the folder of SVD, which is told by its model_index.json.

    Attributes:
        key: for programs.
        name: for people.
        needed: modes that can't do without.
        helps: modes that are better with it.
        comfyui: where ComfyUI looks, kind of model and name; any one of them, the first is where
            a download goes.
        folder: where the command line looks, below FCVG_MODELS; likewise.
        downloads: the file; of SVD, everything that is used, and last what it is told by.
    """

    key: str
    name: str
    needed: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    comfyui: tuple[str, ...]
    folder: tuple[str, ...]
    downloads: tuple[Download, ...]
    licence: str
    source: str

    @property
    def size(self) -> float:
        """About, in megabytes."""
        return sum(download.size for download in self.downloads)

    def targets(self, kind: str, root: Path) -> list[tuple[Download, Path]]:
        """Every file to fetch, and where to, below a folder that is "comfyui" or "folder"."""
        first = root / getattr(self, kind)[0]
        return [
            (download, first.parent / (download.name or first.name)) for download in self.downloads
        ]

    def find(self, roots: Iterable[tuple[str, Path]]) -> Path | None:
        """The first place where it is.

        Args:
            roots: folders that are each "folder", "comfyui" or, for one kind of models alone,
                "comfyui/" and the kind. ComfyUI looks into their sub-folders too.
        """
        for layout, root in roots:
            for pattern in self._patterns(layout):
                # Not Path.glob, which passes over linked folders, where large models often are.
                found = sorted(glob.glob(pattern, root_dir=root, recursive=True))
                path = next(filter(_is_model, (root / name for name in found)), None)
                if path:
                    return path
        return None

    def _patterns(self, layout: str) -> list[str]:
        if layout == "folder":
            return list(self.folder)
        _, _, kind = layout.partition("/")
        names = [name.partition("/") for name in self.comfyui]
        if kind:
            return [
                pattern for own, _, name in names if own == kind for pattern in (name, f"**/{name}")
            ]
        return [f"{own}/{pattern}" for own, _, name in names for pattern in (name, f"**/{name}")]


def _is_model(path: Path) -> bool:
    """A file; if it is an index, of SVD's folder with weights, and not of another model's."""
    if path.name != MODEL_INDEX or not path.is_file():
        return path.is_file()
    whole = all(svd_weights(path.parent / part) for part in SVD_PARTS)
    return whole and b"StableVideoDiffusionPipeline" in path.read_bytes()


def svd_weights(part: Path) -> list[Path]:
    """Files with the weights of a part of SVD's folder."""
    return [*sorted(part.glob("*.safetensors")), *sorted(part.glob("*.bin"))]


def _files(kind: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{kind}/{name}" for name in names)


def _svd() -> tuple[Download, ...]:
    """What of SVD's folder is used: the UNet's sizes, and the other networks in half precision."""
    sizes = {
        "feature_extractor/preprocessor_config.json": 0.001,
        "image_encoder/config.json": 0.001,
        "image_encoder/model.fp16.safetensors": 1264,
        "scheduler/scheduler_config.json": 0.001,
        "unet/config.json": 0.001,
        "vae/config.json": 0.001,
        "vae/diffusion_pytorch_model.fp16.safetensors": 196,
        MODEL_INDEX: 0.001,
    }
    place = f"{HUB}stabilityai/{SVD_FOLDER}/resolve/main/"
    return tuple(Download(place + name, size, name=name) for name, size in sizes.items())


FCVG_FOLDER = DRIVE + "1qIvr9WO8qk3NUdztxweTmexfkHt8oRDB/"
# The authors' unet.bin and controlnet.bin (huggingface.co/Pbihao/ControlNeXt, ControlNeXt-SVD/v2),
# in half precision and without pickle.
CONTROLNEXT = HUB + "Kijai/ControlNeXt-SVD-V2-Comfy/resolve/main/"
CONTROLNEXT_UNET = "controlnext-svd_v2-unet-fp16.safetensors"
CONTROLNEXT_NET = "controlnext-svd_v2-controlnet-fp16.safetensors"
# The authors' own files under these names.
CONTROLNEXT_UNET_BIN, CONTROLNEXT_NET_BIN = (
    name.replace(".safetensors", ".bin") for name in (CONTROLNEXT_UNET, CONTROLNEXT_NET)
)
DWPOSE = HUB + "yzd-v/DWPose/resolve/main/"
GLUESTICK = "https://github.com/cvg/GlueStick/"

CATALOGUE = (
    ModelFile(
        key="svd",
        name="SVD-XT-1.1, folder in diffusers' layout",
        needed=("inbetween", "animate"),
        comfyui=(f"diffusers/{SVD_FOLDER}/{MODEL_INDEX}",),
        folder=(f"{SVD_FOLDER}/{MODEL_INDEX}", MODEL_INDEX, f"*/{MODEL_INDEX}"),
        downloads=_svd(),
        licence="Stability AI Community License; has to be accepted on the page",
        source=f"huggingface.co/stabilityai/{SVD_FOLDER} (in ComfyUI its single file does too, in "
        "models/checkpoints, with Load Checkpoint Image Only in the place of Load SVD)",
    ),
    ModelFile(
        key="fcvg-unet",
        name="FCVG's UNet",
        needed=("inbetween",),
        comfyui=_files("diffusion_models", "fcvg_unet.safetensors"),
        folder=("unet.safetensors",),
        downloads=(Download(FCVG_FOLDER + "unet.safetensors", 6100),),
        licence="not stated; made from SVD's",
        source="github.com/Tian-one/FCVG, its folder on Google Drive: unet.safetensors",
    ),
    ModelFile(
        key="fcvg-controlnext",
        name="FCVG's ControlNeXt",
        needed=("inbetween",),
        comfyui=_files("controlnext", "fcvg_controlnext.safetensors"),
        folder=("controlnext.safetensors",),
        downloads=(Download(FCVG_FOLDER + "controlnext.safetensors", 14),),
        licence="not stated",
        source="github.com/Tian-one/FCVG, its folder on Google Drive: controlnext.safetensors",
    ),
    ModelFile(
        key="controlnext-svd-unet",
        name="ControlNeXt-SVD's UNet",
        needed=("animate",),
        comfyui=_files(
            "diffusion_models",
            CONTROLNEXT_UNET,
            CONTROLNEXT_UNET_BIN,
            "controlnext_svd_unet.safetensors",
            "controlnext_svd_unet.bin",
        ),
        folder=_files(
            "controlnext-svd",
            CONTROLNEXT_UNET,
            "unet.safetensors",
            "unet.bin",
            "unet_fp16.safetensors",
            "unet_fp16.bin",
        ),
        downloads=(Download(CONTROLNEXT + CONTROLNEXT_UNET, 3050),),
        licence="made from SVD's: Stability AI Community License",
        source="huggingface.co/Kijai/ControlNeXt-SVD-V2-Comfy; the authors' unet.bin: "
        "huggingface.co/Pbihao/ControlNeXt, ControlNeXt-SVD/v2",
    ),
    ModelFile(
        key="controlnext-svd-controlnext",
        name="ControlNeXt-SVD's ControlNeXt",
        needed=("animate",),
        comfyui=_files(
            "controlnext",
            CONTROLNEXT_NET,
            CONTROLNEXT_NET_BIN,
            "controlnext_svd_controlnet.safetensors",
            "controlnext_svd_controlnet.bin",
        ),
        folder=_files(
            "controlnext-svd", CONTROLNEXT_NET, "controlnet.safetensors", "controlnet.bin"
        ),
        downloads=(Download(CONTROLNEXT + CONTROLNEXT_NET, 14),),
        licence="not stated with the file; the code is Apache-2.0",
        source="huggingface.co/Kijai/ControlNeXt-SVD-V2-Comfy; the authors' controlnet.bin: "
        "huggingface.co/Pbihao/ControlNeXt, ControlNeXt-SVD/v2",
    ),
    ModelFile(
        key="yolox",
        name="DWPose, yolox_l.onnx",
        needed=("animate",),
        helps=("inbetween",),
        comfyui=_files("dwpose", "yolox_l.onnx"),
        folder=("yolox_l.onnx",),
        downloads=(
            Download(
                DWPOSE + "yolox_l.onnx",
                217,
                "7860ae79de6c89a3c1eb72ae9a2756c0ccfbe04b7791bb5880afabd97855a411",
            ),
        ),
        licence="Apache-2.0",
        source="huggingface.co/yzd-v/DWPose",
    ),
    ModelFile(
        key="dwpose",
        name="DWPose, dw-ll_ucoco_384.onnx",
        needed=("animate",),
        helps=("inbetween",),
        comfyui=_files("dwpose", "dw-ll_ucoco_384.onnx"),
        folder=("dw-ll_ucoco_384.onnx",),
        downloads=(
            Download(
                DWPOSE + "dw-ll_ucoco_384.onnx",
                134,
                "724f4ff2439ed61afb86fb8a1951ec39c6220682803b4a8bd4f598cd913b1843",
            ),
        ),
        licence="Apache-2.0",
        source="huggingface.co/yzd-v/DWPose",
    ),
    ModelFile(
        key="gluestick",
        name="GlueStick, checkpoint_GlueStick_MD.tar",
        helps=("inbetween",),
        comfyui=_files(
            "gluestick", "checkpoint_GlueStick_MD.tar", "checkpoint_GlueStick_MD.safetensors"
        ),
        folder=("checkpoint_GlueStick_MD.tar", "checkpoint_GlueStick_MD.safetensors"),
        downloads=(
            Download(GLUESTICK + "releases/download/v0.1_arxiv/checkpoint_GlueStick_MD.tar", 113),
        ),
        licence="MIT",
        source="github.com/cvg/GlueStick, releases",
    ),
    ModelFile(
        key="superpoint",
        name="SuperPoint, superpoint_v1.pth",
        helps=("inbetween",),
        comfyui=_files("gluestick", "superpoint_v1.pth", "superpoint_v1.safetensors"),
        folder=("superpoint_v1.pth", "superpoint_v1.safetensors"),
        downloads=(
            Download(
                GLUESTICK + "raw/main/resources/weights/superpoint_v1.pth",
                5,
                "52b6708629640ca883673b5d5c097c4ddad37d8048b33f09c8ca0d69db12c40e",
            ),
        ),
        licence="non-commercial research only",
        source="github.com/cvg/GlueStick, resources/weights",
    ),
)


def find_model(key: str, roots: Iterable[tuple[str, Path]]) -> Path | None:
    """Where the file of that key is."""
    return next(file for file in CATALOGUE if file.key == key).find(roots)


def missing(mode: str, roots: Iterable[tuple[str, Path]]) -> list[ModelFile]:
    """Files that a mode can't do without and that are in none of the folders."""
    roots = list(roots)
    return [file for file in CATALOGUE if mode in file.needed and file.find(roots) is None]
