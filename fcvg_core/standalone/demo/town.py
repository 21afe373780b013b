"""Paints the small town of the sample scene.

Coordinates are in frame heights: (0, 0) is the frame's top left corner, and y points down. The
town extends MARGIN beyond the frame on every side, so that a moved camera sees no border.
"""

import cv2
import numpy as np

MARGIN = 0.75
FINENESS = 2  # canvas pixels per frame pixel, for smooth edges
SUBPIXEL_BITS = 4  # OpenCV draws with a precision of 1 / 2**4 pixel
GROUND, CURB, STREET = 0.80, 0.86, 0.875  # y of the lower ends of house, pavement and curb

WALLS = [
    (236, 214, 180),
    (214, 150, 118),
    (178, 196, 204),
    (226, 190, 128),
    (196, 176, 200),
    (168, 190, 158),
    (240, 232, 220),
    (200, 124, 110),
]
ROOFS = [(150, 74, 58), (120, 66, 60), (88, 92, 108), (134, 92, 66)]
SHUTTERS = [(70, 104, 92), (58, 86, 128), (128, 58, 54), (104, 84, 64)]
PANES = [(72, 96, 116), (84, 108, 124), (60, 82, 104), (250, 214, 130)]
TIMBER, FRAME, IRON = (92, 66, 50), (246, 242, 232), (52, 54, 60)
LAMP_LIGHT = (255, 236, 170)

Color = tuple[float, float, float]
Point = tuple[float, float]


class Town:
    """A large canvas with drawing functions in town coordinates, and a random generator."""

    def __init__(self, seed: int, size: tuple[int, int]) -> None:
        height, width = size
        self.unit = FINENESS * height
        self.width = width / height
        shape = np.array([1 + 2 * MARGIN, self.width + 2 * MARGIN]) * self.unit
        self.canvas = np.zeros((*np.ceil(shape).astype(int), 3), np.uint8)
        self.random = np.random.RandomState(seed)

    def polygon(self, color: Color, *points: Point) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.canvas, [self.fixed(points)], color, cv2.LINE_AA, SUBPIXEL_BITS)

    def box(self, color: Color, left: float, top: float, right: float, bottom: float) -> None:
        """Fill a rectangle."""
        self.polygon(color, (left, top), (right, top), (right, bottom), (left, bottom))

    def stroke(self, color: Color, width: float, *points: Point) -> None:
        """Draw a path with the given line width."""
        thickness = max(round(width * self.unit), 1)
        path = [self.fixed(points)]
        cv2.polylines(self.canvas, path, False, color, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    def fixed(self, points: tuple[Point, ...]) -> np.ndarray:
        """Town coordinates -> OpenCV's fixed-point pixel coordinates."""
        pixels = (np.array(points) + MARGIN) * self.unit - 0.5
        return np.rint(pixels * 2**SUBPIXEL_BITS).astype(np.int32)

    def pick(self, colors: list[Color]) -> Color:
        """A random colour of the list, made a little lighter or darker."""
        return shade(colors[self.random.randint(len(colors))], self.random.uniform(0.92, 1.05))


def shade(color: Color, factor: float) -> Color:
    """A colour made lighter (factor above 1) or darker (factor below 1)."""
    return tuple(float(min(channel * factor, 255)) for channel in color)


def paint_town(town: Town, balloon: Point | None) -> None:
    """Paint the whole town, from the sky to the texture."""
    paint_sky(town)
    if balloon is not None:
        paint_balloon(town, *balloon)
    left = -MARGIN - town.random.uniform(0, 0.2)
    while left < town.width + MARGIN:
        right = left + town.random.uniform(0.26, 0.42)
        paint_house(town, left, right)
        left = right + town.random.choice([0.0, 0.0, 0.06])
    paint_street(town)
    add_grain(town)


def paint_sky(town: Town) -> None:
    """Paint a morning sky, clouds, and hills behind the roofs."""
    rows, columns = town.canvas.shape[:2]
    down = np.linspace(0, 1.4, rows).clip(0, 1)[:, None, None]
    sky = (1 - down) * (86, 136, 200) + down * (255, 232, 200)
    puffs = cv2.resize(town.random.rand(14, 10), (columns, rows), interpolation=cv2.INTER_CUBIC)
    cover = (puffs - 0.5).clip(0, 0.45)[..., None] * 1.5
    town.canvas[:] = sky + (255 - sky) * cover
    xs = np.linspace(-MARGIN, town.width + MARGIN, 80)
    for level, color in ((0.44, (150, 174, 194)), (0.53, (116, 150, 134))):
        phases = town.random.uniform(0, 6, 3)
        ys = level + sum(0.04 / k * np.sin(2 * k * xs + phases[k - 1]) for k in (1, 2, 3))
        town.polygon(color, (xs[0], 2), *zip(xs, ys, strict=True), (xs[-1], 2))


def paint_balloon(town: Town, x: float, y: float) -> None:
    """Paint a striped hot-air balloon around (x, y)."""
    turn = np.linspace(-np.pi, np.pi, 60)
    taper = np.where(np.sin(turn) > 0, 1 - 0.35 * np.sin(turn) ** 2, 1)
    for i, part in enumerate((1, 0.72, 0.4, 0.12)):
        color = ((206, 62, 52), (246, 226, 180))[i % 2]
        across = x + 0.1 * part * np.cos(turn) * taper
        town.polygon(color, *zip(across, y + 0.115 * np.sin(turn), strict=True))
    for side in (-1, 1):
        town.stroke(TIMBER, 0.003, (x + 0.05 * side, y + 0.09), (x + 0.016 * side, y + 0.165))
    town.box((150, 104, 60), x - 0.02, y + 0.165, x + 0.02, y + 0.195)
    town.box((110, 72, 44), x - 0.022, y + 0.163, x + 0.022, y + 0.170)


def paint_house(town: Town, left: float, right: float) -> None:
    """Paint a house from the pavement to the chimney."""
    floors = town.random.randint(2, 4)
    eaves = GROUND - 0.03 - 0.145 * floors - town.random.uniform(0, 0.03)
    wall = town.pick(WALLS)
    paint_roof(town, left, right, eaves)
    town.box(wall, left, eaves, right, GROUND)
    town.box(shade(wall, 0.8), left, eaves, right, eaves + 0.012)
    town.box(shade(wall, 0.72), left, GROUND - 0.03, right, GROUND)
    town.box(shade(wall, 0.88), right - 0.012, eaves, right, GROUND)
    timbered = town.random.rand() < 0.4
    columns = 3 if right - left > 0.33 else 2
    xs = np.linspace(left, right, columns + 1)
    shutter, door = town.pick(SHUTTERS), town.random.randint(columns)
    for floor in range(floors):
        top = GROUND - 0.03 - 0.145 * (floor + 1)
        if timbered and floor > 0:
            paint_timber(town, xs, top)
        elif floor > 0:
            town.box(shade(wall, 0.86), left, top + 0.143, right, top + 0.149)
        for i, center in enumerate((xs[1:] + xs[:-1]) / 2):
            if floor == 0 and i == door:
                paint_door(town, center, shutter)
            else:
                paint_window(town, center, top + 0.03, None if timbered else shutter)


def paint_roof(town: Town, left: float, right: float, eaves: float) -> None:
    """Paint a tiled roof (gable or mansard) with a chimney behind it."""
    color, height = town.pick(ROOFS), town.random.uniform(0.09, 0.17)
    ridge = eaves - height
    inset = (right - left) * town.random.choice([0.5, 0.18])
    chimney = left + (right - left) * town.random.uniform(0.3, 0.62)
    town.box((146, 92, 76), chimney, ridge - 0.03, chimney + 0.04, eaves)
    town.box((110, 70, 60), chimney - 0.005, ridge - 0.035, chimney + 0.045, ridge - 0.022)
    low, high = (left - 0.015, right + 0.015), (left + inset, right - inset)
    town.polygon(color, (low[0], eaves), (high[0], ridge), (high[1], ridge), (low[1], eaves))
    for part in np.arange(0.12, 1, 0.125):  # rows of tiles
        ends = [(low[i] + (high[i] - low[i]) * part, eaves - height * part) for i in (0, 1)]
        town.stroke(shade(color, 0.84), 0.0025, *ends)
    town.stroke(shade(color, 0.62), 0.008, (low[0], eaves), (low[1], eaves))
    town.stroke(shade(color, 1.25), 0.006, (low[0], eaves), (high[0], ridge), (high[1], ridge))


def paint_timber(town: Town, xs: np.ndarray, top: float) -> None:
    """Paint the beams of a half-timbered floor, with posts at `xs`."""
    for y in (top + 0.002, top + 0.145):
        town.stroke(TIMBER, 0.009, (xs[0], y), (xs[-1], y))
    for x in xs:
        town.stroke(TIMBER, 0.009, (x, top), (x, top + 0.145))
    for near, far in ((xs[0], xs[1]), (xs[-1], xs[-2])):
        town.stroke(TIMBER, 0.007, (near, top + 0.05), (near + 0.32 * (far - near), top + 0.145))


def paint_window(town: Town, center: float, top: float, shutter: Color | None) -> None:
    """Paint a window with a cross, and with shutters if their colour is given."""
    half, bottom = 0.032, top + 0.085
    if shutter is not None:
        for side in (-1, 1):
            outer, inner = sorted((center + 0.055 * side, center + 0.034 * side))
            town.box(shutter, outer, top, inner, bottom)
            for y in np.arange(top + 0.01, bottom, 0.015):
                town.stroke(shade(shutter, 0.75), 0.002, (outer + 0.003, y), (inner - 0.003, y))
    town.box(FRAME, center - half, top, center + half, bottom)
    pane = town.pick(PANES)
    town.box(pane, center - half + 0.006, top + 0.006, center + half - 0.006, bottom - 0.006)
    glint = (center - half + 0.01, bottom - 0.03), (center + half - 0.012, top + 0.012)
    town.stroke(shade(pane, 1.2), 0.008, *glint)
    town.stroke(FRAME, 0.005, (center, top), (center, bottom))
    town.stroke(FRAME, 0.005, (center - half, top + 0.03), (center + half, top + 0.03))
    town.box((170, 160, 146), center - half - 0.008, bottom, center + half + 0.008, bottom + 0.008)


def paint_door(town: Town, center: float, color: Color) -> None:
    """Paint a panelled door on a step."""
    top, half = GROUND - 0.128, 0.034
    town.box(FRAME, center - half - 0.008, top - 0.008, center + half + 0.008, GROUND)
    town.box(color, center - half, top, center + half, GROUND)
    town.box(PANES[-1], center - half + 0.008, top + 0.008, center + half - 0.008, top + 0.03)
    for side in (-1, 1):
        x = sorted((center + 0.006 * side, center + 0.026 * side))
        town.box(shade(color, 0.78), x[0], top + 0.042, x[1], GROUND - 0.012)
    town.box((158, 154, 148), center - half - 0.014, GROUND - 0.012, center + half + 0.014, GROUND)


def paint_street(town: Town) -> None:
    """Paint the pavement, the curb, the road with its markings, and lamps."""
    left, right = -MARGIN, town.width + MARGIN
    town.box((188, 182, 172), left, GROUND, right, CURB)
    middle = town.width / 2
    for x in np.arange(left, right, 0.09):  # slabs run towards the viewer
        near = x + (x - middle) * 0.08
        town.stroke((158, 152, 144), 0.0025, (x, GROUND), (near, CURB))
    town.stroke((158, 152, 144), 0.0025, (left, GROUND + 0.025), (right, GROUND + 0.025))
    town.box((214, 210, 202), left, CURB, right, STREET)
    town.box((104, 104, 110), left, STREET, right, 1 + MARGIN)
    for i, x in enumerate(np.arange(left, right, 0.26)):
        reach = (x - middle) * 0.03
        mark = ((x, 0.945), (x + 0.14, 0.945), (x + 0.14 + reach, 0.965), (x + reach, 0.965))
        town.polygon((232, 228, 210), *mark)
        if i % 3 == 1:
            paint_lamp(town, x + town.random.uniform(0, 0.1))


def paint_lamp(town: Town, x: float) -> None:
    """Paint a street lamp at `x`."""
    town.stroke(IRON, 0.009, (x, 0.84), (x, 0.52))
    glass = ((x - 0.012, 0.52), (x - 0.02, 0.475), (x + 0.02, 0.475), (x + 0.012, 0.52))
    town.polygon(LAMP_LIGHT, *glass)
    town.polygon(IRON, (x - 0.026, 0.475), (x, 0.455), (x + 0.026, 0.475))
    town.box(IRON, x - 0.015, 0.80, x + 0.015, 0.842)


def add_grain(town: Town) -> None:
    """Add coarse and fine texture, like plaster and asphalt, to the canvas."""
    rows, columns = town.canvas.shape[:2]
    for fineness, strength in ((60, 7.0), (250, 6.0)):
        shape = (int(rows / town.unit * fineness), int(columns / town.unit * fineness))
        grain = town.random.normal(0, strength, shape).astype(np.float32)
        grain = cv2.resize(grain, (columns, rows), interpolation=cv2.INTER_LINEAR)
        # There is less texture in the sky, above the roofs.
        weight = np.linspace(-MARGIN, 1 + MARGIN, rows, dtype=np.float32).clip(0.25, 0.75)
        town.canvas = cv2.add(
            town.canvas, cv2.merge([grain * weight[:, None]] * 3), dtype=cv2.CV_8U
        )
