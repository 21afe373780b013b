"""Draw the pictures of the README and of ComfyUI's template browser.

    make demo && COMFYUI_PATH=... .venv/bin/python docs/images/draw.py

COMFYUI_PATH is a folder of the newest ComfyUI, whose editor shows the graphs; a Chromium is needed.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import torch
from graphs import photograph_graphs
from PIL import Image, ImageDraw, ImageFont

from fcvg_core.frames import crop_resize
from fcvg_core.lines import ClassicLineMatcher, draw_lines, interpolate_lines
from fcvg_core.pose import Poses, PoseStyle, draw_poses
from fcvg_core.pose.skeleton import NECK, NUM_POINTS
from fcvg_core.standalone.demo.scene import draw_sample_pair
from fcvg_core.timeline import inbetween_times
from fcvg_core.warp import preview_motion

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo" / "result"
GAP, LABEL = 4, 18
BACKGROUND, TEXT = (255, 255, 255), (70, 70, 70)
THICK = PoseStyle(limb_width=22, hand_width=8, joint_radius=30)  # to be seen in a small picture
THUMBNAIL = 480  # a side, in pixels; the template browser shows squares


def main() -> None:
    save(draw_strip(), ROOT / "docs" / "images" / "demo.jpg")
    first, lines, motion, last = draw_motion()
    save(stack(first, lines, motion, last), ROOT / "workflows" / "fcvg_inbetween.jpg")
    save(stack(first, lines, last), ROOT / "workflows" / "fcvg_simple.jpg")
    save(stack(first, motion, last), ROOT / "workflows" / "fcvg_preview.jpg")
    save(draw_animate(), ROOT / "workflows" / "controlnext_svd_animate.jpg")
    for name, picture in photograph_graphs(Path(os.environ["COMFYUI_PATH"])).items():
        save(picture, ROOT / "docs" / "images" / f"{name}.jpg")


def save(picture: Image.Image, path: Path) -> None:
    picture.save(path, quality=88, optimize=True)


def draw_strip() -> Image.Image:
    """What `make demo` has written: conditions above, frames below, five of thirteen."""
    chosen = (0, 3, 6, 9, 12)
    rows = {
        "conditions": [DEMO / "condition" / f"{i:02}.png" for i in chosen],
        "frames painted by untrained stand-ins": [DEMO / "frames" / f"{i:02}.png" for i in chosen],
    }
    width, height = 224, 128
    strip = Image.new("RGB", (len(chosen) * (width + GAP) - GAP, 2 * (height + LABEL)), BACKGROUND)
    pen = ImageDraw.Draw(strip)
    for row, (title, paths) in enumerate(rows.items()):
        top = row * (height + LABEL)
        for column, path in enumerate(paths):
            tile = Image.open(path).resize((width, height), Image.Resampling.LANCZOS)
            strip.paste(tile, (column * (width + GAP), top))
        pen.text((2, top + height + 2), title, TEXT, font=ImageFont.load_default(12))
    return strip


def draw_motion() -> tuple[np.ndarray, ...]:
    """First frame, the lines in the middle, the preview of the motion there, last frame."""
    frames = draw_sample_pair((576, 1024))
    matches = ClassicLineMatcher()(*frames)
    times = inbetween_times(3, "uniform")
    lines = draw_lines(interpolate_lines(matches, times), matches.size, line_width=3, seed=0)
    preview = preview_motion(frames, times, matches=matches)
    return frames[0], lines[1], preview[1], frames[1]


def stack(*pictures: np.ndarray) -> Image.Image:
    """Strips out of the middle of pictures, one below the other: a square."""
    width = 2 * THUMBNAIL
    height = (width - 2 * GAP * (len(pictures) - 1)) // len(pictures)
    square = Image.new("RGB", (width, width))
    for row, picture in enumerate(pictures):
        strip = Image.fromarray(crop_resize(picture, (height, width)))
        square.paste(strip, (0, row * (height + 2 * GAP)))
    return square.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)


def draw_animate() -> Image.Image:
    """A person, and poses that the person is to take."""
    size = (THUMBNAIL, THUMBNAIL // 3)
    steps = [jumping_jack(lift) for lift in (0.15, 0.55, 1.0)]
    points = torch.zeros(len(steps), 1, NUM_POINTS, 2)
    scores = torch.zeros(len(steps), 1, NUM_POINTS)
    points[:, 0, : len(steps[0])] = torch.tensor(np.stack(steps))
    scores[:, 0, : len(steps[0])] = 1.0
    poses = draw_poses(Poses(points, scores), size, style=THICK)
    tiles = [draw_person(steps[0], size), poses[1], poses[2]]
    return Image.fromarray(np.concatenate(tiles, axis=1))


def jumping_jack(lift: float) -> np.ndarray:
    """OpenPose's 18 points of a body, arms and legs apart by 0..1: [18, 2] in 0..1."""
    angle = np.pi * (0.08 + 0.75 * lift)  # of an arm, from hanging down
    elbow = np.array([0.5 * np.sin(angle), 0.17 * np.cos(angle)])
    hand = elbow + [0.26 * np.sin(1.1 * angle), 0.13 * np.cos(1.1 * angle)]
    half = {
        "shoulder": (0.15, 0.29),
        "elbow": (0.15 + 0.45 * elbow[0], 0.29 + 0.8 * elbow[1]),
        "hand": (0.15 + 0.6 * hand[0], 0.29 + 0.8 * hand[1]),
        "hip": (0.09, 0.55),
        "knee": (0.10 + 0.10 * lift, 0.73),
        "foot": (0.10 + 0.22 * lift, 0.91),
    }
    sides = [[(0.5 + side * x, y) for x, y in half.values()] for side in (-1, 1)]
    head = [(0.47, 0.15), (0.53, 0.15), (0.42, 0.16), (0.58, 0.16)]  # eyes, ears
    points = [
        (0.50, 0.17),
        (0.50, 0.27),
        *sides[0][:3],
        *sides[1][:3],
        *sides[0][3:],
        *sides[1][3:],
        *head,
    ]
    return np.array(points, dtype=np.float32)


def draw_person(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Somebody with these joints, in a coat: [H, W, 3] uint8."""
    height, width = size
    canvas = np.full((height, width, 3), (188, 208, 222), np.uint8)
    canvas[int(height * 0.86) :] = (150, 158, 150)
    joints = [tuple(int(v) for v in point) for point in points * (width, height)]
    skin, coat, trousers, hair = (224, 180, 148), (190, 72, 60), (52, 62, 92), (74, 50, 36)
    thick = width // 8
    cv2.line(canvas, joints[0], joints[NECK], skin, thick, cv2.LINE_AA)
    for a, b in ((8, 9), (9, 10), (11, 12), (12, 13)):  # legs
        cv2.line(canvas, joints[a], joints[b], trousers, thick, cv2.LINE_AA)
    torso = np.array([joints[i] for i in (2, 5, 11, 8)])
    cv2.fillPoly(canvas, [torso], coat, cv2.LINE_AA)
    cv2.polylines(canvas, [torso], True, coat, thick, cv2.LINE_AA)
    for a, b in ((2, 3), (3, 4), (5, 6), (6, 7)):  # arms
        cv2.line(canvas, joints[a], joints[b], coat, thick - 4, cv2.LINE_AA)
    for hand in (4, 7):
        cv2.circle(canvas, joints[hand], thick // 2, skin, -1, cv2.LINE_AA)
    x, y = joints[0]
    cv2.circle(canvas, (x, y - thick // 3), int(thick * 1.35), hair, -1, cv2.LINE_AA)
    cv2.circle(canvas, (x, y), int(thick * 1.15), skin, -1, cv2.LINE_AA)
    for eye in (14, 15):
        cv2.circle(canvas, joints[eye], 3, hair, -1, cv2.LINE_AA)
    return canvas


if __name__ == "__main__":
    main()
