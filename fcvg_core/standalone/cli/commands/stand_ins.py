"""`stand-ins`: tiny models to try the program with."""

import argparse

from ...spec.values import PATH

HELP = "write tiny untrained models, to try the program with"
DESCRIPTION = "Write tiny untrained models. The frames that they paint are noise."
EXAMPLES = ("stand-ins models",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("folder", type=PATH, metavar="DIR", help="folder to write to")


def run(options: argparse.Namespace) -> None:
    """Write the models."""
    from ...demo.stand_ins import write_stand_ins

    write_stand_ins(options.folder)
    print(
        f"Untrained models, whose frames will be noise, are in {options.folder}. To use them set "
        "FCVG_MODELS to this folder, then: python -m fcvg_core inbetween FIRST LAST -o OUT. For "
        "animate name unet.safetensors and controlnext.safetensors of this folder with --unet and "
        "--controlnext."
    )
