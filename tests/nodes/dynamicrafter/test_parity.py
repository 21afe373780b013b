"""DynamiCrafter in the host against the face without a host: the same file, the same clip."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dynamicrafter_runs import host_keys

from fcvg_core.standalone.networks.clip_text import Tokenizer, encode_prompt
from fcvg_core.standalone.networks.dynamicrafter import (
    ClipRequest,
    ClipSettings,
    DynamiCrafterFiles,
    check_files,
)

SIZE = (64, 128)
PROMPT = "A cat's walk: 2 dogs -- na\u00efve & slow!  Again"
SETTINGS = ClipSettings(
    num_frames=4,
    rate=24,
    steps=3,
    eta=1.0,
    spacing="uniform_trailing",
    guidance=3.0,
    image_guidance=None,
    rescale=0.7,
    image_tokens="per frame",
    decode_chunk=2,
)


def picture(seed: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (*SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def tokenizer_folder(host) -> Path:
    return Path(host) / "comfy" / "sd1_tokenizer"


@pytest.fixture(scope="module")
def pipeline(checkpoint, tokenizer_folder):
    files = DynamiCrafterFiles(checkpoint=checkpoint, tokenizer=tokenizer_folder)
    return check_files(files, torch.float32).load(torch.device("cpu"), False, lambda *state: None)


def encode(clip, prompt: str) -> list:
    """CONDITIONING of a prompt, as the host's CLIP Text Encode gives it."""
    return clip.encode_from_tokens_scheduled(clip.tokenize(prompt))


@pytest.mark.seam
@pytest.mark.parametrize("prompt", ["", "a cat", PROMPT])
def test_the_same_text(pipeline, loaded, tokenizer_folder, prompt):
    ((ours, _),) = encode(loaded.clip, prompt)
    theirs = encode_prompt(prompt, Tokenizer(tokenizer_folder), pipeline.networks.text_encoder)
    # The host keeps CLIP in half precision, which the stand-ins' weights fit.
    assert (ours - theirs).abs().max() <= 1e-3 * theirs.std()


@pytest.fixture
def conditioned(load, loaded):
    """A function: a request in the words of the host."""

    def condition(mode: str) -> tuple:
        conditioning = load("nodes.host.dynamicrafter.conditioning")
        images = [torch.from_numpy(picture(i))[None] / 255 for i in (1, 2)]
        return conditioning.condition_clip(
            encode(loaded.clip, "a cat"),
            encode(loaded.clip, ""),
            loaded.projector,
            loaded.clip_vision,
            loaded.vae,
            images[0],
            images[1] if mode == "interpolate" else None,
            conditioning.ClipSettings(
                mode=mode,
                size=SIZE,
                num_frames=SETTINGS.num_frames,
                rate=SETTINGS.rate,
                image_tokens=SETTINGS.image_tokens,
                clip_picture="as the video",
            ),
        )

    return condition


def request(mode: str) -> ClipRequest:
    return ClipRequest(first=picture(1), last=picture(2), prompt="a cat", mode=mode)


@pytest.mark.parametrize("mode", ["animate", "interpolate", "loop"])
def test_the_same_conditions(load, pipeline, conditioned, mode):
    keys = host_keys(load)
    theirs = pipeline.encode(request(mode), SETTINGS)
    positive, negative, image_only, latent = conditioned(mode)
    for found, text, tokens in (
        (positive, theirs.cond.text, theirs.cond.image_tokens),
        (negative, theirs.uncond.text, theirs.uncond.image_tokens),
        (image_only, theirs.uncond.text, theirs.cond.image_tokens),
    ):
        ((ours, values),) = found
        assert (ours - text).abs().max() <= 1e-3 * text.std()
        assert (values[keys.IMAGE_TOKENS] - tokens).abs().max() <= 2e-3 * tokens.std()
        latents = values[keys.IMAGE_LATENTS] * 0.18215
        assert (latents - theirs.image_latents).abs().max() <= 1e-4 * latents.std()
    assert latent["samples"].shape == theirs.image_latents.shape


@pytest.mark.seam
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_same_seed_is_the_same_clip(load, loaded, pipeline, conditioned, eta):
    """On a CPU, from the pictures to the frames."""
    import comfy.sample
    import comfy.samplers

    theirs = pipeline(request("interpolate"), replace(SETTINGS, eta=eta), seed=5)
    sampling = load("nodes.host.unet3d.sampling")
    positive, negative, _, latent = conditioned("interpolate")
    model = sampling.rescale_clip_guidance(loaded.model, SETTINGS.rescale)
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(SETTINGS.guidance)
    latents = guider.sample(
        comfy.sample.prepare_noise(latent["samples"], 5),
        latent["samples"],
        sampling.ddim_sampler(eta),
        sampling.ddim_levels_of(model, SETTINGS.steps, SETTINGS.spacing),
        disable_pbar=True,
        seed=5,
    )
    ours = load("nodes.host.svd.decode").decode_frames(loaded.vae, latents, 2)
    difference = (ours * 255 - torch.from_numpy(theirs)).abs()
    assert difference.max() <= 1.0  # theirs is rounded to whole values
