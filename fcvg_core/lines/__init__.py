"""Two frames -> matched line segments -> frames that show the segments move.

Read `types` first. A matcher is any callable that takes two frames [H, W, 3] uint8 and returns
`LineMatches`.
"""

from .classic import ClassicLineMatcher
from .draw import draw_lines
from .filter import MatchFilter, filter_matches
from .lsd import detect_lines
from .matcher import GlueStick, GlueStickLineMatcher, build_gluestick, gluestick_dtype
from .preview import draw_matches
from .track import interpolate_lines
from .types import LineMatches, LineSegments, Wireframe

__all__ = [
    "ClassicLineMatcher",
    "GlueStick",
    "GlueStickLineMatcher",
    "LineMatches",
    "LineSegments",
    "MatchFilter",
    "Wireframe",
    "build_gluestick",
    "detect_lines",
    "draw_lines",
    "draw_matches",
    "filter_matches",
    "gluestick_dtype",
    "interpolate_lines",
]
