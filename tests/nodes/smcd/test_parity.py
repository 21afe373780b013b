"""SMCD in the host against the face without a host: the same files, the same video."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from fcvg_core.boxes import BoxTrack, BoxTracks
from fcvg_core.standalone.networks.smcd import SmcdFiles, SmcdRequest, SmcdSettings, check_smcd

SIZE = (64, 128)
SETTINGS = SmcdSettings(num_frames=4, steps=3, guidance=4.0, scene_guidance=2.0, pad_to=3)
BOXES = {"dog": [0.1, 0.2, 0.5, 0.9], "a red cat": [0.3, 0.1, 1.0, 0.6]}


def picture() -> np.ndarray:
    return np.random.RandomState(1).randint(0, 256, (*SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def pipeline(host, smcd_folder, modelscope):
    tokenizer = Path(host) / "comfy" / "sd1_tokenizer"
    files = SmcdFiles(ckpt=smcd_folder, modelscope=modelscope, tokenizer=tokenizer)
    checked = check_smcd(files, torch.float32, ())
    return checked.load(torch.device("cpu"), False, lambda *state: None)


@pytest.fixture
def conditioned(load, loaded, clip, vae):
    """Outputs of the conditioning node."""
    room, module = load("fcvg_core.boxes"), load("nodes.host.smcd.conditioning")
    settings = module.BoxSettings(num_frames=SETTINGS.num_frames, size=SIZE, pad_to=SETTINGS.pad_to)
    prompts = (clip.encode_from_tokens_scheduled(clip.tokenize(x)) for x in ("a dog runs", ""))
    image = torch.from_numpy(picture())[None] / 255
    tracks = room.BoxTracks(
        tuple(room.BoxTrack(x.label, x.boxes, x.present) for x in tracks_of().tracks), 4
    )
    return module.condition_boxes(*prompts, loaded.encoders, clip, vae, image, tracks, settings)


def tracks_of() -> BoxTracks:
    """The dog moves, and is not there at the end."""
    there = np.arange(4) < 3
    steps = np.arange(4)[:, None] * [0.1, 0.0, 0.1, 0.0]
    found = (BoxTrack(label, np.array(box) + steps * (label == "dog"), there | (label != "dog"))
             for label, box in BOXES.items())  # fmt: skip
    return BoxTracks(tuple(found), 4)


@pytest.mark.seam
def test_the_same_seed_is_the_same_video(load, loaded, vae, pipeline, conditioned):
    """On a CPU, from the picture to the frames."""
    import comfy.sample

    request = SmcdRequest(first=picture(), tracks=tracks_of(), prompt="a dog runs")
    theirs = pipeline(request, SETTINGS, seed=5)
    positive, negative, nothing, latent = conditioned
    model, lines = loaded.model.clone(), []
    tell = load("nodes.host.smcd.runs").tell_of_runs
    tell(model, nullcontext, lambda: lines.append)
    guider = load("nodes.host.unet3d.guider").make_guider(
        model,
        positive,
        negative,
        nothing,
        cfg=SETTINGS.guidance,
        cfg_image=SETTINGS.scene_guidance,
        rescale=0.0,
    )
    sampling = load("nodes.host.unet3d.sampling")
    latents = guider.sample(
        comfy.sample.prepare_noise(latent["samples"], 5),
        latent["samples"],
        sampling.ddim_sampler(0.0),
        sampling.ddim_levels_of(model, SETTINGS.steps, "uniform"),
        disable_pbar=True,
        seed=5,
    )
    ours = load("nodes.host.svd.decode").decode_frames(vae, latents, 2)
    difference = (ours * 255 - torch.from_numpy(theirs)).abs()
    assert difference.max() <= 1.0  # theirs is rounded to whole values
    assert theirs.std() > 5
    assert lines[0] == ["4 frames of 128 x 64 in one window."]
