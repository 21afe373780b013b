"""A family is a line in one list: everything else learns of it from there."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hosts import ROOT

from fcvg_core.catalogue import families
from fcvg_core.catalogue.comfyui import model_roots
from fcvg_core.catalogue.diagnosis import OK, WARNING, Device, diagnose
from fcvg_core.catalogue.dwpose import BOXES
from fcvg_core.catalogue.families import (
    FAMILIES,
    list_files,
    list_kinds,
    list_modes,
    missing,
    missing_choice,
    modes_choosing,
    modes_helped_by,
    modes_needing,
)
from fcvg_core.catalogue.gluestick import GLUESTICK_ROWS
from fcvg_core.catalogue.model_checks import check_models
from fcvg_core.catalogue.model_files import MODEL_INDEX, Download, Family, ModelFile, places
from fcvg_core.catalogue.svd import SVD
from fcvg_core.lines.gluestick_keys import SOURCES
from fcvg_core.standalone.cli.commands import models
from fcvg_core.standalone.cli.main import main

NETWORK = ModelFile(
    key="toy-network",
    name="the toy's network",
    comfyui=places("toys", "toy.onnx"),
    folder=("toy.onnx",),
    downloads=(Download("https://example.org/toy.onnx", 7),),
    licence="none",
    source="example.org",
)
FOLDER = replace(
    SVD,
    key="toy-folder",
    name="the toy's folder",
    comfyui=places("diffusers", f"toy/{MODEL_INDEX}"),
    folder=(f"toy/{MODEL_INDEX}",),
    pipeline="ToyPipeline",
    parts=("brain",),
)
TOY = Family(mode="play", purpose="toys", needed=(NETWORK, FOLDER), helpful=(BOXES,))
CHOICES = tuple(
    replace(
        NETWORK,
        key=f"choice-{name}",
        folder=(f"{name}.onnx",),
        non_commercial=True,
        on_request=True,
    )
    for name in ("red", "blue")
)


@pytest.fixture
def toy(monkeypatch, tmp_path: Path) -> Iterator[Path]:
    """The family in the list, and an empty folder of models."""
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    FAMILIES.append(TOY)
    yield tmp_path
    FAMILIES.remove(TOY)


def put_toy(models: Path, pipeline: str = "ToyPipeline") -> None:
    """The whole family's files."""
    (models / "toy.onnx").write_bytes(b"\x08")
    (models / "toy" / "brain").mkdir(parents=True)
    (models / "toy" / MODEL_INDEX).write_text(json.dumps({"_class_name": pipeline}))
    (models / "toy" / "brain" / "x.bin").write_bytes(b"PK")


class TestToyFamily:
    def test_questions(self, toy: Path) -> None:
        assert list_modes()["play"] == "toys"
        assert list_files(["play"]) == [NETWORK, FOLDER, BOXES]
        assert list_files(["play"], needed=True) == [NETWORK, FOLDER]
        assert modes_needing(NETWORK) == ["play"] and modes_needing(BOXES) == ["animate"]
        assert modes_helped_by(BOXES) == ["inbetween", "play"]
        assert "toys" in list_kinds() and list_kinds().count("diffusers") == 1
        assert len(list_files()) == len(set(list_files())) == len({f.key for f in list_files()})

    def test_find(self, toy: Path) -> None:
        roots = model_roots(None)
        assert NETWORK.find(roots) is None
        assert missing("play", roots) == [NETWORK, FOLDER]
        put_toy(toy)
        assert NETWORK.find(roots) == toy / "toy.onnx"
        assert FOLDER.find(roots) == toy / "toy" / MODEL_INDEX
        assert missing("play", roots) == []

    def test_another_family_s_folder(self, toy: Path) -> None:
        put_toy(toy, "StableVideoDiffusionPipeline")
        assert FOLDER.find(model_roots(None)) is None
        assert SVD.find(model_roots(None)) is None  # its own parts are not there

    def test_models(self, toy: Path, capsys) -> None:
        put_toy(toy)
        assert main(["models", "--mode", "play"]) == 0
        printed = capsys.readouterr().out
        assert re.search(r"play: toys\n  found   the toy's network\n", printed)
        assert "DAMAGED" in printed  # the folder's weights
        assert "not there, optional: DWPose, yolox_l.onnx" in printed
        assert main(["models", "--json"]) == 0
        rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
        assert rows["toy-network"]["needed_by"] == ["play"]
        assert rows["yolox"]["needed_by"] == ["animate"]
        assert rows["yolox"]["helps"] == ["inbetween", "play"]
        assert rows["toy-folder"]["damaged"] == str(toy / "toy" / "brain" / "x.bin")

    def test_doctor(self, toy: Path) -> None:
        def findings() -> dict:
            device = Device("cpu", "", 0.0, "for the CPU alone", "float32")
            return {found.text.split(":")[0]: found for found in diagnose(lambda: device)}

        found = findings()["play"]
        assert found.level == WARNING and "missing: the toy's network" in found.text
        assert "models --get --mode play" in found.text
        put_toy(toy)
        (toy / "toy" / "brain" / "x.bin").unlink()
        (toy / "toy" / "brain" / "x.safetensors").write_bytes(
            b"\x02\0\0\0\0\0\0\0{}"  # a header without tensors
        )
        assert findings()["play"].level == OK


class TestAlternatives:
    """One of several files is enough, and none of them is downloaded without being named."""

    @pytest.fixture
    def folder(self, toy: Path, monkeypatch) -> Path:
        choosing = replace(TOY, mode="choose", needed=(NETWORK,), alternatives=CHOICES)
        monkeypatch.setattr(families, "FAMILIES", [choosing])
        return toy

    def test_questions(self, folder: Path) -> None:
        assert list_files(["choose"], needed=True) == [NETWORK, *CHOICES]
        assert list_files(["choose"]) == [NETWORK, *CHOICES, BOXES]
        assert modes_choosing(CHOICES[0]) == ["choose"] and modes_needing(CHOICES[0]) == []
        assert modes_choosing(NETWORK) == []

    def test_one_is_enough(self, folder: Path, capsys) -> None:
        roots = model_roots(None)
        put_toy(folder)
        assert missing("choose", roots) == []
        assert missing_choice("choose", roots) == list(CHOICES)
        found = check_models("choose", roots)
        assert found.level == WARNING
        assert "choose: missing: one of choice-red, choice-blue." in found.text
        assert main(["models", "--mode", "choose"]) == 0
        printed = capsys.readouterr().out
        assert "MISSING one of these: choice-red, choice-blue\n" in printed
        assert printed.count("not there, one is enough") == 2
        assert "begin with choice-red\n" in printed
        assert "models --get --only choice-blue" in printed
        assert printed.endswith("models --get --only choice-red\n")
        (folder / "blue.onnx").write_bytes(b"\x08")
        assert missing_choice("choose", roots) == []
        assert check_models("choose", roots).level == OK
        assert main(["models", "--mode", "choose", "--needed"]) == 0
        printed = capsys.readouterr().out
        assert "MISSING" not in printed and "To download what is missing" not in printed

    def test_only_what_is_named_is_downloaded(self, folder: Path, monkeypatch, capsys) -> None:
        fetched: list[str] = []
        monkeypatch.setattr(models, "fetch", lambda one, target: fetched.append(target.name))
        assert main(["models", "--get", "--yes"]) == 0
        printed = capsys.readouterr().out
        assert "Left out, because not everybody needs them: choice-red (7 MB)" in printed
        assert fetched == ["toy.onnx", "yolox_l.onnx"]
        assert main(["models", "--get", "--yes", "--only", "choice-blue"]) == 0
        assert fetched[2:] == ["blue.onnx"]
        assert "Left out" not in capsys.readouterr().out
        monkeypatch.setattr("sys.stdin", None)
        assert main(["models", "--get", "--only", "choice_blue"]) == 2
        printed = capsys.readouterr()
        assert "--yes downloads it" in printed.out and len(fetched) == 3
        assert "the toy's network is left out." in printed.err

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--only", "choice-red"], "give --get too"),
            (["--get", "--only", "choice-green"], "expected one of toy-network, choice-red"),
            (["--get", "--needed", "--only", "choice-red"], "--needed and --only are both given"),
            (["--json", "--only", "choice-red"], "--json and --only are both given"),
        ],
    )
    def test_options_that_do_not_fit(self, folder: Path, capsys, options, said) -> None:
        try:
            assert main(["models", *options]) == 2
        except SystemExit as stop:
            assert stop.code == 2
        assert said in capsys.readouterr().err


def test_without_the_toy() -> None:
    assert "play" not in list_modes() and "toys" not in list_kinds()


def test_every_row_is_listed() -> None:
    """A row that no family names would never be found or downloaded."""
    texts = [path.read_text() for path in (ROOT / "fcvg_core" / "catalogue").glob("*.py")]
    keys = {key for text in texts for key in re.findall(r'\bkey="([^"]+)"', text)}
    assert keys == {file.key for file in list_files()}


def test_addresses_in_the_messages_of_the_line_matcher() -> None:
    """That room knows no catalogue, but its errors say where the official files come from."""
    for row in GLUESTICK_ROWS:
        (download,) = row.downloads
        assert SOURCES[row.names(row.kind)[0]].startswith(download.url)


def test_missing(stand_ins: Path, tmp_path: Path) -> None:
    assert missing("inbetween", [("folder", stand_ins)]) == []
    assert len(missing("inbetween", [("folder", tmp_path / "none")])) == 3
