"""Two clips painted by an export: in Python, by the command line, and in a real ComfyUI."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image
from two_clips import FPS, FRAMES, SIZE, TIMING, DrawnClip

from fcvg_core.lines import format_matches
from fcvg_core.progress import silent
from fcvg_core.standalone.media.video import read_image_folder
from fcvg_core.standalone.media.writing import write_picture
from fcvg_core.standalone.networks.loading import Models, check_models, fill_models
from fcvg_core.standalone.networks.pipeline import InbetweenPipeline
from fcvg_core.standalone.networks.vae import collect_video
from fcvg_core.standalone.spec import InbetweenSampling

ROOT = Path(__file__).resolve().parents[1]
SAMPLING_STEPS = 12
MODELS = MappingProxyType(
    {"model": "svd", "unet": "unet.safetensors", "controlnext": "controlnext.safetensors"}
)
# Options of `inbetween`; guidance 1 is one pass a step.
OPTIONS = MappingProxyType(
    {
        "width": SIZE[1],
        "height": SIZE[0],
        "frames": FRAMES,
        "steps": SAMPLING_STEPS,
        "min-guidance": 1.0,
        "max-guidance": 1.0,
        "timing": TIMING,
    }
)


@dataclass(frozen=True)
class ClipFiles:
    """What the command line and ComfyUI are given of a clip."""

    first: Path
    last: Path
    matches: Path


def write_clip(folder: Path, clip: DrawnClip) -> ClipFiles:
    """Write the ends of a clip and its lines, as NAME_first.png, NAME_last.png and NAME.json."""
    names = (f"{clip.name}_first.png", f"{clip.name}_last.png", f"{clip.name}.json")
    files = ClipFiles(*(folder / name for name in names))
    folder.mkdir(parents=True, exist_ok=True)
    write_picture(files.first, clip.frames[0])
    write_picture(files.last, clip.frames[-1])
    files.matches.write_text(format_matches(clip.matches), encoding="utf-8")
    return files


def open_pipeline(models: Path) -> InbetweenPipeline:
    """The networks of a folder of models, opened as the command line opens them."""
    checked = check_models(*(models / file for file in MODELS.values()), torch.float32)
    networks = Models(**dict(fill_models(checked)))
    return InbetweenPipeline(networks, device=torch.device("cpu"), offload=False)


def paint_clip(pipeline: InbetweenPipeline, clip: DrawnClip, control: np.ndarray) -> np.ndarray:
    """Frames [T, H, W, 3] between the ends of a clip, along control frames [T, H, W, 3]."""
    sampling = InbetweenSampling(steps=SAMPLING_STEPS, guidance_start=1.0, guidance_end=1.0)
    return pipeline(
        (clip.frames[0], clip.frames[-1]),
        control,
        sampling.settings(num_frames=FRAMES, fps=FPS),
        seed=0,
        decode_chunk=2,
    )


def through_vae(pipeline: InbetweenPipeline, frames: np.ndarray) -> np.ndarray:
    """Frames [T, H, W, 3], encoded and decoded: the best that can be painted."""
    latents = pipeline.encode_video(frames, 2, silent)
    return collect_video(pipeline.decode(latents, 2, silent), len(frames))


def paint_by_command(models: Path, clip: ClipFiles, output: Path) -> np.ndarray:
    """Frames [T, H, W, 3] that `python -m fcvg_core inbetween` paints."""
    options = {
        **OPTIONS,
        **{name: models / file for name, file in MODELS.items()},
        "matches": clip.matches,
        "device": "cpu",
        "output": output,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "fcvg_core", "inbetween", clip.first, clip.last, "--no-poses"]
    subprocess.run([*map(str, command), *words], cwd=ROOT, check=True)
    return np.stack([*read_image_folder(output / "frames", max_frames=None)])


def paint_in_comfyui(host: Path, models: Path, clip: ClipFiles) -> np.ndarray:
    """Frames [T, H, W, 3] that a started ComfyUI paints by the graph fcvg_inbetween.

    Args:
        host: folder of ComfyUI.
    """
    sys.path.append(str(ROOT / "tests"))
    from comfy_server import ComfyServer

    with tempfile.TemporaryDirectory() as folder:
        server = ComfyServer(host, Path(folder), models)
        for path in (clip.first, clip.last, clip.matches):
            (server.base / "input" / path.name).write_bytes(path.read_bytes())
        with server:
            history = server.run(_graph(clip))
            if history["status"]["status_str"] != "success":
                raise RuntimeError(json.dumps(history["status"], indent=1))
            saved = history["outputs"]["22"]["images"]
            paths = [server.base / "output" / x["subfolder"] / x["filename"] for x in saved]
            return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])


def _graph(clip: ClipFiles) -> dict:
    """The graph of the workflow with the options of this benchmark; it saves pictures."""
    path = ROOT / "workflows" / "api" / "fcvg_inbetween.json"
    graph = json.loads(path.read_text(encoding="utf-8"))
    graph["5"] = {"class_type": "FCVG_LoadLineMatches", "inputs": {"file": clip.matches.name}}
    changes: Mapping[str, dict] = {
        "1": {"image": clip.first.name},
        "2": {"image": clip.last.name},
        "32": {"width": SIZE[1], "height": SIZE[0], "num_frames": FRAMES},
        "7": {"timing": TIMING},
        "14": {"min_guidance": 1.0, "max_guidance": 1.0},
        "17": {"steps": SAMPLING_STEPS},
        "18": {"noise_seed": 0},
    }
    for node, values in changes.items():
        graph[node]["inputs"].update(values)
    for node in ("24", "25", "26", "27", "31", "21"):  # matcher, people, preview, video
        del graph[node]
    for name in ("first_pose", "last_pose"):
        del graph["7"]["inputs"][name]
    graph["22"] = {
        "class_type": "SaveImage",
        "inputs": {"images": ["20", 0], "filename_prefix": "two_clips"},
    }
    return graph
