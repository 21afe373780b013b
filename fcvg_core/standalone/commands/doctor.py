"""`doctor`: what may keep the program from working here, one line each."""

import argparse
import sys

from ..diagnosis import PROBLEM, diagnose


def run(options: argparse.Namespace) -> None:
    """Print the lines; the exit code is 1 where one is a problem."""
    levels = set()
    for finding in diagnose():
        print(f"{finding.level:>8}  {finding.text}", flush=True)
        levels.add(finding.level)
    if PROBLEM in levels:
        sys.exit(1)
