"""Keyframes -> the frames between them, without any network: a preview of the motion.

The pixels of the keyframes move along the matched lines, the people, the paths and the camera, and
are blended. This room stands above `lines`, `pose`, `paths` and `motion`, and opens no file.
"""

from .motion import preview_keyframes
from .preview import preview_motion

__all__ = ["preview_keyframes", "preview_motion"]
