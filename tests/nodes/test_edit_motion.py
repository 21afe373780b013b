"""Edit Motion: what it gives without an editor, and what its canvas gets."""

import json
import logging
from pathlib import Path

import pytest
import torch
from PIL import Image

SIZE = (64, 96)
LINE = [[10.0, 10.0], [60.0, 12.0]]
DRAWN = {"id": 99999, "first": LINE, "last": [[20.0, 10.0], [70.0, 12.0]], "edit": "drawn"}


def state(**tables) -> str:
    return json.dumps({"version": 2, "size": list(SIZE[::-1]), **tables})


def somebody(x: float) -> list:
    """One person, in OpenPose's format."""
    points = [n for i in range(18) for n in (x + i, 5.0 + 3 * i, 1.0)]
    people = [{"pose_keypoints_2d": points}]
    return [{"people": people, "canvas_width": SIZE[1], "canvas_height": SIZE[0]}]


@pytest.fixture(scope="module")
def matches(load):
    lines = torch.tensor([LINE, [[50.0, 20], [52, 55]]])
    return load("fcvg_core.lines").LineMatches(lines, lines + 6, size=SIZE)


@pytest.fixture
def edit(node_classes):
    """Runs the node; returns its five outputs and what the canvas gets."""

    def run(text: str = "", **given):
        result = node_classes["FCVG_EditMotion"].execute(text, **given)
        (payload,) = result.ui["fcvg_motion"]
        return (*result.args, payload)

    return run


def moved(match: int, by: float) -> dict:
    """An edit of the first match, which was found where LINE is."""
    last = [[x + 6, y + 6] for x, y in LINE]
    found = {"first": LINE, "last": last}
    first = [[x + by, y] for x, y in LINE]
    return {"id": match, "first": first, "last": last, "edit": "moved", "found": found}


class TestWithoutEdits:
    def test_all_is_passed_on(self, edit, matches):
        poses = {"first_pose": somebody(10), "last_pose": somebody(20)}
        motion, lines, first, last, paths, payload = edit(line_matches=matches, **poses)
        assert lines is matches and motion.spans[0].matches is matches
        assert [len(pose[0]["people"]) for pose in (first, last)] == [1, 1]
        assert first[0]["people"][0]["pose_keypoints_2d"][:2] == pytest.approx([10, 5], abs=1e-4)
        assert paths == () and payload["size"] == [96, 64]
        assert len(payload["matches"]) == 2 and len(payload["people"]) == 1

    def test_what_is_missing_is_empty(self, edit, matches):
        _, _, first, last, paths, _ = edit(line_matches=matches)
        assert first[0]["people"] == last[0]["people"] == [] and paths == ()
        _, lines, *_ = edit(first_pose=somebody(10), last_pose=somebody(20))
        assert len(lines.lines0) == 0 and tuple(lines.size) == SIZE

    def test_nothing_at_all_is_an_error(self, edit):
        with pytest.raises(ValueError, match="Nothing says how large .*, and the state is empty"):
            edit()


class TestEdits:
    def test_a_moved_line(self, edit, matches):
        _, lines, *_, payload = edit(state(matches=[moved(0, 5.0)]), line_matches=matches)
        assert lines.lines0[lines.ids == 0][0].tolist() == [[15, 10], [65, 12]]
        assert payload["matches"][0]["first"] == LINE and payload["assigned"]["matches"] == {"0": 0}

    def test_a_state_alone_gives_its_lines(self, edit):
        motion, lines, *_ = edit(state(matches=[DRAWN]))
        assert lines.lines1.tolist() == [DRAWN["last"]] and tuple(motion.size) == SIZE

    def test_what_is_stale_is_said_and_shown(self, edit, matches, caplog):
        caplog.set_level(logging.WARNING)
        wrong = moved(7, 5.0)
        wrong["found"] = {"first": [[0, 60], [9, 60]], "last": [[0, 60], [9, 60]]}
        _, lines, *_, payload = edit(state(matches=[wrong]), line_matches=matches)
        assert torch.equal(lines.lines0, matches.lines0) and payload["stale"]["matches"] == [7]
        assert (
            sum("Edits of lines 7 do not fit" in record.getMessage() for record in caplog.records)
            == 1
        )

    def test_a_newer_version_is_refused(self, edit, matches):
        with pytest.raises(ValueError, match="version 3"):
            edit('{"version": 3}', line_matches=matches)


class TestKeyframes:
    def test_the_canvas_gets_them_in_one_size(self, edit):
        import folder_paths

        first, last = torch.rand(1, *SIZE, 3), torch.rand(2, 50, 50, 3)
        *_, payload = edit(state(matches=[DRAWN]), first_frame=first, last_frame=last)
        for file in payload["pictures"].values():
            assert file["type"] == "temp"
            path = Path(folder_paths.get_temp_directory(), file["subfolder"], file["filename"])
            assert Image.open(path).size == SIZE[::-1]

    def test_large_pictures_are_shrunk_for_the_canvas(self, edit):
        import folder_paths

        *_, payload = edit(first_frame=torch.rand(1, 1088, 2176, 3))
        path = Path(folder_paths.get_temp_directory(), payload["pictures"]["first"]["filename"])
        assert Image.open(path).size == (1024, 512) and payload["size"] == [2176, 1088]
        assert payload["pictures"]["last"] is None

    def test_they_are_fitted_to_the_lines(self, edit, matches):
        *_, payload = edit(line_matches=matches, first_frame=torch.rand(1, 128, 128, 3))
        assert payload["size"] == [96, 64]
