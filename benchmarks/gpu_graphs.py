"""Graphs for the benchmark (those of workflows/api, and loaders alone), and checks of results."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gpu_server import PartFailedError, Run
from gpu_weights import ANIMATE_CONTROL, ANIMATE_UNET, FCVG_CONTROL, FCVG_UNET, ROOT, SVD

INBETWEEN, ANIMATE = "fcvg_simple", "controlnext_svd_simple"
SAMPLERS = ("FCVG_Sampler", "FCVG_AnimateSampler", "SamplerCustomAdvanced")
PICTURES = ("first", "last")
AGAIN = "_again"  # suffix of copies of the pictures: with them the host can't use its cache
DRIVING_SIZE = (192, 128)
MAX_LATENT = 100.0  # latents are about 1; a clamped overflow is far above this limit


@dataclass(frozen=True)
class Size:
    """Size of a video, and its number of steps."""

    height: int
    width: int
    num_frames: int
    steps: int


@dataclass(frozen=True, eq=False)
class Video:
    """Result of a graph."""

    latents: np.ndarray  # [T, 4, h, w]
    frames: np.ndarray  # [T, H, W, 3] uint8


def write_inputs(folder: Path, size: Size) -> None:
    """Write the keyframes, copies of them, and a driving video with one frame less than `size`."""
    from PIL import Image

    from fcvg_core.standalone.demo.scene import draw_sample_pair
    from fcvg_core.standalone.media.writing import write_video

    folder.mkdir(parents=True, exist_ok=True)
    pair = draw_sample_pair((size.height, size.width))
    for name, frame in zip(PICTURES, pair, strict=True):
        Image.fromarray(frame).save(folder / f"{name}.png")
        Image.fromarray(frame).save(folder / f"{name}{AGAIN}.png")
    # DWPose's stand-ins find people in any picture. The first pose is from the reference picture.
    frames = np.full((size.num_frames - 1, *DRIVING_SIZE, 3), 90, np.uint8)
    frames += np.arange(len(frames), dtype=np.uint8)[:, None, None, None]
    video = folder / "driving.mp4"
    video.unlink(missing_ok=True)
    write_video(video, frames, 15)


def read_graph(name: str, size: Size, *, again: bool = False, unet_dtype: str = "default") -> dict:
    """A graph of workflows/api that also saves its latents and its frames.

    Args:
        name: name of the file without its ending.
        size: size of the video.
        again: use the copies of the pictures, so that the host can't use its cache.
        unet_dtype: weight_dtype of Load FCVG Model.
    """
    prompt = json.loads((ROOT / "workflows" / "api" / f"{name}.json").read_text("utf-8"))
    sizes = {
        "width": size.width,
        "height": size.height,
        "num_frames": size.num_frames,
        "steps": size.steps,
        "window": size.num_frames,
        "select_every_nth": 1,
    }
    for node in prompt.values():
        inputs = node["inputs"]
        if node["class_type"] != "FCVG_InjectNoise":
            inputs.update({k: v for k, v in sizes.items() if isinstance(inputs.get(k), int)})
        if node["class_type"] == "LoadImage" and again:
            inputs["image"] = inputs["image"].replace(".png", f"{AGAIN}.png")
        if node["class_type"] == "FCVG_LoadModel":
            inputs["weight_dtype"] = unet_dtype
    decode = node_of(prompt, "FCVG_DecodeFrames")
    latent = prompt[decode]["inputs"]["latent"]
    return {
        **prompt,
        "latents": _node("SaveLatent", samples=latent, filename_prefix="latents/gpu"),
        "frames": _node("SaveImage", images=[decode, 0], filename_prefix="frames/gpu"),
    }


def loader_graphs() -> dict[str, dict]:
    """Name -> graph with only a loader. The host's PreviewAny node makes the loader run."""
    svd, unet = Path(SVD).name, Path(FCVG_UNET).name
    cases = {
        "SVD without its UNet": ("FCVG_LoadSVD", (1, 2), {"folder": svd, "with_unet": False}),
        "SVD with its UNet": ("FCVG_LoadSVD", (0, 1, 2), {"folder": svd, "with_unet": True}),
    }
    for dtype in ("default", "fp8_e4m3fn", "fp8_e5m2"):
        inputs = {"unet_name": unet, "weight_dtype": dtype}
        cases[f"FCVG's UNet, {dtype}"] = ("FCVG_LoadModel", (0,), inputs)
    inputs = {"unet_name": Path(ANIMATE_UNET).name, "weight_dtype": "default"}
    cases["ControlNeXt-SVD's UNet"] = ("FCVG_LoadModel", (0,), inputs)
    for what, path in (("FCVG", FCVG_CONTROL), ("ControlNeXt-SVD", ANIMATE_CONTROL)):
        inputs = {"controlnext_name": Path(path).name}
        cases[f"{what}'s ControlNeXt"] = ("FCVG_LoadControlNeXt", (0,), inputs)
    return {
        name: {
            "loader": {"class_type": kind, "inputs": inputs},
            **{f"seen{i}": _node("PreviewAny", source=["loader", i]) for i in outputs},
        }
        for name, (kind, outputs, inputs) in cases.items()
    }


def node_of(prompt: dict, *kinds: str) -> str:
    """Id of the only node with one of the given classes."""
    (found,) = [key for key, node in prompt.items() if node["class_type"] in kinds]
    return found


def times_of(prompt: dict, run: Run, steps: int) -> dict[str, float | None]:
    """Seconds of a step (without the first step), of sampling, and of decoding.

    Sampling includes all work of the sampler's node: encoding the keyframes and, in the first
    run, moving the models to the GPU.
    """
    sampler = node_of(prompt, *SAMPLERS)
    ends = [when for total, when in run.progress.get(sampler, []) if total == steps]
    step = (ends[-1] - ends[0]) / (len(ends) - 1) if len(ends) > 1 else None
    kinds = {node["class_type"]: key for key, node in prompt.items()}
    decode = kinds.get("FCVG_DecodeFrames")
    steps = [b - a for a, b in zip(ends, ends[1:], strict=False)]
    found = {"step_s": step, "sampler_s": run.nodes.get(sampler), "steps_s": steps}
    return found if decode is None else {**found, "decode_s": run.nodes.get(decode)}


def estimate_memory(size: Size, unet_dtype: str) -> int:
    """Bytes that a graph should use on a GPU with much free memory, without the driver's own.

    With so much memory ComfyUI computes two passes at once, and keeps CLIP and VAE on the GPU.

    Args:
        unet_dtype: weight_dtype of Load FCVG Model.
    """
    from fcvg_core.estimate import PASSES, estimate

    dtype = "bf16" if unet_dtype == "default" else "fp8"
    found = estimate(
        (size.height, size.width),
        size.num_frames,
        size.num_frames,
        dtype,
        overlap=0,  # there is one window
        at_once=PASSES,
    )
    return found.together


def check_latents(run: Run, base: Path, size: Size) -> np.ndarray:
    """Read, check and delete the latents that a graph has written.

    Raises:
        PartFailedError: values are NaN, infinite, too large or all the same.
    """
    from safetensors.numpy import load_file

    saved = _files(run, "latents", base)
    if not saved:
        raise PartFailedError("no latents were saved")
    latents = load_file(saved[0])["latent_tensor"]
    saved[0].unlink()
    if not np.isfinite(latents).all() or np.abs(latents).max() > MAX_LATENT:
        bad = int((~np.isfinite(latents)).sum())
        raise PartFailedError(
            f"{bad} of {latents.size} latents are not finite; the largest is "
            f"{np.nanmax(np.abs(latents)):.3g}, but at most {MAX_LATENT:.0f} is expected"
        )
    if latents.shape[0] != size.num_frames:
        raise PartFailedError(
            f"latents are {latents.shape}, but {size.num_frames} frames are expected"
        )
    if latents.std() < 1e-3:
        raise PartFailedError(
            f"the latents are almost constant: their standard deviation is {latents.std():.3g}"
        )
    return latents


def check_video(run: Run, base: Path, size: Size) -> Video:
    """Read, check and delete the files that a graph has written.

    Raises:
        PartFailedError: latents are wrong, see `check_latents`, or frames are missing or have only
            one colour.
    """
    from PIL import Image

    pictures = _files(run, "frames", base)
    if len(pictures) != size.num_frames:
        raise PartFailedError(f"{len(pictures)} frames were saved, not {size.num_frames}")
    frames = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in pictures])
    for path in pictures:
        path.unlink()
    latents = check_latents(run, base, size)
    wanted = (size.num_frames, size.height, size.width, 3)
    if frames.shape != wanted:
        raise PartFailedError(f"frames are {frames.shape}, but {wanted} is expected")
    flat = [i for i, frame in enumerate(frames) if frame.std() < 1]
    if flat:
        raise PartFailedError(f"frames {flat} have only one colour")
    return Video(latents, frames)


def compare(first: Video, second: Video) -> str | None:
    """Difference of two runs of the same graph, in words; None if they are exactly equal."""
    if np.array_equal(first.latents, second.latents) and np.array_equal(
        first.frames, second.frames
    ):
        return None
    latents = np.abs(first.latents - second.latents).max()
    frames = np.abs(first.frames.astype(int) - second.frames).max()
    return f"latents differ by up to {latents:.3g}, frames by up to {frames} of 255"


def _node(kind: str, **inputs) -> dict:
    return {"class_type": kind, "inputs": inputs}


def _files(run: Run, node: str, base: Path) -> list[Path]:
    """Files that an output node reports."""
    found = run.outputs.get(node, {})
    return [
        base / "output" / item["subfolder"] / item["filename"]
        for items in found.values()
        if isinstance(items, list)
        for item in items
        if isinstance(item, dict)
    ]
