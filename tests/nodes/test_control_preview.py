"""What the nodes that draw control frames play on themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hosts import ROOT
from PIL import Image

SIZE = (64, 96)
DRAWN = {"num_frames": 5, "timing": "uniform", "custom_times": ""}
LINES = {"line_width": 1, "color_seed": 0}
PEOPLE = {"missing_joints": "hide", "missing_people": "fade", "pose_width": 1.0}
NODES = ("FCVG_InterpolateConditions", "FCVG_DrawLines", "FCVG_DrawPoses", "FCVG_AlignPoses")


def somebody(x: float) -> list:
    """One person, in OpenPose's format."""
    points = [n for i in range(18) for n in (x + i, 5.0 + 3 * i, 1.0)]
    people = [{"pose_keypoints_2d": points}]
    return [{"people": people, "canvas_width": SIZE[1], "canvas_height": SIZE[0]}]


@pytest.fixture(scope="module")
def matches(load):
    lines = torch.tensor([[[10.0, 10], [60, 12]], [[50, 20], [52, 55]]])
    return load("fcvg_core.lines").LineMatches(lines, lines + 6, size=SIZE)


@pytest.fixture
def draw(node_classes, matches):
    """Runs one of NODES; returns its result."""
    poses = {"first_pose": somebody(20), "last_pose": somebody(50)}
    given = {
        "FCVG_InterpolateConditions": {
            **DRAWN, **LINES, **PEOPLE, **poses, "line_matches": matches,
        },
        "FCVG_DrawLines": {**DRAWN, **LINES, "line_matches": matches},
        "FCVG_DrawPoses": {**DRAWN, **PEOPLE, **poses, "width": 0, "height": 0, "style": "fcvg"},
        "FCVG_AlignPoses": {
            "driving_poses": somebody(20) * 4, "reference_pose": somebody(50),
            "people": "one person", "smoothing": 0.0, "reference_first": True, "pose_width": 1.0,
        },
    }  # fmt: skip

    def run(node: str, **changes):
        return node_classes[node].execute(**{**given[node], **changes})

    return run


def played(result) -> np.ndarray:
    """The frames that the editor plays on the node: [T, H, W, 3]."""
    import folder_paths

    shown = result.ui.as_dict()
    assert shown["animated"] == (True,)
    (file,) = shown["images"]
    frames = []
    with Image.open(Path(folder_paths.get_temp_directory(), file["filename"])) as animation:
        for at in range(animation.n_frames):
            animation.seek(at)
            frames.append(np.asarray(animation.convert("RGB")))
    return np.stack(frames)


@pytest.mark.parametrize("node", NODES)
class TestEveryNode:
    @pytest.mark.seam
    def test_plays_its_frames_on_black(self, draw, node):
        result = draw(node)
        shown, frames = played(result), result.args[0]
        assert frames.shape == (5, *SIZE, 3) and shown.shape[1:] == (*SIZE, 3)
        assert shown[0].max() > 128 and np.median(shown) < 8
        assert (shown.max(-1) > 60).mean() > float((frames.amax(-1) > 0.25).float().mean())

    def test_is_shown_again_if_the_host_can(self, load, node_classes, node):
        schema = node_classes[node].define_schema()
        asked = load("nodes.newer").shows_results()
        assert {key: getattr(schema, key) for key in asked} == asked

    def test_is_drawn_again_in_the_editor(self, node):
        """When its picture has come; the browser shows with Preview Motion why."""
        script = ROOT / "web" / "js" / "redraw.js"
        assert f'"{node}"' in script.read_text(encoding="utf-8")


@pytest.mark.parametrize("node", NODES[:3])
class TestKeyframes:
    def test_they_fade_behind_the_motion(self, draw, node):
        """They change nothing in the control frames, and may have another size."""
        plain = draw(node)
        bright = torch.tensor([[[[1.0, 0.0, 0.0]]]]).expand(1, 128, 192, 3)
        over = draw(node, first_frame=bright, last_frame=bright.flip(-1))
        assert torch.equal(plain.args[0], over.args[0])
        shown = played(over)
        corners = shown[[0, 2, -1], -3, -3].astype(int)
        assert (np.abs(corners - [[102, 0, 0], [51, 0, 51], [0, 0, 102]]) < 16).all(), corners

    def test_one_alone(self, draw, node):
        shown = played(draw(node, last_frame=torch.ones(1, *SIZE, 3)))
        assert shown[0, -3, -3].max() < 16 and shown[-1, -3, -3].min() > 86

    def test_no_picture(self, draw, node):
        with pytest.raises(ValueError, match="first_frame holds NaN"):
            draw(node, first_frame=torch.full((1, *SIZE, 3), torch.nan))


class TestMotion:
    """What moves over several keyframes, and paths."""

    def test_each_keyframe_fades_into_the_next(self, draw, load, node_classes, matches):
        types = load("fcvg_core.motion")
        span = types.Span(matches=matches)
        green = torch.tensor([0.0, 1.0, 0.0]).expand(1, *SIZE, 3)
        (middle,) = node_classes["FCVG_Keyframe"].execute(green, 4).args
        result = draw(
            "FCVG_InterpolateConditions",
            line_matches=None,
            first_pose=None,
            last_pose=None,
            num_frames=10,
            motion=types.Motion(SIZE, (span, span)),
            keyframes=middle,
        )
        corners = played(result)[:, -3, -3, 1]
        assert len(corners) == 10 and corners.argmax() == 4 and corners[4] > 86
        assert corners[0] < 16 and corners[9] < 16 < corners[6]

    def test_paths_alone(self, draw, load):
        points = torch.tensor([[20.0, 20], [30, 20], [60, 40], [70, 50]])
        result = draw(
            "FCVG_InterpolateConditions",
            line_matches=None,
            first_pose=None,
            last_pose=None,
            paths=(load("fcvg_core.paths").Path(0, points),),
            first_frame=torch.zeros(1, *SIZE, 3),
        )
        for frames in (result.args[0].numpy(), played(result) / 255):
            for frame, (x, y) in ((frames[0], points[0]), (frames[-1], points[-1])):
                rows, columns = np.nonzero(frame.max(-1) > 0.5)
                assert abs(columns.mean() - x) < 2 and abs(rows.mean() - y) < 2


def test_large_and_long_videos_are_shown_in_part(draw, load, monkeypatch):
    monkeypatch.setattr(load("nodes.host.animation"), "MOST_FRAMES", 3)
    result = draw("FCVG_DrawPoses", width=1024, height=512, num_frames=7)
    assert result.args[0].shape == (7, 512, 1024, 3)
    assert played(result).shape == (3, 256, 512, 3)


@pytest.mark.parametrize("colors", ["openpose", "white"])
def test_colours_of_people(draw, colors):
    """White people over lines; other models' colours in the frames and in what is played."""
    plain, other = (
        draw("FCVG_InterpolateConditions", line_matches=None, **given)
        for given in ({}, {"colors": colors})
    )
    assert not torch.equal(plain.args[0], other.args[0])
    if colors == "white":
        frames = other.args[0]
        assert torch.equal(frames, frames[..., :1].expand_as(frames))
        assert np.ptp(played(other).astype(int), axis=-1).max() < 32


def test_wrong_way_round_is_said(draw, caplog):
    draw("FCVG_InterpolateConditions", timing="custom", custom_times="1, 0")
    assert caplog.text.count("The motion runs backwards: its times go from 1 to 0") == 1
