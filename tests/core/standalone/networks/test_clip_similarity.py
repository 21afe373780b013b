"""CLIP's cosines, against transformers' own CLIP with the same weights."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from clip_tokenizer import write_tokenizer
from safetensors.torch import save_file
from smcd_stand_ins import CLIP_FILE, write_modelscope
from torch.nn.functional import cosine_similarity
from transformers import CLIPConfig, CLIPModel

from fcvg_core.clip import clip_pixels, normalize_for_clip
from fcvg_core.errors import UserError
from fcvg_core.frames import to_image
from fcvg_core.standalone.networks.clip_similarity import ClipSimilarity
from fcvg_core.standalone.networks.clip_text import Tokenizer

PROMPT = "a dog runs"
LAYERS = {"num_hidden_layers": 2, "intermediate_size": 96, "hidden_act": "gelu"}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def clip() -> CLIPModel:
    """A small CLIP with the head sizes of ViT-H."""
    text = LAYERS | {"hidden_size": 64, "num_attention_heads": 1, "vocab_size": 49408}
    vision = LAYERS | {"hidden_size": 80, "num_attention_heads": 1, "patch_size": 56}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
    torch.manual_seed(0)
    return CLIPModel(config).eval()


def frames(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (3, 40, 60, 3), np.uint8)


def open_clip(path: Path, tokenizer: Path) -> ClipSimilarity:
    return ClipSimilarity(path, tokenizer=tokenizer, roots=[], device=torch.device("cpu"))


def own(clip: CLIPModel) -> dict[str, torch.Tensor]:
    return {k: v.contiguous() for k, v in clip.state_dict().items() if "position_ids" not in k}


@torch.no_grad()
def test_equals_transformers(clip, tokenizer, tmp_path) -> None:
    save_file(own(clip), tmp_path / "clip.safetensors")
    result, truth = frames(1), frames(2)
    found = open_clip(tmp_path / "clip.safetensors", tokenizer)(result, truth, PROMPT)

    def embed(pictures: np.ndarray) -> torch.Tensor:
        images = to_image(pictures).movedim(-1, 1)
        pixels = torch.cat([normalize_for_clip(clip_pixels(x[None])) for x in images])
        return clip.visual_projection(clip.vision_model(pixel_values=pixels).pooler_output)

    tokens = Tokenizer(tokenizer)(PROMPT)
    hidden = clip.text_model(input_ids=tokens).last_hidden_state
    text = clip.text_projection(hidden[:, tokens[0].argmax()])
    video, first = embed(result), embed(truth[:1])
    assert found == pytest.approx(
        {
            "clip_frames": float(cosine_similarity(video[1:], video[:-1]).mean()),
            "clip_first": float(cosine_similarity(video[:1], first)),
            "clip_text": float(cosine_similarity(video, text).mean()),
        },
        abs=1e-5,
    )


def test_modelscopes_file(tokenizer, tmp_path) -> None:
    """OpenCLIP's names: equal frames are alike, and the prompt counts."""
    clip = open_clip(write_modelscope(tmp_path) / CLIP_FILE, tokenizer)
    still = np.repeat(frames(1)[:1], 2, axis=0)
    found, other = clip(still, still, PROMPT), clip(still, frames(2), "a cat")
    assert found["clip_frames"] == pytest.approx(1) and found["clip_first"] == pytest.approx(1)
    assert other["clip_first"] < 0.999 and other["clip_text"] != found["clip_text"]


def test_without_text_encoder(clip, tokenizer, tmp_path, caplog) -> None:
    vision = {k: v for k, v in own(clip).items() if k.startswith(("visi", "visu"))}
    save_file(vision, tmp_path / "vision.safetensors")
    found = open_clip(tmp_path / "vision.safetensors", tokenizer)
    assert found(frames(1), frames(2), PROMPT).keys() == {"clip_frames", "clip_first"}
    assert caplog.record_tuples[0][1] == logging.WARNING
    assert "lacks CLIP's whole text encoder: no prompt is compared" in caplog.messages[0]


def test_bad_files(clip, tokenizer, tmp_path) -> None:
    lacking = {k: v for k, v in own(clip).items() if k != "visual_projection.weight"}
    save_file(lacking, tmp_path / "lacking.safetensors")
    with pytest.raises(UserError, match="lacks the projection of CLIP's image encoder"):
        open_clip(tmp_path / "lacking.safetensors", tokenizer)
    with pytest.raises(UserError, match="There is no file"):
        open_clip(tmp_path / "missing.safetensors", tokenizer)
