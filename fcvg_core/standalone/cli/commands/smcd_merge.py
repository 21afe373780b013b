"""`smcd-merge`: the three files of an SMCD model become one, half as large."""

import argparse

from ....catalogue.model_files import UNET
from ....shell import shell_words
from ...spec.values import PATH

HELP = "write the three files of SMCD as one .safetensors file"
DESCRIPTION = (
    "Write the UNet, PositionNet and the visual encoder of SMCD into one .safetensors file, which "
    "`smcd` and ComfyUI's Load SMCD take. Tensors are read and written one by one, so 8 GB of fp32 "
    "pickles become 4 GB of fp16 with little memory. Nothing is overwritten, and the three files "
    "stay as they are."
)
EXAMPLES = (
    "smcd-merge Animate-Your-Motion -o smcd.safetensors",
    "smcd-merge training/checkpoint-60000 -o smcd_fp32.safetensors --dtype fp32",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "ckpt",
        type=PATH,
        metavar="FOLDER",
        help="the folder with pytorch_model.bin, pytorch_model_1.bin and pytorch_model_2.bin (or "
        "model.safetensors, model_1.safetensors and model_2.safetensors), or the UNet's file",
    )
    parser.add_argument(
        "-o", "--output", type=PATH, metavar="FILE", required=True, help="the new file"
    )
    for name, what in (
        ("--position-net", "the network that encodes boxes"),
        ("--visual-encoder", "the network that encodes the picture"),
    ):
        parser.add_argument(
            name, type=PATH, metavar="FILE", help=f"{what}, if its file is not in FOLDER"
        )
    parser.add_argument(
        "--dtype",
        choices=("fp16", "bf16", "fp32"),
        default="fp16",
        help="number format of the file; fp32 makes it twice as large (%(default)s)",
    )


def run(options: argparse.Namespace) -> None:
    """Write the file, and print how it is used."""
    from ...networks.device import DTYPES
    from ...networks.smcd import SmcdFiles
    from ...networks.smcd.merging import merge_smcd
    from ..progress import Bars

    files = SmcdFiles(
        ckpt=options.ckpt,
        position_net=options.position_net,
        visual_encoder=options.visual_encoder,
    )
    target = options.output
    with Bars() as bars:
        count = merge_smcd(files, target, dtype=DTYPES[options.dtype], progress=bars)
    print(f"{target}: {count} tensors, {target.stat().st_size / 1e6:.1f} MB")
    print(f"On the command line: {shell_words('smcd', '--ckpt', str(target))}")
    print(f"In ComfyUI: {target.name} into models/{UNET}")
