"""Times of the frames between two keyframes."""

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.timeline import (
    EASINGS,
    TIMINGS,
    inbetween_times,
    parse_timing,
    progress_at,
    warn_of_direction,
)


@pytest.mark.parametrize(
    ("num_frames", "expected"),
    [(2, [0, 1]), (3, [0, 0.5, 1]), (4, [0, 0, 1, 1]), (5, [0, 0, 0.5, 1, 1])],
)
def test_by_hand(num_frames: int, expected: list[float]) -> None:
    times = inbetween_times(num_frames)
    assert times.tolist() == expected and times.dtype == torch.float64


def test_the_timing_of_the_official_code() -> None:
    expected = [0] + [k / 22 for k in range(23)] + [1]
    assert inbetween_times(25).tolist() == expected


@pytest.mark.parametrize("num_frames", [1, 0, -3])
def test_error(num_frames: int) -> None:
    with pytest.raises(ValueError, match=f"at least 2 frames .* got {num_frames}"):
        inbetween_times(num_frames)


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ("uniform", [0, 0.25, 0.5, 0.75, 1]),
        ("ease-in", [0, 1 / 16, 1 / 4, 9 / 16, 1]),
        ("ease-out", [0, 7 / 16, 3 / 4, 15 / 16, 1]),
        ("ease-in-out", [0, 5 / 32, 1 / 2, 27 / 32, 1]),
        ([0, 0.2, 0.9, 0.3, 1], [0, 0.2, 0.9, 0.3, 1]),  # as many as frames: as they are
        ([0.0, 1.0], [0, 0.25, 0.5, 0.75, 1]),
        ([0, 1, 0], [0, 0.5, 1, 0.5, 0]),
    ],
)
def test_timings(timing: str | list, expected: list[float]) -> None:
    assert inbetween_times(5, timing).tolist() == expected


@pytest.mark.parametrize("num_frames", [2, 3, 4, 25, 241])
@pytest.mark.parametrize("timing", TIMINGS)
def test_from_the_first_to_the_last(timing: str, num_frames: int) -> None:
    times = inbetween_times(num_frames, timing)
    assert len(times) == num_frames and times[0] == 0 and times[-1] == 1
    assert (times.diff() >= 0).all()


@pytest.mark.parametrize(
    "timing",
    [
        "",
        "linear",
        [],
        [0.5],
        [0, 1.1],
        [0, float("nan")],
        [-1, 1],
        [0.5] * 1025,
        pytest.param("x" * 10**6, id="long"),
    ],
)
def test_no_timing(timing: str | list) -> None:
    with pytest.raises(ValueError, match="expected (one of the timings|at least 2)") as raised:
        inbetween_times(5, timing)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" ease-in ", "ease-in"), ("0, 0.5,1", [0, 0.5, 1]), ("0 .25\n1", [0, 0.25, 1])],
)
def test_parse_timing(text: str, expected: str | list) -> None:
    assert parse_timing(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ease",
        "0.5",
        "0, 2",
        "0, nan",
        "0; 1",
        "0, 1e400",
        pytest.param("0 " * 10**6, id="many"),
    ],
)
def test_what_is_no_timing(text: str) -> None:
    with pytest.raises(ValueError, match="expected one of the timings reference, uniform, .* got"):
        parse_timing(text)


@pytest.mark.parametrize(
    ("timing", "level", "said"),
    [
        ([1, 0], "WARNING", "runs backwards: its times go from 1 to 0"),
        ([0.9, 1, 0.2], "WARNING", "runs backwards: its times go from 0.9 to 0.2"),
        ([0.25, 1], "WARNING", "from keyframe to keyframe: its times go from 0.25 to 1"),
        ([0, 0.5], "WARNING", "from keyframe to keyframe: its times go from 0 to 0.5"),
        ([0, 1, 0], "WARNING", "from keyframe to keyframe: its times go from 0 to 0"),
        ([0, 0.8, 0.4, 1], "INFO", "runs backwards for a while"),
    ],
)
def test_a_curve_that_does_not_lead_to_the_last_keyframe(caplog, timing, level, said) -> None:
    caplog.set_level("INFO")
    warn_of_direction(timing)
    (record,) = caplog.records
    assert record.levelname == level and said in record.getMessage()


@pytest.mark.parametrize("timing", [*TIMINGS, [0, 0.2, 0.2, 1], [0.0, 1.0]])
def test_a_curve_that_does(caplog, timing) -> None:
    caplog.set_level("INFO")
    warn_of_direction(timing)
    assert not caplog.records


@pytest.mark.parametrize("timing", [*EASINGS, [0, 0.2, 0.9, 0.3, 1]])
def test_progress_at_the_times_of_frames(timing) -> None:
    times = torch.linspace(0, 1, 25, dtype=torch.float64)
    expected = inbetween_times(25, timing)
    assert torch.allclose(progress_at(times, timing), expected, atol=1e-12, rtol=0)


def test_progress_at_any_moment() -> None:
    moments = torch.tensor([0, 0.1, 0.75, 1.0])
    assert progress_at(moments, [0, 0.5, 0.2]).tolist() == pytest.approx([0, 0.1, 0.35, 0.2])


@pytest.mark.parametrize("timing", ["reference", "fast", [0], [0, 2], [0, float("nan")]])
def test_progress_of_an_unknown_timing(timing) -> None:
    with pytest.raises(UserError, match="expected"):
        progress_at(torch.zeros(1), timing)
