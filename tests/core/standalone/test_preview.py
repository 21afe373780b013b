"""What moves between two pictures: found, drawn as control frames and as a preview."""

import logging

import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.lines import LineMatches, format_matches
from fcvg_core.motion import Motion, Span
from fcvg_core.pose import Poses
from fcvg_core.standalone import preview
from fcvg_core.standalone.demo.scene import draw_sample_pair
from fcvg_core.standalone.inbetween import InbetweenPainter
from fcvg_core.standalone.media.poses_file import write_poses
from fcvg_core.standalone.preview import PreviewMaker
from fcvg_core.standalone.spec import AnimateSpec, InbetweenSpec, PreviewSpec

SIZE = (64, 128)
SMALL = {"height": SIZE[0], "width": SIZE[1], "frames": 3, "device": "cpu"}
PAIR = draw_sample_pair((96, 160))
LINES = torch.tensor([[[1.0, 2.0], [30.0, 40.0]]])


def make(**options) -> PreviewMaker:
    return PreviewMaker(PreviewSpec.from_json({**SMALL, **options}))


def draw(**options) -> np.ndarray:
    maker = make(**options)
    return maker.draw_control(maker.find_motion(draw_sample_pair(SIZE)))


def person() -> Poses:
    """Joints all over the frame."""
    joints = torch.rand(1, 134, 2, generator=torch.Generator().manual_seed(0))
    return Poses(joints, torch.ones(1, 134))


class TestPreviewMaker:
    def test_frames(self) -> None:
        stages = []
        frames = make()(*PAIR, progress=lambda stage, done, total: stages.append(stage))
        assert frames.shape == (3, *SIZE, 3) and frames.dtype == np.uint8
        assert list(dict.fromkeys(stages)) == ["conditions", "preview"]
        turned = make()(PAIR[1], PAIR[0])
        assert np.array_equal(turned[0], frames[-1]) and np.array_equal(turned[-1], frames[0])

    def test_remedy_for_few_matches_of_a_file(self, tmp_path, caplog) -> None:
        """Options of a matcher don't help where no matcher runs."""
        path = tmp_path / "matches.json"
        path.write_text(format_matches(LineMatches(LINES, LINES, size=SIZE)), encoding="utf-8")
        make(matches=str(path)).find_motion(draw_sample_pair(SIZE))
        assert f"Only 1 line steers the video, which is few. Add matches to {path}." in caplog.text

    def test_a_painter_previews_the_same(self) -> None:
        painter = InbetweenPainter(InbetweenSpec.from_json({**SMALL, "conditions_only": True}))
        pair = draw_sample_pair(SIZE)
        previewed = painter.draw_preview(pair, painter.find_motion(pair))
        assert np.array_equal(previewed, make()(*pair))

    def test_takes_the_spec_of_a_painter(self) -> None:
        assert PreviewMaker(InbetweenSpec.from_json(SMALL))(*PAIR).shape == (3, *SIZE, 3)

    def test_a_spec_of_another_kind(self) -> None:
        with pytest.raises(ValueError, match="of type AnimateSpec, but PreviewSpec is needed"):
            PreviewMaker(AnimateSpec())

    @pytest.mark.parametrize("people", [None, "nobody", "one"])
    def test_nothing_moves(self, caplog, people) -> None:
        nobody = Poses(torch.zeros(0, 134, 2), torch.zeros(0, 134))
        span = Span(
            matches=LineMatches(LINES[:0], LINES[:0], size=SIZE),
            people={"nobody": (nobody, nobody), "one": (person(), nobody)}.get(people),
        )
        pair = draw_sample_pair(SIZE)
        frames = make(timing="uniform").draw_preview(pair, Motion(SIZE, (span,)))
        assert "No line and no person is in both keyframes" in caplog.text
        assert np.abs(frames[1] - np.mean(pair, axis=0)).max() <= 0.5

    def test_somebody_moves(self, caplog) -> None:
        lines = LineMatches(LINES[:0], LINES[:0], size=SIZE)
        found = Motion(SIZE, (Span(matches=lines, people=(person(), person())),))
        make().draw_preview(draw_sample_pair(SIZE), found)
        assert "No line and no person" not in caplog.text


class TestGivenMatches:
    def test_are_drawn(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(preview, "open_matcher", lambda *a, **b: pytest.fail("not needed"))
        matches = LineMatches(LINES, LINES, size=SIZE)
        (tmp_path / "m.json").write_text(format_matches(matches))
        control = draw(matches=str(tmp_path / "m.json"))
        shown = control[0].any(-1)
        assert shown[20, 14:18].any() and not shown[:, 40:].any()

    def test_for_another_size(self, tmp_path) -> None:
        matches = LineMatches(LINES, LINES, size=(64, 96))
        (tmp_path / "m.json").write_text(format_matches(matches))
        with pytest.raises(UserError, match="96 x 64 pixels, but these are 128 x 64"):
            draw(matches=str(tmp_path / "m.json"))


class TestPeople:
    def test_given(self, tmp_path, caplog) -> None:
        caplog.set_level(logging.INFO)
        write_poses(tmp_path / "a.json", person(), SIZE)
        (tmp_path / "b.json").write_text('{"people": []}')
        given = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
        control = draw(poses=given, missing_people="fade")
        assert "The first frame shows 1 person, the last frame shows nobody." in caplog.text
        assert (control[0] != draw(poses=False)[0]).any()

    def test_not_wanted(self, own_golden, monkeypatch) -> None:
        monkeypatch.setattr(preview, "open_pose_finder", lambda *a, **b: pytest.fail("no"))
        draw(poses=False, dwpose_det=str(own_golden / "dwpose" / "det_one.onnx"))

    def test_not_found(self, caplog) -> None:
        caplog.set_level(logging.INFO)
        draw()
        assert "No poses are detected" in caplog.text
