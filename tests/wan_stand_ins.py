"""Tiny models of Wan for the graph of VACE, and a text encoder that reads nothing.

The real text encoder has 11 GB, and ComfyUI builds it in full size whatever its file holds. So the
tests give ComfyUI a node pack that puts a made-up encoder in its place.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

DIM = 128  # ComfyUI counts a head for each 128
CONTROL_CHANNELS = 96  # two latents of 16 channels, and 64 masks
# By this tensor ComfyUI knows the text encoder of Wan.
TEXT_KEY, TEXT_ROWS = "encoder.block.23.layer.1.DenseReluDense.wi_1.weight", 10240
MADE_UP_TEXT = '''"""A text encoder without a network, for tests."""

import comfy.text_encoders.wan as wan
import torch

NODE_CLASS_MAPPINGS = {}


class Encoder(torch.nn.Module):
    def __init__(self, device="cpu", dtype=None, model_options={}):
        super().__init__()
        self.dtypes = {torch.float32}

    def set_clip_options(self, options):
        pass

    def reset_clip_options(self):
        pass

    def load_sd(self, sd):
        return [], []

    def encode_token_weights(self, tokens):
        return torch.ones(1, 8, 4096), None


class Tokenizer:
    def __init__(self, embedding_directory=None, tokenizer_data={}):
        pass

    def tokenize_with_weights(self, text, return_word_ids=False, **kwargs):
        return {"umt5xxl": [[(0, 1.0)]]}


wan.te = lambda **kwargs: Encoder
wan.WanT5Tokenizer = Tokenizer
'''


def write_wan(folder: Path) -> None:
    """Write the three files of the graph; needs ComfyUI, whose networks give the shapes."""
    import comfy.ops
    from comfy.ldm.wan.model import VaceWanModel
    from comfy.ldm.wan.vae import WanVAE

    vace = VaceWanModel(
        dim=DIM,
        ffn_dim=64,
        num_heads=1,
        num_layers=1,
        vace_layers=1,
        vace_in_dim=CONTROL_CHANNELS,
        operations=comfy.ops.manual_cast,
    )
    vae = WanVAE(dim=4, z_dim=16, dim_mult=[1, 2, 4, 4], temperal_downsample=[False, True, True])
    save_file(_filled(vace), folder / "wan_vace.safetensors")
    save_file(_filled(vae), folder / "wan_vae.safetensors")
    save_file({TEXT_KEY: torch.zeros(TEXT_ROWS, 1)}, folder / "wan_text.safetensors")


def _filled(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Seeded small weights for all tensors of a network."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: 0.02 * torch.randn(value.shape, generator=generator)
        for name, value in network.state_dict().items()
    }
