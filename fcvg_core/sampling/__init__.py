"""Maths over the frame axis, for any family: the frame axis is always the first."""

from .fusion import flip_chunks, fuse, guidance_ramp
from .noise import KeyframeNoise, draw_noise
from .schedule import inject_noise, injection_steps, karras_sigmas
from .windows import Window, average_windows, check_windows, plan_windows

__all__ = [
    "KeyframeNoise",
    "Window",
    "average_windows",
    "check_windows",
    "draw_noise",
    "flip_chunks",
    "fuse",
    "guidance_ramp",
    "inject_noise",
    "injection_steps",
    "karras_sigmas",
    "plan_windows",
]
