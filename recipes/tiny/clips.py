"""Clips that are drawn by code: a moving camera in a town, things that move, people who walk.

All motion is known, so the lines of the first frame are carried to the last one exactly, and
people are joints from the start. Each point moves straight between its two ends, as the control
frames of inference show it, so the control frames are true at every frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from fcvg_core.choices import FCVG_STYLE, MISSING_JOINTS, MISSING_PEOPLE
from fcvg_core.control import ControlFrameSettings, draw_keyframes
from fcvg_core.frames import to_gray
from fcvg_core.lines import LineMatches, detect_lines
from fcvg_core.motion import Motion, Span
from fcvg_core.pose import STYLES
from fcvg_core.standalone.demo.scene import SENSOR_NOISE, camera_move, paint_canvas, view_canvas
from fcvg_core.timeline import inbetween_times

from .things import Thing, View, changed, move_points
from .walkers import Person, make_poses, paint_person

FINER = 2  # towns, things and people are painted so many times larger than the frames
MAX_LINES, MIN_LENGTH = 300, 15.0  # as in inference; pixels of a frame
LEAST_LINES = 0.3  # share of the lines that a matcher finds at least
WANDER = 0.3  # pixels, how far the ends of lines are from where they should be
TIMINGS = ("uniform", "uniform", "uniform", "reference", "ease-in", "ease-out", "ease-in-out")
PEOPLE, THINGS = 2, 2  # at most


@dataclass(frozen=True)
class Shape:
    """Size of the clips.

    Attributes:
        height, width: in pixels, multiples of 64.
        frames: at least 2.
    """

    height: int = 128
    width: int = 192
    frames: int = 7

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def fine(self) -> tuple[int, int]:
        """(height, width) in which frames are painted."""
        return self.height * FINER, self.width * FINER


@dataclass(frozen=True, eq=False)
class DrawnClip:
    """A clip, and what shows how it moves.

    Attributes:
        name: tells the town and the number of the clip.
        frames: [T, H, W, 3] uint8.
        control: [T, H, W, 3] uint8 frames of all lines and people, as inference draws them.
    """

    name: str
    frames: np.ndarray
    control: np.ndarray


def draw_clips(town: int, shape: Shape, count: int) -> Iterator[DrawnClip]:
    """Clips of one town, always the same for its number.

    Args:
        town: number of the town.
        count: clips; each has other moves, and about half of them are mirrored.
    """
    canvas = paint_canvas(town, shape.fine)
    for number in range(count):
        random = np.random.default_rng((town, number))
        timing = TIMINGS[random.integers(len(TIMINGS))]
        scene = Scene(canvas, shape, random)
        yield DrawnClip(
            f"town-{town}-{number}", scene.draw_frames(timing), scene.draw_control(timing)
        )


class Scene:
    """A town, a camera's move, and what moves in front of the town.

    Args:
        canvas: from `paint_canvas`, for frames of the size `shape.fine`.
        random: all that chance decides.
        people: at most so many people walk.
        opposite: whether the camera moves the other way, from the same first frame.
    """

    def __init__(
        self,
        canvas: np.ndarray,
        shape: Shape,
        random: np.random.Generator,
        *,
        people: int = PEOPLE,
        opposite: bool = False,
    ):
        mirrored = random.random() < 0.5
        self.canvas = np.ascontiguousarray(canvas[:, ::-1] if mirrored else canvas)
        self.shape, self.random = shape, random
        self.start, move = _moves(shape.fine, random)
        self.end = (np.linalg.inv(move) if opposite else move) @ self.start
        width = shape.width / shape.height
        self.things = [Thing.drawn(random, width) for _ in range(random.integers(THINGS + 1))]
        self.people = [Person.drawn(random) for _ in range(random.integers(people + 1))]
        self.light = random.uniform(0.8, 1.12) * random.uniform(0.94, 1.06, 3)
        self._place_people(width)

    def draw_frames(self, timing: str) -> np.ndarray:
        """The clip [T, H, W, 3] uint8, in a timing of inference."""
        times = inbetween_times(self.shape.frames, timing).numpy()
        return np.stack([self._finish(self.paint(time)) for time in times])

    def draw_control(self, timing: str) -> np.ndarray:
        """Control frames [T, H, W, 3] uint8 that show all lines and people."""
        seed = int(self.random.integers(2**32))
        return draw_known(Motion(self.shape.size, (self.find_span(),)), self.shape, timing, seed)

    def camera(self, time: float) -> np.ndarray:
        """[3, 3] from the front view to the frame at a progress: the corners move straight."""
        height, width = self.shape.fine
        corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
        move = self.end @ np.linalg.inv(self.start)
        there = move_points(move, corners)
        part = cv2.getPerspectiveTransform(
            np.float32(corners), np.float32(corners + (there - corners) * time)
        )
        return part @ self.start

    def joints(self, time: float) -> np.ndarray:
        """[P, 18, 2] in fine pixels; each joint moves straight."""
        return self.joints0 + (self.joints1 - self.joints0) * time

    def _place_people(self, width: float) -> None:
        """Where people's joints and how tall they are, in the first and the last frame."""
        ends = np.zeros((2, len(self.people), 18, 2))
        self.heights = np.zeros((2, len(self.people)))
        random = self.random
        tall = np.sort(random.uniform(0.2, 0.5, len(self.people)))  # who is near is painted last
        for i, (person, height) in enumerate(zip(self.people, tall, strict=True)):
            ground = random.uniform(0.1, 0.9) * width, 0.83 + 0.4 * (height - 0.2)
            phase, steps = random.uniform(0, 2 * np.pi), random.uniform(0.3, 0.9) * np.pi
            way = person.facing * height * person.stride * steps / np.pi
            for end, camera in enumerate((self.start, self.end)):
                joints = person.joints(phase + end * steps) * height + ground + (end * way, 0)
                view = View(np.zeros((*self.shape.fine, 1), np.uint8), camera)
                ends[end, i] = move_points(camera, view.pixels(joints))
                self.heights[end, i] = height * view.unit
        self.joints0, self.joints1 = ends

    def paint(self, time: float) -> np.ndarray:
        """The frame at a progress of the motion, larger than it will be."""
        camera = self.camera(time)
        frame = view_canvas(self.canvas, self.shape.fine, camera)
        view = View(frame, camera)
        for thing in self.things:
            thing.paint(view, time)
        self._paint_people(frame, time)
        return frame

    def _paint_people(self, frame: np.ndarray, time: float) -> None:
        heights = self.heights[0] + (self.heights[1] - self.heights[0]) * time
        for person, joints, height in zip(self.people, self.joints(time), heights, strict=True):
            paint_person(frame, person, joints, height)

    def _finish(self, fine: np.ndarray) -> np.ndarray:
        """The frame in its light and its size."""
        small = cv2.resize(fine, self.shape.size[::-1], interpolation=cv2.INTER_AREA)
        noise = SENSOR_NOISE * self.random.standard_normal(small.shape, np.float32)
        return np.rint(small * self.light + noise).clip(0, 255).astype(np.uint8)

    def find_span(self) -> Span:
        """Lines and people of the first and the last frame."""
        ends = (self.joints0, self.joints1)
        scores = self.random.uniform(0.75, 1, len(self.people))
        people = tuple(make_poses(joints, self.shape.fine, scores) for joints in ends)
        pairs = torch.arange(len(self.people))[:, None].expand(-1, 2)
        return Span(self._lines(), people if self.people else None, pairs)

    def _lines(self) -> LineMatches:
        """The lines of the first frame, and where they are in the last one."""
        camera = self.camera(0)
        frame = view_canvas(self.canvas, self.shape.fine, camera)
        view = View(frame, camera)
        owners = np.zeros(frame.shape[:2], np.int64)  # 0: the town, i + 1: a thing, -1: a person
        for i, thing in enumerate(self.things):
            before = frame.copy()
            thing.paint(view, 0)
            owners[changed(before, frame)] = i + 1
        before = frame.copy()
        self._paint_people(frame, 0)
        owners[changed(before, frame)] = -1
        # In frames of the small size inference finds lines of FINER * MIN_LENGTH alone.
        shortest = self.random.uniform(0.5, 1.25) * FINER * MIN_LENGTH
        found = detect_lines(to_gray(frame), max_lines=MAX_LINES, min_length=shortest)
        return self._carried(found.lines.double().numpy(), owners)

    def _carried(self, lines: np.ndarray, owners: np.ndarray) -> LineMatches:
        """Matches of lines [N, 2, 2] in fine pixels, each carried by what it belongs to.

        Args:
            owners: [H, W], what each pixel of the first frame shows.
        """
        height, width = self.shape.fine
        middles = lines.mean(1).clip(0, (width - 1, height - 1)).astype(int)
        owner = owners[middles[:, 1], middles[:, 0]]
        ends = np.zeros_like(lines)
        for number in range(len(self.things) + 1):
            own = owner == number
            ends[own] = move_points(self._carrier(number), lines[own])
        inside = ((ends >= 0) & (ends <= (width, height))).all(-1).any(-1)
        found = self.random.random(len(lines)) < self.random.uniform(LEAST_LINES, 1)
        kept = inside & found & (owner >= 0)
        wander = self.random.normal(0, WANDER * FINER, (2, *lines[kept].shape))
        both = (np.stack([lines[kept], ends[kept]]) + wander) / FINER
        lines0, lines1 = torch.from_numpy(both).float()
        kept_ends = torch.ones(len(lines0), dtype=torch.bool)
        return LineMatches(lines0, lines1, self.shape.size, kept_ends=kept_ends)

    def _carrier(self, number: int) -> np.ndarray:
        """[3, 3] from the first frame to the last: of the town (0), or of thing number - 1."""
        step = np.eye(3)
        if number:
            thing = self.things[number - 1]
            step[:2, 2] = (np.array(thing.end) - thing.start) * self.shape.fine[0]
        return self.end @ step @ np.linalg.inv(self.start)


def _moves(size: tuple[int, int], random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """[3, 3] from the front view to the first frame, and from there to the last frame."""

    def draw(angle: float, zoom: tuple[float, float], across: float, down: float, tilt: float):
        return camera_move(
            size,
            angle=random.uniform(-angle, angle),
            scale=random.uniform(*zoom),
            shift=(random.uniform(-across, across), random.uniform(-down, down)),
            tilt=tuple(random.uniform(-tilt, tilt, 2)),
        )

    start = draw(3, (1.05, 1.6), 0.3, 0.12, 0.06)
    return start, draw(6, (0.86, 1.16), 0.15, 0.1, 0.1)


def draw_known(motion: Motion, shape: Shape, timing: str, seed: int) -> np.ndarray:
    """Control frames [T, H, W, 3] uint8 of a motion between two frames.

    Args:
        seed: decides which colour each line gets.
    """
    settings = ControlFrameSettings(
        num_frames=shape.frames,
        timing=timing,
        line_width=1,
        seed=seed,
        pose_style=STYLES[FCVG_STYLE],
        missing_joints=MISSING_JOINTS[0],
        missing_people=MISSING_PEOPLE[0],
    )
    return draw_keyframes(motion, (0, shape.frames - 1), settings)
