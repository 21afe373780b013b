"""Camera Move: the moved picture, its lines, the mask, and its messages about bad input."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

SIZE = (128, 192)
WIDGETS = {
    "move": "pan-left",
    "amount": 0.25,
    "border": "black",
    "max_lines": 50,
    "min_length": 15.0,
    "detector": "opencv",
    "pan_x": 0.0,
    "pan_y": 0.0,
    "zoom": 1.0,
    "rotate": 0.0,
    "tilt_x": 0.0,
    "tilt_y": 0.0,
}


@pytest.fixture
def image() -> torch.Tensor:
    picture = torch.full((1, *SIZE, 3), 0.2)
    picture[:, 30:90, 20:100] = 0.8
    return picture


@pytest.fixture
def run(node_classes, image):
    """Runs the node; returns its result."""

    def run(picture=image, **given):
        return node_classes["FCVG_CameraMove"].execute(picture, **{**WIDGETS, **given})

    return run


def test_a_pan_moves_picture_lines_and_mask(run, image):
    last, motion, unseen, lines = run().args
    assert last.shape == image.shape and unseen.shape == (1, *SIZE)
    assert (last[:, :, 48:] - image[:, :, :144]).abs().max() < 0.002
    assert not last[:, :, :48].any()
    assert unseen[:, :, :48].all() and not unseen[:, :, 48:].any()
    matches = motion.spans[0].matches
    assert lines is matches
    assert len(matches.ids) >= 4
    assert torch.allclose(matches.lines1, matches.lines0 + torch.tensor([48.0, 0.0]))


def test_numbers_are_added_to_the_move(run):
    camera = run(pan_y=-0.5, zoom=2.0, rotate=10.0, tilt_x=3.0, tilt_y=4.0).args[1].spans[0].camera
    assert camera.pan == (0.25, -0.5) and camera.tilt == (3.0, 4.0)
    assert (camera.zoom, camera.rotate) == (2.0, 10.0)


def test_the_border_is_reflected(run):
    last, _, unseen, _ = run(border="reflect").args
    assert last.min() > 0.1 and unseen.any()


def test_a_motion_bends_and_keeps_its_keyframes(run, load):
    core = load("fcvg_core.motion")
    lines = torch.tensor([[[10.0, 10], [60, 12]]])
    matches = load("fcvg_core.lines").LineMatches(lines, lines + 6, size=SIZE)
    bent = run(move="rotate-clockwise", motion=core.Motion(SIZE, (core.Span(matches=matches),)))
    (span,) = bent.args[1].spans
    assert span.matches is matches and span.camera.rotate == 22.5


def test_a_motion_of_another_size(run, load):
    core = load("fcvg_core.motion")
    motion = core.Motion((64, 96), (core.Span(),))
    with pytest.raises(ValueError, match="motion is of keyframes of 96 x 64 pixels, but image has"):
        run(motion=motion)


def test_a_picture_without_lines_says_so(run, caplog):
    assert len(run(torch.zeros(1, *SIZE, 3)).args[1].spans[0].matches.ids) == 0
    assert "No line steers the video. Raise max_lines" in caplog.text


def test_numbers_out_of_bounds_together(run):
    with pytest.raises(ValueError, match="tilt of the camera is 36, but it must be from -30 to 30"):
        run(move="tilt-right", amount=1.0, tilt_x=6.0)


@pytest.mark.seam
def test_the_moved_picture_plays_on_the_node(run, image):
    import folder_paths

    (file,) = run().ui.as_dict()["images"]
    path = Path(folder_paths.get_temp_directory(), file["subfolder"], file["filename"])
    with Image.open(path) as film:
        assert film.n_frames == 25 and film.size == SIZE[::-1]
        first = np.asarray(film.convert("RGB"), float) / 255
        film.seek(24)
        last = np.asarray(film.convert("RGB"), float) / 255
    assert np.abs(first - image[0].numpy()).mean() < 0.03
    assert last[:, :40].mean() < 0.03
