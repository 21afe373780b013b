"""What moves in a clip: found as by inference, taken from files, kept as text."""

import json
import logging

import numpy as np
import pytest
import torch
from clip_motions import COUNT, MAX_LINES, SIZE, WalkerFinder, draw_clip, make_finders
from drawn_people import walker
from golden_cases import load_arrays

from fcvg_core.errors import UserError
from fcvg_core.lines import LineMatches, format_matches
from fcvg_core.pose import nobody
from fcvg_core.standalone.control.motion import find_motion
from fcvg_core.standalone.media.poses_file import write_poses
from fcvg_core.standalone.preview import PreviewMaker
from fcvg_core.standalone.spec import PreviewSpec
from fcvg_core.training.config import Conditions
from fcvg_core.training.data.jitter import draw_control
from fcvg_core.training.data.motion import (
    ClipMotion,
    Finders,
    chain_frames,
    find_clip_motion,
    open_finders,
)

CPU = torch.device("cpu")
TRUE = Conditions(true_share=0.5)
LINES = torch.tensor([[[10.0, 20.0], [150.0, 40.0]]])
BLANK = np.full((COUNT, *SIZE, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    return draw_clip()


@pytest.fixture(scope="module")
def motion(clip) -> ClipMotion:
    """Lines and a person, at the ends and along the clip."""
    return find_clip_motion(clip, TRUE, make_finders(clip))


def match_lines(first: np.ndarray, last: np.ndarray) -> LineMatches:
    return LineMatches(LINES, LINES + 5, size=first.shape[:2])


def no_lines(first: np.ndarray, last: np.ndarray) -> LineMatches:
    return LineMatches(LINES[:0], LINES[:0], size=first.shape[:2])


class TestAsInference:
    @pytest.mark.parametrize("options", [{}, {"timing": (0.0, 0.2, 1.0), "line_width": 3}])
    def test_lines(self, clip, options) -> None:
        """The same control frames as `inbetween` draws, bit for bit."""
        conditions = Conditions(matcher="classic", max_lines=MAX_LINES, people=False, **options)
        finders = open_finders(conditions, [], CPU)
        control = draw_control(find_clip_motion(clip, conditions, finders), conditions, COUNT, None)
        asked = {"matcher": "classic", "max_lines": MAX_LINES, "poses": False, "frames": COUNT}
        asked |= {"height": SIZE[0], "width": SIZE[1], "device": "cpu"}
        asked |= {key: [*x] if isinstance(x, tuple) else x for key, x in options.items()}
        maker = PreviewMaker(PreviewSpec.from_json(asked))
        expected = maker.draw_control(maker.find_motion((clip[0], clip[-1])))
        assert expected.any() and np.array_equal(control, expected)

    def test_people(self, clip, motion) -> None:
        finders = make_finders(clip)
        found = find_motion(
            (clip[0], clip[-1]),
            match=finders.match,
            find_poses=lambda keyframes: tuple(map(finders.detector, keyframes)),
        )
        assert motion.num_people == 1 and motion.num_lines == len(found.spans[0].matches.ids) > 9
        drawn = draw_control(ClipMotion(found), TRUE, COUNT, None)
        assert np.array_equal(draw_control(motion, TRUE, COUNT, None), drawn)


class TestFindClipMotion:
    def test_each_frame_is_looked_at_once(self, clip) -> None:
        finders = make_finders(clip)
        motion = find_clip_motion(clip, TRUE, finders)
        assert sorted(finders.detector.asked) == [0, 4, 8]
        assert motion.at == (0, 4, 8) and motion.chain.num_keyframes == 3
        finders.release()
        assert finders.detector.released == 1

    @pytest.mark.parametrize(
        "conditions", [Conditions(), Conditions(true_share=1.0, true_every=8)], ids=["0", "all"]
    )
    def test_the_ends_are_enough(self, clip, conditions) -> None:
        """No frame between is to be followed, or none is far enough from the ends."""
        finders = Finders(match_lines, WalkerFinder(clip))
        motion = find_clip_motion(clip, conditions, finders)
        assert motion.chain is None and motion.at == ()
        assert sorted(finders.detector.asked) == [0, 8]

    def test_nobody_is_looked_for(self, clip) -> None:
        finders = Finders(match_lines, WalkerFinder(clip))
        motion = find_clip_motion(clip, Conditions(people=False), finders)
        assert motion.num_people == 0 and finders.detector.asked == []

    @pytest.mark.parametrize("hidden", [False, True])
    def test_nothing_is_found(self, hidden) -> None:
        """A person without a visible joint is nobody."""
        someone = walker(0.0)
        someone.scores[:] = 0.0
        finder = lambda frame: someone if hidden else nobody()  # noqa: E731
        with pytest.raises(UserError, match="nothing would steer this clip: choose frames"):
            find_clip_motion(BLANK, TRUE, Finders(no_lines, finder))


class TestFilesOfTheManifest:
    def test_win(self, tmp_path) -> None:
        """Nothing is looked for; joints of low scores are kept."""
        first, last = walker(0.0), walker(1.0)
        last.scores[0, 4] = 0.2
        paths = tmp_path / "first.json", tmp_path / "last.json"
        for path, poses in zip(paths, (first, last), strict=True):
            write_poses(path, poses, SIZE)
        matches = tmp_path / "matches.json"
        matches.write_text(format_matches(match_lines(BLANK[0], BLANK[0])), encoding="utf-8")
        motion = find_clip_motion(BLANK, Conditions(), Finders(None), matches=matches, poses=paths)
        (span,) = motion.ends.spans
        assert torch.equal(span.matches.lines1, LINES + 5)
        assert torch.equal(span.people[1].keypoints, last.keypoints)
        assert torch.equal(span.people[1].scores, last.scores)
        again = ClipMotion.from_text(motion.to_text(), name="a clip")
        assert torch.equal(again.ends.spans[0].people[1].scores, last.scores)

    def test_lines_of_another_size(self, tmp_path) -> None:
        path = tmp_path / "matches.json"
        path.write_text(format_matches(match_lines(np.empty((64, 64)), None)), encoding="utf-8")
        with pytest.raises(UserError, match=r"frames of 64 x 64 .* brought to 192 x 128: match"):
            find_clip_motion(BLANK, Conditions(), Finders(None), matches=path)

    @pytest.mark.parametrize("key", ["matches", "poses"])
    @pytest.mark.parametrize(
        ("text", "message"), [(None, "no file"), ("[1]", "not hold"), ("{", "not JSON")]
    )
    def test_bad(self, tmp_path, key, text, message) -> None:
        path = tmp_path / "clip.json"
        if text:
            path.write_text(text, encoding="utf-8")
        given = {key: path if key == "matches" else (path, path)}
        with pytest.raises(UserError, match=message):
            find_clip_motion(BLANK, Conditions(), Finders(match_lines), **given)


class TestText:
    def test_is_drawn_the_same(self, motion) -> None:
        again = ClipMotion.from_text(motion.to_text(), name="a clip")
        assert again.at == motion.at and again.num_people == 1
        for seed in (None, 1, 2, 3):
            drawn = [
                draw_control(one, TRUE, COUNT, seed and torch.Generator().manual_seed(seed))
                for one in (motion, again)
            ]
            assert np.array_equal(*drawn)

    def test_a_person_of_a_pixel(self) -> None:
        """Pixels, which could be taken for fractions of the frame."""
        tiny = walker(0.0, at=(0.004, 0.004), reach=(0.001, 0.001))
        motion = find_clip_motion(BLANK, Conditions(), Finders(match_lines, lambda frame: tiny))
        again = ClipMotion.from_text(motion.to_text(), name="a clip")
        assert torch.equal(again.ends.spans[0].people[0].keypoints, tiny.keypoints)

    def test_without_people_and_chain(self) -> None:
        motion = find_clip_motion(BLANK, Conditions(), Finders(match_lines))
        again = ClipMotion.from_text(motion.to_text(), name="a clip")
        assert again.chain is None and again.ends.spans[0].people is None
        assert torch.equal(again.ends.spans[0].matches.lines0, LINES)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda text, values: text[:-9], "does not hold the motion of a clip"),
            (lambda text, values: "[]", "does not hold the motion of a clip"),
            (lambda text, values: values | {"version": 2}, "version is 2; expected 1"),
            (lambda text, values: values | {"ends": None}, "does not hold the motion of a clip"),
            (lambda text, values: values | {"at": [0, 8]}, "a frame for each keyframe"),
            (lambda text, values: values | {"at": [4, 0, 8]}, "rising frames from 0"),
            (lambda text, values: values | {"ends": {"matches": [], "people": None}}, "not hold"),
            (lambda text, values: values | {"chain": {"matches": [{}], "people": None}}, "lacks"),
            (
                lambda text, values: values | {"ends": {**values["ends"], "people": [{}]}},
                "not `people`",
            ),
        ],
    )
    def test_bad(self, motion, change, message) -> None:
        text = motion.to_text()
        bad = change(text, json.loads(text))
        with pytest.raises(UserError, match=message):
            ClipMotion.from_text(bad if isinstance(bad, str) else json.dumps(bad), name="cache.x")


@pytest.mark.parametrize(
    ("count", "every", "frames"),
    [
        (25, 4, (0, 4, 8, 12, 16, 20, 24)),
        (26, 4, (0, 4, 7, 11, 14, 18, 21, 25)),
        (5, 1, (0, 1, 2, 3, 4)),
        (5, 4, (0, 4)),
        (2, 9, (0, 1)),
    ],
)
def test_chain_frames(count, every, frames) -> None:
    assert chain_frames(count, every) == frames


class TestOpenFinders:
    def test_without_dwpose(self, caplog) -> None:
        caplog.set_level(logging.INFO)
        assert open_finders(Conditions(), [], CPU).detector is None
        assert "People are not looked for, because DWPose's two files (dwpose_det" in caplog.text

    def test_of_named_files(self, own_golden) -> None:
        folder = own_golden / "dwpose"
        files = {"dwpose_det": folder / "det_two.onnx", "dwpose_pose": folder / "pose_a.onnx"}
        finders = open_finders(Conditions(**files), [], CPU)
        assert finders.detector(load_arrays(folder / "dwpose_synth.npz")["image"]).num_people == 2
        finders.release()
        assert open_finders(Conditions(**files, people=False), [], CPU).detector is None

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"matcher": "gluestick"}, "GlueStick needs two files"),
            ({"dwpose_det": "absent.onnx"}, "DWPose needs two files"),
            ({"dwpose_det": "absent.onnx", "dwpose_pose": "absent.onnx"}, "absent.onnx"),
        ],
    )
    def test_bad(self, tmp_path, options, message) -> None:
        paths = {k: tmp_path / v if k.startswith("dwpose") else v for k, v in options.items()}
        with pytest.raises(UserError, match=message):
            open_finders(Conditions(**paths), [], CPU)
