"""Line matches without weights: right on scenes with a known camera move."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.lines import ClassicLineMatcher, LineMatches
from fcvg_core.lines.classic import Pairs, choose_pairs, likeness, shared_spans
from fcvg_core.lines.motion import apply_homography
from fcvg_core.standalone.demo.scene import camera_move, draw_sample_pair, draw_scene

SIZES = [(320, 512), (576, 1024)]
STILL = {"angle": 0.0, "scale": 1.0, "shift": (0.0, 0.0), "tilt": (0.0, 0.0)}
MOVES = {
    "sample": {},
    "turned": {**STILL, "angle": 20.0},
    "turned and farther": {**STILL, "angle": -20.0, "scale": 0.8},
    "nearer": {**STILL, "scale": 1.25},
    "shifted": {**STILL, "shift": (0.15, -0.15)},
    "tilted": {**STILL, "angle": 3.0, "tilt": (0.4, 0.15)},
    "all": {"angle": -15.0, "scale": 0.85, "shift": (-0.15, 0.1), "tilt": (0.2, 0.1)},
}
RIGHT = 5.0  # pixels


@lru_cache(maxsize=2)
def still_scene(seed: int, size: tuple[int, int]) -> np.ndarray:
    return draw_scene(seed, size)


def distances(matches: LineMatches, homography: np.ndarray) -> np.ndarray:
    """The farther end of each carried segment from its match, whichever way round: [N]."""
    carried = apply_homography(homography, matches.lines0.double().numpy())
    ends = matches.lines1.numpy()
    ways = [np.linalg.norm(carried - way, axis=-1).max(axis=-1) for way in (ends, ends[:, ::-1])]
    return np.minimum(*ways)


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("move", MOVES)
@pytest.mark.slow
def test_known_camera_moves(seed: int, size: tuple[int, int], move: str) -> None:
    homography = camera_move(size, **MOVES[move])
    moved = draw_scene(seed, size, homography)
    matches = ClassicLineMatcher()(still_scene(seed, size), moved)
    right = distances(matches, homography) < RIGHT
    assert matches.size == size
    assert len(right) >= 30
    assert right.mean() >= 0.8


def test_something_moves_by_itself() -> None:
    size, matrix = (320, 512), camera_move((320, 512), **STILL)
    frame0, frame1 = still_scene(0, size).copy(), draw_scene(0, size, matrix)
    poster = draw_scene(3, (160, 160))
    frame0[100:260, 60:220], frame1[120:280, 260:420] = poster, poster
    matches = ClassicLineMatcher()(frame0, frame1)
    middle = matches.lines0.mean(dim=1)
    on_poster = ((middle > torch.tensor([62, 102])) & (middle < torch.tensor([218, 258]))).all(1)
    moved = (matches.lines1 - matches.lines0).mean(dim=1)[on_poster]
    right = ((moved - torch.tensor([200.0, 20.0])).norm(dim=-1) < RIGHT).float()
    assert len(right) >= 15 and right.mean() >= 0.8


def test_same_frame_stays() -> None:
    frame = still_scene(0, (320, 512))
    matches = ClassicLineMatcher(max_lines=80)(frame, frame)
    assert 60 <= len(matches.lines0) <= 80
    assert torch.allclose(matches.lines0, matches.lines1, atol=1e-3)


def test_repeated_calls_agree() -> None:
    pair = draw_sample_pair((320, 512))
    first, again = ClassicLineMatcher()(*pair), ClassicLineMatcher()(*pair)
    assert torch.equal(first.lines0, again.lines0) and torch.equal(first.lines1, again.lines1)


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (64, 500)])
def test_small_frames(size: tuple[int, int]) -> None:
    matches = ClassicLineMatcher()(*draw_sample_pair(size))
    assert matches.size == size and matches.lines0.dtype == torch.float32


@pytest.mark.parametrize(("level0", "level1"), [(0, 0), (0, 255), (128, None), (None, 128)])
def test_blank_frames(level0: int | None, level1: int | None) -> None:
    scene = still_scene(0, (320, 512))
    frames = [scene if x is None else np.full_like(scene, x) for x in (level0, level1)]
    matches = ClassicLineMatcher()(*frames)
    assert matches.lines0.shape == matches.lines1.shape == (0, 2, 2)
    assert matches.size == (320, 512)


def test_min_length() -> None:
    matches = ClassicLineMatcher(min_length=40.0)(*draw_sample_pair((320, 512)))
    for lines in (matches.lines0, matches.lines1):
        assert len(lines) and (lines[:, 1] - lines[:, 0]).norm(dim=-1).min() >= 40 - 1e-3


def test_errors() -> None:
    matcher = ClassicLineMatcher()
    small, large = np.zeros((63, 80, 3), np.uint8), np.zeros((80, 80, 3), np.uint8)
    with pytest.raises(ValueError, match=r"of one size, got \[63, 80, 3\] and \[80, 80, 3\]"):
        matcher(small, large)
    with pytest.raises(UserError, match=r"80 x 63 pixels .* at least 64 pixels a side"):
        matcher(small, small)


def test_shared_spans_by_hand() -> None:
    carried = np.linspace((0.0, 1.0), (100.0, 1.0), 17)[None]
    partner = np.array([[[50.0, 0.0], [150.0, 0.0]]])
    span0, span1, offset = shared_spans(carried, partner)
    assert np.allclose(span0, [[0.5, 1]]) and np.allclose(span1, [[0, 0.5]])
    assert np.allclose(offset, [1])


def test_likeness() -> None:
    gray = np.random.RandomState(0).randint(0, 255, (100, 100)).astype(np.uint8)
    lines = np.array([[[20.0, 20.0], [70.0, 30.0]]])
    assert np.allclose(likeness(gray, lines, gray, lines), 1)
    assert likeness(gray, lines, 255 - gray, lines)[0] < -0.9
    assert likeness(gray, lines[:0], gray, lines[:0]).shape == (0,)


def test_choose_pairs_by_hand() -> None:
    """The better pair wins; then a part of a segment is free only if the winner left it."""
    lines0 = np.array([[[0.0, 0.0], [100.0, 0.0]]])
    lines1 = np.array([[[0.0, 50.0], [100.0, 50.0]], [[0.0, 90.0], [100.0, 90.0]]])
    pairs = Pairs(
        i=np.array([0, 0, 0]),
        j=np.array([0, 1, 1]),
        span0=np.array([[0.0, 0.5], [0.3, 0.9], [0.45, 1.0]]),
        span1=np.array([[0.0, 0.5], [0.3, 0.9], [0.45, 1.0]]),
        score=np.array([0.9, 0.8, 0.2]),
    )
    cut0, cut1 = choose_pairs([pairs], lines0, lines1)
    assert cut0.tolist() == [[[0, 0], [50, 0]], [[45, 0], [100, 0]]]
    assert cut1.tolist() == [[[0, 50], [50, 50]], [[45, 90], [100, 90]]]


def test_choose_from_nothing() -> None:
    cut0, cut1 = choose_pairs([], np.zeros((0, 2, 2)), np.zeros((3, 2, 2)))
    assert cut0.shape == cut1.shape == (0, 2, 2)
