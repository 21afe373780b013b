"""run.json of any content: options that could have been typed, or one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.commands import load_command
from fcvg_core.standalone.cli.options import parse_options

RUNS = Path(__file__).parents[1] / "core" / "standalone" / "cli" / "runs"
FILES = sorted(RUNS.glob("*/*.json"))
# Options that can be typed after their name, whatever they begin with, for those without one.
NAMED = {"first": "image1_path", "last": "image2_path", "image": "ref_image_path",
         "video": "validation_control_video_path"}  # fmt: skip
SHORT = {alias: name for name, alias in NAMED.items()}
NO_OPTION = "an_option_of_another_version"

numbers = (
    st.integers(-(2**65), 2**65)
    | st.floats()
    | st.sampled_from(
        [
            0,
            1,
            -1,
            2,
            63,
            64,
            100,
            1000,
            1001,
            1024,
            1025,
            4096,
            4160,
            2**32,
            2**64,
            0.0,
            -0.0,
            0.5,
            30.5,
            1e-9,
            1e9,
            1e300,
            25.0,
            10**400,
        ]
    )
)
texts = st.text(max_size=20) | st.sampled_from(
    [
        "",
        "25",
        "1e3",
        "nan",
        "auto",
        "cpu",
        "meta",
        "cuda:-1",
        "fp16",
        "fp8",
        "true",
        "None",
        "classic",
        "uniform",
        "ease",
        "0,0.2,1",
        "0,2",
        "a\0b",
        "x" * 5000,
        "\ud800",
        "-o",
        " ",
    ]
)
likely = (
    st.integers(1, 30)
    | st.floats(0, 1)
    | st.booleans()
    | st.none()
    | st.sampled_from(
        [
            "auto",
            "cpu",
            "fp32",
            "classic",
            "hold",
            "drop",
            "uniform",
            "a.png",
            False,
            ["a.json", "b.json"],
            [0, 0.2, 1],
            64,
            128,
        ]
    )
)
values = likely | st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(st.floats(0, 1), max_size=4)
        | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def edited_runs(draw) -> tuple[str, dict, dict[str, Any]]:
    """A command, the contents of a run.json of it, and what was changed in its options."""
    file = draw(st.sampled_from(FILES))
    run = json.loads(file.read_text())
    options = run["options"]
    for key in draw(st.lists(st.sampled_from(sorted(options)), max_size=2)):
        options.pop(key, None)
    keys = st.sampled_from([*sorted(options), NO_OPTION])
    changed = draw(st.dictionaries(keys, values, min_size=1, max_size=2))
    options |= changed
    return file.stem, run, changed


def typed(command: str, key: str, value: Any) -> Any:
    """What an option is when the value of a run.json is typed; SystemExit where it can't be."""
    name = f"--{NAMED.get(key, key)}"
    if key not in (*NAMED, *SHORT, "guidance_scale"):
        name = name.replace("_", "-")
    if isinstance(value, bool):
        words = [name if value else name.replace("--", "--no-")]
    elif isinstance(value, list):
        words = [name, *value] if key == "poses" else [f"{name}={','.join(map(str, value))}"]
    else:
        words = [f"{name}={value}"]
    return getattr(parse_options([command, *words]), SHORT.get(key, key))


@given(edited_runs())
def test_values(tmp_path, edited) -> None:
    command, run, changed = edited
    file = tmp_path / "run.json"
    file.write_text(json.dumps(run))
    try:
        options = parse_options([command, "--run", str(file)])
    except UserError as error:
        assert str(file) in str(error) and len(str(error)) < 600
        # A number too large for any option is named by the reader of the file.
        assert any(key in str(error) for key in changed) or "JSON" in str(error)
        return
    for key, value in changed.items():
        if key == NO_OPTION:
            assert not hasattr(options, key)
        elif value is None:
            assert command_default(command, key) is None
        elif key == "guidance_scale":
            assert options.min_guidance == options.max_guidance == value
        else:
            read = getattr(options, SHORT.get(key, key))
            assert read == typed(command, key, value) and is_own_type(read, value)


@given(edited_runs())
def test_tables(edited) -> None:
    """The options as the table of a spec, without names that only the command line has."""
    command, run, changed = edited
    kind = load_command(command).SPEC
    known = {*kind.settings_by_key(), *changed}
    table = {key: value for key, value in run["options"].items() if key in known}
    try:
        spec = kind.from_json(table)
    except UserError as error:
        assert len(str(error)) < 600 and any(key in str(error) for key in changed)
    else:
        assert NO_OPTION not in changed
        assert kind.from_json(json.loads(json.dumps(spec.to_json()))) == spec
        assert all(
            spec.options()[key] == value
            for key, value in changed.items()
            if not isinstance(spec.options()[key], (Path, tuple))
        )


def command_default(command: str, key: str) -> Any:
    return getattr(parse_options([command]), key, None)


def is_own_type(read: Any, value: Any) -> bool:
    """A number is not read from a text, nor a switch from a number."""
    if isinstance(value, bool) or isinstance(read, bool):
        return read is value
    if isinstance(value, (int, float)):
        return isinstance(read, (int, float))
    return not isinstance(read, (int, float))


@pytest.mark.parametrize("file", FILES[:2], ids=lambda file: file.stem)
@given(at=st.integers(0, 2000), flipped=st.integers(1, 255), cut=st.booleans())
def test_damage(tmp_path, file, at, flipped, cut) -> None:
    """A byte changed, or all after it gone."""
    content = bytearray(file.read_bytes())
    content[at % len(content)] ^= flipped
    damaged = tmp_path / "run.json"
    damaged.write_bytes(content[: at % len(content)] if cut else content)
    try:
        options = parse_options([file.stem, "--run", str(damaged)])
    except UserError as error:
        assert str(damaged) in str(error) and len(str(error)) < 1000
    else:
        assert options.command == file.stem
