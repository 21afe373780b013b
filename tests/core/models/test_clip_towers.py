"""CLIP's encoders in files: names, layers and sizes."""

import re

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.models.clip_towers import (
    TEXT_MARK,
    VISION_MARK,
    Tower,
    find_tower,
    text_sizes,
    vision_sizes,
)
from fcvg_core.weights import Piece

OPEN_CLIP = Tower("model.", is_open_clip=True)
TRANSFORMERS = Tower("text_model.", is_open_clip=False)


def tensors(tower: Tower, layers: int, *, width: int, projection: str = "") -> dict:
    """The tensors of a file that sizes are read from, without values."""
    shapes = {
        "embeddings.token_embedding.weight": (49408, width),
        "embeddings.position_embedding.weight": (257, width),
        "embeddings.patch_embedding.weight": (width, 3, 14, 14),
    }
    for layer in range(layers):
        shapes[f"encoder.layers.{layer}.layer_norm1.weight"] = (width,)
        shapes[f"encoder.layers.{layer}.mlp.fc1.weight"] = (3 * width, width)
    named = {tower.piece(name).key: shape for name, shape in shapes.items()}
    if projection:
        named[projection] = (width, width)
    return {name: torch.empty(shape, device="meta") for name, shape in named.items()}


class TestPieces:
    @pytest.mark.parametrize(
        ("name", "piece"),
        [
            ("embeddings.token_embedding.weight", Piece("token_embedding.weight")),
            ("embeddings.position_embedding.weight", Piece("positional_embedding")),
            ("embeddings.class_embedding", Piece("class_embedding")),
            ("embeddings.patch_embedding.weight", Piece("conv1.weight")),
            ("pre_layrnorm.bias", Piece("ln_pre.bias")),
            ("post_layernorm.weight", Piece("ln_post.weight")),
            ("final_layer_norm.bias", Piece("ln_final.bias")),
            (
                "encoder.layers.11.layer_norm2.bias",
                Piece("transformer.resblocks.11.ln_2.bias"),
            ),
            (
                "encoder.layers.3.self_attn.q_proj.weight",
                Piece("transformer.resblocks.3.attn.in_proj_weight", 0, 3),
            ),
            (
                "encoder.layers.3.self_attn.v_proj.bias",
                Piece("transformer.resblocks.3.attn.in_proj_bias", 2, 3),
            ),
            (
                "encoder.layers.3.self_attn.out_proj.weight",
                Piece("transformer.resblocks.3.attn.out_proj.weight"),
            ),
            ("encoder.layers.0.mlp.fc1.bias", Piece("transformer.resblocks.0.mlp.c_fc.bias")),
            ("encoder.layers.0.mlp.fc2.bias", Piece("transformer.resblocks.0.mlp.c_proj.bias")),
        ],
    )
    def test_open_clip(self, name, piece):
        assert OPEN_CLIP.piece(name) == Piece(f"model.{piece.key}", piece.index, piece.count)

    def test_transformers(self):
        name = "encoder.layers.3.self_attn.q_proj.weight"
        assert TRANSFORMERS.piece(name) == Piece(f"text_model.{name}")


class TestFinding:
    @pytest.mark.parametrize(
        ("key", "tower"),
        [
            ("token_embedding.weight", Tower("", True)),
            ("cond_stage_model.token_embedding.weight", Tower("cond_stage_model.", True)),
            ("text_model.embeddings.token_embedding.weight", Tower("text_model.", False)),
            ("embeddings.token_embedding.weight", Tower("", False)),
        ],
    )
    def test_text(self, key, tower):
        assert find_tower({"logit_scale": None, key: None}, TEXT_MARK) == tower

    def test_vision(self):
        assert find_tower({"visual.class_embedding": None}, VISION_MARK) == Tower("visual.", True)

    @pytest.mark.parametrize("key", ["weight", "my_token_embedding.weight", "class_embedding"])
    def test_nothing(self, key):
        assert find_tower({key: None}, TEXT_MARK) is None


class TestTextSizes:
    @pytest.mark.parametrize(
        ("tower", "layers", "projection", "used"),
        [
            (OPEN_CLIP, 24, "", 23),
            (OPEN_CLIP, 3, "", 2),
            (TRANSFORMERS, 24, "", 23),
            (TRANSFORMERS, 23, "", 23),  # Stable Diffusion 2.1 publishes the layers that it uses
            (TRANSFORMERS, 3, "", 3),
            (TRANSFORMERS, 3, "text_projection.weight", 2),
        ],
    )
    def test_layers(self, tower, layers, projection, used):
        found = tensors(tower, layers, width=128, projection=projection)
        assert text_sizes(found, tower, name="a.ckpt") == {
            "vocab_size": 49408,
            "max_position_embeddings": 257,
            "num_hidden_layers": used,
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_attention_heads": 2,
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-5,
        }

    def test_no_layers(self):
        found = tensors(OPEN_CLIP, 0, width=64)
        with pytest.raises(UserError, match=r"a\.ckpt holds no whole CLIP encoder: .* is missing"):
            text_sizes(found, OPEN_CLIP, name="a.ckpt")

    @pytest.mark.parametrize(("layers", "width"), [(3, 100), (65, 64), (1, 8256), (1, 2752)])
    def test_another_network(self, layers, width):
        """A width without whole heads; more layers or channels than any CLIP has."""
        found = tensors(OPEN_CLIP, layers, width=width)
        with pytest.raises(
            UserError, match=f"of {layers} layers with {width} channels, {3 * width} in"
        ):
            text_sizes(found, OPEN_CLIP, name="a.ckpt")

    @pytest.mark.parametrize(
        ("key", "shape"),
        [("token_embedding.weight", (49407, 64)), ("positional_embedding", (76, 64))],
    )
    def test_too_few_tokens(self, key, shape):
        found = tensors(OPEN_CLIP, 3, width=64)
        found[f"model.{key}"] = torch.empty(shape, device="meta")
        with pytest.raises(UserError, match="expected CLIP's text encoder, for 77 out of 49408"):
            text_sizes(found, OPEN_CLIP, name="a.ckpt")

    @pytest.mark.parametrize("shape", [(5,), (0, 64), (2**40, 64)])
    def test_a_tensor_of_other_dimensions(self, shape):
        found = tensors(OPEN_CLIP, 3, width=64)
        found["model.token_embedding.weight"] = torch.empty(shape, device="meta")
        expected = re.escape(f"token_embedding.weight has the shape {shape}")
        with pytest.raises(UserError, match=expected):
            text_sizes(found, OPEN_CLIP, name="a.ckpt")


class TestVisionSizes:
    def test_all_layers(self):
        found = vision_sizes(tensors(OPEN_CLIP, 3, width=160), OPEN_CLIP, name="a.ckpt")
        assert found["num_hidden_layers"] == 3 and found["num_attention_heads"] == 2
        assert (found["image_size"], found["patch_size"]) == (224, 14)

    def test_patches_larger_than_the_picture(self):
        found = tensors(OPEN_CLIP, 3, width=160)
        found["model.conv1.weight"] = torch.empty(160, 3, 300, 300, device="meta")
        found["model.positional_embedding"] = torch.empty(1, 160, device="meta")
        with pytest.raises(UserError, match="for pictures of another size; expected the ViT-H"):
            vision_sizes(found, OPEN_CLIP, name="a.ckpt")

    @pytest.mark.parametrize("patch", [7, 16, 32])
    def test_other_patches(self, patch):
        found = tensors(OPEN_CLIP, 3, width=160)
        found["model.conv1.weight"] = torch.empty(160, 3, patch, patch, device="meta")
        with pytest.raises(UserError, match="for pictures of another size; expected the ViT-H"):
            vision_sizes(found, OPEN_CLIP, name="a.ckpt")
