"""Tables of the 134 points of a person: which is which, what is joined, and in which colour.

Points come in OpenPose's order: 18 of the body, 6 of the feet, 68 of the face, 21 of each hand.

Source: Tian-one/FCVG models/dwpose/{wholebody,util}.py.
"""

import colorsys

NUM_POINTS = 134
BODY, FEET, FACE = slice(0, 18), slice(18, 24), slice(24, 92)
LEFT_HAND, RIGHT_HAND = slice(92, 113), slice(113, 134)
NECK = 1

# A point of the body counts as seen above this score; OpenPose files drop what is below.
MIN_SCORE = 0.3

# COCO-WholeBody has 133 points and no neck: that is the middle of both shoulders.
COCO_POINTS = 133
COCO_SHOULDERS = [5, 6]
# For each point of the body the COCO point it is; None is the neck. All others keep their order.
COCO_BODY = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
COCO_BODY_POINTS = 17

# Pairs of body points, in the order in which they are drawn; limb i has colour i.
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
# Red, green, blue; see `draw` for the order in which they reach a frame. Joint i has colour i.
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
)  # pairs of hand points: five fingers of four bones each, from the wrist outward
FINGER_COLORS = tuple(
    colorsys.hsv_to_rgb(bone / len(FINGERS), 1.0, 1.0) for bone in range(len(FINGERS))
)  # 0..1
HAND_COLOR, FACE_COLOR = (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)
