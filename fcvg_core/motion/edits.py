"""What the user changed of a motion, row by row: the types, and their size."""

from dataclasses import dataclass, field, replace
from typing import Any

from ..canvas import SIDES, is_side
from ..paths import Path, scale_paths
from ..pose.openpose_parts import PARTS
from .region import Region

MOVED, DELETED, DRAWN = EDITS = ("moved", "deleted", "drawn")

# Two ends (x, y) in pixels; numbers as they are in the text.
Line = tuple[tuple[float, float], tuple[float, float]]
# A person in OpenPose's format, in pixels; None: the keyframe does not show the person.
Person = dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What both kinds of edits share; see `LineEdit` and `PersonEdit`.

    Attributes:
        id: 0..MAX_ID, a different number for each edit of a kind.
        edit: MOVED, DELETED, DRAWN, or None: it is kept as it was found.
        locked: it counts even if it belongs to nothing that is found.
        notes: what a text holds of the edit beside the other attributes, by key.
    """

    id: int
    edit: str | None = None
    locked: bool = False
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def always_counts(self) -> bool:
        """Whether the edit is used even if it belongs to nothing that is found."""
        return self.locked or self.edit == DRAWN


@dataclass(frozen=True, kw_only=True)
class LineEdit(Edit):
    """A matched line as the user wants it.

    Attributes:
        first, last: the line in the first and in the last keyframe.
        score: of the match, 0..1; None: it is not known.
        found: the line in both keyframes as it was found, before the edit; None for drawn lines.
        kept_ends: see `LineMatches`.
    """

    first: Line
    last: Line
    score: float | None = None
    found: tuple[Line, Line] | None = None
    kept_ends: bool = False

    @property
    def origin(self) -> tuple[Line, Line] | None:
        """The found line that the edit was made of; None: it was drawn."""
        return None if self.edit == DRAWN else self.found or (self.first, self.last)


@dataclass(frozen=True, kw_only=True)
class PersonEdit(Edit):
    """A person as the user wants them.

    Attributes:
        first, last: the person in the first and in the last keyframe.
        found: the person in both keyframes as found, before the edit; None for drawn people.
    """

    first: Person
    last: Person
    found: tuple[Person, Person] | None = None

    @property
    def origin(self) -> tuple[Person, Person] | None:
        """The found person that the edit was made of; None: the person was drawn."""
        return None if self.edit == DRAWN else self.found or (self.first, self.last)


@dataclass(frozen=True, eq=False)
class Edits:
    """All that the user changed between two keyframes, as Edit Motion keeps it.

    Attributes:
        size: (height, width) of the keyframes, in pixels.
        matches: edited lines.
        people: edited people.
        paths: points that move along curves of their own.
        holds: regions that stand still.
        notes: what a text holds beside these, by key.
    """

    size: tuple[int, int]
    matches: tuple[LineEdit, ...] = ()
    people: tuple[PersonEdit, ...] = ()
    paths: tuple[Path, ...] = ()
    holds: tuple[Region, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.size) != 2 or not all(map(is_side, self.size)):
            raise ValueError(f"expected a size (height, width), {SIDES}, got {self.size!r}")

    def scaled(self, size: tuple[int, int]) -> "Edits":
        """The same edits for keyframes of another size (height, width)."""
        if tuple(size) == tuple(self.size):
            return self
        scale = size[1] / self.size[1], size[0] / self.size[0]
        return replace(
            self,
            size=tuple(size),
            matches=tuple(_scaled_edit(row, scale, _scaled_line) for row in self.matches),
            people=tuple(_scaled_edit(row, scale, _scaled_person) for row in self.people),
            paths=scale_paths(self.paths, scale),
            holds=tuple(replace(hold, points=hold.points * scale) for hold in self.holds),
        )


def _scaled_edit(row: LineEdit | PersonEdit, scale: tuple[float, float], scaled) -> Any:
    """An edit whose places, also those that were found, are scaled by `scaled`."""
    return replace(
        row,
        first=scaled(row.first, scale),
        last=scaled(row.last, scale),
        found=row.found and tuple(scaled(place, scale) for place in row.found),
    )


def _scaled_line(line: Line, scale: tuple[float, float]) -> Line:
    return tuple((x * scale[0], y * scale[1]) for x, y in line)


def _scaled_person(person: Person, scale: tuple[float, float]) -> Person:
    if person is None:
        return None
    factors = (*scale, 1)
    return person | {
        part.key: [number * factors[i % 3] for i, number in enumerate(person[part.key])]
        for part in PARTS
        if person.get(part.key)
    }
