"""--run: options of an earlier run pass the checks of the command line."""

import json
from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.commands import load_command
from fcvg_core.standalone.cli.options import parse_options

RUNS = Path(__file__).parent / "runs"  # as the releases wrote them


@pytest.fixture
def run(tmp_path):
    """Writes a run.json and parses a command that repeats it."""

    def parse(saved: dict, *typed: str, command: str = "inbetween", facts: dict = {}):
        path = tmp_path / "run.json"
        path.write_text(json.dumps({"options": saved, "inputs": {}, **facts}))
        return parse_options([command, "--run", str(path), *typed])

    return parse


@pytest.mark.parametrize("file", sorted(RUNS.glob("*/*.json")), ids=lambda x: str(x.parent.name))
def test_files_of_all_releases(file, caplog) -> None:
    saved = json.loads(file.read_text())["options"]
    options = vars(parse_options([file.stem, "--run", str(file)]))
    for key, value in saved.items():
        found = options.get(key)  # of names of one thing only one is left
        assert str(found) == value if isinstance(found, Path) else found == value, key
    assert not caplog.text


# Of each kind of option, values that it can't hold and what was expected.
WRONG = {
    "steps": ([0, 1001, 1e9, 25.0, "25", True, None, [25], {}, 10**18], "a whole number from 1 to"),
    "frames": ([1, 1025, 10**9], "a whole number from 2 to 1024"),
    "seed": ([-1, 2**63 * 2, 1.5, "7", None, False], "a whole number from 0 to"),
    "width": ([0, 100, 100032, "64", 64.0], "a multiple of 64 from 64 to 4096"),
    "fps": ([0, 1e12, 7.5], "a whole number from 1 to 1000"),
    "control_weight": ([-0.1, 1e300, "1", None, [1.0], True], "a number from 0 to 10"),
    "max_guidance": ([float("nan"), float("inf"), 30.5], "a number from 0 to 30"),
    "fit": (["fill", "", None, 1], "one of crop, pad, stretch"),
    "anchor": (["middle", ["top"], True], "one of center, top, bottom"),
    "from_preview": ([-0.1, 1.1, "0.5", True], "a number from 0 to 1"),
    "offload": ([None, 0, 1, "true", "false", [], {}], "true or false"),
    "matcher": (["lsd", "", None, 0, ["auto"], {}], "one of auto, gluestick, classic"),
    "dtype": (["fp8", None, 16], "one of auto, bf16, fp16, fp32"),
    "first": (["", "a\0b", 5, True, [], {"path": "a"}, "x" * 5000], "a path"),
    "output": ([None, "", 0, ["out"]], "a path"),
    "model": (["", "\0", 1, ["m"]], "a path"),
    "poses": ([True, "a", [], ["a"], ["a", "b", "c"], ["a", None], ["a", ""], 0, {}],
              "a list of 2, each a path"),
    "timing": ([None, "ease", "", [], [0.5], [0, 2], ["0", "1"], [0, True], 0.5,
                [0.5] * 1025], "one of the timings reference"),
    "device": (["CPU", "", " cpu", "cuda:-1", None, 0, ["cpu"]], "auto, cpu, cuda"),
    "guidance_scale": ([-1, 31, "3", True], "a number from 0 to 30"),
    "image1_path": (["", 5], "a path"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key, (values, _) in WRONG.items() for value in values],
    ids=lambda value: repr(value)[:20],
)
def test_wrong_values(run, tmp_path, key, value) -> None:
    with pytest.raises(UserError) as raised:
        run({key: value})
    message = str(raised.value)
    if "is not JSON" not in message:  # the reader of JSON knows how large a number may be
        assert message.startswith(f"{tmp_path / 'run.json'}: {key} is ")
        assert f"expected {WRONG[key][1]}" in message and "Change it there, or give " in message
    assert len(message) < 500


def test_message(run, tmp_path) -> None:
    with pytest.raises(UserError) as raised:
        run({"steps": 1001})
    assert str(raised.value) == (
        f"{tmp_path / 'run.json'}: steps is 1001: expected a whole number from 1 to 1000. Change "
        "it there, or give --steps."
    )


@pytest.mark.parametrize(
    ("saved", "name", "expected"),
    [
        ({"control_weight": 1}, "control_weight", 1),  # JSON has one kind of number
        ({"poses": False}, "poses", False),
        ({"poses": None}, "poses", None),
        ({"poses": ["a", "b"]}, "poses", [Path("a"), Path("b")]),
        ({"timing": [0, 0.2, 1]}, "timing", [0, 0.2, 1]),
        ({"timing": "uniform"}, "timing", "uniform"),
        ({"first": None}, "first", None),
        ({"image1_path": "a"}, "first", Path("a")),
        ({"guidance_scale": 2}, "min_guidance", 2),
        ({"offload": True}, "offload", True),
        ({}, "steps", 25),
        ({"steps": 3, "command": "rm", "help": 1, "run": "x", "__class__": 1}, "steps", 3),
    ],
)
def test_right_values(run, saved, name, expected) -> None:
    assert getattr(run(saved), name) == expected


@pytest.mark.parametrize(
    ("saved", "typed", "name", "expected"),
    [
        ({"steps": 3}, ["--steps", "4"], "steps", 4),
        ({"steps": 3}, ["--num_inference_steps", "25"], "steps", 25),  # the default, but typed
        ({"steps": "bad"}, ["--steps", "4"], "steps", 4),
        ({"first": "a"}, ["--image1_path", "b"], "first", Path("b")),
        ({"first": 5}, ["b"], "first", Path("b")),
        ({"image1_path": "a"}, ["b"], "first", Path("b")),
        ({"offload": True}, ["--no-offload"], "offload", False),
        ({"poses": False}, ["--poses", "a", "b"], "poses", [Path("a"), Path("b")]),
        ({"poses": ["a", "b"]}, ["--no-poses"], "poses", False),
        ({"poses": False}, ["--dwpose-det", "d"], "poses", None),
        ({"matches": "m"}, ["--matcher", "classic"], "matches", None),
        ({"matches": "m"}, ["--matcher", "auto"], "matches", None),
        ({"min_guidance": 1.0}, ["--guidance_scale", "2"], "min_guidance", 2.0),
        ({"guidance_scale": "bad"}, ["--guidance_scale", "2"], "min_guidance", 2.0),
        ({"device": "meta"}, ["--device", "cpu"], "device", "cpu"),
    ],
)
def test_what_is_typed_wins(run, saved, typed, name, expected) -> None:
    assert getattr(run(saved, *typed), name) == expected


@pytest.mark.parametrize(
    ("saved", "typed", "left"),
    [
        ({"video": "v"}, ["--control-frames", "c"], "video"),
        ({"control_frames": "c"}, ["a", "v"], "control_frames"),
    ],
)
def test_another_kind_of_control_takes_its_place(run, saved, typed, left) -> None:
    assert getattr(run(saved, *typed, command="animate"), left) is None


def test_two_names_of_one_thing(run) -> None:
    with pytest.raises(UserError, match=r"run\.json: first is 'a' and .*image1_path is 'b'"):
        run({"first": "a", "image1_path": "b"})


@pytest.mark.parametrize(
    ("saved", "command", "other"),
    [({"image": "a"}, "inbetween", "animate"), ({"first": "a"}, "animate", "inbetween")],
)
def test_run_of_another_command(run, saved, command, other) -> None:
    with pytest.raises(UserError, match=f"is of the command {other}, not of {command}: python -m"):
        run(saved, command=command)


def test_command_that_a_run_names(run) -> None:
    with pytest.raises(UserError, match="is of the command animate, not of inbetween"):
        run({"steps": 3}, facts={"command": "animate"})


@pytest.mark.parametrize("version", [2, 10**6, 0, "1", None, True])
def test_run_of_a_newer_version(run, tmp_path, version) -> None:
    with pytest.raises(UserError) as raised:
        run({"version": version, "steps": "of another form"})
    assert str(raised.value).startswith(f"{tmp_path / 'run.json'}: These options have version ")
    assert "but this program knows version 1: update ComfyUI-FCVG" in str(raised.value)


def test_version_of_the_form(run, caplog) -> None:
    options = run({"version": 1, "steps": 3})
    assert options.steps == 3 and not hasattr(options, "version") and not caplog.text


def test_the_file_is_read_once(run, tmp_path) -> None:
    options = run({"steps": 3})
    assert options.run.path == tmp_path / "run.json"
    assert options.run.table["options"] == {"steps": 3}


@pytest.mark.parametrize("file", sorted(RUNS.glob("*/*.json")), ids=lambda x: str(x.parent.name))
def test_specs_of_all_releases(file) -> None:
    """What a run of a release was is what its spec says now."""
    saved = json.loads(file.read_text())["options"]
    options = parse_options([file.stem, "--run", str(file)])
    spec = load_command(file.stem).SPEC.from_options(vars(options))
    table = spec.to_json()
    assert {key: table[key] for key in saved if key in table} == {
        key: value for key, value in saved.items() if key in table
    }
    newer = {
        "version", "color_seed", "from_preview", "fit", "anchor", "audio", "drawn", "draft",
        "schedule", "guidance_from", "guidance_until", "cache", "forward_share", "sampler",
    }  # fmt: skip
    assert set(table) - set(saved) <= newer
    assert type(spec).from_json(json.loads(json.dumps(table))) == spec


@pytest.mark.parametrize("command", [None, [], {}, 5, "match"])
def test_name_of_a_command_that_is_none(run, command) -> None:
    assert run({"steps": 3}, facts={"command": command}).steps == 3


def test_unknown_options_are_said_once(run, caplog) -> None:
    assert run({"steps": 3, **{f"new{i}": i for i in range(9)}, "x" * 10**6: 1}).steps == 3
    assert "run.json: unknown options are left out: 'new0', " in caplog.text
    assert "and 5 more." in caplog.text and len(caplog.text) < 500


@pytest.mark.parametrize("device", ["meta", "privateuseone", "cpu:1", "cuda:99"])
def test_device_that_is_not_here(run, device) -> None:
    with pytest.raises(UserError, match=r"run\.json: device: There is no device .*--device\."):
        run({"device": device})


@pytest.mark.parametrize(
    ("saved", "typed", "expected"),
    [
        ({"seed": 7}, [], (7, 7)),  # of version 0.2.0, whose seed coloured the lines too
        ({"seed": 2**32 + 7}, [], (2**32 + 7, 7)),
        ({"seed": 7}, ["--seed", "8"], (8, 7)),
        ({"seed": -7}, ["--seed", "8"], (8, 0)),
        ({"seed": 7, "color_seed": 1}, [], (7, 1)),
        ({"seed": 7, "color_seed": 1}, ["--color-seed", "2"], (7, 2)),
        ({}, [], (0, 0)),
    ],
)
def test_colors_of_an_earlier_run(run, saved, typed, expected) -> None:
    options = run(saved, *typed)
    assert (options.seed, options.color_seed) == expected
