"""Images in, frames of a video out, on stand-in models."""

import logging
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.pipeline import (
    AnimationPipeline,
    InbetweenPipeline,
    PlainInbetweenPipeline,
)

SIZE = (64, 128)
CPU = torch.device("cpu")


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (count, *SIZE, 3)).astype(np.uint8)


@pytest.fixture(params=[InbetweenPipeline, AnimationPipeline])
def kind(request):
    return request.param


@pytest.fixture
def paint(settings):
    """A function that gives the frames of a pipeline, and the progress that it reported."""

    def run(kind, models: Models, *, frames: int = 5, offload=False, seed: int = 5, **changes):
        images = tuple(pictures(2))
        seen = []
        painted = kind(models, device=CPU, offload=offload)(
            images if kind is InbetweenPipeline else images[0],
            pictures(frames, seed=1),
            settings(**{"num_frames": frames, "steps": 1, **changes}),
            seed=seed,
            decode_chunk=3,
            progress=lambda *state: seen.append(state),
        )
        return np.stack([*painted]), seen

    return run


class TestBothPipelines:
    def test_frames(self, paint, kind, models_v2) -> None:
        frames, seen = paint(kind, models_v2, steps=2)
        assert frames.shape == (5, *SIZE, 3) and frames.dtype == np.uint8
        assert seen == [
            *(("denoising", i, 2) for i in range(3)),
            *(("decoding", i, 5) for i in (0, 3, 5)),
        ]

    def test_offload_seed_and_windows(self, paint, kind, models_v2) -> None:
        short = {"window": 4, "overlap": 2}
        frames, _ = paint(kind, models_v2, **short)
        assert np.array_equal(frames, paint(kind, models_v2, offload=True, **short)[0])
        assert not np.array_equal(frames, paint(kind, models_v2, seed=6, **short)[0])
        assert not np.array_equal(frames, paint(kind, models_v2)[0])

    def test_half_precision(self, paint, kind, load_stand_ins) -> None:
        frames, _ = paint(kind, load_stand_ins(torch.bfloat16))
        assert frames.shape == (5, *SIZE, 3)

    def test_wrong_number_of_control_frames(self, paint, kind, models_v2) -> None:
        with pytest.raises(ValueError, match="video has 4 frames but there are 5 control frames"):
            paint(kind, models_v2, frames=5, num_frames=4)

    def test_control_frames_that_are_none(self, kind, models_v2, settings) -> None:
        images = tuple(pictures(2)) if kind is InbetweenPipeline else pictures(1)[0]
        pipeline = kind(models_v2, device=CPU, offload=False)
        with pytest.raises(ValueError, match=r"expected frames \[T, H, W, 3\] uint8"):
            pipeline(images, np.zeros((4, *SIZE), np.uint8), settings(), seed=0, decode_chunk=2)

    def test_wrong_size(self, kind, models_v2, settings) -> None:
        frame = np.zeros((72, 128, 3), np.uint8)
        images = (frame, frame) if kind is InbetweenPipeline else frame
        pipeline = kind(models_v2, device=CPU, offload=False)
        with pytest.raises(ValueError, match="height must be a multiple of 64 .*, got 72"):
            pipeline(images, pictures(4), settings(), seed=0, decode_chunk=2)


class TestPlain:
    """SVD alone, between two keyframes."""

    @pytest.fixture
    def between(self, models_v2, settings):
        def run(offload: bool = False, **changes) -> tuple[np.ndarray, list]:
            seen = []
            pipeline = PlainInbetweenPipeline(
                replace(models_v2, controlnext=None), device=CPU, offload=offload
            )
            frames = pipeline(
                tuple(pictures(2)),
                settings(**{"num_frames": 3, "steps": 1, **changes}),
                seed=5,
                decode_chunk=2,
                progress=lambda *state: seen.append(state),
            )
            return frames, seen

        return run

    def test_frames_progress_and_offload(self, between) -> None:
        frames, seen = between(offload=True)
        assert frames.shape == (3, *SIZE, 3) and frames.dtype == np.uint8
        assert seen == [
            *(("denoising", i, 1) for i in range(2)),
            *(("decoding", i, 3) for i in (0, 2, 3)),
        ]
        assert np.array_equal(frames, between()[0])

    def test_ends_are_the_keyframes_without_augmentation(
        self, between, models_v2, monkeypatch
    ) -> None:
        decoded = []
        whole = PlainInbetweenPipeline.decode
        monkeypatch.setattr(
            PlainInbetweenPipeline,
            "decode",
            lambda self, latents, *more: decoded.append(latents) or whole(self, latents, *more),
        )
        between(augmentation=0.5)
        pipeline = InbetweenPipeline(models_v2, device=CPU, offload=False)
        ends = pipeline.encode_video(pictures(2), 1, lambda *state: None)
        assert torch.equal(decoded[0][:1], ends[:1])

    def test_wrong_size(self, models_v2, settings) -> None:
        frame = np.zeros((72, 128, 3), np.uint8)
        pipeline = PlainInbetweenPipeline(models_v2, device=CPU, offload=False)
        with pytest.raises(ValueError, match="height must be a multiple of 64 .*, got 72"):
            pipeline((frame, frame), settings(), seed=0, decode_chunk=2)


class TestStart:
    @pytest.fixture
    def from_video(self, models_v2, settings):
        """A function that paints between two keyframes, from a video on."""

        def run(start: np.ndarray | None, offload=False, **changes) -> tuple[np.ndarray, list]:
            seen = []
            frames = InbetweenPipeline(models_v2, device=CPU, offload=offload)(
                tuple(pictures(2)),
                pictures(5, seed=1),
                settings(**{"num_frames": 5, "steps": 1, **changes}),
                seed=5,
                decode_chunk=3,
                start=start,
                progress=lambda *state: seen.append(state),
            )
            return frames, seen

        return run

    def test_nothing_is_the_round_trip_of_the_vae(self, from_video, models_v2) -> None:
        start = pictures(5, seed=2)
        pipeline = InbetweenPipeline(models_v2, device=CPU, offload=False)
        latents = pipeline.encode_video(start, 3, lambda *state: None)
        round_trip = np.stack([*pipeline.decode(latents, 3, lambda *state: None)])
        frames, seen = from_video(start, denoise=0.0)
        assert np.array_equal(frames, round_trip)
        assert {stage for stage, *_ in seen} == {"encoding", "decoding"}

    def test_nothing_gives_the_latents_back(self, models_v2, settings) -> None:
        """No network runs."""
        start = torch.randn(4, 4, 8, 16, generator=torch.Generator().manual_seed(0))
        pipeline = InbetweenPipeline(
            replace(models_v2, unet=None, image_encoder=None, vae=None), device=CPU, offload=False
        )
        out = pipeline.denoise(
            tuple(pictures(2)),
            pictures(4),
            settings(denoise=0.0),
            seed=0,
            progress=lambda *state: None,
            start=start,
        )
        assert torch.equal(out, start) and out is not start

    @pytest.mark.parametrize("windows", [{}, {"window": 4, "overlap": 2}])
    def test_the_whole_does_not_look_at_it(self, from_video, windows) -> None:
        frames, seen = from_video(pictures(5, seed=2), denoise=1.0, **windows)
        assert np.array_equal(frames, from_video(None, **windows)[0])
        assert "encoding" not in [stage for stage, *_ in seen]

    def test_progress_and_offload(self, from_video) -> None:
        start = pictures(5, seed=2)
        frames, seen = from_video(start, denoise=0.4)
        assert seen[:5] == [
            *(("encoding", i, 5) for i in (0, 3, 5)),
            *(("denoising", i, 1) for i in range(2)),
        ]
        # A view backward has strides that torch does not take.
        again, _ = from_video(start[::-1].copy()[::-1], offload=True, denoise=0.4)
        assert np.array_equal(frames, again)

    def test_latents_are_scaled_modes(self, models_v2) -> None:
        frames = pictures(5)
        pipeline = InbetweenPipeline(models_v2, device=CPU, offload=False)
        latents = pipeline.encode_video(frames, 2, lambda *state: None)
        alone = pipeline.encode(frames[3], torch.zeros(1, 3, *SIZE), 0.0).latent
        scale = models_v2.vae.config.scaling_factor
        assert latents.shape == (5, 4, SIZE[0] // 8, SIZE[1] // 8)
        torch.testing.assert_close(latents[3:4], alone * scale)

    def test_no_frames(self, from_video) -> None:
        for share in (0.4, 0.0):
            with pytest.raises(ValueError, match="the video needs `start`"):
                from_video(None, denoise=share)
        with pytest.raises(ValueError, match=r"expected frames \[T, H, W, 3\] uint8"):
            from_video(pictures(5).astype(float), denoise=0.4)


class TestVersionOne:
    def test_frames(self, paint, models_v1) -> None:
        frames, _ = paint(AnimationPipeline, models_v1)
        assert frames.shape == (5, *SIZE, 3)

    def test_fcvg_refuses_it(self, models_v1) -> None:
        with pytest.raises(ValueError, match="FCVG works with v2"):
            InbetweenPipeline(models_v1, device=CPU, offload=False)


def test_the_video_is_held_once(paint, models_v2, monkeypatch) -> None:
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
    frames, _ = paint(InbetweenPipeline, models_v2, frames=4)
    assert [frame.max() for frame in frames] == [0, 1, 2, 3]
    assert max(alive) <= 1


class OverflowingVae(nn.Module):
    """Gives infinity in half precision, and a value in float32."""

    config = SimpleNamespace(scaling_factor=1.0)

    def __init__(self, value: float):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float16), requires_grad=False)
        self.value = value

    @property
    def dtype(self) -> torch.dtype:
        return self.weight.dtype

    def decode(self, latents: torch.Tensor, num_frames: int) -> SimpleNamespace:
        value = self.value if self.dtype == latents.dtype == torch.float32 else torch.inf
        return SimpleNamespace(sample=torch.full((num_frames, 3, 8, 8), value))


class TestDecode:
    """What `decode_in_chunks` gets from this face: the VAE in two formats, errors, progress."""

    @pytest.fixture
    def decode(self, models_v2):
        def run(latents, chunk: int = 2, vae=None):
            models = replace(models_v2, vae=vae or models_v2.vae)
            pipeline = AnimationPipeline(models, device=CPU, offload=False)
            return [*pipeline.decode(latents, chunk, lambda stage, done, total: None)]

        return run

    def test_overflow_is_decoded_in_float32(self, decode) -> None:
        vae = OverflowingVae(0.5)
        frames = decode(torch.zeros(2, 4, 1, 1), vae=vae)
        assert [frame.max() for frame in frames] == [191, 191]  # (0.5 / 2 + 0.5) * 255
        assert vae.dtype == torch.float16

    @pytest.mark.parametrize("overflows", [False, True])
    def test_diffusers_warns_of_no_format(
        self, decode, load_stand_ins, monkeypatch, overflows
    ) -> None:
        """diffusers' VAE warns of each change of its format, although no part needs float32."""
        vae, warned = load_stand_ins(torch.bfloat16).vae, []
        whole = vae.decode

        def overflow(latents: torch.Tensor, num_frames: int):
            decoded = whole(latents, num_frames=num_frames)
            if overflows and latents.dtype == torch.bfloat16:
                decoded.sample.fill_(torch.inf)
            return decoded

        monkeypatch.setattr(vae, "decode", overflow)
        logger = logging.getLogger("diffusers.models.modeling_utils")
        monkeypatch.setattr(logger, "warning", warned.append)
        assert len(decode(torch.zeros(3, 4, 8, 8), vae=vae)) == 3
        assert not warned and vae.dtype == torch.bfloat16

    def test_gives_up(self, decode) -> None:
        with pytest.raises(ValueError, match="The VAE gave values that are not numbers"):
            decode(torch.zeros(2, 4, 1, 1), vae=OverflowingVae(torch.nan))

    def test_latents_that_are_not_numbers(self, decode) -> None:
        with pytest.raises(ValueError, match="not numbers. Try --dtype fp32"):
            decode(torch.full((2, 4, 8, 8), torch.nan))

    @pytest.mark.parametrize("kind", ["at once", "late"])
    def test_memory_runs_out(self, decode, models_v2, monkeypatch, caplog, kind) -> None:
        whole = models_v2.vae.decode

        def small_card(latents: torch.Tensor, num_frames: int):
            if num_frames > 1:
                raise out_of_memory(kind)
            return whole(latents, num_frames=num_frames)

        monkeypatch.setattr(models_v2.vae, "decode", small_card)
        frames = decode(torch.zeros(3, 4, 8, 8))
        assert [frame.shape for frame in frames] == [(64, 64, 3)] * 3
        assert "decoded at once reduced to 1" in caplog.text

    @pytest.mark.parametrize("late", [False, True])
    def test_other_errors_pass_through(self, decode, models_v2, monkeypatch, late) -> None:
        kind = getattr(torch, "AcceleratorError", RuntimeError) if late else RuntimeError

        def broken_card(latents: torch.Tensor, num_frames: int):
            raise kind("CUDA error: an illegal memory access was encountered")

        monkeypatch.setattr(models_v2.vae, "decode", broken_card)
        with pytest.raises(kind, match="illegal memory access"):
            decode(torch.zeros(2, 4, 8, 8))


def out_of_memory(kind: str) -> Exception:
    """What a card raises whose memory is full: when it is asked for more, or some time later."""
    if kind == "at once":
        return torch.cuda.OutOfMemoryError("out of memory")
    if not hasattr(torch, "AcceleratorError"):
        pytest.skip("this torch has no AcceleratorError")
    return torch.AcceleratorError("CUDA error: out of memory")
