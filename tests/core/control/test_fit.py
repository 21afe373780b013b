"""Control frames that were drawn for another size."""

import logging

import numpy as np
import pytest

from fcvg_core.control import fit_control_frames
from fcvg_core.frames import crop_resize

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
