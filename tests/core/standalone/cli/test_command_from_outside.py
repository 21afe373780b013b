"""A command of another package brings its own rules, so that no table of the product names it."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.commands import COMMANDS
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.cli.option_groups import add_device, options_of
from fcvg_core.standalone.cli.option_rules import Rules
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.standalone.cli.run_record import check_earlier_run, save_run
from fcvg_core.standalone.spec import Machine, RunSpec
from fcvg_core.standalone.spec.part import setting
from fcvg_core.standalone.spec.values import PATH


@dataclass(frozen=True, kw_only=True)
class SketchSpec(RunSpec):
    sketch: Path | None = setting(PATH, None)
    strokes: Path | None = setting(PATH, None)


def add_arguments(parser) -> None:
    add = options_of(SketchSpec, parser)
    add("sketch", nargs="?", metavar="SKETCH", help="a picture")
    add("--strokes", metavar="FILE", help="strokes")
    parser.add_argument("--sketch_path", type=PATH, metavar="FILE", help="the same as SKETCH")
    parser.add_argument("--outline", type=PATH, metavar="FILE", help="no setting of the spec")
    add("-o", "--output", metavar="OUT", help="folder to make")
    add_device(parser)
    parser.add_argument("--run", type=PATH, metavar="FILE", help="an earlier run")


@pytest.fixture(autouse=True)
def command(monkeypatch) -> ModuleType:
    module = ModuleType("sketch_command")
    module.HELP, module.DESCRIPTION, module.EXAMPLES = "draw", "Draw.", ("sketch a.png",)
    module.add_arguments, module.SPEC = add_arguments, SketchSpec
    module.RULES = Rules(
        aliases={"sketch_path": "sketch"},
        pairs=(("strokes", "outline"),),
        replaces={"outline": "strokes"},
    )
    module.run = lambda options: print("drawn")
    monkeypatch.setitem(sys.modules, "sketch_command", module)
    monkeypatch.setitem(COMMANDS, "sketch", "sketch_command")
    return module


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The run.json of an earlier run."""
    path = tmp_path / "run.json"
    saved = {"sketch_path": "/gone/a.png", "strokes": "/gone/b.json", "outline": "/gone/c.json"}
    path.write_text(json.dumps({"command": "sketch", "options": saved, "inputs": {}}))
    return path


def test_aliases() -> None:
    assert parse_options(["sketch", "--sketch_path", "a"]).sketch == Path("a")
    with pytest.raises(UserError, match="SKETCH is 'a' and --sketch_path is 'b'"):
        parse_options(["sketch", "a", "--sketch_path", "b"])
    with pytest.raises(SystemExit):
        parse_options(["inbetween", "a", "b", "--sketch_path", "c"])


def test_pairs() -> None:
    with pytest.raises(UserError, match="--strokes and --outline are both given"):
        parse_options(["sketch", "a", "--strokes", "b", "--outline", "c"])


def test_an_earlier_run(run, caplog) -> None:
    options = parse_options(["sketch", "--run", str(run)])
    assert options.sketch == Path("/gone/a.png") and options.strokes == Path("/gone/b.json")
    assert "unknown options are left out: 'outline'" in caplog.text
    spec = SketchSpec.from_options(vars(options))
    with pytest.raises(UserError, match="or give SKETCH"):
        check_earlier_run(spec, options.run)
    typed = parse_options(["sketch", "--run", str(run), "--outline", "d", "--sketch_path", "e"])
    assert typed.strokes is None and typed.sketch == Path("e")


def test_an_earlier_run_names_options_that_are_typed_with_a_name(run) -> None:
    options = parse_options(["sketch", str(run), "--run", str(run)])
    with pytest.raises(UserError, match="or give --strokes"):
        check_earlier_run(SketchSpec.from_options(vars(options)), options.run)


def test_a_run_of_a_spec_without_models(tmp_path, caplog) -> None:
    """Settings that have no option keep their default; another value is named."""
    spec = SketchSpec(sketch=tmp_path / "a.png", machine=Machine(device="cpu"))
    spec.sketch.touch()
    save_run(tmp_path, "sketch", spec, None)
    options = parse_options(["sketch", "--run", str(tmp_path / "run.json")])
    check_earlier_run(SketchSpec.from_options(vars(options)), options.run)
    assert options.sketch == spec.sketch and options.device == "cpu"
    assert not caplog.text
    save_run(tmp_path, "sketch", replace(spec, machine=Machine(offload=True)), None)
    parse_options(["sketch", "--run", str(tmp_path / "run.json")])
    assert "unknown options are left out: 'offload'" in caplog.text


@pytest.mark.parametrize(("prints_result", "code"), [(True, 1), (False, 0), (None, 0)])
def test_output_that_is_lost(command, monkeypatch, prints_result, code) -> None:
    if prints_result is not None:
        command.prints_result = lambda options: prints_result
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["sketch", "a"]) == code
