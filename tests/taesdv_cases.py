"""TAESDV's published file: names and shapes of its tensors, and files with random values.

Source of names and shapes: madebyollin/taesdv taesdv.py:21-72.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

# Numbers of the layers -> what they are: a block, or a convolution (in, out, whether with bias).
ENCODER = {
    0: (3, 64, True),
    **dict.fromkeys((1, 3, 4, 5, 7, 8, 9, 11, 12, 13), "block"),
    **dict.fromkeys((2, 6, 10), (64, 64, False)),
    14: (64, 4, True),
}
DECODER = {
    1: (4, 64, True),
    **dict.fromkeys((3, 4, 5, 8, 9, 10, 13, 14, 15, 18), "block"),
    **dict.fromkeys((7, 12, 17), (64, 64, False)),
    19: (64, 3, True),
}


def _shapes(part: str, layers: dict, inputs: int) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor; `inputs` are the channels that a block's first convolution takes."""
    found = {}
    for number, layer in layers.items():
        convs = {"": layer}
        if layer == "block":
            convs = {f"conv.{i}.": (64 if i else inputs, 64, True) for i in (0, 2, 4)}
        for name, (before, after, bias) in convs.items():
            found[f"{part}.{number}.{name}weight"] = (after, before, 3, 3)
            if bias:
                found[f"{part}.{number}.{name}bias"] = (after,)
    return found


# A block of the decoder also sees the frame before.
DECODER_SHAPES = _shapes("decoder", DECODER, 128)
SHAPES = {**_shapes("encoder", ENCODER, 64), **DECODER_SHAPES}


def taesdv_weights(seed: int = 0) -> dict[str, Tensor]:
    """Random tensors of the decoder, under which values neither vanish nor grow."""
    draw = torch.Generator().manual_seed(seed)
    return {
        key: torch.randn(shape, generator=draw) / (2.5 * shape[1] ** 0.5)
        if len(shape) == 4
        else torch.randn(shape, generator=draw) / 10
        for key, shape in DECODER_SHAPES.items()
    }


def write_taesdv(path: Path, seed: int = 0) -> Path:
    """A file as it is published, or converted to .safetensors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(taesdv_weights(seed), path)
    else:
        torch.save(taesdv_weights(seed), path)
    return path
