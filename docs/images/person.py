"""A drawn person, and the joints of this person."""

import cv2
import numpy as np

from fcvg_core.pose.skeleton import NECK


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
