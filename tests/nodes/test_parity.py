"""The native face against diffusers' networks: same weights, same noise, same conditions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fcvg_core.models.svd import SIGMA_MAX, SIGMA_MIN
from fcvg_core.progress import silent
from fcvg_core.sampling import draw_noise, karras_sigmas
from fcvg_core.settings import FAST, SamplingSettings
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.demo.scene import draw_sample_middle, draw_sample_pair
from fcvg_core.standalone.networks.denoising import denoise
from fcvg_core.standalone.networks.loading import Models, check_models, fill_models
from fcvg_core.standalone.networks.mpd import denoise_plain
from fcvg_core.standalone.networks.pipeline import InbetweenPipeline

SIZE = (64, 128)
SETTINGS = {
    "num_frames": 5, "window": 25, "overlap": 6, "steps": 3, "guidance_start": 1.0,
    "guidance_end": 3.0, "control_weight": 1.0, "fps": 7, "motion_bucket_id": 127,
    "augmentation": 0.02, "noise_injection_steps": 0, "noise_injection_ratio": 0.0,
    "denoise": 1.0, "schedule": "karras", "guidance_from": 0.0, "guidance_until": 1.0,
    "forward_share": 0.0, "cache_interval": 1,
}  # fmt: skip


def picture(seed: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (*SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def pipeline(stand_ins):
    checked = check_models(
        stand_ins / "svd",
        stand_ins / "unet.safetensors",
        stand_ins / "controlnext.safetensors",
        torch.float32,
    )
    models = Models(**dict(fill_models(checked)))
    return InbetweenPipeline(models, device=torch.device("cpu"), offload=False)


@pytest.fixture(scope="module")
def native(load_controlnext, load, stand_ins):
    """MODEL, CLIP_VISION, VAE and ControlNeXt of the host."""
    loading = load("nodes.host.svd.loading")
    encoders = loading.load_svd_encoders(str(stand_ins / "svd"))
    model = loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default")
    controlnext = load_controlnext(str(stand_ins / "controlnext.safetensors"))
    return model, *encoders, controlnext


def test_vae_decodes_the_same(pipeline, native):
    latents = torch.randn(5, 4, 8, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        theirs = pipeline.models.vae.decode(latents, num_frames=5).sample
        ours = native[2].first_stage_model.decode(latents)
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.std()


def test_conditions_are_the_same(load, pipeline, native):
    conditioning = load("nodes.host.svd.conditioning")
    frame = picture(0)
    noise = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    theirs = pipeline.encode(frame, noise, 0.02)
    pixels = torch.from_numpy(frame)[None].movedim(-1, 1) / 255
    settings = conditioning.KeyframeSettings(7, 127, 0.02)
    with torch.no_grad():
        encoded = conditioning.encode_keyframes(
            native[1], native[2], (pixels, pixels), noise, settings
        )
    ((embedding, values),) = encoded.images[0]
    ((zero, _),) = encoded.negative
    latent = values["concat_latent_image"]
    assert (latent - theirs.latent).abs().max() <= 1e-4 * theirs.latent.std()
    # The host keeps CLIP in half precision, which the stand-ins' weights fit.
    assert (embedding - theirs.embedding).abs().max() <= 1e-3 * theirs.embedding.std()
    assert not zero.any()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"num_frames": 7, "window": 4, "overlap": 2},
        {"guidance_start": 1.0, "guidance_end": 1.0},
        {"noise_injection_steps": 1, "noise_injection_ratio": 0.5},
        {"denoise": 0.6, "noise_injection_steps": 1, "noise_injection_ratio": 0.5},
        {"schedule": "ays", "steps": 4, "guidance_from": 0.25, "guidance_until": 0.6},
        {"schedule": "ays", "steps": 3, "denoise": 0.6},
        {"forward_share": 0.5, "num_frames": 7, "window": 4, "overlap": 2},
        {"forward_share": 1.0, "noise_injection_steps": 1, "noise_injection_ratio": 0.5},
        FAST,
        {"num_frames": 9, "at": (0, 3, 8), "window": 4, "overlap": 2, "forward_share": 0.4},
        {
            "num_frames": 7,
            "at": (0, 3, 6),
            "noise_injection_steps": 1,
            "noise_injection_ratio": 0.5,
            "denoise": 0.6,
        },
    ],
    ids=[
        "plain",
        "windows",
        "unguided",
        "injection",
        "from a video",
        "interval",
        "ays from a video",
        "forward only, windows",
        "forward only, injection",
        "fast",
        "three keyframes, windows, forward only",
        "three keyframes, injection",
    ],  # fmt: skip
)
def test_one_box_paints_what_the_command_line_paints(load, pipeline, native, changed):
    """From the same seed on, through encoding, sampling and decoding."""
    settings = {**SETTINGS, **changed}
    at = settings.pop("at", (0, settings["num_frames"] - 1))
    keyframes = tuple(picture(1 + i) for i in range(len(at)))
    control = np.stack([picture(10 + i) for i in range(settings["num_frames"])])
    start = np.stack([picture(30 + i) for i in range(settings["num_frames"])])
    sampling = SamplingSettings(**settings)
    theirs = pipeline(keyframes, control, sampling, at=at, start=start, seed=5, decode_chunk=2)

    boxes, decode = load("nodes.host.boxes"), load("nodes.host.svd.decode")
    encode = load("nodes.host.svd.encode").encode_frames
    images = {f"frame {i}": torch.from_numpy(x)[None] / 255 for i, x in enumerate(keyframes)}
    with torch.no_grad():
        latent = boxes.sample_inbetween(
            boxes.SvdModels(*native[:3]),
            images,
            boxes.Control(native[3], torch.from_numpy(control) / 255),
            box_settings(boxes, settings),
            at=at,
            start={"samples": encode(native[2], torch.from_numpy(start) / 255, 2)},
        )
        ours = decode.decode_frames(native[2], latent["samples"], 2)
    difference = (ours * 255 - torch.from_numpy(theirs)).abs()
    assert difference.max() <= 1.0  # theirs is rounded to whole values


def box_settings(boxes, sampling: dict):
    """Settings of the box that samples as the command line does."""
    return boxes.BoxSettings(
        sampling=SamplingSettings(**sampling),
        size=SIZE,
        seed=5,
        sampler_name="euler",
    )


def widgets(node, **changed) -> dict:
    """The values that a node has in a new graph, but for some."""
    inputs = node.define_schema().inputs
    found = {one.id: one.default for one in inputs if getattr(one, "default", None) is not None}
    return found | changed


def paint_graph(nodes: dict, models: tuple, pictures: list[np.ndarray], seed: int) -> tuple:
    """Control frames and frames of the nodes, chained as in workflows/fcvg_simple.json."""
    size = {"height": SIZE[0], "width": SIZE[1]}
    images = [torch.from_numpy(pixels)[None] / 255 for pixels in pictures]
    images = [nodes["FCVG_CropResize"].execute(image, **size).args[0] for image in images]
    frames = dict(zip(("first_frame", "last_frame"), images, strict=True))
    node = nodes["FCVG_MatchLines"]
    matches = node.execute(**widgets(node, **frames)).args[0]
    node = nodes["FCVG_InterpolateConditions"]
    control = node.execute(**widgets(node, line_matches=matches, num_frames=5)).args[0]
    node = nodes["FCVG_Sampler"]
    given = widgets(node, **size, **frames, num_frames=5, steps=2, seed=seed)
    given |= {"controlnext": models[3], "control_frames": control}
    latent = node.execute(*models[:3], **given).args[0]
    node = nodes["FCVG_DecodeFrames"]
    return control, node.execute(**widgets(node, vae=models[2], latent=latent)).args[0]


def paint_keyframes(nodes: dict, models: tuple, pictures: list[np.ndarray], seed: int) -> tuple:
    """As `paint_graph`, chained as in workflows/fcvg_keyframes.json, with the middle at frame 3."""
    size = {"height": SIZE[0], "width": SIZE[1]}
    first, middle, last = (torch.from_numpy(pixels)[None] / 255 for pixels in pictures)
    (keyframes,) = nodes["FCVG_Keyframe"].execute(middle, 3).args
    images = [nodes["FCVG_CropResize"].execute(image, **size).args[0] for image in (first, last)]
    frames = dict(zip(("first_frame", "last_frame"), images, strict=True))
    shared = {"keyframes": keyframes, "num_frames": 8}
    node = nodes["FCVG_MatchKeyframes"]
    motion = node.execute(**widgets(node, **frames, keyframes=keyframes)).args[0]
    node = nodes["FCVG_InterpolateConditions"]
    control = node.execute(**widgets(node, motion=motion, **shared)).args[0]
    node = nodes["FCVG_Sampler"]
    given = widgets(node, **size, **frames, **shared, steps=2, seed=seed)
    given |= {"controlnext": models[3], "control_frames": control}
    latent = node.execute(*models[:3], **given).args[0]
    node = nodes["FCVG_DecodeFrames"]
    return control, node.execute(**widgets(node, vae=models[2], latent=latent)).args[0]


def read_pictures(folder: Path) -> np.ndarray:
    return np.stack([np.array(Image.open(path)) for path in sorted(folder.iterdir())])


@pytest.mark.parametrize(
    ("given", "length", "paint"),
    [
        (SIZE, ("--frames", "5"), paint_graph),
        ((150, 200), ("--frames", "5"), paint_graph),
        ((150, 200), ("--at", "0,3,7"), paint_keyframes),
    ],
    ids=["right size", "another size", "three keyframes"],
)
def test_the_same_seed_is_the_same_video_from_the_pictures_on(
    node_classes, native, stand_ins, tmp_path, monkeypatch, given, length, paint
):
    """Graph and command line with their own defaults: crop, match, draw, paint, decode."""
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    pictures = [*draw_sample_pair(given)]
    if paint is paint_keyframes:
        pictures.insert(1, draw_sample_middle(given))
    paths = [tmp_path / f"{number}.png" for number in range(len(pictures))]
    for path, pixels in zip(paths, pictures, strict=True):
        Image.fromarray(pixels).save(path)
    command = [
        "inbetween",
        *map(str, paths),
        "-o",
        str(tmp_path / "out"),
        "--seed",
        "3",
        "--height",
        str(SIZE[0]),
        "--width",
        str(SIZE[1]),
        *length,
        "--steps",
        "2",
        "--matcher",
        "classic",
        "--no-poses",
        "--device",
        "cpu",
        "--model",
        str(stand_ins / "svd"),
        "--unet",
        str(stand_ins / "unet.safetensors"),
        "--controlnext",
        str(stand_ins / "controlnext.safetensors"),
    ]
    assert main(command) == 0
    with torch.inference_mode():
        control, frames = paint(node_classes, native, pictures, seed=3)
    theirs = read_pictures(tmp_path / "out" / "condition")
    assert theirs.any() and np.array_equal((control * 255).round().byte().numpy(), theirs)
    theirs = torch.from_numpy(read_pictures(tmp_path / "out" / "frames"))
    assert (frames * 255 - theirs).abs().max() <= 1.0  # theirs is rounded to whole values


def test_latents_agree(load, pipeline, native):
    boxes = load("nodes.host.boxes")
    control = np.stack([picture(10 + i) for i in range(5)])
    images = {f"frame {i}": torch.from_numpy(picture(i))[None] / 255 for i in (1, 2)}
    noise = draw_noise(5, SIZE, 5)
    with torch.no_grad():
        keyframes = tuple(pipeline.encode(picture(i), noise.augmentation, 0.02) for i in (1, 2))
        frames = torch.from_numpy(control).movedim(-1, 1) / 255
        settings = SamplingSettings(**SETTINGS)
        theirs = denoise(pipeline.models, keyframes, frames, noise.latents, settings)
        ours = boxes.sample_inbetween(
            boxes.SvdModels(*native[:3]),
            images,
            boxes.Control(native[3], torch.from_numpy(control) / 255),
            box_settings(boxes, SETTINGS),
        )["samples"]
    assert (ours * 0.18215 - theirs).abs().max() <= 1e-3 * theirs.std()


@pytest.mark.parametrize(
    "changed",
    [{}, {"num_frames": 7, "window": 4, "overlap": 2}],
    ids=["one window", "windows"],
)
def test_mpd_agrees(load, pipeline, native, node_classes, changed):
    """MPD on SVD alone: from the same noise and conditions to the same latents."""
    settings = SamplingSettings(**{**SETTINGS, "augmentation": 0.0, **changed})
    keyframes = (picture(1), picture(2))
    noise = draw_noise(5, SIZE, settings.num_frames)
    with torch.no_grad():
        encoded = tuple(pipeline.encode(frame, noise.augmentation, 0.0) for frame in keyframes)
        theirs = denoise_plain(
            pipeline.models,
            encoded,
            tuple(pipeline.encode_video(frame[None], 1, silent) for frame in keyframes),
            noise.latents,
            settings,
            draw=lambda: torch.randn(noise.latents.shape, generator=noise.generator),
        )
    conditions = load("nodes.host.svd.conditioning").condition_video(
        native[1],
        native[2],
        {f"frame_{i}": torch.from_numpy(frame)[None] / 255 for i, frame in enumerate(keyframes)},
        size=SIZE,
        num_frames=settings.num_frames,
        settings=load("nodes.host.svd.conditioning").KeyframeSettings(7, 127, 0.0),
        seed=5,
        control_frames=None,
    )
    node = node_classes["FCVG_GuideInbetween"]
    widget = {"window": settings.window, "overlap": settings.overlap}
    (guider,) = node.execute(native[0], *conditions[:3], **widgets(node, **widget)).args
    noise = draw_noise(5, SIZE, settings.num_frames)
    levels = karras_sigmas(settings.steps, lowest=SIGMA_MIN, highest=SIGMA_MAX)
    with torch.no_grad():
        ours = guider.sample(
            noise.latents,
            conditions[3]["samples"],
            load("nodes.host.mpd").MpdSampler(noise.generator),
            levels,
            disable_pbar=True,
            seed=5,
        )
    assert (ours * 0.18215 - theirs).abs().max() <= 1e-3 * theirs.std()
