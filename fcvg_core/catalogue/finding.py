"""What a check finds: a line of the report of `doctor`."""

from dataclasses import dataclass

OK, WARNING, PROBLEM = "OK", "warning", "problem"


@dataclass(frozen=True)
class Finding:
    """One line of the report: its level, what was found, and the remedy if one is needed."""

    level: str
    text: str
