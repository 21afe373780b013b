"""The options of every command: help, bounds, names, and messages about wrong values."""

import json
import shlex
from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.commands import COMMANDS, load_command
from fcvg_core.standalone.cli.options import parse_options

EXAMPLES = {name: load_command(name).EXAMPLES for name in COMMANDS}


class TestExamples:
    def test_every_command_has_some(self) -> None:
        for name, lines in EXAMPLES.items():
            assert lines and all(line.split()[0] == name for line in lines)

    @pytest.mark.parametrize("command", sorted(COMMANDS))
    def test_shown_line_by_line(self, command: str, capsys) -> None:
        with pytest.raises(SystemExit) as stopped:
            parse_options([command, "--help"])
        shown = capsys.readouterr().out
        assert stopped.value.code == 0
        for example in EXAMPLES[command]:
            assert f"\n  python -m fcvg_core {example}\n" in shown

    @pytest.mark.parametrize(
        "example", [x for some in EXAMPLES.values() for x in some if "--run" not in x]
    )
    def test_can_be_typed(self, example: str) -> None:
        assert parse_options(shlex.split(example)).command == example.split()[0]


def test_one_guidance_for_both_ends() -> None:
    """It is resolved at once, so that a repeated run can say otherwise."""
    options = parse_options(["inbetween", "a.png", "b.png", "--guidance_scale", "1.5"])
    assert (options.min_guidance, options.max_guidance) == (1.5, 1.5)
    assert not hasattr(options, "guidance_scale")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_says_bounds_and_defaults(command, capsys) -> None:
    with pytest.raises(SystemExit):
        parse_options([command, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "_Untyped" not in shown
    if command in ("inbetween", "animate"):
        assert "denoising steps (25); 1 to 1000" in shown
        assert "(0); 0 to 18446744073709551615" in shown
    if "--width" in shown:
        assert "; 64 to 4096" in shown


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--frames", ["1", "1025", "1000000000", "1e9"]),
        ("--steps", ["0", "1001", "1e9"]),
        ("--fps", ["0", "1001", "1e12", "7.5"]),
        ("--width", ["100032", "65", "1e3", "4160"]),
        ("--line-width", ["0", "33", "100000"]),
        ("--guidance_scale", ["-1", "1e300", "30.01"]),
        ("--control-weight", ["-0.1", "10.5"]),
        ("--motion-bucket", ["0", "1024"]),
        ("--augmentation", ["1.1", "-1"]),
        ("--window", ["1", "1025"]),
        ("--overlap", ["-1", "1024"]),
        ("--max-lines", ["0", "1000000000"]),
        ("--max-pts", ["0", "10001"]),
        ("--noise-injection-steps", ["-1", "21"]),
        ("--decode-chunk", ["0", "257"]),
        ("--timing", ["0,1e400", "0,nan", "0," * 10**6]),
        ("--device", ["CPU", "", " cpu", "cuda:-1"]),
        ("--model", [""]),
        ("--image1_path", [""]),
    ],
)
def test_values_that_can_not_be_typed(option, values, capsys) -> None:
    for value in values:
        with pytest.raises(SystemExit) as stopped:
            parse_options(["inbetween", "a", "b", f"{option}={value}"])
        (message,) = capsys.readouterr().err.splitlines()
        assert stopped.value.code == 2 and message.startswith("Error: ") and len(message) < 500


@pytest.mark.parametrize(
    "command",
    [
        ["match", "a", "b", "-o", "c"],
        ["pose", "a", "-o", "c"],
        ["sample-frames", "d"],
        ["inbetween"],
        ["animate"],
    ],
)
@pytest.mark.parametrize("option", ["--height", "--width"])
def test_a_size_is_one_that_models_take(command, option, capsys) -> None:
    with pytest.raises(SystemExit):
        parse_options([*command, option, "100"])
    message = "expected a multiple of 64 from 64 to 4096, got 100: take 64 or 128"
    assert message in capsys.readouterr().err
    assert getattr(parse_options([*command, option, "128"]), option[2:]) == 128


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--fra", "--frames"),
        ("--fra=5", "--frames"),
        ("--framse", "--frames"),
        ("--color_seed", "--color-seed"),
        ("--guidance", "--guidance_scale"),
    ],
)
def test_options_have_their_whole_names(typed, meant, capsys) -> None:
    """A short name would mean another option in a later version."""
    with pytest.raises(SystemExit):
        parse_options(["inbetween", "a", "b", typed])
    assert f"perhaps {meant}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["x" * 10**6],
        ["inbetween", "a", "b", "--matcher", "x" * 10**6],
        ["inbetween", "a", "b", "--" + "x" * 10**6],
        ["match", "a", "b", *["c d\n"] * 1000],
        ["inbetween", "a", "b", "--offload=" + "x" * 10**6],
        ["inbetween", "x" * 10**6],
        ["inbetween", "a\0b"],
        ["models", "--mode", "\ud800"],
    ],
)
def test_messages_are_short_whatever_is_typed(arguments, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse_options(arguments)
    (message,) = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 2 and len(message) < 1200


def test_defaults_are_values() -> None:
    options = parse_options(["inbetween", "a", "b"])
    assert (options.steps, options.timing, options.poses) == (25, "reference", None)


@pytest.mark.parametrize("device", ["meta", "privateuseone", "xla", "cpu:1", "quantum"])
@pytest.mark.parametrize(
    "command", [["inbetween", "a", "b"], ["match", "a", "b", "-o", "c"], ["pose", "a", "-o", "c"]]
)
def test_device_that_is_not_here(command, device) -> None:
    """It is looked for before anything is read, whether or not a network will run."""
    with pytest.raises(UserError, match=f"^There is no device '{device}' here"):
        parse_options([*command, "--device", device])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("inbetween {} --seed 1 {}", {"first": "a", "last": "b", "seed": 1}),
        ("inbetween {} --poses p q {} --fps 3", {"first": "a", "last": "b", "fps": 3}),
        ("animate {} -o x {}", {"image": "a", "video": "b", "output": "x"}),
        ("match {} -o x {} --width 64", {"first": "a", "last": "b", "width": 64}),
        ("pose {} -o x {} --height 64 c --width 64", {"images": ["a", "b", "c"], "height": 64}),
        ("inbetween --seed 1 -- -a -b", {"first": "-a", "last": "-b", "seed": 1}),
        ("match -o x -- -a --seed", {"first": "-a", "last": "--seed"}),
        ("pose -o x -- -1", {"images": ["-1"]}),
    ],
)
def test_options_between_files(typed, meant) -> None:
    options = vars(parse_options(typed.format("a", "b").split()))
    found = {name: options[name] for name in meant}
    assert found == {name: as_paths(value) for name, value in meant.items()}


def as_paths(value: object) -> object:
    if isinstance(value, list):
        return [Path(item) for item in value]
    return Path(value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    "typed",
    [
        "inbetween a b --seed=--",
        "inbetween a b --matcher=--",
        "inbetween a b -o=--",
        "inbetween a b --poses=--",
        "animate a b --device=--",
        "match a b -o x --height=--",
        "pose a -o x --style=--",
        "models --mode=--",
        "models --convert=--",
        "sample-frames a --width=--",
    ],
)
def test_two_dashes_are_no_value(typed, capsys) -> None:
    """argparse takes them for none at all, and hands on an empty list."""
    with pytest.raises(SystemExit) as stopped:
        parse_options(typed.split())
    assert stopped.value.code == 2
    assert typed.split()[-1].split("=")[0] in capsys.readouterr().err


class TestPicturesOfSeveralKeyframes:
    @pytest.mark.parametrize("command", ["inbetween", "preview"])
    @pytest.mark.parametrize(
        "arguments",
        [
            ["a", "b", "c", "d", "--at", "0,9,20,30"],
            ["--at=0 9 20 30", "a", "b", "c", "d"],
            ["a", "b", "--at", "0, 9, 20, 30", "c", "d"],
        ],
    )
    def test_in_the_order_of_time(self, command, arguments) -> None:
        options = parse_options([command, *arguments])
        assert (options.first, options.last) == (Path("a"), Path("d"))
        assert options.between == [Path("b"), Path("c")]
        assert options.at == [0, 9, 20, 30] and {"at", "between"} <= options.given

    def test_two(self) -> None:
        options = parse_options(["inbetween", "a", "b"])
        assert not options.between and options.at is None
        assert not options.given & {"between", "at", "frames"}

    @pytest.mark.parametrize("at", ["0", "0,x", "0,1024", "0,-1", "0,1.5", ""])
    def test_what_is_no_list_of_frames(self, at, capsys) -> None:
        with pytest.raises(SystemExit):
            parse_options(["inbetween", "a", "b", f"--at={at}"])
        assert "expected 2 numbers of frames or more, each 0 to 1023" in capsys.readouterr().err


class TestEarlierRunOfSeveralKeyframes:
    @pytest.fixture
    def run(self, tmp_path) -> str:
        options = {"first": "a", "between": ["b"], "last": "c", "at": [0, 9, 30], "frames": 31}
        table = {"command": "inbetween", "options": options, "inputs": {}}
        (tmp_path / "run.json").write_text(json.dumps(table), encoding="utf-8")
        return str(tmp_path / "run.json")

    def test_is_repeated(self, run) -> None:
        options = parse_options(["inbetween", "--run", run])
        assert (options.between, options.at, options.frames) == ([Path("b")], [0, 9, 30], 31)

    def test_typed_pictures_replace_all(self, run) -> None:
        options = parse_options(["inbetween", "--run", run, "x", "y"])
        assert (options.first, options.last, options.between) == (Path("x"), Path("y"), ())
        options = parse_options(["inbetween", "--run", run, "x", "y", "z"])
        assert (options.last, options.between) == (Path("z"), [Path("y")])
        assert options.at == [0, 9, 30]

    def test_length_and_places_replace_each_other(self, run) -> None:
        options = parse_options(["inbetween", "--run", run, "--frames", "40"])
        assert options.at is None and options.frames == 40
        options = parse_options(["inbetween", "--run", run, "--at", "0,12,24"])
        assert options.at == [0, 12, 24] and "frames" not in options.given
