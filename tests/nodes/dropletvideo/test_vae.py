"""The VAE as the host's nodes use it."""

import importlib
import logging

import pytest
import torch
from dropletvideo_runs import random
from memory import PeakBytes

from fcvg_core.models.dropletvideo.rules import count_latents, decoded_frames


@pytest.fixture(scope="module")
def vae(loaded):
    return loaded.vae


@pytest.fixture(scope="module")
def run_node(host):
    """Runs a node of the host by its class name: the first output."""
    nodes = importlib.import_module("nodes")

    def run(name: str, *inputs, **named):
        node = nodes.NODE_CLASS_MAPPINGS[name]
        return getattr(node(), node.FUNCTION)(*inputs, **named)[0]

    return run


@pytest.mark.parametrize("latents", [1, 2, 3, 4])
def test_lengths_of_decoding(vae, run_node, latents):
    frames = run_node("VAEDecode", vae, {"samples": random(0, 1, 16, latents, 4, 4)})
    assert frames.shape == (decoded_frames(latents), 32, 32, 3)
    assert frames.min() >= 0 and frames.max() <= 1


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 8, 9, 11])
def test_lengths_of_encoding(vae, run_node, frames):
    pixels = torch.rand(frames, 32, 48, 3)
    found = run_node("VAEEncode", vae, pixels)["samples"]
    assert found.shape == (1, 16, count_latents(frames), 4, 6)


def test_tiles(vae, run_node):
    """Time is never tiled; one tile gives the numbers of the plain decoding."""
    latents = random(2, 1, 16, 3, 4, 6)
    plain = vae.decode(latents)
    tiles = {"tile_size": 512, "overlap": 32, "temporal_size": 8, "temporal_overlap": 4}
    whole = run_node("VAEDecodeTiled", vae, {"samples": latents}, **tiles)
    assert torch.allclose(whole, plain[0], atol=1e-6)
    # The norms of a tile see the tile alone.
    tiled = vae.decode_tiled(latents, 4, 4, 2, tile_t=2, overlap_t=1)
    assert tiled.shape == plain.shape and (tiled - plain).abs().mean() < 0.05
    wide = vae.decode_tiled(latents, 6, 4, 2)  # 6 latents wide, 4 high: one tile
    assert torch.allclose(wide, plain, atol=1e-6)


@pytest.mark.parametrize("frames", [4, 11])
def test_tiles_of_encoding(vae, run_node, frames):
    pixels = torch.rand(frames, 32, 48, 3, generator=torch.manual_seed(0))
    plain = vae.encode(pixels)
    tiles = {"tile_size": 512, "overlap": 64, "temporal_size": 8, "temporal_overlap": 4}
    whole = run_node("VAEEncodeTiled", vae, pixels, **tiles)["samples"]
    assert torch.allclose(whole, plain, atol=1e-5)
    tiled = vae.encode_tiled(pixels, 32, 32, 16)
    assert tiled.shape == plain.shape and tiled.isfinite().all()


def test_two_videos(vae):
    latents = random(3, 2, 16, 2, 4, 4)
    both = vae.decode(latents)
    assert both.shape == (2, 8, 32, 32, 3)
    assert torch.allclose(both[1], vae.decode(latents[1:])[0], atol=1e-6)


def test_tiles_if_memory_runs_out(vae, monkeypatch, caplog):
    import comfy.model_management as mm

    latents = random(4, 1, 16, 2, 4, 4)
    plain = vae.decode(latents)

    def fail(*inputs):
        raise mm.OOM_EXCEPTION("no memory")

    monkeypatch.setattr(type(vae), "_decode", fail)
    with caplog.at_level(logging.WARNING):
        assert torch.allclose(vae.decode(latents), plain, atol=1e-6)
    assert "decoded in tiles" in caplog.text


def test_latents_of_another_model(vae):
    for shape in ((3, 4, 8, 8), (1, 4, 3, 8, 8)):
        with pytest.raises(ValueError, match=r"a video's are \(batch, 16, frames"):
            vae.decode(torch.zeros(shape))
        with pytest.raises(ValueError, match=r"a video's are \(batch, 16, frames"):
            vae.decode_tiled(torch.zeros(shape), 8, 8, 2)


def test_memory_does_not_grow_with_the_video(vae):
    """Beside the latents and the frames themselves."""
    beside = []
    for latents in (4, 10):
        given = random(5, 1, 16, latents, 2, 2)
        with PeakBytes() as memory:
            frames = vae.decode(given)
        beside.append(memory.peak - frames.nbytes - given.nbytes)
    assert beside[1] <= 1.02 * beside[0]
