"""The networks around the UNet: their mathematics, and their names at full size."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from dynamicrafter_stand_ins import MANIFEST, TEXT, VAE, VISION, dynamicrafter_weights
from torch.nn import functional

from fcvg_core.standalone.networks.clip_encoders import check_image_encoder, check_text_encoder
from fcvg_core.standalone.networks.parts import PartFile
from fcvg_core.standalone.networks.sd_vae import check_vae

CHECKS = {
    TEXT + "model.": check_text_encoder,
    VISION + "model.": check_image_encoder,
    VAE: check_vae,
}


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """All tensors of a tiny checkpoint, by their official names."""
    return dynamicrafter_weights("512")


def part_of(tensors: dict, prefix: str) -> PartFile:
    """A part of a checkpoint whose tensors are in memory."""
    found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    def read(keys, dtype: torch.dtype):
        return ((key, tensors[key].to(dtype)) for key in keys)

    file = SimpleNamespace(path=Path("model.ckpt"), read=read)
    return PartFile(file, found, {key: prefix + key for key in found})


class TestOpenClip:
    """The towers against the mathematics of OpenCLIP, with the official names."""

    @pytest.fixture
    def block(self, weights):
        """A function that runs a residual block of a tower: ln_1, attention, ln_2, mlp."""

        def run(hidden: torch.Tensor, prefix: str, heads: int, mask) -> torch.Tensor:
            def get(name: str) -> torch.Tensor:
                return weights[prefix + name]

            def linear(x: torch.Tensor, name: str) -> torch.Tensor:
                return functional.linear(x, get(f"{name}.weight"), get(f"{name}.bias"))

            def norm(x: torch.Tensor, name: str) -> torch.Tensor:
                return functional.layer_norm(
                    x, x.shape[-1:], get(f"{name}.weight"), get(f"{name}.bias")
                )

            attention = torch.nn.MultiheadAttention(hidden.shape[-1], heads, batch_first=True)
            attention.load_state_dict(
                {
                    key: get(f"attn.{key}")
                    for key in (
                        "in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias",
                    )
                }
            )  # fmt: skip
            x = norm(hidden, "ln_1")
            hidden = hidden + attention(x, x, x, need_weights=False, attn_mask=mask)[0]
            x = functional.gelu(linear(norm(hidden, "ln_2"), "mlp.c_fc"))
            return hidden + linear(x, "mlp.c_proj")

        return run

    @torch.no_grad()
    def test_text(self, weights, block):
        prefix = f"{TEXT}model."
        encoder = check_text_encoder(part_of(weights, prefix), torch.float32).fill()
        tokens = torch.tensor([[49406, 320, 2368, 49407] + [0] * 73])
        hidden = weights[f"{prefix}token_embedding.weight"][tokens]
        hidden = hidden + weights[f"{prefix}positional_embedding"]
        mask = torch.full((77, 77), -torch.inf).triu(1)
        layers = sum(f"{prefix}transformer.resblocks.{i}.ln_1.bias" in weights for i in range(30))
        for layer in range(layers - 1):
            hidden = block(hidden, f"{prefix}transformer.resblocks.{layer}.", 1, mask)
        names = (f"{prefix}ln_final.weight", f"{prefix}ln_final.bias")
        expected = functional.layer_norm(hidden, (64,), *(weights[name] for name in names))
        found = encoder(input_ids=tokens).last_hidden_state
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)

    @torch.no_grad()
    def test_vision(self, weights, block):
        """All tokens after the last layer, without the norm that follows."""
        prefix = f"{VISION}model.visual."
        part = part_of(weights, f"{VISION}model.")
        encoder = check_image_encoder(part, torch.float32).fill()
        pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
        patches = functional.conv2d(pixels, weights[f"{prefix}conv1.weight"], stride=14)
        first = weights[f"{prefix}class_embedding"][None, None]
        hidden = torch.cat([first, patches.flatten(2).transpose(1, 2)], dim=1)
        hidden = hidden + weights[f"{prefix}positional_embedding"]
        names = (f"{prefix}ln_pre.weight", f"{prefix}ln_pre.bias")
        hidden = functional.layer_norm(hidden, (80,), *(weights[name] for name in names))
        layers = sum(f"{prefix}transformer.resblocks.{i}.ln_1.bias" in weights for i in range(40))
        for layer in range(layers):
            hidden = block(hidden, f"{prefix}transformer.resblocks.{layer}.", 1, None)
        found = encoder(pixel_values=pixels).last_hidden_state
        assert found.shape == (1, 257, 80)
        torch.testing.assert_close(found, hidden, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def manifest() -> dict[str, torch.Tensor]:
    """All names of the official checkpoints at full size, without values."""
    content = json.loads(MANIFEST.read_text(encoding="utf-8"))
    names = next(names for name, names in content.items() if "512_v1" in name)
    return {key: torch.empty(shape, device="meta") for key, shape in names.items()}


@pytest.mark.parametrize(
    ("prefix", "unused"),
    [
        (TEXT + "model.", ("text_projection", "logit_scale", "transformer.resblocks.23.")),
        (
            VISION + "model.",
            ("visual.proj", "token_embedding.", "positional_embedding", "ln_final.",
             "text_projection", "logit_scale"),
        ),
        (VAE, ()),
    ],
)  # fmt: skip
def test_full_size(manifest, prefix, unused):
    """Every official tensor has a place, but those that no part of DynamiCrafter uses."""
    part = part_of(manifest, prefix)
    checked = CHECKS[prefix](part, torch.float32)
    used = {piece.key.removeprefix(prefix) for piece in checked.pieces.values()}
    assert {key for key in part.tensors if not key.startswith(unused)} == used
    count = sum(value.numel() for value in checked.network.state_dict().values())
    assert count == sum(part.tensors[key].numel() for key in used)
