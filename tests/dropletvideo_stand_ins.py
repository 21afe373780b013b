"""Tiny models of DropletVideo, for tests without real weights.

The names are those of the official files, and the shapes are the official shapes with smaller
widths, so a test knows the names from the authors, and not from the project's own networks. The
transformer and the text encoder have two layers, and a block of the VAE has one. The text encoder
has the official vocabulary, so it also takes the tokens of ComfyUI's tokenizer; the tokenizer here
knows few pieces. The frames are noise. All values depend only on names and shapes.
"""

import io
import json
import re
import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from stand_ins import marked, tensor_values
from torch import Tensor

MANIFEST = Path(__file__).parent / "golden" / "dropletvideo" / "keys_full.json"
FOLDER = "DropletVideo-V1.0-weights"
TRANSFORMER, VAE, TEXT = "transformer", "vae", "text_encoder"
WEIGHTS = "diffusion_pytorch_model"
# Part of the model -> official sizes and the sizes here. An attention of the transformer has 3
# heads of 16 channels, one of the text encoder has 2.
SIZES = {
    TRANSFORMER: {3072: 48, 18432: 288, 12288: 192, 6144: 96, 512: 24, 4096: 32},
    VAE: {128: 32, 256: 32, 512: 32},
    TEXT: {4096: 32, 10240: 80},
}
# Tensors whose sizes do not follow from SIZES: norms of a head, a bias for each head.
WHOLE_SIZES = {r"norm_[qk]\.": (16,), r"relative_attention_bias": (32, 2)}
# Layers that are left out, and the shortcuts between two widths of the VAE.
LEFT_OUT = re.compile(
    r"(transformer_blocks|encoder\.block)\.(?![01]\.)\d+\."
    r"|down_blocks\.\d\.resnets\.[1-9]\.|up_blocks\.\d\.resnets\.[2-9]\.|conv_shortcut"
)
CONFIGS = {
    "model_index.json": {
        "_class_name": "DropletVideo_Pipeline_Inpaint", "_diffusers_version": "0.32.2",
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "T5Tokenizer"],
        "transformer": ["transformer", "DropletVideoTransformer3DModel"],
        "vae": ["vae", "AutoencoderKLDropletVideo"],
    },
    "configuration.json": {"framework": "pytorch", "task": "image-to-video"},
    "scheduler/scheduler_config.json": {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.32.2",
        "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000, "prediction_type": "v_prediction", "clip_sample": False,
        "rescale_betas_zero_snr": True, "set_alpha_to_one": True, "snr_shift_scale": 1.0,
        "steps_offset": 0, "timestep_spacing": "trailing", "trained_betas": None,
    },
    "tokenizer/tokenizer_config.json": {
        "tokenizer_class": "T5Tokenizer", "model_max_length": 226, "extra_ids": 100,
        "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>",
    },
    "text_encoder/config.json": {
        "architectures": ["T5EncoderModel"], "model_type": "t5", "vocab_size": 32128,
        "d_model": 32, "d_kv": 16, "num_heads": 2, "d_ff": 80, "num_layers": 2,
        "feed_forward_proj": "gated-gelu", "dense_act_fn": "gelu_new", "is_gated_act": True,
        "layer_norm_epsilon": 1e-06, "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128, "pad_token_id": 0, "eos_token_id": 1,
    },
    "transformer/config.json": {
        "_class_name": "DropletVideoTransformer3DModel", "_diffusers_version": "0.32.2",
        "num_attention_heads": 3, "attention_head_dim": 16, "in_channels": 33, "out_channels": 16,
        "num_layers": 2, "patch_size": 2, "time_embed_dim": 24, "text_embed_dim": 32,
        "attention_bias": True, "activation_fn": "gelu-approximate", "norm_eps": 1e-05,
        "norm_elementwise_affine": True, "flip_sin_to_cos": True, "freq_shift": 0,
        "timestep_activation_fn": "silu", "use_rotary_positional_embeddings": True,
        "max_text_seq_length": 226, "add_noise_in_inpaint_model": True,
        "sample_width": 90, "sample_height": 60, "sample_frames": 49,
        "temporal_compression_ratio": 4, "spatial_interpolation_scale": 1.875,
        "temporal_interpolation_scale": 1.0,
    },
    "vae/config.json": {
        "_class_name": "AutoencoderKLDropletVideo", "_diffusers_version": "0.32.2",
        "in_channels": 3, "out_channels": 3, "latent_channels": 16, "layers_per_block": 1,
        "block_out_channels": [32, 32, 32, 32], "norm_num_groups": 32, "norm_eps": 1e-06,
        "down_block_types": ["CogVideoXDownBlock3D"] * 4,
        "up_block_types": ["CogVideoXUpBlock3D"] * 4, "act_fn": "silu",
        "scaling_factor": 0.7, "temporal_compression_ratio": 4, "use_quant_conv": False,
        "use_post_quant_conv": False, "sample_height": 480, "sample_width": 720,
    },
}  # fmt: skip
# Layout -> number type of matrices, and of the rest.
TYPES = {
    "official": (torch.half, torch.half),
    "single": (torch.half, torch.half),
    "bf16": (torch.bfloat16, torch.bfloat16),
    "fp8": (torch.float8_e4m3fn, torch.bfloat16),
}
# Layout of single files -> part -> where ComfyUI has the part.
SINGLE_FILES = {
    "single": {
        TRANSFORMER: "diffusion_models/dropletvideo_5b.safetensors",
        VAE: "vae/dropletvideo_vae.safetensors",
        TEXT: "text_encoders/t5xxl_fp16.safetensors",
    },
    "fp8": {
        TRANSFORMER: "diffusion_models/dropletvideo_5b_fp8_e4m3fn.safetensors",
        VAE: "vae/dropletvideo_vae.safetensors",
        TEXT: "text_encoders/t5xxl_fp8_e4m3fn.safetensors",
    },
}
SENTENCES = (
    "The video shows a boat on a calm lake at dawn, while the camera moves slowly to the right.",
    "A woman walks along the shore; the light of the sun is warm, and the water is clear.",
    "The video is of high quality, and the view is very clear. The video is low quality, blurry.",
    string.printable[:94],  # so that no letter of English is unknown
)


def write_droplet(folder: Path, *, layout: str = "official", sharded: bool = True) -> Path:
    """Write the tiny models into a folder.

    Args:
        layout: "official" (half precision) or "bf16": the authors' folder; "single": one file for
            each network, in the folders of ComfyUI; "fp8": the same, with matrices of the
            transformer and of the text encoder in 8 bits.
        sharded: whether the text encoder of the authors' folder lies in two files with an index,
            as the authors have it.

    Returns:
        The authors' folder, or the folder itself for single files.
    """
    parts = {name: _converted(name, weights, layout) for name, weights in droplet_weights().items()}
    if layout in SINGLE_FILES:
        for part, name in SINGLE_FILES[layout].items():
            write_weights(folder / name, parts[part])
        return folder
    folder = folder / FOLDER
    for name, content in CONFIGS.items():
        write_json(folder / name, content)
    (folder / "tokenizer" / "spiece.model").write_bytes(tokenizer_model())
    for part in (TRANSFORMER, VAE):
        write_weights(folder / part / f"{WEIGHTS}.safetensors", parts[part])
    # transformers leaves out the second name of the embedding when it writes a file.
    text = {key: x for key, x in parts[TEXT].items() if key != "encoder.embed_tokens.weight"}
    if sharded:
        write_shards(folder / TEXT, "model", text)
    else:
        write_weights(folder / TEXT / "model.safetensors", text)
    return folder


def write_shards(folder: Path, stem: str, weights: Mapping[str, Tensor], count: int = 2) -> Path:
    """Write weights into so many files and an index, as diffusers and transformers do.

    Args:
        stem: "model" for transformers, `WEIGHTS` for diffusers.

    Returns:
        The index.
    """
    keys = list(weights)
    places = {
        key: f"{stem}-{at * count // len(keys) + 1:05d}-of-{count:05d}.safetensors"
        for at, key in enumerate(keys)
    }
    for name in dict.fromkeys(places.values()):
        write_weights(folder / name, {key: weights[key] for key in keys if places[key] == name})
    total = sum(value.numel() * value.element_size() for value in weights.values())
    index = folder / f"{stem}.safetensors.index.json"
    write_json(index, {"metadata": {"total_size": total}, "weight_map": places})
    return index


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write a .safetensors file that says that it is a stand-in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(marked(weights))


def write_json(path: Path, content: object) -> None:
    """Write a configuration file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


@cache
def droplet_weights() -> dict[str, dict[str, Tensor]]:
    """The tensors of each part in single precision, by their official names."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    official = {name.partition("/")[0]: keys for name, keys in manifest.items() if "/" in name}
    weights = {
        part: {
            key: tensor_values(f"dropletvideo {part} {key}", _tiny(part, key, shape))
            for key, shape in official[part].items()
            if not LEFT_OUT.search(key)
        }
        for part in SIZES
    }
    weights[TEXT]["encoder.embed_tokens.weight"] = weights[TEXT]["shared.weight"].clone()
    return weights


@cache
def tokenizer_model() -> bytes:
    """A small spiece.model, whose special tokens are T5's: <pad> 0, </s> 1, <unk> 2."""
    from sentencepiece import SentencePieceTrainer

    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=written, vocab_size=300,
        hard_vocab_limit=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, num_threads=1,
        minloglevel=2,
    )  # fmt: skip
    return written.getvalue()


def _tiny(part: str, key: str, shape: list[int]) -> torch.Size:
    """The shape of a tensor here."""
    whole = (sizes for pattern, sizes in WHOLE_SIZES.items() if re.search(pattern, key))
    return torch.Size(next(whole, [SIZES[part].get(size, size) for size in shape]))


def _converted(part: str, weights: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """The tensors in the number types of a layout."""
    matrices, rest = TYPES[layout]
    if part == VAE:
        matrices = rest
    return {key: x.to(matrices if x.ndim > 1 else rest) for key, x in weights.items()}
