"""Lines and people -> control frames, which show a model where everything is in every frame.

This room stands above `lines` and `pose`, and draws what they found. It opens no file.
"""

from .driving import draw_driven_people
from .inbetween import ConditionSettings, draw_inbetween, draw_moving_lines, draw_moving_people

__all__ = [
    "ConditionSettings",
    "draw_driven_people",
    "draw_inbetween",
    "draw_moving_lines",
    "draw_moving_people",
]
