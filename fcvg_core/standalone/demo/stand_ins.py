"""Tiny models in the official layouts, for tests and demos without real weights.

The frames that they generate are noise. All values depend only on the name and shape of their
tensor, so the files are the same on every machine.
"""

import json
import os
import zlib
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from ...containers import METADATA
from ...errors import UserError
from ...files.writing import write_aside
from ...json_text import parse_json
from ...models.controlnext import V2, ControlNeXt
from ...models.svd import SCHEDULER

MARK = {"stand_in": "random values, not trained: frames will be noise"}
# SVD's attention has 64 channels per head for every width.
UNET = {
    "in_channels": 8, "out_channels": 4, "sample_size": 16, "num_frames": 25,
    "block_out_channels": [64, 64, 64, 64], "num_attention_heads": [1, 1, 1, 1],
    "layers_per_block": 2, "transformer_layers_per_block": 1, "cross_attention_dim": 64,
    "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 768,
    "down_block_types": ["CrossAttnDownBlockSpatioTemporal"] * 3 + ["DownBlockSpatioTemporal"],
    "up_block_types": ["UpBlockSpatioTemporal"] + ["CrossAttnUpBlockSpatioTemporal"] * 3,
}  # fmt: skip
VAE = {
    "in_channels": 3, "out_channels": 3, "latent_channels": 4, "layers_per_block": 2,
    "block_out_channels": [32, 32, 32, 32], "down_block_types": ["DownEncoderBlock2D"] * 4,
    "sample_size": 64, "scaling_factor": 0.18215, "force_upcast": True,
}  # fmt: skip
IMAGE_ENCODER = {
    "architectures": ["CLIPVisionModelWithProjection"], "model_type": "clip_vision_model",
    "hidden_size": 64, "intermediate_size": 128, "projection_dim": 64, "num_hidden_layers": 2,
    "num_attention_heads": 1, "num_channels": 3, "image_size": 224, "patch_size": 32,
    "hidden_act": "gelu", "layer_norm_eps": 1e-5,
}  # fmt: skip
# SVD's feature_extractor/preprocessor_config.json.
FEATURE_EXTRACTOR = {
    "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True, "do_resize": True,
    "size": {"shortest_edge": 224}, "resample": 3, "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224}, "do_rescale": True, "rescale_factor": 1 / 255,
    "do_normalize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}  # fmt: skip
MODEL_INDEX = {
    "_class_name": "StableVideoDiffusionPipeline",
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
    "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
}


def write_stand_ins(folder: Path) -> None:
    """Write `svd/` (diffusers layout), `unet.safetensors` and `controlnext.safetensors`.

    Files that are already complete are kept, so an interrupted run can be started again.

    Raises:
        UserError: the folder holds other files, or a file with other contents has the name of a
            stand-in; then nothing is written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is not a folder: choose another path.")
    contents = _contents()
    try:
        missing = _missing(folder, contents)
        for name in missing:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with write_aside(folder / name) as part:
                part.write_bytes(contents[name])
    except OSError as error:
        raise UserError(
            f"{error.filename or folder} can't be written ({error.strerror}): choose another "
            "folder."
        ) from error


def _contents() -> dict[str, bytes]:
    """Path inside the folder -> contents, for every file."""
    from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    unet = UNetSpatioTemporalConditionModel(**UNET)
    vae = AutoencoderKLTemporalDecoder(**VAE)
    encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(**IMAGE_ENCODER))
    controlnext = ControlNeXt(replace(V2, out_channels=UNET["block_out_channels"][0]))
    weights = "diffusion_pytorch_model.safetensors"
    return {
        "svd/unet/config.json": _json({"_class_name": type(unet).__name__, **UNET}),
        f"svd/unet/{weights}": _packed(fill(unet, salt="svd ")),
        "svd/vae/config.json": _json({"_class_name": type(vae).__name__, **VAE}),
        f"svd/vae/{weights}": _packed(fill(vae)),
        "svd/image_encoder/config.json": _json(IMAGE_ENCODER),
        "svd/image_encoder/model.safetensors": _packed(fill(encoder)),
        "svd/scheduler/scheduler_config.json": _json(
            {"_class_name": "EulerDiscreteScheduler", **SCHEDULER}
        ),
        "svd/feature_extractor/preprocessor_config.json": _json(FEATURE_EXTRACTOR),
        "svd/model_index.json": _json(MODEL_INDEX),
        "unet.safetensors": _packed(fill(unet, salt="fcvg ")),
        "controlnext.safetensors": _packed(fill(controlnext)),
    }


def _missing(folder: Path, contents: dict[str, bytes]) -> list[str]:
    """Names of the files that must still be written.

    Raises:
        UserError: another file has the name of a stand-in, or the folder holds other files and no
            stand-in.
    """
    missing = []
    for name, content in contents.items():
        path = folder / name
        state = _state(path, content)
        if state == "other":
            raise UserError(
                f"{path} already exists, but is not a stand-in, or was edited: remove it, or "
                "choose another folder."
            )
        if state == "missing":
            missing.append(name)
    if len(missing) == len(contents) and folder.is_dir():
        own = {Path(name).parts[0] for name in contents}
        names = (path.name for path in folder.iterdir())
        # Hidden files are ignored: files of an interrupted run, or of the system.
        others = sorted(name for name in names if name not in own and name[0] != ".")
        if others:
            raise UserError(
                f"{folder} is not empty, but holds no stand-ins ({others[0]} is in it): choose "
                "another folder."
            )
    return missing


def _state(path: Path, content: bytes) -> str:
    """State of a file: "whole", "missing" (also if it is incomplete), or "other"."""
    if not os.path.lexists(path):
        return "missing"
    if not path.is_file() or path.stat().st_size > 2 * len(content):
        return "other"
    found = path.read_bytes()
    if found == content or _means_the_same(found, content, path.suffix):
        return "whole"
    return "missing" if content.startswith(found) else "other"


def _means_the_same(found: bytes, content: bytes, suffix: str) -> bool:
    """Whether a file has the same values, but another order or other metadata.

    Another version of this program may have written the file in this way.
    """
    try:
        if suffix == ".json":
            theirs, ours = parse_json(found), parse_json(content)
            shared = theirs.keys() & ours.keys()
            return bool(shared) and all(theirs[key] == ours[key] for key in shared)
        theirs, ours = load(found), load(content)
    except (ValueError, AttributeError, SafetensorError):
        return False
    return theirs.keys() == ours.keys() and all(ours[key].equal(theirs[key]) for key in ours)


def is_stand_in_file(path: Path) -> bool:
    """Whether the metadata of a .safetensors file marks it as a stand-in."""
    try:
        with safe_open(path, "pt") as opened:
            return "stand_in" in (opened.metadata() or {})
    except (OSError, SafetensorError):
        return False


def fill(module: nn.Module, salt: str = "") -> dict[str, Tensor]:
    """Values for all tensors of a module that keep activations bounded.

    Matrices have the variance 1 / fan-in; scales are about 1.
    """
    return {
        key: _values(salt + key, value.shape)
        for key, value in module.state_dict().items()
        if value.is_floating_point()
    }


def _values(name: str, shape: torch.Size) -> Tensor:
    """Uniform random values of a tensor; the seed of the generator depends on the name."""
    generator = torch.Generator("cpu").manual_seed(zlib.crc32(name.encode()))
    values = torch.rand(shape, generator=generator) * 2 - 1
    if len(shape) >= 2:
        values *= (3 / shape[1:].numel()) ** 0.5
    else:
        values = values * 0.1 + float(name.endswith("weight"))
    # Rounded to half precision, so that all devices and hosts use the same numbers.
    return values.half().float()


def _packed(state_dict: dict[str, Tensor]) -> bytes:
    """Contents of a .safetensors file in half precision, with MARK in its metadata."""
    halves = {key: value.half().contiguous() for key, value in state_dict.items()}
    content = save(halves)
    # The library writes metadata in a random order, but the file must be the same every time.
    length = int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8 : 8 + length])
    header = json.dumps({METADATA: {"format": "pt", **MARK}, **tensors}).encode()
    header += b" " * (-len(header) % 8)  # the numbers start at a multiple of 8
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def _json(content: dict) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
