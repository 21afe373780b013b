"""Draw docs/images/rooms.svg: the rooms of the project, and an arrow for every import.

    python docs/rooms.py

Rooms, arrows and the words in the boxes are read from the source; tests/test_rooms.py says when
the picture is stale. An arrow that follows from other arrows is left out.
"""

import ast
import functools
import textwrap
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "rooms.svg"
PACKAGES = ("fcvg_core", "nodes")
# Folders that are one room together with their sub-folders; every other folder is a room by itself.
WHOLE = (
    "fcvg_core/batch",
    "fcvg_core/models",
    "fcvg_core/standalone/cli",
    "fcvg_core/standalone/media",
    "fcvg_core/training",
    "nodes/host",
)
# What is in a room, if the first line of its docstring does not say it.
WORDS = {
    "fcvg_core": "Frames, timing, settings, errors and other modules that all rooms use.",
    "nodes": "A schema and a few lines of execute for every node of ComfyUI.",
}
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 196, 92, 26, 56, 16
COLOURS = {"nodes": "#dbe9f6", "fcvg_core/standalone": "#e3f1dd"}
CORE = "#fdf3d8"


def sources() -> list[str]:
    """Every file of the product, as a path from the root."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    )


@functools.cache
def rooms() -> tuple[str, ...]:
    """Every room, as a folder from the root."""
    found = {room_of(name) for name in sources()}
    return tuple(sorted(found - {None}))


@functools.cache
def room_of(path: str) -> str | None:
    """The room of a file or module; None outside the product and for the program's entry."""
    parts = path.removesuffix(".py").split("/")
    if parts[0] not in PACKAGES or path == "fcvg_core/__main__.py":
        return None
    folders = ("/".join(parts[:end]) for end in range(len(parts), 0, -1))
    folder = next(folder for folder in folders if (ROOT / folder).is_dir())
    whole = (room for room in WHOLE if f"{folder}/".startswith(f"{room}/"))
    return next(whole, folder)


@functools.cache
def imports(name: str) -> frozenset[str]:
    """Every module that a file imports, also inside functions; ours are paths from the root."""
    package = name.split("/")[:-1]
    found = set()
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.replace(".", "/") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = "/".join([*start, *(node.module or "").split(".")]).strip("/")
            found |= {module, *(f"{module}/{alias.name}" for alias in node.names)}
    return frozenset(found)


def arrows() -> set[tuple[str, str]]:
    """Pairs of rooms of which the first imports the second."""
    found = set()
    for name in sources():
        for module in imports(name):
            # `from .. import bounds` names the package as well as the module.
            whole = any(other.startswith(f"{module}/") for other in imports(name))
            pair = room_of(name), None if whole else room_of(module)
            if None not in pair and pair[0] != pair[1]:
                found.add(pair)
    return found


def levels(pairs: set[tuple[str, str]]) -> dict[str, int]:
    """The row of each room: the length of the longest way of arrows that leads down from it."""

    @functools.cache
    def level(room: str) -> int:
        return 1 + max((level(low) for high, low in pairs if high == room), default=-1)

    return {room: level(room) for room in rooms()}


def reduced(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Arrows that do not follow from others."""

    @functools.cache
    def below(room: str) -> frozenset[str]:
        direct = {low for high, low in pairs if high == room}
        return frozenset(direct.union(*map(below, direct)))

    def follows(high: str, low: str) -> bool:
        return any(low in below(middle) for start, middle in pairs if start == high)

    return sorted(pair for pair in pairs if not follows(*pair))


def words(room: str) -> str:
    """What is in a room, in a sentence."""
    docstring = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text("utf-8")))
    return WORDS.get(room) or docstring.splitlines()[0]


def draw() -> str:
    """The picture."""
    pairs = arrows()
    rows: dict[int, list[str]] = {}
    for room, level in levels(pairs).items():
        rows.setdefault(level, []).append(room)
    top, widest = max(rows), max(map(len, rows.values()))
    width = widest * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    places = {}
    for level, names in rows.items():
        left = (width - len(names) * (WIDTH + GAP_X) + GAP_X) / 2
        for i, room in enumerate(names):
            places[room] = left + i * (WIDTH + GAP_X), MARGIN + (top - level) * (HEIGHT + GAP_Y)
    height = 2 * MARGIN + (top + 1) * (HEIGHT + GAP_Y) - GAP_Y
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            'font-family="sans-serif" font-size="12">',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto">\n<path d="M0 0 8 4 0 8z" fill="#555"/></marker>'
            "</defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
            *(_line(places[high], places[low]) for high, low in reduced(pairs)),
            *(_box(room, *places[room]) for room in sorted(places)),
            "</svg>\n",
        ]
    )


def _line(high: tuple[float, float], low: tuple[float, float]) -> str:
    x0, y0, x1, y1 = high[0] + WIDTH / 2, high[1] + HEIGHT, low[0] + WIDTH / 2, low[1]
    middle = (y0 + y1) / 2
    return (
        f'<path d="M{x0:.0f} {y0:.0f}C{x0:.0f} {middle:.0f} {x1:.0f} {middle:.0f} {x1:.0f} '
        f'{y1:.0f}" fill="none" stroke="#555" stroke-width="1.2" marker-end="url(#tip)"/>'
    )


def _box(room: str, x: float, y: float) -> str:
    colour = next((c for name, c in COLOURS.items() if room.startswith(name)), CORE)
    lines = textwrap.wrap(words(room), 32)[:4]
    text = "".join(
        f'\n<text x="{x + 8:.0f}" y="{y + 38 + 15 * i:.0f}">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{colour}" '
        f'stroke="#888"/>\n<text x="{x + 8:.0f}" y="{y + 20:.0f}" font-weight="bold">'
        f"{escape(room)}</text>{text}"
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
