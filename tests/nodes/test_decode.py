import pytest
import torch

pytestmark = pytest.mark.seam


@pytest.fixture(scope="module")
def decode(load):
    return load("nodes.host.decode")


@pytest.fixture
def vae(load, stand_ins):
    return load("nodes.host.loading").load_svd_encoders(str(stand_ins / "svd"))[1]


def latents(num_frames: int) -> torch.Tensor:
    return torch.randn(num_frames, 4, 4, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


class TestDecodeFrames:
    def test_shape_and_range(self, decode, vae):
        frames = decode.decode_frames(vae, latents(3), 2)
        assert frames.shape == (3, 32, 64, 3)
        assert frames.min() >= 0
        assert frames.max() <= 1

    def test_chunks_are_clips_of_their_own(self, decode, vae):
        whole = decode.decode_frames(vae, latents(4), 4)
        halves = decode.decode_frames(vae, latents(4), 2)
        alone = decode.decode_frames(vae, latents(4)[2:], 2)
        assert not torch.equal(whole, halves)
        torch.testing.assert_close(halves[2:], alone)

    def test_free_memory_does_not_matter(self, decode, vae, monkeypatch):
        import comfy.model_management

        plenty = decode.decode_frames(vae, latents(3), 2)
        monkeypatch.setattr(comfy.model_management, "get_free_memory", lambda *args: 1)
        assert torch.equal(decode.decode_frames(vae, latents(3), 2), plenty)

    def test_memory_runs_out(self, decode, vae, monkeypatch, caplog):
        import comfy.model_management as mm

        network = vae.first_stage_model
        run = network.decode

        def small_card(z):
            if len(z) > 1:
                raise mm.OOM_EXCEPTION("out of memory")
            return run(z)

        monkeypatch.setattr(network, "decode", small_card)
        frames = decode.decode_frames(vae, latents(5), 4)
        assert len(frames) == 5
        assert "decoding 1 frames a chunk now" in caplog.text

    def test_memory_for_not_even_one_frame(self, decode, vae, monkeypatch):
        import comfy.model_management as mm

        def no_card(z):
            raise mm.OOM_EXCEPTION("out of memory")

        monkeypatch.setattr(vae.first_stage_model, "decode", no_card)
        with pytest.raises(mm.OOM_EXCEPTION):
            decode.decode_frames(vae, latents(2), 2)

    def test_overflow_is_decoded_in_float32(self, decode, vae, monkeypatch, caplog):
        vae.vae_dtype = torch.bfloat16
        network = vae.first_stage_model.to(torch.bfloat16)
        run = network.decode
        monkeypatch.setattr(
            network, "decode", lambda z: run(z) * (float("nan") if z.dtype != torch.float32 else 1)
        )
        frames = decode.decode_frames(vae, latents(2), 2)
        assert frames.isfinite().all()
        assert "decoding in float32" in caplog.text
        assert next(network.parameters()).dtype == torch.bfloat16

    def test_overflow_in_float32_too(self, decode, vae, monkeypatch):
        network = vae.first_stage_model
        run = network.decode
        monkeypatch.setattr(network, "decode", lambda z: run(z) * float("inf"))
        with pytest.raises(ValueError, match="The VAE gave values that are not numbers"):
            decode.decode_frames(vae, latents(2), 2)

    def test_latents_that_are_not_numbers(self, decode, vae):
        with pytest.raises(ValueError, match="Sampling gave values that are not numbers"):
            decode.decode_frames(vae, latents(2) * float("nan"), 2)

    def test_latents_of_another_model(self, decode, vae):
        with pytest.raises(ValueError, match="SVD's are"):
            decode.decode_frames(vae, torch.zeros(1, 16, 5, 8, 8), 2)

    def test_interrupt(self, decode, vae):
        import comfy.model_management as mm

        mm.interrupt_current_processing(True)
        with pytest.raises(mm.InterruptProcessingException):
            decode.decode_frames(vae, latents(2), 2)


class TestNode:
    def test_keyframes_are_put_back_exactly(self, node_classes, vae):
        first, last = torch.rand(2, 1, 32, 64, 3)
        out = node_classes["FCVG_DecodeFrames"].execute(
            vae, {"samples": latents(3)}, 2, first_frame=first, last_frame=last
        )
        frames = out.args[0]
        assert torch.equal(frames[0], first[0])
        assert torch.equal(frames[-1], last[0])
        assert frames.shape == (3, 32, 64, 3)
