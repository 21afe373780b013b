"""`doctor`: what may keep the program from working here, one line each."""

import argparse
import sys

from ....catalogue.diagnosis import PROBLEM, Device, diagnose
from ....catalogue.families import list_modes

HELP = "look for what may keep the program from working here"
DESCRIPTION = "Check the packages, the device, the folders and the models of this machine."
EXAMPLES = ("doctor", "doctor --mode dynamicrafter")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--mode", choices=tuple(list_modes()), help="only the models of this mode")


def prints_result(options: argparse.Namespace) -> bool:
    """The findings are all that the command gives."""
    return True


def run(options: argparse.Namespace) -> None:
    """Print the findings; the exit code is 1 if a finding is a problem."""
    levels = set()
    for finding in diagnose(_describe_device, options.mode):
        print(f"{finding.level:>8}  {finding.text}", flush=True)
        levels.add(finding.level)
    if PROBLEM in levels:
        sys.exit(1)


def _describe_device() -> Device:
    from ...networks.device import describe_device

    return describe_device()
