"""Options that say one thing twice, or exclude each other."""

from pathlib import Path

import pytest

from fcvg_core.errors import UserError
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
