"""Tables of the points."""

from fcvg_core.pose import skeleton


def test_every_point_has_a_place() -> None:
    parts = (skeleton.BODY, skeleton.FEET, skeleton.FACE, skeleton.LEFT_HAND, skeleton.RIGHT_HAND)
    points = [i for part in parts for i in range(skeleton.NUM_POINTS)[part]]
    assert points == list(range(134))
    body = [coco for coco in skeleton.COCO_BODY if coco is not None]
    assert sorted(body) == list(range(17)) and skeleton.COCO_BODY[skeleton.NECK] is None


def test_drawn_pairs() -> None:
    assert len(skeleton.LIMBS) == 17 and {i for limb in skeleton.LIMBS for i in limb} == set(
        range(18)
    )
    assert skeleton.FINGERS[:5] == ((0, 1), (1, 2), (2, 3), (3, 4), (0, 5))
    assert {i for bone in skeleton.FINGERS for i in bone} == set(range(21))
