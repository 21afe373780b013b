"""Control frames that were drawn for another size."""

import logging

import numpy as np
import pytest

from fcvg_core.control import fit_control_frames
from fcvg_core.frames import crop_resize, fit_frame

SIZE = (64, 128)


def drawn(*sizes: tuple[int, int]) -> list[np.ndarray]:
    draws = np.random.RandomState(0)
    return [draws.randint(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]


def test_frames_of_the_size_stay_as_they_are(caplog) -> None:
    caplog.set_level(logging.INFO)
    frames = drawn(SIZE, SIZE)
    assert (fit_control_frames(iter(frames), SIZE) == frames).all() and not caplog.text


@pytest.mark.parametrize(
    ("other", "how"), [((128, 256), "resized"), ((48, 64), "cropped and resized")]
)
def test_other_frames_are_cropped_as_keyframes_are(caplog, other: tuple, how: str) -> None:
    caplog.set_level(logging.INFO)
    frames = drawn(SIZE, other, other)
    fitted = fit_control_frames(frames, SIZE)
    assert (fitted == [frames[0], *(crop_resize(frame, SIZE) for frame in frames[1:])]).all()
    assert caplog.messages == [
        f"The control frames are {how} from {other[1]} x {other[0]} to 128 x 64 pixels, the size "
        "of the video."
    ]


@pytest.mark.parametrize(("fit", "how"), [("pad", "resized and padded"), ("stretch", "stretched")])
def test_fitted_as_the_picture_is(caplog, fit: str, how: str) -> None:
    """Control frames that belong to a picture of the same shape stay where the picture is."""
    caplog.set_level(logging.INFO)
    frames = drawn((60, 64))
    expected = fit_frame(frames[0], SIZE, fit, "bottom-right")
    assert (fit_control_frames(frames, SIZE, fit, "bottom-right")[0] == expected).all()
    assert f"The control frames are {how} from 64 x 60 to 128 x 64 pixels" in caplog.text
