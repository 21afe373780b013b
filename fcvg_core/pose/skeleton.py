"""Tables of the 134 points of a person: their order, the limbs between them, their colours.

The order is OpenPose's: 18 points of the body, 6 of the feet, 68 of the face, 21 of each hand.

Source: Tian-one/FCVG models/dwpose/{wholebody,util}.py.
"""

import colorsys

NUM_POINTS = 134
BODY, FEET, FACE = slice(0, 18), slice(18, 24), slice(24, 92)
LEFT_HAND, RIGHT_HAND = slice(92, 113), slice(113, 134)
NECK = 1

# A point of the body is visible above this score; OpenPose files omit points with lower scores.
MIN_SCORE = 0.3

# COCO-WholeBody has 133 points and no neck; the neck is the middle of both shoulders.
COCO_POINTS = 133
COCO_SHOULDERS = [5, 6]
# Index of the COCO point for each point of the body; None: the neck. Feet, face and hands have the
# same order in COCO.
COCO_BODY = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
COCO_BODY_POINTS = 17

# Pairs of body points in drawing order; limb i has colour i.
LIMBS = (
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
)
# RGB, in OpenPose's order; joint i has colour i.
BODY_COLORS = (
    (255, 0, 0),
    (255, 85, 0),
    (255, 170, 0),
    (255, 255, 0),
    (170, 255, 0),
    (85, 255, 0),
    (0, 255, 0),
    (0, 255, 85),
    (0, 255, 170),
    (0, 255, 255),
    (0, 170, 255),
    (0, 85, 255),
    (0, 0, 255),
    (85, 0, 255),
    (170, 0, 255),
    (255, 0, 255),
    (255, 0, 170),
    (255, 0, 85),
)
FINGERS = tuple(
    (0 if joint == 0 else 4 * finger + joint, 4 * finger + joint + 1)
    for finger in range(5)
    for joint in range(4)
)  # pairs of hand points: five fingers with four bones each, from the wrist outward
FINGER_COLORS = tuple(
    colorsys.hsv_to_rgb(bone / len(FINGERS), 1.0, 1.0) for bone in range(len(FINGERS))
)  # 0..1
HAND_COLOR, FACE_COLOR = (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)
