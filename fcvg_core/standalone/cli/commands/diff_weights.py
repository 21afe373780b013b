"""`diff-weights`: which tensors of two files differ, and the small file of them."""

import argparse
import json
from typing import TYPE_CHECKING

from ...spec.values import PATH

if TYPE_CHECKING:
    from ....training.differences import Differences

HELP = "list the tensors in which two files of weights differ, or write them as a small file"
DESCRIPTION = (
    "Compare the tensors of two files of weights by name: A is the model that was trained from, B "
    "what it became. A and B are files, or folders of SVD in diffusers' layout, of which the UNet "
    "is taken. Where the files have different number formats, tensors are compared in the coarser "
    "one. Tensors are read one by one, so two files of 6 GB need little memory."
)
EXAMPLES = (
    "diff-weights stable-video-diffusion-img2vid-xt-1-1 unet.safetensors",
    "diff-weights svd/unet/diffusion_pytorch_model.safetensors unet.bin --write small.safetensors",
    "diff-weights a.safetensors b.safetensors --json",
)
SHOWN = 12  # names in a list


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("a", type=PATH, metavar="A", help="the weights that training began with")
    parser.add_argument("b", type=PATH, metavar="B", help="the weights that it came to")
    parser.add_argument(
        "--write",
        type=PATH,
        metavar="FILE",
        help="write the tensors of B that differ to this new .safetensors file, which goes over A",
    )
    parser.add_argument(
        "--dtype",
        choices=("fp16", "fp32"),
        help="with --write: number format of the file; otherwise it is that of B",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON, with the name of every tensor"
    )


def prints_result(options: argparse.Namespace) -> bool:
    """Whether the differences are printed, and no file is written."""
    return options.write is None


def run(options: argparse.Namespace) -> None:
    """Compare the files; print the table or JSON, and write the small file."""
    from ....files.weight_writing import check_target
    from ....training.differences import (
        diff_weights,
        open_weights,
        write_differences,
    )
    from ...networks.device import DTYPES
    from ..progress import Bars

    if options.write:
        check_target(options.write)
    a, b = open_weights(options.a), open_weights(options.b)
    with Bars() as bars:
        found = diff_weights(a, b, bars)
    if options.write:
        dtype = DTYPES[options.dtype] if options.dtype else None
        write_differences(options.write, a, b, found, dtype=dtype)
    print(_to_json(found) if options.json else "\n".join(_lines(found)))
    if options.write and not options.json:
        print(f"written: {options.write}, {options.write.stat().st_size / 1e6:.1f} MB")


def _lines(found: "Differences") -> list[str]:
    """The differences for people."""
    from ....training.differences import group_differences, smallest_set

    total = len(found.changed) + len(found.same)
    compared = f"compared as {found.number_format}"
    if found.rounded:
        compared += ", to which the finer file was rounded"
    lines = [
        f"{len(found.changed)} of {total} tensors differ, {compared}.",
        "",
        f"{'tensors':<34}{'differ':>8}{'of':>8}{'numbers':>16}{'largest':>12}",
    ]
    for group in group_differences(found):
        lines.append(
            f"{group.name:<34}{group.changed:>8}{group.total:>8}{group.values:>16,}"
            f"{group.largest:>12.2g}"
        )
    lines.append("")
    for names, words in (
        (found.only_a, "in A alone"),
        (found.only_b, "in B alone"),
        (found.other_shapes, "in other shapes"),
    ):
        if names:
            lines.append(f"{len(names)} {words}: {_in_short(names)}")
    if found.changed and (trained := smallest_set(found)):
        lines.append(f"All that differ are in the trained set {trained} of `train`.")
    return lines


def _in_short(names: tuple[str, ...]) -> str:
    from ....quoting import in_short, unquoted

    return in_short([unquoted(name) for name in names], most=SHOWN, between=", ")


def _to_json(found: "Differences") -> str:
    from ....training.differences import smallest_set

    table = {
        "compared_as": found.number_format,
        "rounded": found.rounded,
        "changed": dict(found.changed),
        "same": found.same,
        "only_a": found.only_a,
        "only_b": found.only_b,
        "other_shapes": found.other_shapes,
        "trained_set": smallest_set(found) if found.changed else None,
    }
    return json.dumps(table, indent=1, allow_nan=False)
