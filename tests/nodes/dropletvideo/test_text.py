"""Prompts -> 400 tokens of T5 without a mask, by any CLIP of the host that can give them."""

import importlib
from types import SimpleNamespace

import pytest
import torch
from dropletvideo_stand_ins import CONFIGS

NEGATIVE = "The video is low quality, blurry, distortion. "
QUALITY = (
    "The video is of high quality, and the view is very clear. High quality, masterpiece, best"
)
BOTH = {"quality": True, "default_negative": True}
NEITHER = {"quality": False, "default_negative": False}


@pytest.fixture(scope="module")
def encode(load, loaded):
    text = load("nodes.host.dropletvideo.text")

    def encode(prompt, negative="", clip=loaded.clip, **switches):
        return text.encode_prompts(clip, prompt, negative, **{**NEITHER, **switches})

    return encode


@pytest.fixture
def texts(loaded, monkeypatch) -> list[str]:
    """Texts that the tokenizer is given."""
    given, tokenize = [], loaded.clip.tokenize
    monkeypatch.setattr(
        loaded.clip, "tokenize", lambda text, **more: given.append(text) or tokenize(text, **more)
    )
    return given


@pytest.fixture(scope="module")
def build_clip(load, loaded):
    """The host's CLIP of a type of Load CLIP, with the weights of the tiny T5."""
    from comfy.supported_models_base import ClipTarget

    def build(module: str, make: str, tokenizer: str, **more):
        module = importlib.import_module(f"comfy.text_encoders.{module}")
        target = ClipTarget(getattr(module, tokenizer), getattr(module, make)(**more))
        weights = loaded.clip.cond_stage_model.state_dict()
        sizes = {**CONFIGS["text_encoder/config.json"], "dense_act_fn": "gelu_pytorch_tanh"}
        options = {"t5xxl_model_config": sizes}
        return load("nodes.host.encoders").build_clip(target, weights, options, {})

    return build


def test_all_tokens_count_as_in_the_official_encoder(encode, droplet_folder):
    """transformers' encoder without a mask, on the tokens and 400 - n pads."""
    from transformers import T5EncoderModel

    ((found, _),), _ = encode("a boat")
    tokens = torch.zeros(1, 400, dtype=torch.long)
    tokens[0, :4] = torch.tensor([3, 9, 3432, 1])  # "a boat", and the end
    official = T5EncoderModel.from_pretrained(droplet_folder / "text_encoder", dtype=torch.float32)
    expected = official(tokens).last_hidden_state
    assert found.shape == expected.shape == (1, 400, 32)
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=2e-3 * expected.abs().max())


def test_official_words(encode, texts):
    encode("a boat", "people", **BOTH)
    encode("a boat", "people")
    encode("a boat", **BOTH)
    assert texts[0].startswith(f"a boat {QUALITY}") and texts[0].endswith("fantastic.")
    assert texts[1:4] == [f"{NEGATIVE}people", "a boat", "people"]
    assert texts[5] == NEGATIVE


def test_brackets_are_no_weights(encode):
    ((found, _),), ((other, _),) = encode("a (boat:1.5)", "a boat")
    ((same, _),), _ = encode("a (boat:1.5)")
    assert torch.equal(found, same) and not torch.equal(found, other)


def test_the_end_of_a_long_text_is_quoted(encode, caplog):
    """5,000 characters: 1,250 words of one token each."""
    ((long, _),), _ = encode("the " * 1248 + "the end")
    assert (
        "The prompt has 1250 tokens, but DropletVideo takes 399: its end, 'the the" in caplog.text
    )
    ((kept, _),), _ = encode("the " * 399)
    assert torch.equal(long, kept)


def test_an_empty_prompt_is_said(encode, caplog):
    ((found, _),), _ = encode(" \n")
    assert found.shape == (1, 400, 32) and "The prompt is empty" in caplog.text


@pytest.mark.parametrize(
    ("module", "make", "tokenizer", "more"),
    [
        ("pixart_t5", "pixart_te", "PixArtTokenizer", {}),
        ("sd3_clip", "sd3_clip", "SD3Tokenizer", {"clip_l": False, "clip_g": False}),
    ],
    ids=["pixart and chroma", "sd3"],
)
def test_clips_of_the_host(encode, build_clip, module, make, tokenizer, more, caplog):
    clip = build_clip(module, make, tokenizer, **more)
    text = "a boat " * 250
    ((found, _),), _ = encode(text, clip=clip)
    assert "its end, 'a boat a boat" in caplog.text
    ((expected, _),), _ = encode(text)
    torch.testing.assert_close(found.float(), expected.float(), rtol=0, atol=1e-3)


def test_a_masked_t5(encode, build_clip):
    """What Load CLIP gives with its default type."""
    clip = build_clip("genmo", "mochi_te", "MochiT5Tokenizer")
    with pytest.raises(
        ValueError, match="masks the padding .* Load CLIP with a T5-XXL .* type sd3"
    ):
        encode("a boat", clip=clip)


def test_another_encoder(encode):
    clip = SimpleNamespace(cond_stage_model=SimpleNamespace(clip_l=None))
    with pytest.raises(ValueError, match="holds no T5-XXL, which DropletVideo needs"):
        encode("a boat", clip=clip)
