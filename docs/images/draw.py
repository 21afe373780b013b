"""Draw the pictures of the README and of ComfyUI's template browser.

    make demo && COMFYUI_PATH=... .venv/bin/python docs/images/draw.py

The README's first picture is the strip that `make demo` has written to demo/result. COMFYUI_PATH
is a folder of the newest ComfyUI, whose editor shows the graphs; a Chromium is needed.
"""

import os
from pathlib import Path

import numpy as np
import torch
from graphs import photograph_graphs
from person import draw_person, jumping_jack
from PIL import Image

from fcvg_core.control import draw_moving_lines
from fcvg_core.frames import crop_resize
from fcvg_core.lines import ClassicLineMatcher
from fcvg_core.pose import Poses, PoseStyle, draw_poses
from fcvg_core.pose.skeleton import NUM_POINTS
from fcvg_core.standalone.demo.scene import draw_sample_pair
from fcvg_core.timeline import inbetween_times
from fcvg_core.warp import preview_motion

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo" / "result"
GAP = 4
THICK = PoseStyle(limb_width=22, hand_width=8, joint_radius=30)  # to be seen in a small picture
THUMBNAIL = 480  # a side, in pixels; the template browser shows squares


def main() -> None:
    save(Image.open(DEMO / "strip.png"), ROOT / "docs" / "images" / "demo.jpg")
    first, lines, motion, last = draw_motion()
    save(stack(first, lines, motion, last), ROOT / "workflows" / "fcvg_inbetween.jpg")
    save(stack(first, lines, last), ROOT / "workflows" / "fcvg_simple.jpg")
    save(stack(first, motion, last), ROOT / "workflows" / "fcvg_preview.jpg")
    save(draw_animate(), ROOT / "workflows" / "controlnext_svd_animate.jpg")
    for name, picture in photograph_graphs(Path(os.environ["COMFYUI_PATH"])).items():
        save(picture, ROOT / "docs" / "images" / f"{name}.jpg")


def save(picture: Image.Image, path: Path) -> None:
    picture.save(path, quality=88, optimize=True)


def draw_motion() -> tuple[np.ndarray, ...]:
    """First frame, the lines in the middle, the preview of the motion there, last frame."""
    frames = draw_sample_pair((576, 1024))
    matches = ClassicLineMatcher()(*frames)
    times = inbetween_times(3, "uniform")
    lines = draw_moving_lines(matches, times, line_width=3, seed=0)
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


if __name__ == "__main__":
    main()
