"""Edits of people, merged with the people that another run found."""

import json

import pytest
import torch
from drawn_people import walker

from fcvg_core.motion import Edits, Span, as_payload, format_edits, merge_edits, parse_edits
from fcvg_core.motion.merge_people import list_found_people, person_of
from fcvg_core.pose import Poses, interpolate_poses, is_seen
from fcvg_core.pose.skeleton import BODY, FEET, LEFT_HAND

SIZE = (576, 1024)
KEY = "pose_keypoints_2d"
REACH = (0.08, 0.3)


def crowd(*places: tuple[float, float], time: float = 0.0) -> Poses:
    """People at these places; their fingers are dim, and their feet are known."""
    poses = [walker(time, at=at, reach=REACH) for at in places]
    scores = torch.cat([x.scores for x in poses])
    scores[:, LEFT_HAND] = torch.linspace(0.1, 0.9, 21).double()
    scores[:, FEET] = 0.6
    return Poses(torch.cat([x.keypoints for x in poses]), scores)


FIRST, LAST = crowd((0.2, 0.5), (0.7, 0.5)), crowd((0.6, 0.55), (0.3, 0.55), time=1.0)
FOUND = Span(people=(FIRST, LAST))  # the pairs are 0-1 and 1-0


def row_of(number: int, found: Span = FOUND, **values) -> dict:
    """A row of the state that is as it was found."""
    payload = as_payload(merge_edits(None, found, SIZE))
    (row,) = (row for row in payload["people"] if row["id"] == number)
    return row | values


def edited(number: int, found: Span = FOUND, edit: str = "moved", **values) -> dict:
    row = row_of(number, found)
    return row | {"edit": edit, "found": {key: row[key] for key in ("first", "last")}} | values


def with_joint(person: dict, joint: int, values: list, key: str = KEY) -> dict:
    numbers = list(person[key])
    numbers[3 * joint : 3 * joint + len(values)] = values
    return person | {key: numbers}


def merge(rows: list[dict], found: Span = FOUND, size: tuple[int, int] = SIZE):
    text = json.dumps({"version": 2, "size": [SIZE[1], SIZE[0]], "people": rows})
    return merge_edits(parse_edits(text, name="state"), found, size)


def span_of(merged) -> Span:
    return merged.motion.spans[0]


def same(one: Poses, other: Poses) -> bool:
    columns = ("keypoints", "scores", "brightness")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in columns)


class TestNobodyIsEdited:
    def test_people_and_pairs_stay_as_they_are(self) -> None:
        for pairs in (None, torch.tensor([[0, 0]])):
            found = Span(people=(FIRST, LAST), pairs=pairs)
            span = span_of(merge([], found))
            assert span.people is found.people and span.pairs is pairs

    def test_edits_that_are_not_used_change_nothing(self) -> None:
        far = edited(0)
        step = torch.tensor([0.5, 0.0])
        found = Span(people=tuple(Poses(x.keypoints + step, x.scores) for x in FOUND.people))
        merged = merge([far], found)
        assert merged.stale["people"] == [0]
        assert span_of(merged).people is found.people and span_of(merged).pairs is None

    def test_ids(self) -> None:
        """Those of the first keyframe, then those whom only the last shows."""
        found = Span(people=(FIRST, LAST), pairs=torch.tensor([[1, 0]]))
        people = list_found_people(found.people, found.pairs)
        assert [(x.id, x.rows) for x in people] == [(0, (0, None)), (1, (1, 0)), (3, (None, 1))]
        rows = as_payload(merge_edits(None, found, SIZE))["people"]
        assert [(x["id"], bool(x["first"]), bool(x["last"])) for x in rows] == [
            (0, True, False),
            (1, True, True),
            (3, False, True),
        ]
        assert list_found_people(None, None) == []

    def test_the_canvas_gets_pixels_and_nothing_of_the_packs_own(self) -> None:
        rows = json.loads(json.dumps(as_payload(merge_edits(None, FOUND, SIZE))))["people"]
        x, y, c = rows[0]["first"][KEY][:3]
        assert (x, y, c) == (*(FIRST.keypoints[0, 0] * torch.tensor(SIZE[::-1])).tolist(), 1)
        assert "fcvg" not in json.dumps(rows)

    def test_who_is_not_drawn_is_not_shown(self) -> None:
        dark = Poses(FIRST.keypoints, FIRST.scores, torch.tensor([0.0, 1.0]))
        found = Span(people=(dark, LAST), pairs=torch.tensor([[1, 0]]))
        assert person_of(dark, 0, SIZE) is None
        rows = as_payload(merge_edits(None, found, SIZE))["people"]
        assert [row["id"] for row in rows] == [1, 3]


class TestJoints:
    def test_a_locked_person_keeps_every_bit(self) -> None:
        merged = merge([row_of(0, locked=True)])
        span = span_of(merged)
        assert same(span.people[0], FIRST) and same(span.people[1], LAST.people([1, 0]))
        assert span.pairs.tolist() == [[0, 0], [1, 1]] and merged.assigned["people"] == {0: 0}

    def test_one_joint_moves_and_the_others_stay_bit_for_bit(self) -> None:
        first = with_joint(row_of(0)["first"], 4, [100.25, 200])
        people = span_of(merge([edited(0, first=first)])).people
        wrist = torch.arange(134) == 4
        pixels = people[0].keypoints[0, 4] * torch.tensor(SIZE[::-1])
        assert torch.allclose(pixels, torch.tensor([100.25, 200.0]).double())
        others = ~wrist
        others[FEET] = False  # no editor shows feet, so feet of a body that was edited are unknown
        assert torch.equal(people[0].keypoints[0, others], FIRST.keypoints[0, others])
        assert torch.equal(people[0].scores[0, others], FIRST.scores[0, others])
        assert same(people[0].people([1]), FIRST.people([1]))

    def test_a_step_smaller_than_half_a_pixel_is_a_step(self) -> None:
        x, y = row_of(0)["first"][KEY][:2]
        first = with_joint(row_of(0)["first"], 0, [x + 0.25, y])
        moved = span_of(merge([edited(0, first=first)])).people[0].keypoints[0, 0]
        assert moved[0] * SIZE[1] == pytest.approx(x + 0.25, abs=1e-9)

    def test_hidden_and_shown_again(self) -> None:
        first = with_joint(row_of(0)["first"], 4, [50, 60, 0])
        hidden = span_of(merge([edited(0, first=first)])).people[0]
        assert not is_seen(hidden)[0, 4] and is_seen(hidden)[0, 3]
        track = interpolate_poses(
            hidden,
            LAST,
            torch.tensor([0.0, 0.5, 1.0]),
            missing_joints="hide",
            missing_people="fade",
            pairs=torch.tensor([[0, 1]]),
        )
        assert track.scores[1, -1, 4] == 0 and track.scores[1, -1, 3] > 0

    def test_outside_of_the_picture(self) -> None:
        first = with_joint(row_of(0)["first"], 4, [-300.5, 9000])
        joint = span_of(merge([edited(0, first=first)])).people[0].keypoints[0, 4]
        assert torch.allclose(
            joint * torch.tensor(SIZE[::-1]), torch.tensor([-300.5, 9000]).double()
        )

    def test_pixels_stay_pixels_in_the_corner(self) -> None:
        """No other reader would take a lone point at (0.5, 0.75) for pixels."""
        body = [0.5, 0.75, 1] + [0.0] * 51
        row = {"id": 5, "first": {KEY: body}, "last": None, "edit": "drawn"}
        person = span_of(merge([row])).people[0].people([2])
        assert torch.allclose(
            person.keypoints[0, 0] * torch.tensor(SIZE[::-1]), torch.tensor([0.5, 0.75]).double()
        )
        assert is_seen(person).sum() == 1


class TestWhoBelongs:
    def test_another_run(self) -> None:
        """Another order of people, and joints that lie 5 pixels beside."""
        step = torch.tensor([5 / SIZE[1], 0.0])
        again = Span(
            people=(
                Poses(FIRST.keypoints.flip(0) + step, FIRST.scores.flip(0)),
                Poses(LAST.keypoints - step, LAST.scores),
            )
        )
        first = with_joint(row_of(0)["first"], 4, [100, 200])
        merged = merge([edited(0, first=first), edited(1, edit="deleted")], again)
        assert merged.assigned["people"] == {0: 1, 1: 0} and merged.stale["people"] == []
        span = span_of(merged)
        assert [x.num_people for x in span.people] == [1, 1] and span.pairs.tolist() == [[0, 0]]
        nose = span.people[0].keypoints[0, 0]
        assert torch.allclose(nose, FIRST.keypoints[0, 0])  # as the person left it

    @pytest.mark.parametrize(("pixels", "belongs"), [(15.9, True), (16.1, False)])
    def test_the_tolerance(self, pixels, belongs) -> None:
        step = torch.tensor([pixels / SIZE[1], 0.0])
        people = (Poses(x.keypoints + step, x.scores) for x in FOUND.people)
        merged = merge([edited(0)], Span(people=tuple(people)))
        assert (merged.stale["people"] == []) == belongs

    def test_both_keyframes_must_show_the_person_again(self, caplog) -> None:
        alone = Span(people=(FIRST, LAST.people([])))
        merged = merge([edited(0), edited(1, locked=True)], alone)
        assert merged.stale["people"] == [0]
        assert [x.num_people for x in span_of(merged).people] == [3, 1]
        assert "Edits of people 0 do not fit what was found now" in caplog.text
        merged = merge([edited(0, alone)], FOUND)
        assert merged.stale["people"] == [0]

    def test_only_joints_that_both_show_count(self) -> None:
        scores = FIRST.scores.clone()
        scores[:, BODY.start + 8 : BODY.stop] = 0
        points = FIRST.keypoints.clone()
        points[:, 8:18] = 0
        again = Span(people=(Poses(points, scores), LAST), pairs=torch.tensor([[0, 1], [1, 0]]))
        assert merge([edited(0)], again).assigned["people"] == {0: 0}
        nothing = Poses(FIRST.keypoints, torch.zeros_like(FIRST.scores))
        again = Span(people=(nothing, LAST), pairs=torch.tensor([[0, 1], [1, 0]]))
        assert merge([edited(0)], again).stale["people"] == [0]

    def test_people_of_whom_only_hands_are_seen(self) -> None:
        scores = torch.zeros_like(FIRST.scores)
        scores[:, LEFT_HAND] = 0.8
        hands = Span(people=(Poses(FIRST.keypoints, scores), Poses(LAST.keypoints, scores)))
        merged = merge([edited(1, hands, edit="deleted")], hands)
        assert merged.assigned["people"] == {1: 1}
        assert [x.num_people for x in span_of(merged).people] == [1, 1]

    def test_nobody_was_found(self) -> None:
        drawn = {"id": 9, "first": row_of(0)["first"], "last": row_of(0)["last"], "edit": "drawn"}
        merged = merge([edited(0), drawn], Span())
        span = span_of(merged)
        assert merged.stale["people"] == [0] and span.pairs.tolist() == [[0, 0]]
        assert torch.allclose(span.people[0].keypoints[0, BODY], FIRST.keypoints[0, BODY])
        assert span_of(merge([edited(0)], Span())).people is None

    def test_another_size(self) -> None:
        """Poses are fractions of the frame, so they are the same in a larger frame."""
        first = with_joint(row_of(0)["first"], 4, [100, 200])
        merged = merge([edited(0, first=first)], FOUND, (2 * SIZE[0], 2 * SIZE[1]))
        assert merged.assigned["people"] == {0: 0}
        pixels = span_of(merged).people[0].keypoints[0, 4] * torch.tensor([2048, 1152])
        assert torch.allclose(pixels, torch.tensor([200.0, 400.0]).double())


class TestPairs:
    def test_two_people_change_partners(self) -> None:
        one, two = row_of(0), row_of(1)
        rows = [edited(0, last=two["last"]), edited(1, last=one["last"])]
        span = span_of(merge(rows))
        assert span.pairs.tolist() == [[0, 0], [1, 1]]
        assert same(span.people[0], FIRST)
        assert torch.allclose(span.people[1].keypoints[:, BODY], LAST.keypoints[:, BODY])

    def test_one_person_becomes_two(self) -> None:
        last = row_of(0)["last"]
        rows = [edited(0, last=None), {"id": 99_999, "first": None, "last": last, "edit": "drawn"}]
        span = span_of(merge(rows))
        assert span.pairs.tolist() == [[1, 0]]
        assert [x.num_people for x in span.people] == [2, 2]

    def test_two_become_one(self) -> None:
        found = Span(people=(FIRST, LAST), pairs=torch.tensor([[1, 0]]))
        rows = [
            edited(0, found, last=row_of(3, found)["last"]),
            edited(3, found, edit="deleted"),
        ]
        span = span_of(merge(rows, found))
        assert span.pairs.tolist() == [[0, 0], [1, 1]]
        assert torch.allclose(span.people[1].keypoints[0, BODY], LAST.keypoints[1, BODY])

    def test_a_person_of_one_keyframe(self) -> None:
        found = Span(people=(FIRST, LAST), pairs=torch.tensor([[1, 0]]))
        span = span_of(merge([edited(3, found, edit="deleted")], found))
        assert span.pairs.tolist() == [[1, 0]] and span.people[1].num_people == 1


def test_the_state_comes_back_with_all_people() -> None:
    rows = [edited(0), row_of(1, locked=True)]
    text = json.dumps({"version": 2, "size": [1024, 576], "people": rows})
    edits = parse_edits(text, name="state")
    again = parse_edits(format_edits(edits), name="state")
    assert isinstance(again, Edits) and again.people == edits.people
