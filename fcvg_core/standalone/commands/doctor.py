"""`doctor`: what may keep the program from working here, one line each."""

import argparse
import sys

from ..diagnosis import PROBLEM, diagnose


def run(options: argparse.Namespace) -> None:
    """Print the lines; the exit code is 1 where one is a problem."""
    findings = diagnose()
    for finding in findings:
        print(f"{finding.level:>8}  {finding.text}")
    if any(finding.level == PROBLEM for finding in findings):
        sys.exit(1)
