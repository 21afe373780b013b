"""How a video is sampled: settings that SVD's jobs share, and settings that one job has."""

from dataclasses import dataclass, replace

from ... import bounds
from ...choices import EULER, KARRAS, SAMPLERS, SCHEDULES
from ...settings import SamplingSettings
from .part import Part, setting
from .values import choice, number, whole


@dataclass(frozen=True, kw_only=True)
class Sampling(Part):
    """How a video is sampled; see `SamplingSettings`, which also has what depends on the video.

    Attributes:
        control_weight: how strongly the control frames steer, 0 to 10; 1 is as trained.
        steps: denoising steps, 1 to 1000.
        guidance_start: guidance at the first frame of a window, 0 to 30.
        guidance_end: guidance at the other end of the window, 0 to 30.
        augmentation: noise on the given pictures, standard deviation for pixels in -1..1, 0 to 1.
        window: frames that are sampled at once, 2 to 1024.
        overlap: frames that neighbouring windows share, 0 to 1023.
        seed: seed of all noise, 0 to 2**64 - 1.
        motion_bucket: how much motion the model is asked for, on SVD's own scale, 1 to 1023.
        schedule: karras, or ays: Align Your Steps, made for few steps.
        guidance_from, guidance_until: between which shares of the noise levels guidance acts, 0
            to 1; 0 is the highest level. Outside it is off, which halves the passes of a step.
        cache_interval: every N-th evaluation of the UNet is whole, and the others use its deep
            features again, 1 (off) to 100.
    """

    control_weight: float = setting(number(bounds.CONTROL_WEIGHT), 1.0)
    steps: int = setting(whole(bounds.STEPS), 25)
    guidance_start: float = setting(number(bounds.GUIDANCE), 3.0, key="min_guidance")
    guidance_end: float = setting(number(bounds.GUIDANCE), 3.0, key="max_guidance")
    augmentation: float = setting(number(bounds.AUGMENTATION), 0.02)
    window: int = setting(whole(bounds.WINDOW), 25)
    overlap: int = setting(whole(bounds.OVERLAP), 6)
    seed: int = setting(whole(bounds.SEED), 0)
    motion_bucket: float = setting(number(bounds.MOTION_BUCKET), 127)
    schedule: str = setting(choice(*SCHEDULES), KARRAS)
    guidance_from: float = setting(number(bounds.SHARE), 0.0)
    guidance_until: float = setting(number(bounds.SHARE), 1.0)
    cache_interval: int = setting(whole(bounds.CACHE_INTERVAL), 1, key="cache")

    def settings(self, *, num_frames: int, fps: int) -> SamplingSettings:
        """The settings of a video whose length is known.

        Args:
            num_frames: of the video, keyframes included.
            fps: the frame rate that the model is given as a hint.
        """
        return SamplingSettings(
            num_frames=num_frames,
            window=self.window,
            overlap=self.overlap,
            steps=self.steps,
            guidance_start=self.guidance_start,
            guidance_end=self.guidance_end,
            control_weight=self.control_weight,
            fps=fps,
            motion_bucket_id=self.motion_bucket,
            augmentation=self.augmentation,
            noise_injection_steps=0,
            noise_injection_ratio=0.0,
            denoise=1.0,
            schedule=self.schedule,
            guidance_from=self.guidance_from,
            guidance_until=self.guidance_until,
            forward_share=0.0,
            cache_interval=self.cache_interval,
        )


@dataclass(frozen=True, kw_only=True)
class InbetweenSampling(Sampling):
    """How the frames between two keyframes are sampled.

    Attributes:
        noise_injection_steps: extra repetitions of each leading step, 0 to 20.
        noise_injection_ratio: share of the steps that are repeated, 0 to 1.
        from_preview: share of the noise levels that the steps pass, 0 to 1, when the video starts
            from the preview of the motion with noise added; 1 and None start from noise alone.
        forward_share: share of the steps, 0 to 1, from the first step on, that predict the forward
            direction alone, after MPD; an experiment.
        sampler: euler, or mpd: SVD alone paints, without control frames and without FCVG's models;
            an experiment.
    """

    noise_injection_steps: int = setting(whole(bounds.INJECTION_TIMES), 0)
    noise_injection_ratio: float = setting(number(bounds.SHARE), 0.0)
    from_preview: float | None = setting(number(bounds.SHARE), None)
    forward_share: float = setting(number(bounds.SHARE), 0.0)
    sampler: str = setting(choice(*SAMPLERS), EULER)

    def settings(self, *, num_frames: int, fps: int) -> SamplingSettings:
        """The settings of every job, and the settings that only this job has."""
        return replace(
            super().settings(num_frames=num_frames, fps=fps),
            noise_injection_steps=self.noise_injection_steps,
            noise_injection_ratio=self.noise_injection_ratio,
            denoise=1.0 if self.from_preview is None else self.from_preview,
            forward_share=self.forward_share,
        )


@dataclass(frozen=True, kw_only=True)
class AnimateSampling(Sampling):
    """How an animation is sampled: the defaults of ControlNeXt-SVD version 2."""

    guidance_start: float = setting(number(bounds.GUIDANCE), 2.0, key="min_guidance")
    guidance_end: float = setting(number(bounds.GUIDANCE), 2.0, key="max_guidance")
    window: int = setting(whole(bounds.WINDOW), 24)
    motion_bucket: float = setting(number(bounds.MOTION_BUCKET), 128)
