"""Names of what `pose` writes."""

import itertools
import os
import unicodedata
from pathlib import Path

import pytest

from fcvg_core.standalone.cli.commands.pose import ENDINGS, distinct_names

NAMES = [
    "a.png",
    "A.PNG",
    "b/a.png",
    "a_preview.png",
    "a.b.png",
    "a_0001.png",
    "a_0001_preview.jpg",
]
ACCENTS = ["\u00e9.png", "e\u0301.png", "E\u0301.jpg", "\u00c9.jpg"]
SHARP = ["stra\u00dfe.png", "STRASSE.png", "\u017f.png", "s.png", "\ufb01.png", "fi.png"]


def files(names: list[str]) -> list[str]:
    return [name + ending for name in names for ending in ENDINGS]


def on_any_disk(name: str) -> str:
    """What a disk may make of a name at most: no case, one form of accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def check(paths: list[str]) -> list[str]:
    names = distinct_names([Path(path) for path in paths])
    written = files(names)
    assert len({on_any_disk(name) for name in written}) == len(written)
    assert all(len(os.fsencode(name)) <= 255 and "/" not in name for name in written)
    return names


@pytest.mark.parametrize("names", [NAMES, [*ACCENTS, *ACCENTS[:2]], SHARP])
def test_no_file_has_two_owners(names):
    for order in itertools.permutations(names):
        for name, path in zip(check(list(order)), order, strict=True):
            assert name.startswith(Path(path).stem)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.png", "b.png"], ["a", "b"]),
        (["a.png"] * 3, ["a", "a_0001", "a_0002"]),
        (["a_preview.png", "a.png"], ["a_preview", "a_0001"]),
        (["a.png", "a_preview.png"], ["a", "a_preview_0001"]),
        (["a.png", "A.png", "x/a.jpg"], ["a", "A_0001", "a_0002"]),
        (["a_0001.png", "a.png", "a.png"], ["a_0001", "a", "a_0002"]),
        (
            ["a_preview_preview.png", "a_preview.png", "a.png"],
            ["a_preview_preview", "a_preview_0001", "a"],
        ),
        (
            [".png", "..png", "...", "CON", "a.b.png", "a b .png"],
            [".png", ".", "...", "CON", "a.b", "a b "],
        ),
        (["\udcff.png", "\udcfe.png", "\udcff.jpg"], ["\udcff", "\udcfe", "\udcff_0001"]),
    ],
)
def test_names_are_those_of_the_pictures(paths, expected):
    assert check(paths) == expected


@pytest.mark.parametrize("letter", ["x", "\u00e9", "\u65e5", "\udcff"])
def test_long_names_are_cut(letter):
    stem = letter * (251 // len(os.fsencode(letter)))
    names = check([f"{stem}.png", f"{stem}.jpg", f"{stem[:-1]}y.jpg"])
    assert all(len(os.fsencode(name)) > 220 and name.startswith(letter * 50) for name in names)
