"""Weights with the right names but wrong values, for tests of the nodes and the command line."""

import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

Case = tuple[Callable[[Tensor], object], str | None]  # change of a weight, expected error message


def _quantised(value: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(value.float(), 0.1, 0, torch.qint8)


def _sparse(value: Tensor) -> Tensor:
    return value.float().to_sparse()


# The message is None for a value that works.
VALUES: dict[str, Case] = {
    "float64": (lambda x: x.double(), None),
    "bfloat16": (lambda x: x.bfloat16(), None),
    "float8_e4m3fn": (lambda x: x.to(torch.float8_e4m3fn), None),
    "float8_e5m2": (lambda x: x.to(torch.float8_e5m2), None),
    "a parameter": (lambda x: torch.nn.Parameter(x.float()), None),
    "with a gradient": (lambda x: x.float().requires_grad_(), None),
    "transposed twice": (lambda x: x.float().T.contiguous().T if x.ndim == 2 else x, None),
    "a part of a larger one": (lambda x: torch.stack([x, x])[1], None),
    "int64": (lambda x: x.long(), "int64|whole numbers"),
    "uint8": (lambda x: x.byte(), "uint8|whole numbers"),
    "int32": (lambda x: x.int(), "int32|whole numbers"),
    "bool": (lambda x: x > 0, "bool numbers, but floating-point"),
    "complex64": (lambda x: x.float() + 0j, "complex64 numbers, but floating-point"),
    "float8_e8m0fnu": (lambda x: torch.ones(x.shape).to(torch.float8_e8m0fnu), "float8_e8m0fnu"),
    "quantised": (_quantised, r"is quantised by torch \(qint8\)"),
    "sparse": (_sparse, "is sparse, but a dense tensor is expected"),
    "meta": (lambda x: x.to("meta"), "has a shape but no values"),
    "expanded": (lambda x: x.new_ones(1).expand(x.shape), "repeats values that are stored"),
    "a number": (lambda x: 1.5, "is a float, not a tensor"),
    "None": (lambda x: None, "is a NoneType, not a tensor"),
    "a list": (lambda x: [1.0], "is a list, not a tensor"),
    "a table": (lambda x: {"weight": x}, "is a dict, not a tensor"),
    "a scalar": (lambda x: torch.ones(()), r"has the shape \(\), but"),
    "empty": (lambda x: torch.ones(0), r"has the shape \(0,\), but"),
}
SOME = ("float64", "int64", "complex64", "sparse", "expanded")
# Keys beside the right ones.
KEYS: dict[str, object] = {
    "an int": 7, "a large int": 10**30, "a tuple": (1, 2), "None": None, "a bool": True,
    "a float": 0.5, "empty": "", "of two lines": "a\nb", "with NUL": "a\0b", "long": "x" * 10**6,
}  # fmt: skip


def save(path: Path, weights: dict) -> Path:
    """Write an object with torch.save."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(weights, path)
    return path


def changed(weights: dict[str, Tensor], key: str, case: str) -> dict:
    """Weights with one value replaced."""
    return {**weights, key: VALUES[case][0](weights[key])}


def repacked(source: Path, target: Path, how: str) -> Path:
    """A zip archive that torch never writes: "compressed", "overlapping" or "greedy"."""
    with zipfile.ZipFile(source) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    compression = zipfile.ZIP_DEFLATED if how == "compressed" else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in entries.items():
            if how == "greedy" and "/data/" in name:
                content = content[:8]
            archive.writestr(name, content)
        if how == "overlapping":
            arrays = [entry for entry in archive.infolist() if "/data/" in entry.filename]
            for entry in arrays[1:]:
                entry.header_offset = arrays[0].header_offset
    return target
