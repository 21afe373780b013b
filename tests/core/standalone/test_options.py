"""What options repeat of the rooms, so that help comes at once."""

import json
import shlex

import pytest

from fcvg_core.pose import MISSING_JOINTS, MISSING_PEOPLE, STYLES
from fcvg_core.standalone import option_groups
from fcvg_core.standalone.cli import COMMANDS
from fcvg_core.standalone.options import EXAMPLES, parse_options


def test_choices_are_those_of_the_room() -> None:
    assert tuple(STYLES) == option_groups.STYLES
    assert option_groups.MISSING_JOINTS == MISSING_JOINTS
    assert option_groups.MISSING_PEOPLE == MISSING_PEOPLE


class TestExamples:
    def test_every_command_has_some(self) -> None:
        assert set(EXAMPLES) == set(COMMANDS)

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
    assert options.guidance_scale is None


@pytest.mark.parametrize(
    ("saved", "typed", "expected"),
    [
        ({"seed": 7}, [], (7, 7)),  # of version 0.2.0, whose seed coloured the lines too
        ({"seed": 2**32 + 7}, [], (2**32 + 7, 7)),
        ({"seed": 7}, ["--seed", "8"], (8, 7)),
        ({"seed": 7, "color_seed": 1}, [], (7, 1)),
        ({"seed": 7, "color_seed": 1}, ["--color-seed", "2"], (7, 2)),
        ({}, [], (0, 0)),
    ],
)
def test_colors_of_an_earlier_run(tmp_path, saved, typed, expected) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"options": saved, "inputs": {}}))
    options = parse_options(["inbetween", "--run", str(tmp_path / "run.json"), *typed])
    assert (options.seed, options.color_seed) == expected
