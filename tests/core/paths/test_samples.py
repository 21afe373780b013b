"""Splines of KJNodes -> paths."""

import json

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.paths import path_points, read_kj_splines
from fcvg_core.paths.samples import path_through


def spline(*points: tuple) -> list[dict]:
    return [{"x": x, "y": y} for x, y in points]


BENT = spline((10, 300), (60, 200), (300, 180), (310, 40), (310, 40), (500, 0))


def test_passes_each_point_at_its_time() -> None:
    (path,) = read_kj_splines(json.dumps(BENT), "splines", max_error=0)
    points = path_points([path], torch.linspace(0, 1, 6, dtype=torch.float64))[:, 0]
    expected = torch.tensor([[point["x"], point["y"]] for point in BENT]).double()
    assert torch.allclose(points, expected, atol=1e-9, rtol=0)


def test_straight_and_even_between_two_points() -> None:
    (path,) = read_kj_splines(json.dumps(BENT), "splines", max_error=0)
    assert path_points([path], torch.tensor([0.1]))[0, 0].tolist() == pytest.approx([35, 250])


def test_several_splines() -> None:
    still = spline(*[(7, 8)] * 16)  # a single point, which the editor repeats
    paths = read_kj_splines(
        json.dumps([BENT, still, spline((0, 0), (9, 0), (18, 0))]), "splines", max_error=0
    )
    assert [path.id for path in paths] == [0, 1, 2]
    assert paths[1].points.tolist() == [[7, 8]] and paths[1].speed == "uniform"
    assert paths[2].speed == "uniform" and len(paths[2].points) == 7


def test_keys_of_control_points_are_not_used() -> None:
    text = json.dumps([{"x": 1.5, "y": 2, "h1x": 0, "h1y": 3}])
    assert read_kj_splines(text, "splines", max_error=0)[0].points.tolist() == [[1.5, 2]]


def test_as_many_points_as_a_speed_can_have() -> None:
    samples = torch.rand(1024, 2)
    path = path_through(0, samples, 0)
    points = path_points([path], torch.linspace(0, 1, 1024, dtype=torch.float64))[:, 0]
    assert torch.allclose(points, samples.double(), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expecting value"),
        ("hello", "Expecting value"),
        ("{}", "it is no list"),
        ("[]", "the list is empty"),
        ("[[]]", "spline 1 is an empty list"),
        ("[5]", "spline 1 is 5, not a list of points"),
        ('[[{"x": 1, "y": 2}], {"x": 1}]', "spline 2 is .*not a list of points"),
        ('[{"x": 1, "y": 2}, {"x": 1}]', "point 2 of spline 1 is {'x': 1}; expected x and y"),
        ("[[1, 2], [3, 4]]", "point 1 of spline 1 is 1; expected x and y"),
        ('[{"x": "1", "y": 2}]', "point 1 of spline 1"),
        ('[{"x": true, "y": 2}]', "point 1 of spline 1"),
        ('[{"x": 1e9, "y": 2}]', "point 1 of spline 1 .*from -1048576 to 1048576"),
        ('[{"x": NaN, "y": 2}]', "point 1 of spline 1 is {'x': nan"),
        ('[{"points": [{"x": 1, "y": 2}], "name": "Spline 1"}]', "point 1 of spline 1"),
        (json.dumps(spline(*[(1, 2)] * 1025)), "spline 1 has 1025 points, more than 1024"),
        (json.dumps([spline((1, 2))] * 3001), "there are 3001 splines, more than 3000"),
    ],
)
def test_nonsense_in_words(text: str, message: str) -> None:
    with pytest.raises(UserError, match=f"splines does not hold splines .*{message}"):
        read_kj_splines(text, "splines", max_error=0)
