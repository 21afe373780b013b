"""Maths over the frame axis and over noise levels, for any family: frames are the first axis."""

from .chunks import check_sampled, decode_in_chunks, encode_in_chunks
from .ddim import DdimStep, connect_steps, ddim_levels, ddim_step, ddim_steps, lead_a_stride
from .diffusion import TIMESTEPS, NoiseTable, noise_table, spaced_timesteps, split_prediction
from .feature_cache import FeatureCache, check_cache_interval
from .fusion import fuse
from .guidance import (
    Guidance,
    check_guidance_interval,
    guide,
    guide_branches,
    rescale_guidance,
    warn_of_no_guidance,
)
from .injection import inject_noise, injection_steps, repeat_step
from .joining import join_clips, spread_frames, trim_loop
from .mpd import (
    early_steps,
    fuse_forward_only,
    mpd_evaluations,
    sample_mpd,
    shift_to_end,
)
from .noise import RunNoise, draw_augmentation, draw_noise
from .passes import count_passes
from .schedule import (
    ays_sigmas,
    euler_step,
    karras_sigmas,
    keeps_start,
    level_at,
    starts_empty,
    warn_of_one_step,
    whole_steps,
)
from .windows import Window, average_windows, check_windows, plan_spans, plan_windows

__all__ = [
    "TIMESTEPS",
    "DdimStep",
    "FeatureCache",
    "Guidance",
    "NoiseTable",
    "RunNoise",
    "Window",
    "average_windows",
    "ays_sigmas",
    "check_cache_interval",
    "check_guidance_interval",
    "check_sampled",
    "check_windows",
    "connect_steps",
    "count_passes",
    "ddim_levels",
    "ddim_step",
    "ddim_steps",
    "lead_a_stride",
    "decode_in_chunks",
    "draw_augmentation",
    "draw_noise",
    "early_steps",
    "encode_in_chunks",
    "euler_step",
    "fuse",
    "fuse_forward_only",
    "guide",
    "guide_branches",
    "inject_noise",
    "injection_steps",
    "join_clips",
    "karras_sigmas",
    "keeps_start",
    "level_at",
    "mpd_evaluations",
    "noise_table",
    "plan_spans",
    "plan_windows",
    "repeat_step",
    "rescale_guidance",
    "sample_mpd",
    "shift_to_end",
    "spaced_timesteps",
    "split_prediction",
    "spread_frames",
    "starts_empty",
    "trim_loop",
    "warn_of_no_guidance",
    "warn_of_one_step",
    "whole_steps",
]
