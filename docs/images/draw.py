"""Draw the pictures of the README, of ComfyUI's template browser and for a first run.

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
from PIL import Image, ImageDraw, ImageFont

from fcvg_core.boxes import BoxTrack, BoxTracks, around_points, draw_boxes
from fcvg_core.control import draw_moving_lines
from fcvg_core.frames import fit_frame
from fcvg_core.lines import ClassicLineMatcher
from fcvg_core.pose import Poses, PoseStyle, draw_poses
from fcvg_core.pose.skeleton import NUM_POINTS
from fcvg_core.standalone.demo.scene import (
    camera_move,
    draw_sample_middle,
    draw_sample_pair,
    draw_scene,
    paint_canvas,
    view_canvas,
)
from fcvg_core.timeline import inbetween_times
from fcvg_core.warp import preview_motion

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo" / "result"
GAP = 4
SAMPLE_TOWN = 7  # the seed of the sample pair
THICK = PoseStyle(limb_width=22, hand_width=8, joint_radius=30)  # to be seen in a small picture
THUMBNAIL = 480  # a side, in pixels; the template browser shows squares
CAPTION = 92  # of these pixels, at the lower end
CANVAS = np.s_[30:540, 30:946]  # rows and columns of the keyframes in a picture of Edit Motion
# The template browser shows a pack's templates by the names of their files and by their pictures
# alone. So the pictures say what the templates are for.
CAPTIONS = {
    "fcvg_preview": ("See the motion first", "Two pictures. No models needed."),
    "edit_motion": ("Move it by hand", "A canvas. No models needed."),
    "fcvg_simple": ("Frames between, at once", "Two pictures, one node."),
    "fcvg_fast": ("Frames between, quickly", "Two pictures, few passes."),
    "fcvg_keyframes": ("Over several keyframes", "Three pictures, one run."),
    "svd_inbetween": ("Between, by SVD alone", "Two pictures. No FCVG needed."),
    "fcvg_inbetween": ("Frames between, in steps", "Correct the lines and people."),
    "control_for_vace": ("Steer VACE (Wan 2.1)", "Two pictures, exact ends."),
    "controlnext_svd_animate": ("Animate a person", "It moves as in your video."),
    "dynamicrafter_animate": ("Animate by a prompt", "One picture, and what happens."),
    "dynamicrafter_interpolate": ("Between, by a prompt", "Two pictures, and what happens."),
    "dynamicrafter_loop": ("A seamless loop", "One picture that comes back."),
    "dynamicrafter_story": ("A story of shots", "A prompt for each shot."),
    "dropletvideo_i2v": ("A long prompt", "One picture, and how much moves."),
    "dropletvideo_fps_sweep": ("Little or much motion", "One picture at four FPS."),
    "smcd_boxes": ("Along boxes", "One picture, boxes, a prompt."),
    "smcd_boxes_canvas": ("Draw the boxes", "One picture, two boxes, a prompt."),
}


def main() -> None:
    save(Image.open(DEMO / "strip.png"), ROOT / "docs" / "images" / "demo.jpg")
    first, last = draw_sample_pair((576, 1024))
    samples = {"first": first, "middle": draw_sample_middle((576, 1024)), "last": last}
    for name, frame in samples.items():
        save(Image.fromarray(frame), ROOT / "web" / "samples" / f"fcvg_{name}.jpg")
    draw_thumbnails()
    for name, picture in photograph_graphs(Path(os.environ["COMFYUI_PATH"])).items():
        save(picture, ROOT / "docs" / "images" / f"{name}.jpg")


def draw_thumbnails() -> None:
    first, lines, motion, last = draw_motion()
    here, there, near = draw_shots()
    pictures = {
        "fcvg_preview": stack(first, motion, last),
        "edit_motion": draw_canvas(),
        "fcvg_simple": stack(first, lines, last),
        "fcvg_fast": stack(first, lines, last),
        "fcvg_keyframes": stack(first, draw_sample_middle((576, 1024)), last),
        "svd_inbetween": stack(first, motion, last),
        "fcvg_inbetween": stack(first, lines, motion, last),
        "control_for_vace": stack(first, lines, last),
        "controlnext_svd_animate": draw_animate(),
        "dynamicrafter_animate": stack(here, there, anchor="top"),
        "dynamicrafter_interpolate": stack(first, motion, last),
        "dynamicrafter_loop": stack(here, there, here, anchor="top"),
        "dynamicrafter_story": stack(here, there, near, anchor="top"),
        "dropletvideo_i2v": stack(here, near, anchor="top"),
        "dropletvideo_fps_sweep": draw_sweep(),
        "smcd_boxes": stack(*draw_boxed(together=False), anchor="top"),
        "smcd_boxes_canvas": stack(*draw_boxed(together=True), anchor="top"),
    }
    for name, picture in pictures.items():
        save(write_below(picture, *CAPTIONS[name]), ROOT / "workflows" / f"{name}.jpg")


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


def draw_shots() -> list[np.ndarray]:
    """A balloon over a town, the balloon further on, and the camera near to it."""
    size, near = (576, 1024), camera_move((576, 1024), scale=1.5, shift=(0.0, 0.2))
    shots = (((1.25, 0.2), None), ((0.8, 0.16), None), ((1.0, 0.18), near))
    return [draw_scene(SAMPLE_TOWN, size, view, balloon=at) for at, view in shots]


def draw_sweep() -> Image.Image:
    """A balloon over a town, four times: it has flown a little further each time."""
    places = [(x, 0.2) for x in (0.6, 0.75, 1.0, 1.5)]
    size = (576, 1024)
    scenes = [draw_scene(SAMPLE_TOWN, size, None, balloon=place) for place in places]
    return stack(*scenes, anchor="top")


def draw_boxed(*, together: bool) -> list[np.ndarray]:
    """A balloon over a town, and further on, in a box.

    Args:
        together: one picture, with both boxes.
    """
    size = (576, 1024)
    empty = paint_canvas(SAMPLE_TOWN, size)
    scenes, boxes = [], []
    for place in ((1.4, 0.16), (0.7, 0.13)):
        scenes.append(draw_scene(SAMPLE_TOWN, size, None, balloon=place))
        painted = paint_canvas(SAMPLE_TOWN, size, balloon=place) != empty
        shown = view_canvas(255.0 * painted, size, None).any(axis=2)
        points = np.argwhere(shown)[:, ::-1] / size[::-1]
        boxes.append(around_points(points[None], np.ones((1, len(points)), bool), label="balloon"))
    if together:
        return list(draw_boxes(np.stack(scenes[:1]), BoxTracks(tuple(boxes), 1)))
    both = BoxTrack("balloon", np.concatenate([track.boxes for track in boxes]))
    return list(draw_boxes(np.stack(scenes), BoxTracks((both,), 2)))


def stack(*pictures: np.ndarray, anchor: str = "center") -> Image.Image:
    """Strips out of pictures, one below the other: a square without a caption.

    Args:
        anchor: the part of the pictures that the strips show.
    """
    width, whole = 2 * THUMBNAIL, 2 * (THUMBNAIL - CAPTION)
    height = (whole - 2 * GAP * (len(pictures) - 1)) // len(pictures)
    stacked = Image.new("RGB", (width, whole))
    for row, picture in enumerate(pictures):
        strip = Image.fromarray(fit_frame(picture, (height, width), "crop", anchor))
        stacked.paste(strip, (0, row * (height + 2 * GAP)))
    return stacked.resize((THUMBNAIL, THUMBNAIL - CAPTION), Image.Resampling.LANCZOS)


def write_below(picture: Image.Image, title: str, text: str) -> Image.Image:
    """The square: a picture, and under it what its template is for."""
    square = Image.new("RGB", (THUMBNAIL, THUMBNAIL), "#1b1b1f")
    square.paste(picture)
    pen, middle = ImageDraw.Draw(square), THUMBNAIL // 2
    top = picture.height
    pen.text((middle, top + 32), title, "white", ImageFont.load_default(38), anchor="mm")
    pen.text((middle, top + 69), text, "#c8c8d0", ImageFont.load_default(27), anchor="mm")
    return square


def draw_canvas() -> Image.Image:
    """A part of the canvas of Edit Motion, from a picture that edit_motion.py has taken."""
    taken = np.asarray(Image.open(ROOT / "web" / "docs" / "images" / "edit_motion_between.jpg"))
    height, width = THUMBNAIL - CAPTION, THUMBNAIL
    return Image.fromarray(fit_frame(taken[CANVAS], (height, width), "crop", "right"))


def draw_animate() -> Image.Image:
    """A person, and poses that the person is to take."""
    size = (THUMBNAIL - CAPTION, THUMBNAIL // 3)
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
