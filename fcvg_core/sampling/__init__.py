"""Maths over the frame axis and over noise levels, for any family: frames are the first axis."""

from .chunks import decode_in_chunks, encode_in_chunks
from .ddim import DdimStep, connect_steps, ddim_levels, ddim_step, ddim_steps
from .diffusion import NoiseTable, noise_table, spaced_timesteps, split_prediction
from .fusion import fuse
from .guidance import Guidance, guide, guide_branches, rescale_guidance
from .injection import inject_noise, injection_steps, repeat_step
from .joining import join_clips, spread_frames, trim_loop
from .noise import RunNoise, draw_augmentation, draw_noise
from .schedule import euler_step, karras_sigmas, keeps_start, starts_empty, whole_steps
from .windows import Window, average_windows, check_windows, plan_windows

__all__ = [
    "DdimStep",
    "Guidance",
    "NoiseTable",
    "RunNoise",
    "Window",
    "average_windows",
    "check_windows",
    "connect_steps",
    "ddim_levels",
    "ddim_step",
    "ddim_steps",
    "decode_in_chunks",
    "draw_augmentation",
    "draw_noise",
    "encode_in_chunks",
    "euler_step",
    "fuse",
    "guide",
    "guide_branches",
    "inject_noise",
    "injection_steps",
    "join_clips",
    "karras_sigmas",
    "keeps_start",
    "noise_table",
    "plan_windows",
    "repeat_step",
    "rescale_guidance",
    "spaced_timesteps",
    "split_prediction",
    "spread_frames",
    "starts_empty",
    "trim_loop",
    "whole_steps",
]
