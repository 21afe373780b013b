"""There is one list of each choice: tables have its words as keys, and no other file lists them."""

import ast
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hosts import ROOT

from fcvg_core import choices
from fcvg_core.errors import UserError
from fcvg_core.lines import MatchFilter, detect_lines
from fcvg_core.placement import SHARES
from fcvg_core.pose import STYLES
from fcvg_core.standalone.networks.device import DTYPES
from fcvg_core.timeline import EASINGS, inbetween_times

LISTS = {name: words for name, words in vars(choices).items() if isinstance(words, tuple)}
PRODUCT = [
    path
    for folder in ("fcvg_core", "nodes")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "choices.py"
]


def test_tables_have_these_keys() -> None:
    assert (choices.REFERENCE, *EASINGS) == choices.TIMINGS
    assert tuple(STYLES) == choices.POSE_STYLES
    assert ("auto", *DTYPES) == choices.PRECISIONS
    assert tuple(SHARES) == choices.ANCHORS


def test_every_word_is_known_where_it_is_used() -> None:
    for timing in choices.TIMINGS:
        assert inbetween_times(5, timing)[-1] == 1
    for fit in choices.FITS:
        assert MatchFilter(fit=fit).fit == fit
    assert all(hasattr(torch, f"float8_{name[4:]}") for name in choices.WEIGHT_FORMATS[1:])
    for detector in choices.LINE_DETECTORS:
        with suppress(UserError):  # pytlsd may be missing; an unknown word is a plain ValueError
            detect_lines(np.zeros((64, 64), np.uint8), max_lines=1, detector=detector)


@pytest.mark.parametrize("name", sorted(LISTS))
def test_no_other_file_lists_them(name: str) -> None:
    found = [path for path in PRODUCT for words in written_lists(path) if words == LISTS[name]]
    assert len(LISTS[name]) > 1 and not found


def written_lists(path: Path) -> list[tuple]:
    """Every list, tuple or set of texts that a file writes out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        tuple(getattr(item, "value", None) for item in node.elts)
        for node in ast.walk(tree)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set))
    ]
