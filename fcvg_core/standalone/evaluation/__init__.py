"""Compares results with the truth, frame by frame: clips, optional packages, table and JSON."""

from .evaluate import evaluate_results
from .report import table_lines, to_json

__all__ = ["evaluate_results", "table_lines", "to_json"]
