"""Maths over the frame axis and over noise levels, for any family: frames are the first axis."""

from .chunks import decode_in_chunks, encode_in_chunks
from .fusion import fuse
from .guidance import Guidance, guide
from .injection import inject_noise, injection_steps, repeat_step
from .noise import RunNoise, draw_augmentation, draw_noise
from .schedule import euler_step, karras_sigmas, keeps_start, starts_empty, whole_steps
from .windows import Window, average_windows, check_windows, plan_windows

__all__ = [
    "Guidance",
    "RunNoise",
    "Window",
    "average_windows",
    "check_windows",
    "decode_in_chunks",
    "draw_augmentation",
    "draw_noise",
    "encode_in_chunks",
    "euler_step",
    "fuse",
    "guide",
    "inject_noise",
    "injection_steps",
    "karras_sigmas",
    "keeps_start",
    "plan_windows",
    "repeat_step",
    "starts_empty",
    "whole_steps",
]
