"""Options that say one thing twice, or exclude each other."""

import json
from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.option_rules import Rules, without_replaced
from fcvg_core.standalone.cli.options import parse_options

INBETWEEN, ANIMATE = ["inbetween", "a", "b"], ["animate", "a", "b"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([*INBETWEEN, "--image1_path", "c"], ("FIRST", "--image1_path")),
        ([*INBETWEEN, "--image2_path", "c"], ("LAST", "--image2_path")),
        ([*ANIMATE, "--ref_image_path", "c"], ("IMAGE", "--ref_image_path")),
        (
            [*ANIMATE, "--validation_control_video_path", "c"],
            ("VIDEO", "--validation_control_video_path"),
        ),
        ([*ANIMATE, "--control-frames", "c"], ("VIDEO", "--control-frames")),
        (
            ["animate", "a", "--validation_control_video_path", "b", "--control-frames", "c"],
            ("VIDEO", "--control-frames"),
        ),
        (
            [*INBETWEEN, "--guidance_scale", "2", "--min-guidance", "1"],
            ("--min-guidance", "--guidance_scale"),
        ),
        (
            [*ANIMATE, "--max-guidance", "1", "--guidance_scale", "2"],
            ("--max-guidance", "--guidance_scale"),
        ),
        ([*INBETWEEN, "--matches", "m", "--matcher", "gluestick"], ("--matches", "--matcher")),
        ([*INBETWEEN, "--matches", "m", "--matcher", "classic"], ("--matches", "--matcher")),
        (
            [*INBETWEEN, "--from-preview", "0.5", "--conditions-only"],
            ("--from-preview", "--conditions-only"),
        ),
        (["models", "--convert", "a", "--mode", "animate"], ("--convert", "--mode")),
        (["models", "--convert", "a", "--needed"], ("--convert", "--needed")),
    ],
)
def test_contradictions_name_both(arguments, names) -> None:
    with pytest.raises(UserError) as raised:
        parse_options(arguments)
    assert all(name in str(raised.value) for name in names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["--frames", "5"], ["--max_frame_num", "6"]),
        (["-o", "x"], ["--output_dir", "y"]),
        (["--unet", "x"], ["--unet_path", "y"]),
        (["--window=3"], ["--batch_frames=4"]),
    ],
)
def test_two_names_of_one_option(one, other, capsys) -> None:
    with pytest.raises(SystemExit):
        parse_options([*INBETWEEN, *one, *other])
    said = capsys.readouterr().err
    assert all(words[0].split("=")[0] in said for words in (one, other))


@pytest.mark.parametrize("order", [1, -1])
def test_poses_and_none(order, capsys) -> None:
    given = [["--poses", "x", "y"], ["--no-poses"]][::order]
    with pytest.raises(SystemExit):
        parse_options([*INBETWEEN, *given[0], *given[1]])
    assert "--no-poses" in (said := capsys.readouterr().err) and "argument --poses" in said


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        ([*INBETWEEN, "--image1_path", "./a"], "first", Path("a")),  # the same file
        (["inbetween", "--image1_path", "a"], "first", Path("a")),
        (["animate", "--validation_control_video_path", "b"], "video", Path("b")),
        ([*INBETWEEN, "--guidance_scale", "2", "--min-guidance", "2"], "max_guidance", 2.0),
        ([*INBETWEEN, "--min-guidance", "3", "--max-guidance", "1"], "min_guidance", 3.0),
        ([*INBETWEEN, "--matches", "m", "--matcher", "auto"], "matches", Path("m")),
        # Where models lie may be said though they are not used.
        ([*INBETWEEN, "--matches", "m", "--gluestick", "g"], "matches", Path("m")),
        ([*INBETWEEN, "--matcher", "classic", "--superpoint", "s"], "matcher", "classic"),
        ([*INBETWEEN, "--no-poses", "--dwpose-det", "d"], "poses", False),
        ([*INBETWEEN, "--conditions-only", "--model", "m"], "model", Path("m")),
        ([*INBETWEEN, "--steps", "3", "--steps", "4"], "steps", 4),
        ([*INBETWEEN, "--steps", "3", "--num_inference_steps", "3"], "steps", 3),
        ([*INBETWEEN, "--offload", "--no-offload"], "offload", False),
    ],
)
def test_what_goes_together(arguments, name, value) -> None:
    assert getattr(parse_options(arguments), name) == value


FAST = {
    "steps": 10, "schedule": "ays", "guidance_from": 0.25, "guidance_until": 0.49, "cache": 2,
}  # fmt: skip


class TestFast:
    @pytest.mark.parametrize("command", [INBETWEEN, ANIMATE])
    def test_sets_what_is_not_typed(self, command) -> None:
        plain, fast = (vars(parse_options([*command, *more])) for more in ([], ["--fast"]))
        changed = {name: value for name, value in fast.items() if value != plain[name]}
        assert changed.pop("given") - plain["given"] == changed.keys()
        assert changed == {**FAST, "fast": True}
        options = vars(parse_options([*command, "--cache", "1", "--fast", "--steps", "25"]))
        typed = {"cache": 1, "steps": 25}
        assert {name: options[name] for name in FAST} == {**FAST, **typed}

    def test_is_not_for_what_the_sampler_ignores(self) -> None:
        options = vars(parse_options([*INBETWEEN, "--fast", "--sampler", "mpd"]))
        whole = {"guidance_from": 0.0, "guidance_until": 1.0}
        assert {name: options[name] for name in FAST} == {**FAST, **whole}

    def test_wins_over_an_earlier_run(self, tmp_path) -> None:
        run = write_run(tmp_path, steps=30, seed=4, sampler="mpd")
        options = parse_options(["inbetween", "--run", run, "--fast"])
        assert (options.steps, options.cache, options.seed) == (10, 2, 4)
        assert (options.sampler, options.guidance_from) == ("mpd", 0.0)


class TestAnotherSampler:
    """A run of FCVG is repeated with SVD alone, or the other way round."""

    SAVED = {
        "timing": "uniform", "control_weight": 0.5, "unet": "/fcvg", "controlnext": "/c",
        "from_preview": 0.7, "poses": False, "max_guidance": 2.0, "steps": 9, "model": "/svd",
    }  # fmt: skip

    def test_leaves_out_what_it_would_ignore(self, tmp_path) -> None:
        run = write_run(tmp_path, **self.SAVED)
        options = parse_options(["inbetween", "--run", run, "--sampler", "mpd"])
        assert (options.timing, options.control_weight) == ("reference", 1.0)
        assert (options.unet, options.controlnext, options.from_preview) == (None, None, None)
        assert (options.poses, options.max_guidance) == (None, 3.0)
        assert (options.steps, options.model) == (9, Path("/svd"))

    def test_keeps_what_is_typed(self, tmp_path) -> None:
        run = write_run(tmp_path, **self.SAVED)
        options = parse_options(["inbetween", "--run", run, "--sampler", "mpd", "--unet", "/u"])
        assert options.unet == Path("/u")

    def test_the_same_sampler_changes_nothing(self, tmp_path) -> None:
        run = write_run(tmp_path, sampler="mpd", unet="/u")
        options = parse_options(["inbetween", "--run", run, "--sampler", "mpd"])
        assert options.unet == Path("/u")

    def test_fcvg_again(self, tmp_path) -> None:
        """SVD's own UNet is not FCVG's. Released versions noted no sampler: theirs was FCVG's."""
        run = write_run(tmp_path, sampler="mpd", steps=9, unet="/svd's")
        options = parse_options(["inbetween", "--run", run, "--sampler", "euler"])
        assert (options.sampler, options.steps, options.unet) == ("euler", 9, None)
        run = write_run(tmp_path, unet="/fcvg's")
        options = parse_options(["inbetween", "--run", run, "--sampler", "euler"])
        assert options.unet == Path("/fcvg's")


def write_run(folder: Path, **options) -> str:
    path = folder / "run.json"
    path.write_text(json.dumps({"command": "inbetween", "options": options, "inputs": {}}))
    return str(path)


def test_an_option_replaces_one_or_several() -> None:
    rules = Rules(replaces={"folder": ("first", "boxes"), "output_dir": "output"})
    saved = {"first": "a", "boxes": "b", "output": "c", "steps": 5}
    for typed, left in (
        ({"folder": "x"}, {"output": "c", "steps": 5}),
        ({"folder": "x", "boxes": "y"}, {"boxes": "b", "output": "c", "steps": 5}),
        ({"output_dir": "x"}, {"first": "a", "boxes": "b", "steps": 5}),
    ):
        assert without_replaced(saved, typed, rules, noted=saved) == left
