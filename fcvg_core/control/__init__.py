"""Lines, people and paths -> control frames, which show a model where everything is.

This room stands above `lines`, `pose`, `paths` and `motion`: it draws what they found and moved. It
opens no file.
"""

from .drawn import looks_drawn
from .driving import draw_driven_people
from .fit import fit_control_frames
from .inbetween import draw_moving_lines, draw_moving_people
from .motion import draw_keyframes, draw_motion
from .preview import cover, draw_thick_lines, draw_thick_people, draw_thick_track, fade_keyframes
from .settings import ControlFrameSettings

__all__ = [
    "ControlFrameSettings",
    "cover",
    "draw_driven_people",
    "draw_keyframes",
    "draw_motion",
    "draw_moving_lines",
    "draw_moving_people",
    "draw_thick_lines",
    "draw_thick_people",
    "draw_thick_track",
    "fade_keyframes",
    "fit_control_frames",
    "looks_drawn",
]
