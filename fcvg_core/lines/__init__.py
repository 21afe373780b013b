"""Two frames -> matched line segments -> frames that show the segments move.

Read `types` first. A matcher is any callable that takes two frames [H, W, 3] uint8 and returns
`LineMatches`.
"""

from .classic import ClassicLineMatcher
from .draw import draw_lines, match_colors
from .filter import MatchFilter, filter_matches
from .lsd import detect_lines
from .matcher import GlueStick, GlueStickLineMatcher, build_gluestick, gluestick_dtype
from .matches_json import MATCHES_FORM, format_matches, parse_matches
from .preview import draw_matches
from .report import describe_matches, report_matches, warn_of_few
from .track import interpolate_lines
from .types import LineMatches, LineSegments, Wireframe

__all__ = [
    "MATCHES_FORM",
    "ClassicLineMatcher",
    "GlueStick",
    "GlueStickLineMatcher",
    "LineMatches",
    "LineSegments",
    "MatchFilter",
    "Wireframe",
    "build_gluestick",
    "describe_matches",
    "detect_lines",
    "draw_lines",
    "draw_matches",
    "filter_matches",
    "format_matches",
    "gluestick_dtype",
    "interpolate_lines",
    "match_colors",
    "parse_matches",
    "report_matches",
    "warn_of_few",
]
