"""The face without ComfyUI on a GPU: diffusers' networks, without a server.

The class runs in the process of gpu_worker.py. Sampling of 25 steps is computed from a few steps:
all steps of a run with the same settings cost the same.
"""

import gc
import time
from pathlib import Path

import torch
from gpu_clock import StepClock, best_device, finish, peak_memory, start_counting_memory
from gpu_ways import FAST, count_passes, plain_settings, settings_of
from gpu_weights import FCVG_CONTROL, FCVG_UNET, SVD
from gpu_worker import require

STEPS = 3  # the first is left out of the mean
REFERENCE_STEPS = 2  # the faster one counts
REFERENCE_CHUNK, REFERENCE_FRAMES = 2, 6  # frames that the VAE decodes at once, and altogether


class Headless:
    """The networks of a run, in one number format at a time.

    Args:
        models: the models/ folder that gpu_weights.py has filled.
        size: [height, width, frames].
        tiny: tiny models on the CPU.

    Raises:
        PartSkippedError: diffusers or a package that diffusers needs is missing.
    """

    def __init__(self, models: str, size: list[int], tiny: bool, **_):
        require("torch", "diffusers", "accelerate", "transformers")
        from diffusers import AutoencoderKLTemporalDecoder  # noqa: F401  it imports much more

        self._folder, self._device = Path(models), best_device(tiny)
        self._size, self._frames = tuple(size[:2]), size[2]
        self._pipeline = self._dtype = None

    def bf16(self) -> dict:
        """Three steps, and the whole video decoded."""
        return self._measure(torch.bfloat16)

    def fp16(self) -> dict:
        """As `bf16`."""
        return self._measure(torch.float16)

    def fast(self) -> dict:
        """A whole run with what --fast sets."""
        return self._measure(torch.bfloat16, FAST)

    def reference(self) -> dict:
        """The official code's way with PyTorch's own settings, as the official code runs."""
        return self._measure_reference(convolutions=True)

    def reference_strict(self) -> dict:
        """The official code's way, TF32 switched off in convolutions too."""
        return self._measure_reference(convolutions=False)

    def _measure(self, dtype: torch.dtype, way: str | None = None) -> dict:
        """Times and memory of a run; the plain way takes a few steps alone."""
        pipeline = self._load(dtype)
        images, control, noise = self._inputs(pipeline)
        from fcvg_core.standalone.networks.denoising import denoise

        frames = self._frames
        settings = settings_of(way, frames) if way else plain_settings(frames, steps=STEPS)
        start_counting_memory(self._device)
        clock = StepClock(self._device)
        latents = denoise(pipeline.models, images, control, noise, settings, progress=clock)
        sampling = peak_memory(self._device)
        facts = {
            "steps": settings.steps,
            "steps_s": clock.steps,
            "step_s": sum(clock.steps[1:]) / (settings.steps - 1),
            **sampling,
        }
        if way:
            facts |= {**count_passes(settings), "sampler_s": sum(clock.steps)}
        return {**facts, **self._decode(pipeline, latents, 2, frames), **_seen(latents)}

    def _measure_reference(self, *, convolutions: bool) -> dict:
        """Two steps, and a part of the frames decoded, in float32."""
        from gpu_reference import reference_step, use_ordinary_attention

        from fcvg_core.models.svd import SIGMA_MAX, SIGMA_MIN, noisy_deviation
        from fcvg_core.sampling import karras_sigmas

        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = convolutions
        try:
            pipeline = self._load(torch.float32)
            use_ordinary_attention(pipeline.models.unet)
            images, control, noise = self._inputs(pipeline)
            settings = plain_settings(self._frames)
            sigmas = karras_sigmas(settings.steps, lowest=SIGMA_MIN, highest=SIGMA_MAX)
            start_counting_memory(self._device)
            clock = StepClock(self._device)
            latents = noise * noisy_deviation(sigmas[0])
            for i in range(REFERENCE_STEPS):
                latents = reference_step(
                    pipeline.models, images, control, latents, tuple(sigmas[i : i + 2]), settings
                )
                clock(i + 1)
            facts = {"steps": REFERENCE_STEPS, "steps_s": clock.steps, "step_s": min(clock.steps)}
            facts |= peak_memory(self._device)
            facts |= self._decode(pipeline, latents, REFERENCE_CHUNK, REFERENCE_FRAMES)
            return {**facts, **_seen(latents)}
        finally:
            torch.backends.cudnn.allow_tf32 = True

    def _decode(self, pipeline, latents: torch.Tensor, chunk: int, frames: int) -> dict:
        """Seconds that decoding the whole video takes, from some of its frames, and the memory."""
        from fcvg_core.progress import silent

        frames = min(frames, self._frames)
        list(pipeline.decode(latents[:chunk], chunk, silent))  # the first call is slower
        start_counting_memory(self._device)
        start = time.perf_counter()
        decoded = sum(1 for _ in pipeline.decode(latents[:frames], chunk, silent))
        finish(self._device)
        seconds = (time.perf_counter() - start) * self._frames / decoded
        peak = peak_memory(self._device)
        return {"decode_s": seconds, "decode_reserved": peak["reserved"], "chunk": chunk}

    def _load(self, dtype: torch.dtype):
        """The pipeline in a number format, on the device."""
        if self._dtype != dtype:
            from fcvg_core.standalone.networks.loading import Models, check_models, fill_models
            from fcvg_core.standalone.networks.pipeline import InbetweenPipeline

            self._pipeline = self._dtype = None
            gc.collect()
            svd, unet, control = (self._folder / n for n in (SVD, FCVG_UNET, FCVG_CONTROL))
            networks = {}
            for name, network in fill_models(check_models(svd, unet, control, dtype)):
                networks[name] = network.to(self._device)
            models = Models(**networks)
            self._pipeline = InbetweenPipeline(models, device=self._device, offload=False)
            self._dtype = dtype
        return self._pipeline

    def _inputs(self, pipeline) -> tuple:
        """Encoded keyframes, control frames [T, 3, H, W] and noise [T, 4, h, w]."""
        from fcvg_core.sampling import draw_noise
        from fcvg_core.standalone.demo.scene import draw_sample_pair

        noise = draw_noise(0, self._size, self._frames)
        with torch.no_grad():
            images = tuple(
                pipeline.encode(frame, noise.augmentation, 0.02)
                for frame in draw_sample_pair(self._size)
            )
        shape = (self._frames, 3, *self._size)
        control = torch.randint(0, 256, shape, dtype=torch.uint8, device=self._device)
        return images, control, noise.latents.to(self._device)


def _seen(latents: torch.Tensor) -> dict:
    """Raise ValueError unless all latents are finite; their standard deviation."""
    if not latents.isfinite().all():
        bad = int((~latents.isfinite()).sum())
        raise ValueError(f"{bad} of {latents.numel()} latents are not finite")
    return {"deviation": latents.std().item()}
