"""Values that a user sets, part by part. Both faces make them; nothing here needs torch."""

from dataclasses import dataclass

from .choices import AYS


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How a video is sampled.

    Attributes:
        num_frames: frames of the video, keyframes included.
        window: frames that are sampled at once.
        overlap: frames that neighbouring windows share.
        steps: denoising steps.
        guidance_start: guidance scale at the first frame of each window, counted in the direction
            of the pass: the forward pass starts at the first frame, the backward pass at the last.
        guidance_end: guidance scale at the other end of the window; it changes linearly.
        control_weight: how strongly control frames steer; 1.0 as in the official code.
        fps: frame rate that the model is given as a hint; the UNet gets this number less 1.
        motion_bucket_id: SVD's measure of how much moves.
        augmentation: standard deviation of the noise on the keyframes, for pixels in -1..1.
        noise_injection_steps: extra repetitions of each leading step.
        noise_injection_ratio: share of the steps that are repeated, 0..1, from the first step on.
        denoise: share of the noise levels that the steps pass, 0..1: 1 starts from noise alone,
            less starts from given latents with noise added, 0 gives these latents back.
        schedule: how the noise levels of the steps are spread: KARRAS or AYS of `choices`; in
            ComfyUI also any scheduler of the host.
        guidance_from: where guidance begins, 0..1: a share of the noise levels as ComfyUI counts
            it (see `level_at`), 0 at the highest level. Before it every prediction is the
            conditional prediction.
        guidance_until: where guidance ends, 0..1; after it every prediction is the conditional
            prediction again.
        forward_share: share of the steps, 0..1, from the first step on, that predict the forward
            direction alone and take the backward direction from it (see `fuse_forward_only`).
        cache_interval: every N-th evaluation of the UNet is whole, the others use its deep
            features again (see `FeatureCache`); with 1 every evaluation is whole.
    """

    num_frames: int
    window: int
    overlap: int
    steps: int
    guidance_start: float
    guidance_end: float
    control_weight: float
    fps: int
    motion_bucket_id: float
    augmentation: float
    noise_injection_steps: int
    noise_injection_ratio: float
    denoise: float
    schedule: str
    guidance_from: float
    guidance_until: float
    forward_share: float
    cache_interval: int


# Settings that make a video in far less time, at some cost in quality: 28 passes of the UNet
# instead of 100 for both directions, because 4 of the 10 noise levels lie where guidance acts.
FAST = {
    "steps": 10,
    "schedule": AYS,
    "guidance_from": 0.25,
    "guidance_until": 0.49,
    "cache_interval": 2,
}


@dataclass(frozen=True, kw_only=True)
class DrivingSettings:
    """How the people of a driving video move the person of a reference picture.

    Attributes:
        one_person: leave out everybody but the person who is seen most; see `drive_reference`.
        smoothing: strength of the filter against jitter, in frames; 0 is off.
        pose_width: width of the drawn people, as a multiple of the width in training.
        pose_colors: their colours, one of POSE_COLORS of `choices`.
    """

    one_person: bool
    smoothing: float
    pose_width: float
    pose_colors: str
