"""Numbers of people in words."""

import pytest

from fcvg_core.pose import count_people, list_people


@pytest.mark.parametrize(
    ("number", "text"), [(0, "nobody"), (1, "1 person"), (2, "2 people"), (11, "11 people")]
)
def test_count_people(number: int, text: str) -> None:
    assert count_people(number) == text


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([0], "nobody"),
        ([3], "3 people"),
        ([1, 1, 1], "1 person in images 1-3"),
        ([2, 1], "2 people in image 1; 1 person in image 2"),
        ([1, 1, 0, 1], "1 person in images 1-2, 4; nobody in image 3"),
        ([0, 1, 0, 1, 0, 1], "1 person in images 2, 4, 6; nobody in images 1, 3, 5"),
        (
            [1, 0, 1, 1, 0, 0, 1, 0, 1],
            "1 person in 5 images (1, 3-4, 7 ...); nobody in images 2, 5-6, 8",
        ),
    ],
)
def test_list_people(numbers: list[int], text: str) -> None:
    assert list_people(numbers, item="image") == text
    assert list_people(numbers, item="frame") == text.replace("image", "frame")
