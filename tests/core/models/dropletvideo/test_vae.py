from dataclasses import replace

import pytest
import torch
from memory import PeakBytes

from fcvg_core.models.dropletvideo import vae_layers
from fcvg_core.models.dropletvideo.config import VaeConfig
from fcvg_core.models.dropletvideo.vae import VideoVae

TINY = VaeConfig(block_channels=(8, 16, 16, 16), layers=1, norm_groups=4)
SIZE, LATENT_SIZE = (16, 24), (2, 3)  # (height, width)


@pytest.fixture(scope="module")
def vae() -> VideoVae:
    torch.manual_seed(0)
    return VideoVae(TINY).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def diffusers_vae(vae):
    """The well-kept equivalent with the same weights."""
    from diffusers import AutoencoderKLCogVideoX

    other = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=TINY.block_channels,
        layers_per_block=TINY.layers,
        norm_num_groups=TINY.norm_groups,
        latent_channels=TINY.latent_channels,
    )
    other.load_state_dict(vae.state_dict())
    other.num_sample_frames_batch_size = 4
    return other.eval().requires_grad_(False)


def frames(num_frames: int, batch: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(num_frames)
    return torch.randn(batch, 3, num_frames, *SIZE, generator=generator)


def noise(num_latents: int, batch: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(num_latents)
    return torch.randn(batch, 16, num_latents, *LATENT_SIZE, generator=generator)


def assert_equal(found, expected) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 2e-5 * expected.abs().max()


class TestLengths:
    @pytest.mark.parametrize(
        ("num_frames", "num_latents"),
        [(1, 1), (2, 1), (3, 1), (5, 2), (6, 2), (9, 3), (13, 4), (17, 5), (21, 6)],
    )
    def test_encode(self, vae, diffusers_vae, num_frames, num_latents):
        moments = vae.encode_moments(frames(num_frames))
        assert moments.shape == (1, 32, num_latents, *LATENT_SIZE)
        assert_equal(moments, diffusers_vae.encode(frames(num_frames)).latent_dist.parameters)

    @pytest.mark.parametrize(
        ("num_latents", "num_frames"), [(1, 1), (2, 8), (3, 9), (4, 16), (5, 17), (6, 24)]
    )
    def test_decode(self, vae, diffusers_vae, num_latents, num_frames):
        video = vae.decode(noise(num_latents))
        assert video.shape == (1, 3, num_frames, *SIZE)
        assert_equal(video, diffusers_vae.decode(noise(num_latents)).sample)

    def test_chunks(self, vae):
        lengths = {n: [x.shape[2] for x in vae.decode_chunks(noise(n))] for n in (1, 4, 5)}
        assert lengths == {1: [1], 4: [8, 8], 5: [9, 8]}

    def test_nothing(self, vae):
        with pytest.raises(ValueError, match="at least one frame, got .1, 3, 0, 16, 24."):
            vae.encode(frames(0))
        with pytest.raises(ValueError, match="at least one frame, got .1, 16, 0, 2, 3."):
            vae.decode(noise(0))


class TestPast:
    """What the convolutions have seen belongs to one call."""

    def test_a_call_leaves_nothing_behind(self, vae):
        one = vae.decode(noise(1))
        vae.encode(frames(9))
        started = vae.decode_chunks(noise(4))
        next(started)  # and is left there
        with pytest.raises(RuntimeError):
            vae.decode(torch.zeros(1, 15, 4, *LATENT_SIZE))
        assert torch.equal(vae.decode(noise(1)), one)

    def test_two_calls_in_turn(self, vae):
        pairs = zip(vae.decode_chunks(noise(4)), vae.decode_chunks(noise(4, 2)), strict=True)
        alone, two = (torch.cat(x, dim=2) for x in zip(*pairs, strict=True))
        assert torch.equal(alone, vae.decode(noise(4)))
        assert torch.equal(two, vae.decode(noise(4, 2)))

    def test_later_frames_do_not_reach_back(self, vae):
        video = frames(13)
        changed = torch.cat([video[:, :, :5], -video[:, :, 5:]], dim=2)
        assert torch.equal(vae.encode(video)[:, :, :2], vae.encode(changed)[:, :, :2])

    def test_videos_of_a_batch_are_apart(self, vae):
        batch = noise(3, batch=2)
        assert_equal(vae.decode(batch), torch.cat([vae.decode(x[None]) for x in batch]))


class TestMemory:
    def test_decoding_needs_one_chunk(self, vae):
        peaks = [peak(lambda n=n: [None for _ in vae.decode_chunks(noise(n))]) for n in (6, 12)]
        assert peaks[1] - peaks[0] <= noise(12).nbytes - noise(6).nbytes

    def test_encoding_needs_one_chunk(self, vae):
        videos = {n: frames(n) for n in (21, 45)}
        small, large = (peak(lambda video=video: vae.encode(video)) for video in videos.values())
        assert large - small < 10 * noise(12).nbytes < videos[45].nbytes

    def test_large_hidden_states_are_convolved_in_parts(self, vae, monkeypatch):
        whole, moments = vae.decode(noise(3)), vae.encode_moments(frames(9))
        most = peak(lambda: vae.decode(noise(3)))
        monkeypatch.setattr(vae_layers, "MOST_VALUES", 1)
        assert_equal(vae.decode(noise(3)), whole)
        assert_equal(vae.encode_moments(frames(9)), moments)
        assert peak(lambda: vae.decode(noise(3))) < most


def peak(work) -> int:
    with PeakBytes() as counted:
        work()
    return counted.peak


def test_half_precision(vae):
    half = VideoVae(TINY, dtype=torch.bfloat16).eval().requires_grad_(False)
    half.load_state_dict(vae.state_dict())
    for found, whole in (
        (half.encode(frames(9).bfloat16()), vae.encode(frames(9))),
        (half.decode(noise(4).bfloat16()), vae.decode(noise(4))),
    ):
        assert found.dtype == torch.bfloat16
        assert (found - whole).abs().max() < 0.05 * whole.abs().max()


def test_inputs_stay_as_they_are(vae):
    video, latents = frames(9), noise(4)
    vae.encode(video)
    vae.decode(latents)
    assert torch.equal(video, frames(9)) and torch.equal(latents, noise(4))


def test_other_sizes_of_the_network():
    config = replace(TINY, layers=2, latent_channels=4, norm_groups=8)
    vae = VideoVae(config).eval().requires_grad_(False)
    latents = vae.encode(frames(5))
    assert latents.shape == (1, 4, 2, *LATENT_SIZE)
    assert vae.decode(latents).shape == (1, 3, 8, *SIZE)
