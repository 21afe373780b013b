"""`doctor`: what may keep the program from working here, one line each."""

import argparse
import sys

from ....catalogue.diagnosis import PROBLEM, Device, diagnose


def run(options: argparse.Namespace) -> None:
    """Print the lines; the exit code is 1 where one is a problem."""
    levels = set()
    for finding in diagnose(_describe_device):
        print(f"{finding.level:>8}  {finding.text}", flush=True)
        levels.add(finding.level)
    if PROBLEM in levels:
        sys.exit(1)


def _describe_device() -> Device:
    from ...networks.device import describe_device

    return describe_device()
