"""DropletVideo in the host against the face without a host: the same folder, the same video."""

from pathlib import Path

import numpy as np
import pytest
import torch
from dropletvideo_runs import encode

from fcvg_core.models.dropletvideo.conditioning import augment, condition_frames, mask_latents
from fcvg_core.standalone.networks.dropletvideo import (
    DropletFiles,
    DropletRequest,
    DropletSettings,
    check_droplet,
)

PROMPT = "A cat's walk (slow:1.2): 2 dogs -- na\u00efve!  Again [and] again"
SETTINGS = DropletSettings(
    num_frames=5, steps=3, guidance=3.0, augmentation=0.05, augmentation_seed=7
)


@pytest.fixture(scope="module")
def pipeline(host, droplet_folder):
    """The face without a host, with the tokenizer of the host."""
    tokenizer = Path(host) / "comfy" / "text_encoders" / "t5_tokenizer"
    files = DropletFiles(ckpt=droplet_folder, tokenizer=tokenizer)
    checked = check_droplet(files, torch.float32, [])
    return checked.load(torch.device("cpu"), False, lambda *state: None)


@pytest.fixture(scope="module")
def request_():
    pictures = np.random.RandomState(1).randint(0, 256, (2, 32, 48, 3), np.uint8)
    return DropletRequest(
        first=pictures[0], last=pictures[1], prompt=PROMPT, negative_prompt="", fps=8
    )


@pytest.mark.seam
def test_the_same_video(load, loaded, pipeline, request_):
    import comfy.sample
    import comfy.samplers

    theirs = pipeline(request_, SETTINGS, seed=5)
    conditions = pipeline.encode(request_, SETTINGS)
    keys = load("nodes.host.dropletvideo.model")
    pictures = (
        torch.from_numpy(x).movedim(-1, 0) / 255 * 2 - 1 for x in (request_.first, request_.last)
    )
    video = augment(condition_frames(*pictures, 5), SETTINGS.augmentation, 7)
    latents = loaded.vae.encode((video[0].movedim(0, -1) + 1) / 2)
    mask = mask_latents(5, tuple(latents.shape[-2:]), has_last=True, scale=1.0)
    values = {keys.PICTURE_LATENTS: latents, keys.MASK: mask, keys.FPS: request_.fps}
    texts = [encode(loaded.clip, text) for text in (PROMPT, "")]
    for ours, text in zip(texts, (conditions.text, conditions.negative_text), strict=True):
        assert (ours - text).abs().max() <= 1e-3 * text.std()
    guider = comfy.samplers.CFGGuider(loaded.model)
    guider.set_conds(*([[text, values]] for text in texts))
    guider.set_cfg(SETTINGS.guidance)
    noise = comfy.sample.prepare_noise(torch.zeros(1, 16, 2, 4, 6), 5)
    out = guider.sample(
        noise,
        torch.zeros_like(noise),
        comfy.samplers.sampler_object("euler"),
        load("nodes.host.dropletvideo.sampling").trailing_levels(loaded.model, SETTINGS.steps),
        disable_pbar=True,
        seed=5,
    )
    difference = (loaded.vae.decode(out)[0] * 255 - torch.from_numpy(theirs)).abs()
    assert difference.max() <= 1.0  # theirs is rounded to whole values
