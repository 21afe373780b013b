"""docs/training.md: its training files, manifests, commands, Python and tables are the code's."""

import ast
import importlib
import json
import re
import shlex
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from hosts import ROOT
from videos import noise, write_exactly

from fcvg_core.models.controlnext import V2, ControlNeXt
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.training.config import Clips, Training, TrainingSpec, read_config
from fcvg_core.training.data import read_manifest
from fcvg_core.training.memory import training_memory
from fcvg_core.training.steps import SteeredUnet
from fcvg_core.training.trained_sets import FAMILIES

sys.path.append(str(ROOT / "docs"))
import training_tables  # noqa: E402

TEXT = training_tables.PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
PROGRAM = "-m fcvg_core "
SETS = FAMILIES["svd"].sets


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


def commands() -> list[list[str]]:
    """Arguments of every command of the program on the page."""
    lines = "\n".join(blocks("sh")).splitlines()
    return [shlex.split(line.split(PROGRAM, 1)[1]) for line in lines if PROGRAM in line]


def table(head: str) -> list[list[str]]:
    """Cells of the rows of the table whose first line begins with `head`."""
    rows = TEXT.split(f"\n{head}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]


@pytest.fixture(scope="module")
def svd() -> SteeredUnet:
    """The networks of SVD's size, without values."""
    from diffusers import UNetSpatioTemporalConditionModel

    from fcvg_core.standalone.networks.one_token import use_one_token

    with torch.device("meta"):
        unet = UNetSpatioTemporalConditionModel(num_attention_heads=(5, 10, 20, 20)).to("meta")
        use_one_token(unet)
        return SteeredUnet(unet, ControlNeXt(replace(V2)))


@pytest.mark.parametrize("text", blocks("toml"))
def test_training_files(tmp_path, text):
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    spec = read_config(path)
    assert spec.training.trained in (None, *SETS)
    for name in re.findall(r"^(\w+) = ", text, re.MULTILINE):
        assert f"`{name}`" in TEXT.split("\n## The training file", 1)[1].split("\n## One", 1)[0]


def test_tables_of_fields_are_those_of_the_code():
    assert training_tables.with_tables(TEXT) == TEXT, "stale: run python docs/training_tables.py"
    for part in training_tables.PARTS.values():
        named = " ".join(row[0] for row in training_tables.rows_of(part))
        own = {each.name for each in fields(part) if "kind" in each.metadata} - {"line"}
        assert set(re.findall(r"`(\w+)`", named)) == own


class TestCommands:
    def test_there_are_some_of_each_kind(self):
        words = {command[0] for command in commands()}
        assert words >= {"train", "export", "diff-weights", "inbetween", "animate", "models"}

    @pytest.mark.parametrize("arguments", commands(), ids=" ".join)
    def test_they_exist(self, arguments):
        assert parse_options(arguments).command == arguments[0]

    def test_files_that_they_train_are_on_the_page(self):
        given = {command[1] for command in commands() if command[0] == "train"}
        outputs = re.findall(r'^output = "(\w+)"', "\n".join(blocks("toml")), re.MULTILINE)
        assert {Path(name).stem for name in given} <= set(outputs)


class TestManifests:
    @pytest.mark.parametrize("text", [*blocks("jsonl"), *blocks("json")])
    def test_they_are_read(self, tmp_path, text):
        path = tmp_path / "clips.jsonl"
        path.write_text(text, encoding="utf-8")
        assert len(read_manifest(path)) == text.count("\n")

    def test_python_cuts_videos_into_clips(self, tmp_path, monkeypatch):
        (tmp_path / "clips").mkdir()
        for name, count in (("a", 120), ("b", 49), ("short", 48)):
            write_exactly(tmp_path / "clips" / f"{name}.mp4", noise(count, 8, 8))
        monkeypatch.chdir(tmp_path)
        exec(blocks("python")[0], {})  # noqa: S102 (code of this project)
        found = read_manifest(tmp_path / "clips.jsonl")
        assert [item.id for item in found] == ["a 00000", "a 00050", "b 00000"]
        assert {item.stride for item in found} == {2}


@pytest.mark.parametrize("text", blocks("python"))
def test_python_imports_what_exists(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("fcvg_core"):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, name.name) for name in node.names)


@pytest.mark.slow  # networks of SVD's size, though without values
class TestSets:
    def test_parameters(self, svd):
        said = {row[0]: row[2] for row in table("| set |")}
        counts = {
            name: sum(x.numel() for key, x in svd.named_parameters() if each.holds(key))
            for name, each in SETS.items()
        }
        assert said == {name: f"{count / 1e6:,.1f} M" for name, count in counts.items()}

    def test_memory(self, svd):
        said = {row[0]: row[4] for row in table("| set |")}
        spec = TrainingSpec(data=Clips(width=512, height=320, frames=14), training=Training())
        found = training_memory(svd, SETS["control+vo"], spec, torch.bfloat16).total / 1e9
        assert float(said["control+vo"]) == pytest.approx(found, rel=0.03)


def test_links_to_chapters():
    heads = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= anchors


def test_no_figure_is_missing():
    assert re.findall(r"\{\{.*?\}\}", TEXT) == []


def test_official_list_is_json():
    assert [json.loads(text) for text in blocks("json")]
