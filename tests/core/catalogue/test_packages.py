"""Which packages are needed, in which versions."""

import importlib.util
import re

from hosts import ROOT

from fcvg_core.catalogue import packages
from fcvg_core.catalogue.packages import OLDEST_COMFYUI, parse_version


def test_parse_version() -> None:
    for version, expected in (
        ("0.3.64", (0, 3, 64)),
        ("2.0rc1", (2, 0)),
        ("5.0.0.93", (5, 0, 0)),
        ("2.11.0+cu128", (2, 11, 0)),
        ("", ()),
    ):
        assert parse_version(version) == expected


def test_packages_are_those_of_the_project() -> None:
    """The same lower bounds; torch, OpenCV and onnxruntime have checks of their own."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = dict(re.findall(r'^    "([a-z_]+)(?:>=([\d.]+))?",$', text, re.M))
    for name, oldest in (packages.NODES | packages.COMMAND_LINE).items():
        assert project.pop(name.replace("-", "_")) == ".".join(map(str, oldest)), name
    assert project == {"torch": packages.version_text(packages.TORCH)}


def test_the_oldest_comfyui_is_the_same_everywhere() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-comfyui = ">={".".join(map(str, OLDEST_COMFYUI))}"' in project
    spec = importlib.util.spec_from_file_location("door", ROOT / "__init__.py")
    door = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(door)
    assert door.OLDEST_HOST == OLDEST_COMFYUI
    for version in ("0.3.64", "2.0rc1", "5.0.0.93", "2.11.0+cu128", ""):
        assert door._parse_version(version) == parse_version(version)
