"""diffusers' VAE: as our own, in tiles, and how far it is."""

import numpy as np
import pytest
import torch
from memory import PeakBytes

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.config import VaeConfig
from fcvg_core.models.dropletvideo.rules import count_latents, decoded_frames
from fcvg_core.models.dropletvideo.vae import VideoVae
from fcvg_core.progress import silent
from fcvg_core.standalone.networks.dropletvideo.vae import VideoCoder

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vae(pipeline):
    return pipeline.networks.vae


@pytest.fixture(scope="module")
def coder(vae) -> VideoCoder:
    return VideoCoder(vae, CPU)


@pytest.fixture(scope="module")
def own(vae) -> VideoVae:
    """Our own network with the same weights."""
    sizes = VaeConfig(block_channels=(32, 32, 32, 32), layers=1, norm_groups=32)
    network = VideoVae(sizes)
    network.load_state_dict(vae.state_dict())
    return network.eval()


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def as_pixels(video: torch.Tensor) -> np.ndarray:
    """[1, 3, F, H, W] -> uint8 [F, H, W, 3]."""
    pixels = ((video[0] / 2 + 0.5).clamp(0, 1) * 255).round()
    return pixels.permute(1, 2, 3, 0).to(torch.uint8).numpy()


class TestBothFaces:
    @torch.no_grad()
    @pytest.mark.parametrize("frames", [1, 5, 9, 13])
    def test_encoded_alike(self, coder, own, frames):
        video = drawn(1, 3, frames, 16, 24).clamp(-1, 1)
        found, expected = coder.encode(video, silent), own.encode(video) * coder.scale
        assert found.shape == (1, 16, count_latents(frames), 2, 3)
        assert (found - expected).abs().max() < 1e-4 * expected.abs().max()

    @torch.no_grad()
    @pytest.mark.parametrize("latents", [1, 2, 3, 4])
    def test_decoded_alike(self, coder, own, latents):
        z = drawn(1, 16, latents, 2, 3)
        found, expected = coder.decode(z, silent, tiling=False), own.decode(z / coder.scale)
        assert len(found) == decoded_frames(latents)
        assert np.abs(found.astype(int) - as_pixels(expected)).max() <= 1


@pytest.fixture
def small_tiles(vae):
    """Tiles of 32 x 32 pixels, which overlap by a quarter."""
    kept = {key: x for key, x in vars(vae).items() if key.startswith(("tile_", "use_tiling"))}
    vae.enable_tiling(32, 32, 0.25, 0.25)
    yield
    vars(vae).update(kept)


@pytest.mark.usefixtures("small_tiles")
class TestTiles:
    def test_each_tile_by_itself(self, coder):
        z, seen = drawn(1, 16, 2, 6, 4), []
        tiled = coder.decode(z, lambda *state: seen.append(state), tiling=True)
        assert tiled.shape == coder.decode(z, silent, tiling=False).shape == (8, 48, 32, 3)
        first = coder.decode(z[..., :4, :4], silent, tiling=False)
        assert np.array_equal(tiled[:, :24, :24], first[:, :24, :24])  # the rest is blended
        assert seen == [("decoding", 0, 1), *(("decoding", i + 1, 4) for i in range(4))]

    def test_memory_runs_out(self, coder, vae, monkeypatch, caplog):
        z = drawn(1, 16, 1, 6, 4)
        tiled = coder.decode(z, silent, tiling=True)
        forward = type(vae.decoder).forward

        def short_of_memory(self, sample, *given, **more):
            if sample.shape[3] > 4:
                raise RuntimeError("CUDA out of memory")
            return forward(self, sample, *given, **more)

        monkeypatch.setattr(type(vae.decoder), "forward", short_of_memory)
        assert np.array_equal(coder.decode(z, silent, tiling=False), tiled)
        assert caplog.messages == ["Memory ran out: the VAE now takes the frames in tiles."]

    def test_other_errors_are_told(self, coder, vae, monkeypatch):
        def broken(*given, **more):
            raise RuntimeError("a bug")

        monkeypatch.setattr(type(vae.decoder), "forward", broken)
        with pytest.raises(RuntimeError, match="a bug"):
            coder.decode(drawn(1, 16, 1, 2, 2), silent, tiling=False)
        assert not vae.decoder._forward_hooks


def test_values_that_are_no_numbers(coder):
    with pytest.raises(UserError, match="The VAE gave values that are not numbers. Try --dtype"):
        coder.decode(torch.full((1, 16, 1, 2, 2), float("nan")), silent, tiling=False)


def test_memory_does_not_grow_with_frames(coder):
    """But for the frames themselves."""

    def peak(latents: int) -> int:
        with PeakBytes() as used:
            video = coder.decode(drawn(1, 16, latents, 2, 2), silent, tiling=False)
        # Pixels in float32: the chunks, and the video that they are joined to.
        return used.peak - 2 * 4 * video.size

    assert peak(6) < 1.05 * peak(4)
