"""`stand-ins`: tiny models to try the program with."""

import argparse

from ...demo.stand_ins import write_stand_ins


def run(options: argparse.Namespace) -> None:
    """Write them."""
    write_stand_ins(options.folder)
    print(
        f"Untrained models, whose frames will be noise, are in {options.folder}. To use them set "
        "FCVG_MODELS to this folder, then: python -m fcvg_core inbetween FIRST LAST -o OUT. For "
        "animate name unet.safetensors and controlnext.safetensors of this folder with --unet and "
        "--controlnext."
    )
