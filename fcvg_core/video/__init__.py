"""An open video of FFmpeg -> pixels as in a player, and samples of its sound.

Both faces use this room. It opens no file: a container is given that the caller has opened.
"""

from .display import show, square_size
from .sound import Sound, read_sound
from .timing import frame_rate, start_of

__all__ = ["Sound", "frame_rate", "read_sound", "show", "square_size", "start_of"]
