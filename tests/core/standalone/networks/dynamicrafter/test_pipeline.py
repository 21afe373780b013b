"""Pictures and a prompt in, frames of a clip out, on tiny models."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from fcvg_core.models.unet3d import UNet3D
from fcvg_core.standalone.networks.dynamicrafter import (
    ClipPipeline,
    ClipRequest,
    DynamiCrafterFiles,
    check_files,
)
from fcvg_core.standalone.networks.dynamicrafter.denoising import denoise_clip

SIZE = (64, 128)


def picture(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (*size, 3), np.uint8)


REQUEST = ClipRequest(first=picture(0), prompt="a cat", mode="animate")
BETWEEN = replace(REQUEST, last=picture(1), mode="interpolate")


def close(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return torch.allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def plain(pipeline, settings) -> np.ndarray:
    """The frames of one step."""
    return pipeline(REQUEST, settings(steps=1), seed=5)


class TestClip:
    def test_frames(self, pipeline, settings):
        seen = []
        frames = pipeline(REQUEST, settings(), seed=5, progress=lambda *state: seen.append(state))
        assert frames.shape == (4, *SIZE, 3) and frames.dtype == np.uint8
        assert seen == [
            *(("encoding", i, 1) for i in range(2)),
            *(("denoising", i, 2) for i in range(3)),
            *(("decoding", i, 4) for i in (0, 4)),
        ]

    def test_seed_and_offload(self, pipeline, settings, plain):
        models = (pipeline.networks, pipeline.variant, pipeline.table)
        low = ClipPipeline(*models, device=pipeline.device, offload=True)
        assert np.array_equal(plain, low(REQUEST, settings(steps=1), seed=5))
        assert not np.array_equal(plain, pipeline(REQUEST, settings(steps=1), seed=6))
        assert np.array_equal(plain, pipeline(REQUEST, settings(steps=1), seed=np.int64(5)))

    @pytest.mark.parametrize(
        "changes",
        [
            {"rate": 5},
            {"eta": 0.0},
            {"guidance": 1.0},
            {"image_guidance": 2.0},
            {"rescale": 0.0},
            {"spacing": "uniform"},
            {"image_tokens": "per frame"},
        ],
    )
    def test_every_setting_counts(self, pipeline, settings, plain, changes):
        frames = pipeline(REQUEST, settings(steps=1, **changes), seed=5)
        assert not np.array_equal(frames, plain)

    def test_the_noise_is_that_of_both_seeds(self, pipeline, settings, plain):
        """The clip starts from the noise of the seed; its steps add noise of the next seed."""
        conditions = pipeline.encode(REQUEST, settings(steps=1))
        shape = conditions.image_latents.shape
        start, later = (torch.Generator().manual_seed(seed) for seed in (5, 6))
        latents = denoise_clip(
            pipeline.networks.unet,
            pipeline.variant,
            pipeline.table,
            conditions,
            torch.randn(shape, generator=start),
            settings(steps=1),
            draw=lambda: torch.randn(shape, generator=later),
        )
        frames = np.stack([*pipeline.decode(latents, 4, lambda *state: None)])
        assert np.array_equal(frames, plain)

    def test_the_largest_seed(self, pipeline, settings):
        frames = pipeline(REQUEST, settings(steps=1), seed=2**64 - 1)
        assert frames.shape == (4, *SIZE, 3)

    def test_half_precision(self, checkpoint, tokenizer_folder, settings):
        files = DynamiCrafterFiles(checkpoint=checkpoint, tokenizer=tokenizer_folder)
        half = check_files(files, torch.bfloat16)
        pipeline = half.load(torch.device("cpu"), True, lambda *state: None)
        assert pipeline(REQUEST, settings(steps=1), seed=5).shape == (4, *SIZE, 3)

    @pytest.mark.slow
    def test_64_frames_of_256_x_256(self, pipeline, settings, monkeypatch):
        """A UNet with all levels, but with half of the channels and blocks."""
        config = replace(
            pipeline.networks.unet.config, model_channels=32, num_res_blocks=1, head_channels=32
        )
        monkeypatch.setattr(
            pipeline, "networks", replace(pipeline.networks, unet=UNet3D(config).eval())
        )
        # Decoding in chunks has tests of its own.
        monkeypatch.setattr(pipeline.networks.vae, "decode", enlarge)
        request = replace(REQUEST, first=picture(0, (256, 256)))
        long = settings(num_frames=64, steps=1, guidance=1.0, decode_chunk=16)
        assert pipeline(request, long, seed=5).shape == (64, 256, 256, 3)


def enlarge(latents: torch.Tensor) -> SimpleNamespace:
    """What a VAE gives, without a network."""
    return SimpleNamespace(sample=functional.interpolate(latents[:, :3], scale_factor=8))


class TestRequest:
    @pytest.mark.parametrize("last", [None, picture(1, (64, 64))])
    def test_an_interpolation_needs_two_pictures_of_one_size(self, last):
        with pytest.raises(ValueError, match="interpolation needs two pictures of one size"):
            replace(REQUEST, mode="interpolate", last=last)
        replace(REQUEST, mode="loop", last=last)


class TestConditions:
    def test_animation(self, pipeline, settings):
        """The picture is in all frames; the grey picture has no part in it."""
        found = pipeline.encode(REQUEST, settings())
        assert found.image_latents.shape == (4, 4, 8, 16)
        assert all(torch.equal(x, found.image_latents[0]) for x in found.image_latents)
        assert 0.1 < found.image_latents.std() / 0.18215 < 10

    def test_the_mean_of_the_vae(self, pipeline, settings):
        pixels = torch.from_numpy(REQUEST.first)[None].movedim(-1, 1) / 127.5 - 1
        with torch.no_grad():
            mean = pipeline.networks.vae.encode(pixels).latent_dist.mean
        assert close(pipeline.encode(REQUEST, settings()).image_latents[:1], mean * 0.18215)

    def test_between_two_pictures_zeros_stay_zeros(self, pipeline, settings):
        found = pipeline.encode(BETWEEN, settings()).image_latents
        animated = [
            pipeline.encode(replace(REQUEST, first=x), settings()).image_latents[0]
            for x in (BETWEEN.first, BETWEEN.last)
        ]
        assert close(found[0], animated[0]) and close(found[-1], animated[1])
        assert not found[1:-1].any()

    def test_a_loop_ends_as_it_begins(self, pipeline, settings):
        found = pipeline.encode(replace(REQUEST, mode="loop"), settings()).image_latents
        assert found[0].any() and torch.equal(found[0], found[-1]) and not found[1:-1].any()

    def test_the_last_picture_is_not_seen_by_clip(self, pipeline, settings):
        one, two = (pipeline.encode(x, settings()) for x in (REQUEST, BETWEEN))
        assert torch.equal(one.cond.image_tokens, two.cond.image_tokens)

    def test_unconditional(self, pipeline, settings):
        """No prompt, and the tokens of a grey picture: not of a black picture."""
        found = pipeline.encode(REQUEST, settings())
        empty = pipeline.encode(replace(REQUEST, prompt=""), settings())
        assert torch.equal(found.uncond.text, empty.cond.text)
        assert not torch.equal(found.cond.text, empty.cond.text)
        grey = replace(REQUEST, clip_picture=np.full((*SIZE, 3), 128, np.uint8))
        black = replace(REQUEST, clip_picture=np.zeros((*SIZE, 3), np.uint8))
        near, far = (
            (pipeline.encode(x, settings()).cond.image_tokens - found.uncond.image_tokens).abs()
            for x in (grey, black)
        )
        assert 0 < near.max() < far.max() / 20

    def test_negative_prompt(self, pipeline, settings):
        found = pipeline.encode(replace(REQUEST, negative_prompt="a cat"), settings())
        assert torch.equal(found.uncond.text, found.cond.text)

    def test_what_clip_sees(self, pipeline, settings):
        """A picture of any size, squashed: a crop would lose its edges."""
        first = pipeline.encode(REQUEST, settings())
        again = pipeline.encode(replace(REQUEST, clip_picture=REQUEST.first), settings())
        assert torch.equal(first.cond.image_tokens, again.cond.image_tokens)
        wide = np.zeros((70, 400, 3), np.uint8)
        edge = wide.copy()
        edge[:, :40] = 255
        seen = [pipeline.encode(replace(REQUEST, clip_picture=x), settings()) for x in (wide, edge)]
        assert not torch.equal(seen[0].cond.image_tokens, seen[1].cond.image_tokens)
        assert torch.equal(seen[0].image_latents, first.image_latents)

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (2, 2), (50, 8000)])
    def test_odd_sizes_for_clip(self, pipeline, settings, size):
        found = pipeline.encode(replace(REQUEST, clip_picture=picture(1, size)), settings())
        assert found.cond.image_tokens.isfinite().all()

    @pytest.mark.parametrize(
        ("how", "num_frames", "shape"),
        [
            ("auto", 16, (16, 16, 64)),
            ("auto", 4, (1, 256, 64)),
            ("per frame", 4, (4, 16, 64)),
            ("shared", 16, (1, 256, 64)),
        ],
    )
    def test_image_tokens(self, pipeline, settings, how, num_frames, shape):
        found = pipeline.encode(REQUEST, settings(image_tokens=how, num_frames=num_frames))
        assert found.cond.image_tokens.shape == found.uncond.image_tokens.shape == shape
        assert found.cond.text.shape == (1, 77, 64)
