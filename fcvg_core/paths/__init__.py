"""Points that move along curves of their own -> frames that show them move.

Read `types` first.
"""

from .paths_json import format_paths, parse_paths
from .report import report_paths
from .resize import fit_paths, fit_points, scale_paths
from .samples import read_kj_splines
from .track import PATH_COLORS, path_points, path_strokes
from .tracks import from_tracks, to_ati_json, to_tracks, to_wan_move_json
from .types import UNIFORM, Path

__all__ = [
    "PATH_COLORS",
    "UNIFORM",
    "Path",
    "fit_paths",
    "fit_points",
    "format_paths",
    "from_tracks",
    "parse_paths",
    "path_points",
    "path_strokes",
    "read_kj_splines",
    "report_paths",
    "scale_paths",
    "to_ati_json",
    "to_tracks",
    "to_wan_move_json",
]
