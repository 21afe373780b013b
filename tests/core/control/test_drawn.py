"""Drawn people are recognised, films and cartoons are not."""

import colorsys

import cv2
import numpy as np
import pytest
from drawn_people import compressed, drawn_walker

from fcvg_core.control import looks_drawn
from fcvg_core.pose import STYLES

SIZE = (288, 512)
BRIGHT = [tuple(round(255 * x) for x in colorsys.hsv_to_rgb(i / 12, 1, 1)) for i in range(12)]


class TestDrawn:
    @pytest.mark.parametrize("style", STYLES)
    @pytest.mark.parametrize("size", [(768, 512), (576, 1024)])
    def test_every_style(self, style, size) -> None:
        frames = drawn_walker(3, size, style=style)
        assert looks_drawn(iter(frames))
        assert looks_drawn(compressed(frames, 18)) and looks_drawn(compressed(frames, 28))

    def test_colours_of_openpose(self) -> None:
        """Red and blue are swapped; see `draw_poses`."""
        swapped = [frame[..., ::-1].copy() for frame in drawn_walker(3, (768, 512))]
        assert looks_drawn(swapped) and looks_drawn(compressed(swapped, 23))

    @pytest.mark.parametrize("width", [0.5, 3.0, 5.0])
    def test_thin_and_thick_strokes(self, width) -> None:
        frames = drawn_walker(3, (768, 512), width=width)
        assert looks_drawn(frames) and looks_drawn(compressed(frames, 18))

    @pytest.mark.parametrize(
        "where", [{"reach": (0.1, 0.15)}, {"at": (0.5, 2.2), "reach": (2.0, 2.4)}]
    )
    def test_far_and_near(self, where) -> None:
        assert looks_drawn(compressed(drawn_walker(3, (768, 512), **where), 18))

    def test_frames_in_which_nobody_is_seen(self) -> None:
        black = np.zeros((*SIZE, 3), np.uint8)
        assert looks_drawn([black, *drawn_walker(2, SIZE), black])


def night_film(rng: np.random.RandomState) -> np.ndarray:
    """A dark street: grain, and warm lamps with light around them."""
    scene = np.full((*SIZE, 3), 6.0) + rng.normal(0, 2, (*SIZE, 1))
    for x in range(60, SIZE[1], 120):
        cv2.circle(scene, (x, 90), 5, (255, 190, 110), -1)
    return _glowing(scene, 9)


def neon_signs(rng: np.random.RandomState) -> np.ndarray:
    """Signs in all colours at night."""
    scene = np.zeros((*SIZE, 3))
    for i, color in enumerate(BRIGHT):
        corner = (30 + 115 * (i % 4), 60 + 70 * (i // 4))
        cv2.rectangle(scene, corner, (corner[0] + 60, corner[1] - 30), color, 3)
    return _glowing(scene, 6)


def fireworks(rng: np.random.RandomState) -> np.ndarray:
    """Bursts of sparks in all colours, which light the smoke."""
    scene = np.zeros((*SIZE, 3))
    for color in BRIGHT:
        x, y = rng.randint(40, SIZE[1] - 40), rng.randint(40, SIZE[0] - 40)
        for turn in np.linspace(0, 6.28, 14):
            end = int(x + 35 * np.cos(turn)), int(y + 35 * np.sin(turn))
            cv2.line(scene, (x, y), end, color, 1)
    return _glowing(scene, 8)


def ink(rng: np.random.RandomState) -> np.ndarray:
    """A cartoon in white strokes on black."""
    scene = np.zeros((*SIZE, 3))
    for _ in range(12):
        ends = rng.randint(0, min(SIZE), (2, 2)).tolist()
        cv2.line(scene, *ends, (255, 255, 255), 3)
    return scene.astype(np.uint8)


def paper(rng: np.random.RandomState) -> np.ndarray:
    """A cartoon in black strokes on white."""
    return 255 - ink(rng)


def logo(rng: np.random.RandomState) -> np.ndarray:
    """A round logo in all colours, on black."""
    scene = np.zeros((*SIZE, 3), np.uint8)
    for i, color in enumerate(BRIGHT):
        cv2.ellipse(scene, (256, 144), (70, 70), 0, 30 * i, 30 * i + 30, color, -1)
    return scene


def title(rng: np.random.RandomState) -> np.ndarray:
    """Thin letters in three colours, on black."""
    scene = np.zeros((*SIZE, 3), np.uint8)
    for i, color in enumerate(BRIGHT[::4]):
        cv2.putText(scene, "THE END", (150, 90 + 60 * i), cv2.FONT_HERSHEY_SIMPLEX, 1, color, 2)
    return scene


def _glowing(scene: np.ndarray, reach: int) -> np.ndarray:
    light = cv2.GaussianBlur(scene, (0, 0), reach) * 1.5
    return np.clip(np.maximum(scene, light), 0, 255).astype(np.uint8)


class TestNotDrawn:
    @pytest.mark.parametrize("scene", [night_film, neon_signs, fireworks, ink, paper, logo, title])
    def test_films_and_cartoons(self, scene) -> None:
        rng = np.random.RandomState(0)
        frames = [scene(rng) for _ in range(3)]
        assert not looks_drawn(frames) and not looks_drawn(compressed(frames, 23))

    def test_white_skeletons_are_not_told_from_a_cartoon(self) -> None:
        white = [np.repeat(f.max(-1, keepdims=True), 3, -1) for f in drawn_walker(2, SIZE)]
        assert not looks_drawn(white)

    def test_a_film_is_read_to_its_first_bright_frame(self) -> None:
        """A fade from black comes before it."""
        read = iter([np.full((*SIZE, 3), level, np.uint8) for level in (0, 10, 120, 130)])
        assert not looks_drawn(read) and next(read)[0, 0, 0] == 130

    @pytest.mark.parametrize("count", [0, 3])
    def test_nothing_at_all(self, count) -> None:
        assert not looks_drawn([np.zeros((*SIZE, 3), np.uint8)] * count)

    def test_a_drawing_before_a_film(self) -> None:
        grey = np.full((*SIZE, 3), 90, np.uint8)
        assert not looks_drawn([*drawn_walker(2, SIZE), grey])
