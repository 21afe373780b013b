"""`stand-ins`: tiny models to try the program with."""

import argparse
import shlex

from ..stand_ins import write_stand_ins


def run(options: argparse.Namespace) -> None:
    """Write them."""
    write_stand_ins(options.folder)
    print(
        f"Untrained models, whose frames will be noise, are in {options.folder}. To use them: "
        f"FCVG_MODELS={shlex.quote(str(options.folder))} python -m fcvg_core inbetween FIRST LAST "
        "-o OUT"
    )
