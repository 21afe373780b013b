"""Two frames in, the frames between them out, on stand-in models."""

import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fcvg_core.sampling import draw_noise
from fcvg_core.settings import SamplingSettings
from fcvg_core.standalone.networks.denoising import Keyframe, denoise
from fcvg_core.standalone.networks.loading import Models, load_models
from fcvg_core.standalone.networks.pipeline import InbetweenPipeline, _decode_chunk

SIZE = (64, 128)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def models(stand_ins) -> Models:
    files = (stand_ins / "svd", stand_ins / "unet.safetensors")
    return Models(**dict(load_models(*files, stand_ins / "controlnext.safetensors", torch.float32)))


def settings(**changes) -> SamplingSettings:
    usual = {
        "num_frames": 4,
        "window": 25,
        "overlap": 6,
        "steps": 2,
        "guidance_start": 3.0,
        "guidance_end": 3.0,
        "control_weight": 1.0,
        "fps": 7,
        "motion_bucket_id": 127,
        "augmentation": 0.02,
        "noise_injection_steps": 0,
        "noise_injection_ratio": 0.0,
    }
    return SamplingSettings(**{**usual, **changes})


def random_inputs(num_frames: int = 4):
    """Keyframes, control frames and noise."""
    noise = draw_noise(3, SIZE, num_frames)
    generator = torch.Generator().manual_seed(1)
    keyframes = tuple(
        Keyframe(
            torch.randn(1, 1, 64, generator=generator),
            torch.randn(1, 4, SIZE[0] // 8, SIZE[1] // 8, generator=generator),
        )
        for _ in range(2)
    )
    return keyframes, torch.rand(num_frames, 3, *SIZE, generator=generator), noise


@torch.no_grad()
def run(models: Models, keyframes, control, noise: torch.Tensor, **changes) -> torch.Tensor:
    chosen = settings(num_frames=len(noise), **changes)
    return denoise(models, keyframes, control, noise, chosen, draw=lambda: torch.ones_like(noise))


class Counter:
    """Notes the shapes that a network is called with."""

    def __init__(self, network: nn.Module):
        self.shapes = []
        self._network = network

    def __enter__(self) -> list:
        self._handle = self._network.register_forward_pre_hook(
            lambda module, args: self.shapes.append(tuple(args[0].shape))
        )
        return self.shapes

    def __exit__(self, *exception) -> None:
        self._handle.remove()


class TestDenoise:
    def test_swapping_keyframes_flips_the_video(self, models) -> None:
        (first, last), control, noise = random_inputs()
        ramp = {"guidance_start": 1.5, "guidance_end": 4.0}
        out = run(models, (first, last), control, noise.latents, **ramp)
        swapped = run(models, (last, first), control.flip(0), noise.latents.flip(0), **ramp)
        # Latents begin at a deviation of 700, whose last float32 digit is 6e-5.
        assert (out - swapped.flip(0)).abs().max() <= 2e-4

    def test_controlnext_runs_once_a_step(self, models) -> None:
        keyframes, control, noise = random_inputs(7)
        with Counter(models.controlnext) as calls:
            run(
                models,
                keyframes,
                control,
                noise.latents,
                window=4,
                overlap=1,
                noise_injection_steps=1,
                noise_injection_ratio=1.0,
            )
        assert calls == [(7, 3, *SIZE)] * 2

    def test_guidance_of_one_needs_no_unconditional_half(self, models) -> None:
        keyframes, control, noise = random_inputs()
        with Counter(models.unet) as calls:
            run(models, keyframes, control, noise.latents, guidance_start=1.0, guidance_end=1.0)
            run(models, keyframes, control, noise.latents, guidance_end=1.0, steps=1)
        assert [shape[0] for shape in calls] == [1, 1, 1, 1, 2, 2]

    def test_control_steers(self, models) -> None:
        keyframes, control, noise = random_inputs()
        plain = run(models, keyframes, None, noise.latents)
        assert torch.equal(plain, run(models, keyframes, control, noise.latents, control_weight=0))
        assert (plain - run(models, keyframes, control, noise.latents)).abs().max() > 1e-3

    def test_injected_noise_changes_the_video(self, models) -> None:
        keyframes, control, noise = random_inputs()
        again = {"noise_injection_steps": 1, "noise_injection_ratio": 0.5}
        with Counter(models.unet) as calls:
            out = run(models, keyframes, control, noise.latents, **again)
        assert len(calls) == 2 * 3  # two directions; the first of two steps is taken twice
        assert (out - run(models, keyframes, control, noise.latents)).abs().max() > 1e-3

    def test_wrong_number_of_control_frames(self, models) -> None:
        keyframes, control, noise = random_inputs()
        with pytest.raises(ValueError, match="3 control frames for a video of 4"):
            run(models, keyframes, control[:3], noise.latents)

    def test_leaves_no_hook_and_no_state(self, models) -> None:
        keyframes, control, noise = random_inputs()
        out = run(models, keyframes, control, noise.latents)
        assert torch.equal(out, run(models, keyframes, control, noise.latents))
        assert not models.unet.down_blocks[0]._forward_hooks


class TestPipeline:
    def make(self, models: Models, offload: bool = False, seed: int = 5, **changes):
        random = np.random.RandomState(0)
        keyframes = tuple(random.randint(0, 256, (*SIZE, 3)).astype(np.uint8) for _ in range(2))
        control = random.randint(0, 256, (4, *SIZE, 3)).astype(np.uint8)
        pipeline = InbetweenPipeline(models, device=CPU, offload=offload)
        seen = []
        frames = pipeline(
            keyframes,
            control,
            settings(**changes),
            seed=seed,
            decode_chunk=3,
            progress=lambda *state: seen.append(state),
        )
        return frames, seen

    def test_frames(self, models) -> None:
        frames, seen = self.make(models)
        assert frames.shape == (4, *SIZE, 3) and frames.dtype == np.uint8
        assert seen == [
            *(("denoising", i, 2) for i in range(3)),
            *(("decoding", i, 4) for i in (0, 3, 4)),
        ]

    def test_the_video_is_held_once(self, models, monkeypatch) -> None:
        """Not its frames beside it."""
        seen: list[weakref.ref] = []
        alive = []

        def decode(self, latents, chunk, progress):
            for i in range(len(latents)):
                frame = np.full((*SIZE, 3), i, np.uint8)
                alive.append(sum(old() is not None for old in seen))
                seen.append(weakref.ref(frame))
                yield frame

        monkeypatch.setattr(InbetweenPipeline, "decode", decode)
        frames, _ = self.make(models, steps=1)
        assert [frame.max() for frame in frames] == [0, 1, 2, 3]
        assert max(alive) <= 1

    def test_seed(self, models) -> None:
        frames, _ = self.make(models)
        assert np.array_equal(frames, self.make(models, offload=True)[0])
        assert not np.array_equal(frames, self.make(models, seed=6)[0])

    def test_wrong_size(self, models) -> None:
        frame = np.zeros((72, 128, 3), np.uint8)
        pipeline = InbetweenPipeline(models, device=CPU, offload=False)
        with pytest.raises(ValueError, match="height must be a multiple of 64, got 72"):
            pipeline((frame, frame), None, settings(), seed=0, decode_chunk=2)

    def test_denoising_that_fails_is_named(self, models) -> None:
        pipeline = InbetweenPipeline(models, device=CPU, offload=False)
        with pytest.raises(ValueError, match="Denoising gave values that are not numbers"):
            list(pipeline.decode(torch.full((2, 4, 8, 8), torch.nan), 2, lambda *state: None))

    def test_half_precision(self, stand_ins) -> None:
        files = (stand_ins / "svd", stand_ins / "unet.safetensors")
        loaded = dict(load_models(*files, stand_ins / "controlnext.safetensors", torch.bfloat16))
        frames, _ = self.make(Models(**loaded), steps=1)
        assert frames.shape == (4, *SIZE, 3)


class OverflowingVae(nn.Module):
    """Gives infinity in half precision, and in float32 what it is told."""

    def __init__(self, value: float):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float16), requires_grad=False)
        self.value = value

    @property
    def dtype(self) -> torch.dtype:
        return self.weight.dtype

    def decode(self, latents: torch.Tensor, num_frames: int) -> SimpleNamespace:
        value = self.value if self.dtype == torch.float32 else torch.inf
        return SimpleNamespace(sample=torch.full((num_frames, 3, 8, 8), value))


class TestDecodeChunk:
    def test_retries_in_float32(self) -> None:
        vae = OverflowingVae(0.5)
        assert (_decode_chunk(vae, torch.zeros(2, 4, 1, 1)) == 0.5).all()
        assert vae.dtype == torch.float16

    def test_gives_up(self) -> None:
        with pytest.raises(ValueError, match="The VAE gave values that are not numbers"):
            _decode_chunk(OverflowingVae(torch.nan), torch.zeros(2, 4, 1, 1))

    @pytest.mark.parametrize("kind", ["at once", "late"])
    def test_memory_runs_out(self, models, monkeypatch, caplog, kind) -> None:
        decode = models.vae.decode

        def small_card(latents: torch.Tensor, num_frames: int):
            if num_frames > 1:
                raise out_of_memory(kind)
            return decode(latents, num_frames=num_frames)

        monkeypatch.setattr(models.vae, "decode", small_card)
        pipeline = InbetweenPipeline(models, device=torch.device("cpu"), offload=False)
        frames = [*pipeline.decode(torch.zeros(3, 4, 8, 8), 2, lambda stage, done, total: None)]
        assert [frame.shape for frame in frames] == [(64, 64, 3)] * 3
        assert "decoding 1 frames at once now" in caplog.text

    @pytest.mark.parametrize("kind", ["at once", "late"])
    def test_memory_for_not_even_one_frame(self, models, monkeypatch, kind) -> None:
        error = out_of_memory(kind)

        def no_card(latents: torch.Tensor, num_frames: int):
            raise error

        monkeypatch.setattr(models.vae, "decode", no_card)
        with pytest.raises(type(error)):
            _decode_chunk(models.vae, torch.zeros(1, 4, 8, 8))

    @pytest.mark.parametrize("late", [False, True])
    def test_other_errors_pass_through(self, models, monkeypatch, late) -> None:
        kind = getattr(torch, "AcceleratorError", RuntimeError) if late else RuntimeError

        def broken_card(latents: torch.Tensor, num_frames: int):
            raise kind("CUDA error: an illegal memory access was encountered")

        monkeypatch.setattr(models.vae, "decode", broken_card)
        with pytest.raises(kind, match="illegal memory access"):
            _decode_chunk(models.vae, torch.zeros(2, 4, 8, 8))


def out_of_memory(kind: str) -> Exception:
    """What a card raises whose memory is full: when it is asked for more, or some time later."""
    if kind == "at once":
        return torch.cuda.OutOfMemoryError("out of memory")
    if not hasattr(torch, "AcceleratorError"):
        pytest.skip("this torch has no AcceleratorError")
    return torch.AcceleratorError("CUDA error: out of memory")
