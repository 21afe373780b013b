"""Poses in the format that other programs read and write."""

import copy
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import load_arrays

from fcvg_core.errors import UserError
from fcvg_core.pose import Poses, canvas_size, from_openpose, nobody, to_openpose
from fcvg_core.pose.openpose import EXACT, is_stretched
from fcvg_core.pose.skeleton import BODY, FACE, FEET, LEFT_HAND, RIGHT_HAND

SIZE = (288, 512)
LENGTHS = {
    "pose_keypoints_2d": 54,
    "face_keypoints_2d": 210,
    "hand_left_keypoints_2d": 63,
    "hand_right_keypoints_2d": 63,
}
KEYS = list(LENGTHS)
PLACES = dict(zip(KEYS, (BODY, FACE, LEFT_HAND, RIGHT_HAND), strict=True))


def some_people(count: int = 2) -> Poses:
    generator = torch.Generator().manual_seed(0)
    return Poses(
        torch.rand(count, 134, 2, generator=generator) * 1.4 - 0.2,
        torch.rand(count, 134, generator=generator) * 1.3 - 0.1,
    )


def shown_alone(frame: dict) -> dict:
    """What is left of a frame when another program has written it anew."""
    frame = copy.deepcopy(frame)
    for person in frame["people"]:
        del person[EXACT]
    return frame


def body(*triples: float) -> dict:
    """A person of whom a file gives only the first points of the body."""
    values = list(triples) + [0.0] * (54 - len(triples))
    return {"people": [{"pose_keypoints_2d": values}], "canvas_height": 100, "canvas_width": 200}


class TestToOpenpose:
    def test_golden(self, golden: Path) -> None:
        path = golden / "dwpose" / "pose_keypoint.json"
        tested = 0
        for name, expected in json.loads(path.read_text(encoding="utf-8")).items():
            case = golden / "dwpose" / f"dwpose_{name.split('_')[0]}.npz"
            if name == "what" or name == "nobody" or not case.exists():
                continue
            tested += 1
            arrays = load_arrays(case)
            scores = arrays["score134"].copy()
            if name.endswith("_bodyonly"):
                scores[:, 24:] = 0
            elif name.endswith("_lefthand_and_face_low"):
                scores[0, 24:113] = 0.1
            height, width = arrays["image"].shape[:2]
            poses = Poses(
                torch.from_numpy(arrays["kp134"] / (width, height)), torch.from_numpy(scores)
            )
            written = shown_alone(to_openpose(poses, (height, width)))
            assert written.keys() == expected[0].keys()
            assert len(written["people"]) == len(expected[0]["people"])
            for ours, theirs in zip(written["people"], expected[0]["people"], strict=True):
                assert ours.keys() == theirs.keys()
                for key in ours:
                    wanted = theirs[key] or [0.0] * LENGTHS[key]  # the pack writes None
                    assert np.allclose(ours[key], wanted, rtol=0, atol=1e-9), (name, key)
        assert tested >= 3

    def test_nobody(self) -> None:
        assert to_openpose(nobody(), SIZE) == {
            "people": [],
            "canvas_height": 288,
            "canvas_width": 512,
        }

    @pytest.mark.parametrize("part", [BODY, FACE, LEFT_HAND, RIGHT_HAND])
    def test_only_one_part(self, part: slice) -> None:
        """The others are zeros, the face too if the eyes of the body are seen."""
        poses = some_people(1)
        poses.scores[:] = 0.1
        poses.scores[:, part] = 0.9
        (person,) = to_openpose(poses, SIZE)["people"]
        assert {key: len(person[key]) for key in KEYS} == LENGTHS
        assert all(any(person[key]) == (place == part) for key, place in PLACES.items())

    def test_nothing_of_somebody(self) -> None:
        poses = Poses(torch.rand(1, 134, 2), torch.zeros(1, 134))
        (person,) = to_openpose(poses, SIZE)["people"]
        assert all(person[key] == [0.0] * count for key, count in LENGTHS.items())


class TestRoundTrip:
    def test_exact(self) -> None:
        poses = some_people()
        frame = json.loads(json.dumps(to_openpose(poses, SIZE)))
        back = from_openpose(frame)
        assert torch.equal(back.keypoints, poses.keypoints)
        assert torch.equal(back.scores, poses.scores)

    @pytest.mark.parametrize("brightness", [0.25, 1 / 3, 1.0])
    def test_somebody_who_fades(self, brightness: float) -> None:
        poses = some_people()
        faded = Poses(
            poses.keypoints, poses.scores, torch.tensor([1.0, brightness], dtype=torch.float64)
        )
        frame = json.loads(json.dumps(to_openpose(faded, SIZE)))
        assert from_openpose(frame).brightness.tolist() == [1.0, brightness]

    def test_somebody_who_is_gone(self) -> None:
        """Other programs would draw them, so they are left out."""
        poses = some_people()
        gone = Poses(poses.keypoints, poses.scores, torch.tensor([0.0, 1.0]))
        back = from_openpose(to_openpose(gone, SIZE))
        assert torch.equal(back.keypoints, poses.keypoints[1:])

    def test_with_gradients(self) -> None:
        points = some_people(1).keypoints.requires_grad_()
        assert len(to_openpose(Poses(points, torch.ones(1, 134)), SIZE)["people"]) == 1

    def test_through_another_program(self) -> None:
        poses = some_people()
        back = from_openpose(shown_alone(to_openpose(poses, SIZE)))
        seen = poses.scores >= 0.3
        seen[:, FEET] = False  # these are not written
        assert torch.equal(back.scores, seen.double())
        assert torch.allclose(back.keypoints[seen], poses.keypoints[seen], atol=1e-12)

    def test_an_editor_that_rounds(self) -> None:
        poses = some_people()
        frame = to_openpose(poses, SIZE)
        for person in frame["people"]:
            for key in KEYS:
                person[key] = [float(round(value)) for value in person[key]]
        assert torch.equal(from_openpose(frame).keypoints, poses.keypoints)
        assert torch.equal(from_openpose(frame).scores, poses.scores)

    def test_a_larger_canvas(self) -> None:
        poses = some_people()
        frame = to_openpose(poses, (2 * SIZE[0], 2 * SIZE[1]))
        assert canvas_size(frame) == (576, 1024)
        assert torch.equal(from_openpose(frame).keypoints, poses.keypoints)


class TestEdited:
    """What a person changed counts, all else stays exact."""

    def edited(self, change) -> tuple[Poses, Poses]:
        poses = some_people(1)
        poses.scores[0, [0, 3, 30]] = 0.9
        poses.scores[0, 5] = 0.1
        frame = to_openpose(poses, SIZE)
        change(frame["people"][0])
        return poses, from_openpose(frame)

    def assert_only(self, poses: Poses, back: Poses, joints: list[int], part: slice) -> None:
        """All else is exact; the part's unsure points are gone, and feet, which nobody shows."""
        feet = range(134)[FEET] if part == BODY else []
        places = [i for i in range(134)[part] if poses.scores[0, i] < 0.3] + [*feet]
        unsure = [i for i in places if i not in joints]
        assert unsure and not back.scores[0, unsure].any()
        others = [i for i in range(134) if i not in (*joints, *unsure)]
        assert torch.equal(back.keypoints[:, others], poses.keypoints[:, others])
        assert torch.equal(back.scores[:, others], poses.scores[:, others])

    def test_moved(self) -> None:
        def change(person: dict) -> None:
            person["pose_keypoints_2d"][9:11] = [256.0, 144.0]

        poses, back = self.edited(change)
        assert back.keypoints[0, 3].tolist() == [0.5, 0.5] and back.scores[0, 3] == 1
        self.assert_only(poses, back, [3], BODY)

    def test_deleted(self) -> None:
        def change(person: dict) -> None:
            person["pose_keypoints_2d"][9:12] = [0.0, 0.0, 0.0]

        poses, back = self.edited(change)
        assert back.scores[0, 3] == 0
        self.assert_only(poses, back, [3], BODY)

    def test_added(self) -> None:
        def change(person: dict) -> None:
            person["pose_keypoints_2d"][15:18] = [128.0, 72.0, 1.0]

        poses, back = self.edited(change)
        assert back.keypoints[0, 5].tolist() == [0.25, 0.25] and back.scores[0, 5] == 1
        self.assert_only(poses, back, [5], BODY)

    @pytest.mark.parametrize("key", KEYS[1:])
    def test_zeros_are_nothing(self, key: str) -> None:
        """Files of earlier versions have None where a part is absent."""
        poses = some_people(1)
        poses.scores[0, PLACES[key]] = 0.2
        frame = to_openpose(poses, SIZE)
        assert frame["people"][0][key] == [0.0] * LENGTHS[key]
        earlier = copy.deepcopy(frame)
        earlier["people"][0][key] = None
        for read in (from_openpose(frame), from_openpose(earlier)):
            assert torch.equal(read.keypoints, poses.keypoints)
            assert torch.equal(read.scores, poses.scores)
        alone, old = from_openpose(shown_alone(frame)), from_openpose(shown_alone(earlier))
        assert torch.equal(alone.keypoints, old.keypoints) and torch.equal(alone.scores, old.scores)

    @pytest.mark.parametrize("nothing", [None, [], [0.0] * 210])
    def test_a_part_deleted(self, nothing: list | None) -> None:
        poses, back = self.edited(lambda person: person.update(face_keypoints_2d=nothing))
        assert not back.scores[:, FACE].any()
        others = [i for i in range(134) if i not in range(134)[FACE]]
        assert torch.equal(back.scores[:, others], poses.scores[:, others])

    def test_a_little(self) -> None:
        """Farther than rounding moves a point."""

        def change(person: dict) -> None:
            person["pose_keypoints_2d"][9] += 1.5

        poses, back = self.edited(change)
        assert back.keypoints[0, 3, 0] == pytest.approx(poses.keypoints[0, 3, 0] + 1.5 / 512)

    def test_everybody_moved(self) -> None:
        """Nothing stays behind: points that were too unsure to be shown go."""
        poses = some_people(1)
        poses.scores[0, LEFT_HAND] = 0.25  # wholly unsure
        frame = to_openpose(poses, SIZE)
        for key in KEYS:
            values = np.array(frame["people"][0][key]).reshape(-1, 3)
            values[:, 0] += 500 * values[:, 2]
            frame["people"][0][key] = values.ravel().tolist()
        back = from_openpose(frame)
        left = poses.keypoints[0, :, 0] == back.keypoints[0, :, 0]
        assert not (back.scores[0, left] > 0).any()
        assert (back.scores[0, BODY] > 0).any()

    def test_moved_where_numbers_are_parts(self) -> None:
        poses = Poses(torch.full((1, 134, 2), 0.25), torch.ones(1, 134))
        frame = to_openpose(poses, (1, 1))
        frame |= {"canvas_height": 288, "canvas_width": 512}
        assert torch.equal(from_openpose(frame).keypoints, poses.keypoints)
        frame["people"][0]["pose_keypoints_2d"][0] = 0.26
        assert from_openpose(frame).keypoints[0, 0].tolist() == [0.26, 0.25]


class TestFromOpenpose:
    def test_pixels(self) -> None:
        poses = from_openpose(body(50, 25, 1, 100, 50, 0.5))
        assert poses.keypoints[0, :2].tolist() == [[0.25, 0.25], [0.5, 0.5]]
        assert poses.scores[0, :3].tolist() == [1, 0.5, 0] and poses.scores[0, 18:].sum() == 0

    def test_parts_of_the_canvas(self) -> None:
        assert from_openpose(body(0.25, 0.75, 1)).keypoints[0, 0].tolist() == [0.25, 0.75]

    def test_parts_that_leave_the_canvas(self) -> None:
        """An editor scales people about the middle, points that were not found as well."""
        frame = body(1.05, 0.5, 1, 0.4, 0.5, 1, -0.1, -0.1, 0)
        assert from_openpose(frame).keypoints[0, :2].tolist() == [[1.05, 0.5], [0.4, 0.5]]

    @pytest.mark.parametrize("kind", [np.array, tuple, torch.tensor])
    def test_from_other_code(self, kind) -> None:
        frame = body(50, 25, 1)
        frame["people"][0]["pose_keypoints_2d"] = kind(frame["people"][0]["pose_keypoints_2d"])
        frame |= {
            "people": tuple(frame["people"]),
            "canvas_width": np.int64(200),
            "canvas_height": np.float32(100),
        }
        assert from_openpose(frame).keypoints[0, 0].tolist() == [0.25, 0.25]

    def test_far_away(self) -> None:
        points = from_openpose(body(1e160, -1e160, 1)).keypoints
        assert points.isfinite().all() and points.abs().max() == 1e6

    def test_a_canvas_that_is_told_otherwise(self) -> None:
        frame = {"people": body(50, 25, 1)["people"]}
        assert from_openpose(frame, size=(100, 200)).keypoints[0, 0].tolist() == [0.25, 0.25]

    @pytest.mark.parametrize(
        ("brightness", "expected"),
        [(7, 1.0), (-1, 0.0), ("a", 1.0), (10**400, 1.0), (float("nan"), 1.0), (False, 1.0)],
    )
    def test_brightness(self, brightness, expected) -> None:
        frame = body(50, 25, 1)
        frame["people"][0]["fcvg_brightness"] = brightness
        assert from_openpose(frame).brightness.tolist() == [expected]

    def test_confidence_of_two(self) -> None:
        assert from_openpose(body(50, 25, 2)).scores[0, 0] == 1

    def test_25_points(self) -> None:
        values = [n for i in range(25) for n in (i * 4.0, i * 2.0, 1.0)]
        frame = body() | {"people": [{"pose_keypoints_2d": values}]}
        poses = from_openpose(frame)
        taken = (poses.keypoints[0] * 50).round().int()[:, 0].tolist()
        # All but the middle of the hips; OpenPose's left foot comes first, as ours.
        assert taken[BODY] == [*range(8), *range(9, 19)] and taken[FEET] == [*range(19, 25)]
        assert poses.scores.sum() == 24

    @pytest.mark.parametrize("points", [68, 70])
    def test_faces(self, points: int) -> None:
        frame = body() | {"people": [{"face_keypoints_2d": [100.0, 50.0, 1.0] * points}]}
        poses = from_openpose(frame)
        assert poses.scores[0, FACE].sum() == poses.scores.sum() == 68

    def test_hands_and_feet(self) -> None:
        person = {
            "hand_left_keypoints_2d": [10.0, 10.0, 1.0] * 21,
            "hand_right_keypoints_2d": [20.0, 20.0, 1.0] * 21,
            "foot_keypoints_2d": [30.0, 30.0, 1.0] * 6,
        }
        poses = from_openpose(body() | {"people": [person]})
        for part, x in ((LEFT_HAND, 0.05), (RIGHT_HAND, 0.1), (FEET, 0.15)):
            assert poses.keypoints[0, part, 0].tolist() == pytest.approx(
                [x] * len(poses.keypoints[0, part])
            )

    @pytest.mark.parametrize(
        "people",
        [
            [],
            None,
            [None],
            [{}],
            [dict.fromkeys(KEYS)],
            [{"pose_keypoints_2d": [None] * 54, "face_keypoints_2d": []}],
        ],
    )
    def test_nothing_found(self, people: list | None) -> None:
        poses = from_openpose(body() | {"people": people})
        assert poses.keypoints.isfinite().all() and not poses.scores.any()

    @pytest.mark.parametrize(
        ("frame", "match"),
        [
            ({"animals": [[1, 2, 3]], "canvas_width": 8, "canvas_height": 8}, "contain animals"),
            ({"version": "ap10k"}, "contain version but not `people`"),
            ({}, "contain nothing but"),
            ([], "a dictionary with `people`"),
            ("{}", "a dictionary with `people`"),
            ({"people": 5}, "`people` of the poses is 5; expected a list"),
            ({"people": True}, "`people` of the poses is True"),
            ({"people": [[1, 2]]}, "A person of the poses is not a dictionary"),
            ({"people": [{"pose_keypoints_2d": [1.0] * 51}]}, "has 51 numbers; expected 54 or 75"),
            ({"people": [{"face_keypoints_2d": [1.0] * 3}]}, "3 numbers; expected 204 or 210"),
            ({"people": [{"pose_keypoints_2d": "none"}]}, "not a list of numbers"),
            ({"people": [{"pose_keypoints_2d": ["a"] * 54}]}, "not a list of numbers"),
            ({"people": [{"pose_keypoints_2d": [[1], [1, 2]]}]}, "not a list of numbers"),
            (
                {"people": [{KEYS[0]: [1.0] * 51, KEYS[1]: [0.0] * 210}]},
                "has 51 numbers; expected 54 or 75",
            ),
            ({"people": [{"pose_keypoints_2d": [9.0] * 54}]}, "but without a canvas size"),
            (body(9, 9, 1) | {"canvas_width": 0}, "each at least 1"),
            (body(9, 9, 1) | {"canvas_width": "wide"}, "each at least 1"),
            (body(9, 9, 1) | {"canvas_height": float("nan")}, "each at least 1"),
        ],
    )
    def test_error(self, frame: dict, match: str) -> None:
        with pytest.raises(ValueError, match=match):
            from_openpose(frame)


class TestUnits:
    """Whether numbers are pixels or parts of the canvas, 200 x 100 pixels: of each part."""

    def read(self, *people: dict, **more) -> Poses:
        canvas = {"canvas_height": 100, "canvas_width": 200}
        return from_openpose({"people": [*people], **canvas, **more})

    def places(self, poses: Poses, part: slice, person: int = 0) -> list:
        """Where the points of a part that is all in one place are."""
        points = poses.keypoints[person, part][poses.scores[person, part] > 0]
        assert len(points) and (points == points[0]).all()
        return points[0].tolist()

    @pytest.mark.parametrize("pixels", list(itertools.product([False, True], repeat=4)))
    def test_of_each_part(self, pixels) -> None:
        person = {
            key: [50.0, 50.0, 1.0] * count if in_pixels else [0.25, 0.5, 1.0] * count
            for key, count, in_pixels in zip(KEYS, (18, 70, 21, 21), pixels, strict=True)
        }
        poses = self.read(person)
        for part in (BODY, FACE, LEFT_HAND, RIGHT_HAND):
            assert self.places(poses, part) == [0.25, 0.5]

    def test_of_each_person(self) -> None:
        poses = self.read({KEYS[0]: [50.0, 50.0, 1.0] * 18}, {KEYS[0]: [0.5, 0.25, 1.0] * 18})
        assert self.places(poses, BODY, 0) == [0.25, 0.5]
        assert self.places(poses, BODY, 1) == [0.5, 0.25]

    @pytest.mark.parametrize(
        ("body", "hand", "expected"),
        [
            # In the corner of a file of pixels, and right of and below the canvas in one of parts.
            ([50, 50], [1, 1], [1 / 200, 1 / 100]),
            ([50, 50], [2, 0], [2 / 200, 0.0]),
            ([50, 50], [0, 0], [0.0, 0.0]),
            ([50, 50], [1.5, 1.5], [1.5 / 200, 1.5 / 100]),
            ([0.5, 0.5], [1, 1], [1.0, 1.0]),
            ([0.5, 0.5], [1.2, 1.2], [1.2, 1.2]),
        ],
    )
    def test_in_a_corner(self, body, hand, expected) -> None:
        """The person's other parts tell."""
        other = {KEYS[0]: [60.0, 60.0, 1.0] * 18 if body[0] < 1 else [0.6, 0.6, 1.0] * 18}
        person = {KEYS[0]: [*body, 1] * 18, KEYS[2]: [*hand, 1] * 21}
        assert self.places(self.read(other, person), LEFT_HAND, 1) == pytest.approx(expected)

    @pytest.mark.parametrize("in_pixels", [False, True])
    def test_points_around_a_corner(self, in_pixels) -> None:
        """A few of them inside of 0..1: a hand of 2 pixels, or one that leaves the canvas."""
        hand = [0.5, 0.5, 1, 1.5, 0.5, 1, 1.9, 1.9, 1] * 7
        body = [50, 50, 1] * 18 if in_pixels else [0.5, 0.5, 1] * 18
        first = self.read({KEYS[0]: body, KEYS[2]: hand}).keypoints[0, LEFT_HAND][0].tolist()
        assert first == ([0.5 / 200, 0.5 / 100] if in_pixels else [0.5, 0.5])

    def test_a_person_in_a_corner(self) -> None:
        """The other people tell."""
        poses = self.read({KEYS[0]: [50, 50, 1] * 18}, {KEYS[0]: [1, 1, 1] + [0] * 51})
        assert self.places(poses, BODY, 1) == [1 / 200, 1 / 100]
        poses = self.read({KEYS[0]: [0.5, 0.5, 1] * 18}, {KEYS[0]: [1, 1, 1] + [0] * 51})
        assert self.places(poses, BODY, 1) == [1.0, 1.0]

    def test_a_point_far_outside(self) -> None:
        """Somebody of parts whom an editor has made large."""
        poses = self.read({KEYS[0]: [0.5, 0.25, 1] * 17 + [2.5, 0.5, 1]})
        assert poses.keypoints[0, [0, 17]].tolist() == [[0.5, 0.25], [2.5, 0.5]]

    def test_what_is_not_seen_does_not_count(self) -> None:
        hidden = [float("nan"), 700, 1, 700, 700, 0] * 35
        poses = self.read({KEYS[0]: [0.5, 0.25, 1] * 18, KEYS[1]: hidden})
        assert self.places(poses, BODY) == [0.5, 0.25] and not poses.scores[0, FACE].any()

    def test_feet_of_25_points(self) -> None:
        """They are part of the body, whatever the face is in."""
        poses = self.read({KEYS[0]: [0.5, 0.25, 1] * 25, KEYS[1]: [50, 50, 1] * 70})
        assert self.places(poses, FEET) == [0.5, 0.25]

    def test_without_a_canvas(self) -> None:
        frame = {"people": [{KEYS[0]: [0.5, 0.5, 1] * 18, KEYS[1]: [50, 50, 1] * 70}]}
        with pytest.raises(UserError, match="in pixels, but without a canvas size"):
            from_openpose(frame)
        poses = from_openpose(frame, size=(100, 200))
        assert self.places(poses, BODY) == [0.5, 0.5] and self.places(poses, FACE) == [0.25, 0.5]

    def test_exact_numbers(self) -> None:
        """They count beside parts that another program has changed to other units."""
        poses = some_people(1)
        frame = to_openpose(poses, SIZE)
        body = np.array(frame["people"][0][KEYS[0]]).reshape(-1, 3) / (512, 288, 1)
        frame["people"][0][KEYS[0]] = body.round(6).ravel().tolist()
        assert torch.equal(from_openpose(frame).keypoints, poses.keypoints)
        body[body[:, 2] > 0, 0] += 0.001  # half a pixel, more than rounding of parts
        frame["people"][0][KEYS[0]] = body.ravel().tolist()
        back = from_openpose(frame)
        seen = poses.scores[0, BODY] >= 0.3
        moved = poses.keypoints[0, BODY][seen] + torch.tensor([0.001, 0])
        assert torch.allclose(back.keypoints[0, BODY][seen], moved, rtol=0, atol=1e-9)
        assert torch.equal(back.keypoints[0, FACE], poses.keypoints[0, FACE])


class TestExactPixels:
    """For an editor that keeps all digits, and whose coordinates are always pixels."""

    def test_no_unit_is_guessed(self) -> None:
        frame = body(0.5, 0.25, 1)
        assert from_openpose(frame).keypoints[0, 0].tolist() == [0.5, 0.25]
        read = from_openpose(frame, exact_pixels=True)
        assert read.keypoints[0, 0].tolist() == [0.5 / 200, 0.25 / 100]

    def test_a_small_step_is_a_step(self) -> None:
        people = some_people(1)
        frame = to_openpose(people, SIZE)
        numbers = frame["people"][0]["pose_keypoints_2d"]
        joint = next(i for i in range(18) if numbers[3 * i + 2])
        same = from_openpose(frame, exact_pixels=True)
        assert torch.equal(same.keypoints, people.keypoints)
        assert torch.equal(same.scores, people.scores)
        numbers[3 * joint] += 0.25
        assert torch.equal(from_openpose(frame).keypoints, people.keypoints)
        moved = from_openpose(frame, exact_pixels=True).keypoints[0, joint, 0]
        assert moved.item() == pytest.approx(people.keypoints[0, joint, 0].item() + 0.25 / SIZE[1])


class TestLeftOut:
    """A part that can't be read leaves the others as they are."""

    @pytest.mark.parametrize(
        ("key", "values", "reason"),
        [
            *(
                (key, [9.0] * 3 * count, f"{key} has {3 * count} numbers; expected")
                for key, counts in (
                    ("pose_keypoints_2d", (17, 19, 24, 133)),
                    ("face_keypoints_2d", (69, 71, 1)),
                    ("hand_left_keypoints_2d", (20, 22)),
                    ("hand_right_keypoints_2d", (20, 42)),
                    ("foot_keypoints_2d", (5, 7)),
                    (EXACT, (1, 133)),
                )
                for count in counts
            ),
            *(
                ("face_keypoints_2d", values, "face_keypoints_2d is not a list of numbers")
                for values in (
                    "text",
                    {"x": 1},
                    True,
                    ["9"] * 210,
                    [True] * 210,
                    [[9.0, 9.0], [1.0]],
                    [9.0] * 209 + ["9"],
                    [9.0] * 209 + [False],
                    [10**400] * 210,
                    [9.0] * 209 + [10**400],
                    [9.0] * 209 + [[9.0]],
                    [{}] * 210,
                    [1j] * 210,
                    np.array(["9"] * 210),
                    np.ones(210, bool),
                )
            ),
            ("face_keypoints_2d", [9.0] * 209, "has 209 numbers"),
            ("face_keypoints_2d", 5, "has 1 numbers"),
            (EXACT, "text", f"{EXACT} is not a list of numbers"),
        ],
    )
    def test_one_part(self, caplog, key, values, reason) -> None:
        frame = body(50, 25, 1)
        frame["people"][0]["hand_left_keypoints_2d"] = [60.0, 30.0, 1.0] * 21
        whole = from_openpose(frame)
        frame["people"][0][key] = values
        poses = from_openpose(frame, name="first_pose")
        (record,) = caplog.records
        assert record.levelname == "WARNING"
        assert f"first_pose: {key}" in caplog.text and reason in caplog.text
        assert "left out for 1 of 1 person" in caplog.text
        part = {"pose_keypoints_2d": BODY, "hand_left_keypoints_2d": LEFT_HAND}.get(key)
        if part:
            whole.scores[:, part], whole.keypoints[:, part] = 0, 0
        assert torch.equal(poses.keypoints, whole.keypoints)
        assert torch.equal(poses.scores, whole.scores)

    def test_it_is_said_once(self, caplog) -> None:
        person = {"pose_keypoints_2d": [50.0, 25.0, 1.0] * 18}
        odd = {**person, "face_keypoints_2d": [1.0] * 207, "hand_left_keypoints_2d": [1.0]}
        poses = from_openpose({**body(), "people": [person, *[odd] * 300]})
        assert poses.num_people == 301 and (poses.scores[:, BODY] == 1).all()
        assert len(caplog.records) == 2 and "left out for 300 of 301 people" in caplog.text

    def test_what_the_exact_numbers_say_of_it(self) -> None:
        """They are of the same part: without it they do not count."""
        poses = some_people(1)
        frame = to_openpose(poses, SIZE)
        frame["people"][0]["face_keypoints_2d"].pop()
        back = from_openpose(frame)
        assert not back.scores[0, FACE].any()
        assert torch.equal(back.keypoints[0, BODY], poses.keypoints[0, BODY])

    def test_exact_numbers_that_are_none(self) -> None:
        frame = to_openpose(some_people(1), SIZE)
        seen = [place for place in range(18) if frame["people"][0][KEYS[0]][3 * place + 2]]
        frame["people"][0][EXACT][: 3 * 18] = [None, None, 1.0] * 18
        back = from_openpose(frame)
        written = np.array(frame["people"][0][KEYS[0]]).reshape(-1, 3)[seen, :2] / (512, 288)
        assert np.allclose(back.keypoints[0, seen], written) and (back.scores[0, seen] == 1).all()

    @pytest.mark.parametrize(
        "form",
        [
            lambda x: x.tolist(),
            np.float32,
            lambda x: [x.tolist()],
            lambda x: [*x.ravel()],
            lambda x: [*map(np.array, x.ravel())],
            lambda x: [*torch.from_numpy(x).ravel()],
        ],
    )
    def test_rows_of_points(self, caplog, form) -> None:
        """Some programs write a list for each point."""
        frame = body()
        frame["people"][0]["pose_keypoints_2d"] = form(np.array([[50.0, 25.0, 1.0]] * 18))
        assert from_openpose(frame).keypoints[0, 0].tolist() == [0.25, 0.25] and not caplog.text

    @pytest.mark.parametrize("depth", [65, 5000])
    @pytest.mark.parametrize("key", ["people", "canvas_width", KEYS[0]])
    def test_lists_in_lists(self, key, depth) -> None:
        """As a node may hand them on: no text of them is made that never ends."""
        deep = []
        for _ in range(depth):
            deep = [deep]
        frame = body(50, 25, 1)
        (frame["people"][0] if key == KEYS[0] else frame)[key] = deep
        with pytest.raises(UserError) as caught:
            from_openpose(frame)
        assert len(str(caught.value)) < 200

    def test_too_many_people(self) -> None:
        with pytest.raises(UserError, match="The poses have 1001 people; expected 1000 at most"):
            from_openpose({**body(), "people": [{}] * 1001})

    @pytest.mark.parametrize("canvas", [10**6, 65537, 10**400, 100.5, True, "100", -1])
    def test_canvas(self, canvas) -> None:
        with pytest.raises(UserError, match="whole numbers of pixels, each at least 1 and at most"):
            from_openpose({**body(50, 25, 1), "canvas_width": canvas})


def test_is_stretched() -> None:
    assert not is_stretched((100, 200), (201, 400)) and is_stretched((100, 200), (100, 190))


def test_canvas_size() -> None:
    assert canvas_size(body()) == (100, 200) and canvas_size({"people": []}) is None
