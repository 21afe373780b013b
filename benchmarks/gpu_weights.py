"""Makes models with random weights, in the official layouts and full size, in seconds on a GPU.

    python benchmarks/gpu_weights.py HOST FOLDER [--tiny] [--unet-format bfloat16]

FOLDER becomes the models/ folder of a ComfyUI: SVD as a folder in diffusers' layout, UNet and
ControlNeXt of FCVG and of ControlNeXt-SVD, and DWPose's stand-ins. Names and shapes of UNet and
ControlNeXt are from tests/golden. Names and shapes of VAE and image encoder are from the host's
classes, renamed to diffusers' names. The frames that the models generate are noise.
"""

import argparse
import contextlib
import json
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
Shapes = dict[str, tuple[int, ...]]

SVD = "diffusers/stable-video-diffusion-img2vid-xt-1-1"
FCVG_UNET = "diffusion_models/fcvg_unet.safetensors"
FCVG_CONTROL = "controlnext/fcvg_controlnext.safetensors"
ANIMATE_UNET = "diffusion_models/controlnext-svd_v2-unet-fp16.safetensors"
ANIMATE_CONTROL = "controlnext/controlnext-svd_v2-controlnet-fp16.safetensors"
DWPOSE = (("det_two.onnx", "yolox_l.onnx"), ("pose_a.onnx", "dw-ll_ucoco_384.onnx"))
DONE = "made.json"  # written last; holds the options with which the models were made
LAYOUT = 2  # changes with the files that are made, so that older ones are made again

# The sizes of UNet and ControlNeXt that a tiny model changes: the width and the text embedding.
WIDTH, TINY_WIDTH = 320, 64
CONTEXT, TINY_CONTEXT = 1024, 64
HEAD = 64  # channels of an attention head
TINY_ENCODER = {
    "hidden_size": 64, "intermediate_size": 128, "projection_dim": TINY_CONTEXT,
    "num_hidden_layers": 2, "num_attention_heads": 1, "patch_size": 32,
}  # fmt: skip
MODEL_INDEX = {
    "_class_name": "StableVideoDiffusionPipeline",
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
    "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
}
# The host's VAE names -> diffusers'; applied in this order.
_VAE_NAMES = (
    (r"\.mid\.block_(\d)\.", lambda m: f".mid_block.resnets.{int(m[1]) - 1}."),
    (r"\.mid\.attn_1\.norm\.", ".mid_block.attentions.0.group_norm."),
    (r"\.mid\.attn_1\.([qkv])\.", r".mid_block.attentions.0.to_\1."),
    (r"\.mid\.attn_1\.proj_out\.", ".mid_block.attentions.0.to_out.0."),
    (r"\.down\.(\d)\.block\.(\d)\.", r".down_blocks.\1.resnets.\2."),
    (r"\.down\.(\d)\.downsample\.", r".down_blocks.\1.downsamplers.0."),
    (r"\.up\.(\d)\.block\.(\d)\.", lambda m: f".up_blocks.{3 - int(m[1])}.resnets.{m[2]}."),
    (r"\.up\.(\d)\.upsample\.", lambda m: f".up_blocks.{3 - int(m[1])}.upsamplers.0."),
    (r"\.conv_out\.time_mix_conv\.", ".time_conv_out."),
    (r"\.norm_out\.", ".conv_norm_out."),
    (r"\.nin_shortcut\.", ".conv_shortcut."),
    # A resnet of the decoder is a pair: a spatial and a temporal block.
    (r"^(decoder\..*\.resnets\.\d\.)(?!time_stack\.|mix_factor)", r"\1spatial_res_block."),
    (r"\.mix_factor$", ".time_mixer.mix_factor"),
    (r"\.time_stack\.", ".temporal_res_block."),
    (r"\.in_layers\.0\.", ".norm1."),
    (r"\.in_layers\.2\.", ".conv1."),
    (r"\.out_layers\.0\.", ".norm2."),
    (r"\.out_layers\.3\.", ".conv2."),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("host", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--unet-format", default="bfloat16")
    options = parser.parse_args()
    wanted = {"tiny": options.tiny, "unet_format": options.unet_format, "layout": LAYOUT}
    done = options.folder / DONE
    if done.exists() and json.loads(done.read_text("utf-8")) == wanted:
        print("The models already exist.")
        return
    done.unlink(missing_ok=True)
    use_host(options.host)
    make_models(options.folder, tiny=options.tiny, unet_format=options.unet_format)
    done.write_text(json.dumps(wanted), "utf-8")


def use_host(host: Path) -> None:
    """Make the host's classes importable. Only names and shapes are needed, so no GPU is used."""
    sys.path.insert(0, str(host.resolve()))
    import comfy.cli_args

    comfy.cli_args.args.cpu = True


def make_models(folder: Path, *, tiny: bool, unet_format: str) -> None:
    """Write all models that the graphs in workflows/api use, except GlueStick.

    Args:
        folder: the models/ folder of a ComfyUI.
        unet_format: number format of FCVG's UNet. The authors' file is in float32.
    """
    svd = folder / SVD
    encoder = encoder_config(tiny)
    _write_json(svd / "model_index.json", MODEL_INDEX)
    _write_json(svd / "image_encoder" / "config.json", encoder)
    _write_json(svd / "unet" / "config.json", unet_config(tiny))
    _write_json(svd / "vae" / "config.json", vae_config(tiny))
    vae = svd / "vae" / "diffusion_pytorch_model.fp16.safetensors"
    _write(vae, vae_shapes(tiny), "float16", seed=1)
    _write(svd / "image_encoder/model.fp16.safetensors", encoder_shapes(encoder), "float16", seed=2)
    _write(folder / FCVG_UNET, unet_shapes(tiny), unet_format, seed=3)
    _write(folder / ANIMATE_UNET, unet_shapes(tiny), "float16", seed=4)
    _write(folder / FCVG_CONTROL, controlnext_shapes(tiny), "float32", seed=5)
    _write(folder / ANIMATE_CONTROL, controlnext_shapes(tiny), "float16", seed=6)
    unet = svd / "unet" / "diffusion_pytorch_model.fp16.safetensors"
    unet.unlink(missing_ok=True)
    unet.symlink_to((folder / ANIMATE_UNET).resolve())
    (folder / "dwpose").mkdir(exist_ok=True)
    for source, name in DWPOSE:
        shutil.copy(GOLDEN / "dwpose" / source, folder / "dwpose" / name)


def unet_config(tiny: bool) -> dict:
    """config.json of SVD-XT's UNet, for the headless part: the host reads sizes from weights."""
    widths = [_shrink(n * WIDTH) if tiny else n * WIDTH for n in (1, 2, 4, 4)]
    return {
        "_class_name": "UNetSpatioTemporalConditionModel",
        "block_out_channels": widths,
        "num_attention_heads": [width // HEAD for width in widths],
        "cross_attention_dim": TINY_CONTEXT if tiny else CONTEXT,
    }


def vae_config(tiny: bool) -> dict:
    """config.json of SVD's VAE, for the headless part."""
    width, multiples = _vae_widths(tiny)
    return {
        "_class_name": "AutoencoderKLTemporalDecoder",
        "block_out_channels": [width * n for n in multiples],
    }


def unet_shapes(tiny: bool) -> Shapes:
    """SVD-XT's UNet under diffusers' names."""
    return _listed(GOLDEN / "fcvg" / "keys_svd_xt_unet_diffusers.json", tiny)


def controlnext_shapes(tiny: bool) -> Shapes:
    """ControlNeXt v2, used by FCVG and by ControlNeXt-SVD."""
    return _listed(GOLDEN / "fcvg" / "keys_controlnext_v2.json", tiny)


def vae_shapes(tiny: bool) -> Shapes:
    """SVD's VAE under diffusers' names, from the host's classes."""
    import torch
    from comfy.ldm.models.autoencoder import AutoencodingEngine

    width, multiples = _vae_widths(tiny)
    sizes = {
        "double_z": True,
        "z_channels": 4,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": width,
        "ch_mult": multiples,
        "num_res_blocks": 2,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    models = "comfy.ldm.modules."
    over_time = {"video_kernel_size": [3, 1, 1], "alpha": 0.0}
    with torch.device("meta"):
        network = AutoencodingEngine(
            regularizer_config={
                "target": "comfy.ldm.models.autoencoder.DiagonalGaussianRegularizer"
            },
            encoder_config={"target": models + "diffusionmodules.model.Encoder", "params": sizes},
            decoder_config={
                "target": models + "temporal_ae.VideoDecoder",
                "params": {**sizes, **over_time},
            },
        )
    shapes = {}
    for key, value in network.state_dict().items():
        name = diffusers_vae_name(key)
        # The host's attention has 1x1 convolutions, diffusers' attention has linear layers.
        flat = ".attentions." in name and value.ndim == 4
        shapes[name] = tuple(value.shape[:2] if flat else value.shape)
    # The host's encoder lacks this layer, because it is folded into the previous layer.
    return {**shapes, "quant_conv.weight": (8, 8, 1, 1), "quant_conv.bias": (8,)}


def diffusers_vae_name(key: str) -> str:
    """diffusers' name for the host's name `key`."""
    for pattern, replacement in _VAE_NAMES:
        key = re.sub(pattern, replacement, key)
    return key


def encoder_config(tiny: bool) -> dict:
    """config.json of SVD's CLIP image encoder (ViT-H/14)."""
    import comfy.clip_vision

    path = Path(comfy.clip_vision.__file__).with_name("clip_vision_config_h.json")
    config = json.loads(path.read_text("utf-8"))
    return {**config, **TINY_ENCODER} if tiny else config


def encoder_shapes(config: dict) -> Shapes:
    """Tensors of the image encoder, from the host's class."""
    import comfy.ops
    import torch
    from comfy.clip_model import CLIPVisionModelProjection

    with torch.device("meta"):
        layers = comfy.ops.manual_cast
        network = CLIPVisionModelProjection(config, torch.float16, torch.device("meta"), layers)
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def draw_values(shapes: Shapes, dtype, seed: int, device):
    """Name -> tensor with values that keep activations about 1, so that half precision suffices.

    Matrices have the variance 1 / fan-in, scales of normalisations are about 1, and spatial and
    temporal layers are mixed equally.
    """
    import torch

    generator = torch.Generator(device).manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        value = torch.empty(shape, device=device).normal_(generator=generator)
        if len(shape) >= 2:
            value *= value[0].numel() ** -0.5
        elif name.endswith("mix_factor"):
            value.zero_()
        else:
            value = value * 0.1 + float(name.endswith("weight"))
        weights[name] = value.to(dtype).cpu()
    return weights


def _vae_widths(tiny: bool) -> tuple[int, list[int]]:
    """Channels of the VAE's first block, and multiples of them for all blocks."""
    return (32, [1, 1, 1, 1]) if tiny else (128, [1, 2, 4, 4])


def _listed(path: Path, tiny: bool) -> Shapes:
    shapes = json.loads(path.read_text("utf-8"))
    return {k: tuple(_shrink(n) if tiny else n for n in shape) for k, shape in shapes.items()}


def _shrink(size: int) -> int:
    """A size of SVD replaced by the size of the tiny model; other sizes are unchanged."""
    if size == CONTEXT:
        return TINY_CONTEXT
    return size // WIDTH * TINY_WIDTH if size % WIDTH == 0 else size


def _write(path: Path, shapes: Shapes, dtype: str, *, seed: int) -> None:
    import torch
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    weights = draw_values(shapes, getattr(torch, dtype), seed, device)
    with contextlib.suppress(FileNotFoundError):  # deleted, because a server may have it mapped
        path.unlink()
    save_file(weights, path, metadata={"format": "pt", "stand_in": "random values, not trained"})
    print(f"{path.name}: {path.stat().st_size / 2**20:.0f} MB, {dtype}", flush=True)


def _write_json(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
