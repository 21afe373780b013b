"""Pickled weights -> a .safetensors file beside them, which opens at once and holds no code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from .loading import SAFETENSORS, read_pickle

PICKLES = (".tar", ".pth", ".pt", ".bin", ".ckpt")
NESTED = ("state_dict", "model")  # where a training checkpoint keeps its weights


def convert(path: Path) -> tuple[Path, list[str]]:
    """Rewrite a file's weights, value for value, and leave the file as it is.

    Args:
        path: written by torch.save; of a training checkpoint the weights alone are taken.

    Returns:
        The new file, and names of what was left out because it is no weight.

    Raises:
        ValueError: the file is none of these, or the new one exists.
    """
    from safetensors.torch import save_file

    if path.suffix in SAFETENSORS:
        raise ValueError(f"{path} is a .safetensors file already.")
    if path.suffix not in PICKLES:
        raise ValueError(f"{path} is no pickled model file: expected {', '.join(PICKLES)}.")
    target = path.with_suffix(".safetensors")
    if target.exists():
        raise ValueError(f"{target} exists, and is left as it is: move it away first.")
    tensors, left = _tensors(read_pickle(path), path)
    part = target.with_name(f".{target.name}.part")
    try:
        save_file(_apart(tensors), part, metadata={"format": "pt"})
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return target, left


def _tensors(found: Any, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """The weights in what was read, and names of the rest."""
    left = []
    for key in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            left += [str(name) for name in found if name != key]
            found = found[key]
    if not isinstance(found, Mapping):
        raise ValueError(f"{path} holds {type(found).__name__} and no list of weights.")
    tensors = {str(key): value for key, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ValueError(f"{path} holds no weights.")
    return tensors, left + [str(key) for key in found if str(key) not in tensors]


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors that share no memory, which a .safetensors file can't express."""
    seen, result = set(), {}
    for key, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        shared = place in seen or tensor.untyped_storage().nbytes() != tensor.nbytes
        seen.add(place)
        result[key] = tensor.clone() if shared else tensor.contiguous()
    return result
