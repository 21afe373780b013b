"""Lines and people -> control frames, which show a model where everything is in every frame.

This room stands above `lines` and `pose`: it draws the lines and people that they found. It opens
no file.
"""

from .drawn import looks_drawn
from .driving import draw_driven_people
from .fit import fit_control_frames
from .inbetween import ControlFrameSettings, draw_inbetween, draw_moving_lines, draw_moving_people
from .preview import cover, draw_thick_lines, draw_thick_people, fade_keyframes

__all__ = [
    "ControlFrameSettings",
    "cover",
    "draw_driven_people",
    "draw_inbetween",
    "draw_moving_lines",
    "draw_moving_people",
    "draw_thick_lines",
    "draw_thick_people",
    "fade_keyframes",
    "fit_control_frames",
    "looks_drawn",
]
