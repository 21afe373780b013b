"""People who walk past: where their joints are is known exactly, so no detector is needed.

A person is 18 joints in OpenPose's order. Lengths are shares of the person's height; y points
down, and (0, 0) is the point on the ground below the hips.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from fcvg_core.pose import Poses
from fcvg_core.pose.skeleton import BODY, NUM_POINTS

THIGH = SHIN = 0.245
UPPER_ARM = FOREARM = 0.17
HIPS, NECK, NOSE, EYES, EARS = 0.5, 0.82, 0.9, 0.92, 0.91  # heights above the ground
HEAD, HEAD_WIDTH = 0.925, 0.125
SUBPIXEL_BITS = 4

SKINS = ((236, 196, 168), (196, 148, 112), (120, 84, 62))
HAIRS = ((52, 40, 34), (120, 84, 48), (196, 164, 96), (96, 92, 92))
SHIRTS = (
    (190, 52, 48),
    (52, 96, 168),
    (236, 232, 224),
    (72, 132, 84),
    (232, 180, 60),
    (96, 72, 120),
)
TROUSERS = ((44, 52, 84), (72, 68, 64), (132, 112, 84), (36, 36, 40))

# Sides: the second joint of the four is on the person's right, joints 2-4 and 8-10.
RIGHT, LEFT = (2, 3, 4, 8, 9, 10), (5, 6, 7, 11, 12, 13)


@dataclass(frozen=True)
class Person:
    """How a person looks and walks.

    Attributes:
        facing: 1 walks to the right, -1 to the left.
        turn: 0..1, how much of the shoulders' width is seen; 0 is exactly from the side.
        stride: largest angle of a thigh, in radians.
        skin, hair, shirt, trousers: colours.
    """

    facing: int
    turn: float
    stride: float
    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    shirt: tuple[int, int, int]
    trousers: tuple[int, int, int]

    @classmethod
    def drawn(cls, random: np.random.Generator) -> "Person":
        """A person by chance."""
        colors = (table[random.integers(len(table))] for table in (SKINS, HAIRS, SHIRTS, TROUSERS))
        facing = 1 if random.random() < 0.5 else -1
        return cls(facing, random.uniform(0.2, 1), random.uniform(0.25, 0.6), *colors)

    def joints(self, phase: float) -> np.ndarray:
        """[18, 2] joints at a phase of the walk, in radians: two steps are 2 pi."""
        swing = np.sin(phase)
        shoulder, hip = 0.11 * self.turn + 0.02, 0.055 * self.turn + 0.015
        points = np.zeros((18, 2))
        points[1] = 0, NECK
        points[0] = 0.055 * (1.2 - self.turn), NOSE
        for side, (sign, joints) in enumerate(((-1, RIGHT), (1, LEFT))):
            bend = max(np.sin(phase + (0.9 if side else 0.9 + np.pi)), 0)
            reach = swing if side else -swing
            points[joints[0]] = sign * shoulder, NECK - 0.01
            arm, leg = -0.8 * self.stride * reach, self.stride * reach
            _chain(points, joints[:3], (UPPER_ARM, FOREARM), (arm, arm + 0.35))
            points[joints[3]] = sign * hip, HIPS
            _chain(points, joints[3:], (THIGH, SHIN), (leg, leg - 1.1 * self.stride * bend - 0.05))
            points[14 + side] = points[0, 0] + sign * 0.03 * self.turn, EYES
            points[16 + side] = sign * (0.035 + 0.03 * self.turn) - 0.02, EARS
        points[:, 1] -= min(points[10, 1], points[13, 1])  # the lower foot stands on the ground
        return points * (self.facing, -1)


def _chain(points: np.ndarray, joints: tuple[int, ...], lengths, angles) -> None:
    """Put two joints after a first one, each at an angle from straight down, forward positive."""
    for before, joint, length, angle in zip(joints, joints[1:], lengths, angles, strict=False):
        points[joint] = points[before] + length * np.array([np.sin(angle), -np.cos(angle)])


def paint_person(frame: np.ndarray, person: Person, joints: np.ndarray, height: float) -> None:
    """Paint a person into a frame.

    Args:
        frame: [H, W, 3] uint8; it is changed.
        joints: [18, 2] pixels.
        height: of the person, in pixels.
    """

    def stroke(color, width: float, *points) -> None:
        path = [np.rint(np.array(points) * 2**SUBPIXEL_BITS).astype(np.int32)]
        thickness = max(round(width * height), 1)
        cv2.polylines(frame, path, False, color, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    far, near = (LEFT, RIGHT) if person.facing > 0 else (RIGHT, LEFT)
    for side, light in ((far, 0.75), (near, 1.0)):
        shirt, trousers, skin = (
            tuple(light * channel for channel in color)
            for color in (person.shirt, person.trousers, person.skin)
        )
        hip, ankle = joints[side[3]], joints[side[5]]
        stroke(trousers, 0.085, hip, joints[side[4]], ankle)
        stroke((40, 34, 30), 0.05, ankle, ankle + (0.06 * height * person.facing, 0.01 * height))
        if side is near:
            middle = (joints[8] + joints[11]) / 2
            stroke(shirt, 0.13, joints[1] + (joints[1] - joints[0]) * 0.3, (joints[1] + middle) / 2)
            stroke(shirt, 0.12, joints[1] + (middle - joints[1]) * 0.2, middle)
            stroke(shirt, 0.09, joints[2], joints[5])
        stroke(shirt, 0.06, *(joints[i] for i in side[:3]))
        stroke(skin, 0.045, joints[side[2]], joints[side[2]])
    _paint_head(stroke, person, joints, height)


def _paint_head(stroke, person: Person, joints: np.ndarray, height: float) -> None:
    """Paint neck, head and hair above the neck's joint."""
    middle = joints[1] - (0, (HEAD - NECK) * height)
    stroke(person.skin, 0.05, joints[1], middle)
    stroke(
        person.hair, HEAD_WIDTH, middle + (-0.014 * height * person.facing, -0.014 * height), middle
    )
    stroke(person.skin, 0.095, middle + (0.016 * height * person.facing, 0.012 * height), middle)


def make_poses(joints: np.ndarray, size: tuple[int, int], scores: np.ndarray) -> Poses:
    """People of one frame.

    Args:
        joints: [P, 18, 2] pixels.
        size: (height, width) of the frame, in pixels.
        scores: [P] in 0..1, of all joints that lie in the frame.
    """
    height, width = size
    places = (joints + 0.5) / (width, height)
    inside = ((places >= 0) & (places <= 1)).all(-1)
    keypoints = torch.zeros(len(joints), NUM_POINTS, 2, dtype=torch.float64)
    found = torch.zeros(len(joints), NUM_POINTS, dtype=torch.float64)
    keypoints[:, BODY] = torch.from_numpy(places)
    found[:, BODY] = torch.from_numpy(inside * scores[:, None])
    return Poses(keypoints, found)
