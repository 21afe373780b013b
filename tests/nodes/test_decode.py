import weakref

import pytest
import torch
from streaming import WAYS

pytestmark = pytest.mark.seam


@pytest.fixture(scope="module")
def decode(load):
    return load("nodes.host.svd.decode")


@pytest.fixture(autouse=True, params=WAYS, ids=WAYS)
def weights_are(request, host, monkeypatch):
    """Decoding in a host that streams weights, too."""
    WAYS[request.param](monkeypatch)


@pytest.fixture
def vae(load, stand_ins):
    return load("nodes.host.svd.loading").load_svd_encoders(str(stand_ins / "svd"))[1]


def out_of_memory(kind: str) -> Exception:
    """What a card raises whose memory is full: when it is asked for more, or some time later."""
    if kind == "late" and not hasattr(torch, "AcceleratorError"):
        pytest.skip("this torch has no AcceleratorError")
    late = getattr(torch, "AcceleratorError", None)
    return {
        "at once": lambda: torch.cuda.OutOfMemoryError("out of memory"),
        "late": lambda: late("CUDA error: out of memory"),
    }[kind]()


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

    @pytest.mark.parametrize("kind", ["at once", "late"])
    def test_memory_runs_out(self, decode, vae, monkeypatch, caplog, kind):
        network = vae.first_stage_model
        run = network.decode

        def small_card(z):
            if len(z) > 1:
                raise out_of_memory(kind)
            return run(z)

        monkeypatch.setattr(network, "decode", small_card)
        frames = decode.decode_frames(vae, latents(5), 4)
        assert "decoded at once reduced to 1" in caplog.text
        torch.testing.assert_close(frames, decode.decode_frames(vae, latents(5), 1))

    def test_memory_runs_out_once(self, decode, vae, monkeypatch):
        """What was decoded before stays; the rest is decoded in the smaller chunks."""
        network, calls = vae.first_stage_model, []
        run = network.decode

        def full_for_a_moment(z):
            calls.append(len(z))
            if len(calls) == 2:
                raise out_of_memory("at once")
            return run(z)

        monkeypatch.setattr(network, "decode", full_for_a_moment)
        frames = decode.decode_frames(vae, latents(8), 4)
        assert calls == [4, 4, 2, 2]
        monkeypatch.setattr(network, "decode", run)
        torch.testing.assert_close(frames[:4], decode.decode_frames(vae, latents(8)[:4], 4))
        torch.testing.assert_close(frames[4:], decode.decode_frames(vae, latents(8)[4:], 2))

    @pytest.mark.parametrize("kind", ["at once", "late"])
    def test_memory_for_not_even_one_frame(self, decode, vae, monkeypatch, kind):
        error = out_of_memory(kind)

        def no_card(z):
            raise error

        monkeypatch.setattr(vae.first_stage_model, "decode", no_card)
        with pytest.raises(type(error)):
            decode.decode_frames(vae, latents(2), 2)

    @pytest.mark.parametrize("late", [False, True])
    def test_other_errors_pass_through(self, decode, vae, monkeypatch, late):
        kind = getattr(torch, "AcceleratorError", RuntimeError) if late else RuntimeError
        calls = []

        def broken_card(z):
            calls.append(len(z))
            raise kind("CUDA error: an illegal memory access was encountered")

        monkeypatch.setattr(vae.first_stage_model, "decode", broken_card)
        with pytest.raises(kind, match="illegal memory access"):
            decode.decode_frames(vae, latents(4), 2)
        assert calls == [2]

    def test_the_video_is_held_once(self, decode, vae, monkeypatch):
        """Not its chunks beside it."""
        seen, alive = [], []
        process = vae.process_output

        def processed(frames):
            alive.append(sum(frames() is not None for frames in seen))
            seen.append(weakref.ref(frames))
            return process(frames)

        monkeypatch.setattr(vae, "process_output", processed)
        frames = decode.decode_frames(vae, latents(8), 1)
        assert len(seen) == len(frames) == 8
        assert max(alive) <= 1
        assert sum(frames() is not None for frames in seen) == 0

    def test_weights_are_left_alone(self, decode, vae, monkeypatch):
        """Where the host streams them, converting a whole network rewrites all of a file."""
        network = vae.first_stage_model
        moves = []
        move = network.to
        monkeypatch.setattr(network, "to", lambda *args, **kw: moves.append(args) or move(*args))
        decode.decode_frames(vae, latents(4), 2)
        assert not any(isinstance(x, torch.dtype) for args in moves for x in args)

    def test_overflow_is_decoded_in_float32(self, decode, load, stand_ins, monkeypatch, caplog):
        import comfy.model_management as mm

        load_vae = load("nodes.host.svd.loading").load_svd_encoders
        exact = decode.decode_frames(load_vae(str(stand_ins / "svd"))[1], latents(2), 2)
        monkeypatch.setattr(mm, "vae_dtype", lambda *args, **kwargs: torch.bfloat16)
        vae = load_vae(str(stand_ins / "svd"))[1]
        network = vae.first_stage_model
        run = network.decode
        monkeypatch.setattr(
            network, "decode", lambda z: run(z) * (float("nan") if z.dtype != torch.float32 else 1)
        )
        mm.load_models_gpu([vae.patcher])
        before = self.state(network)
        frames = decode.decode_frames(vae, latents(2), 2)
        assert "decoding in float32" in caplog.text
        assert (frames - exact).abs().max() < 0.02  # the weights are rounded to 8 bits
        assert {p.dtype for p in network.parameters()} == {torch.bfloat16}
        for (value, casts), (first, casted) in zip(self.state(network), before, strict=True):
            assert torch.equal(value, first) and casts == casted
        assert run(latents(2).bfloat16()).isfinite().all()

    @staticmethod
    def state(network) -> list[tuple[torch.Tensor, bool]]:
        """Values of the host's layers, and whether they are converted as they are used."""
        layers = [m for m in network.modules() if hasattr(m, "comfy_cast_weights")]
        return [(layer.weight.clone(), layer.comfy_cast_weights) for layer in layers]

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
        with pytest.raises(ValueError, match="a video's are"):
            decode.decode_frames(vae, torch.zeros(1, 16, 5, 8, 8), 2)

    @pytest.mark.parametrize(("name", "value"), [("latent_channels", 16), ("latent_dim", 3)])
    def test_vae_of_another_model(self, decode, vae, monkeypatch, name, value):
        monkeypatch.setattr(vae, name, value)
        with pytest.raises(ValueError, match="connect the VAE that came with the model"):
            decode.decode_frames(vae, latents(2), 2)

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

    @pytest.fixture
    def run(self, node_classes, vae):
        """Runs the node on a video of 9 frames; returns the frames."""
        return lambda **given: (
            node_classes["FCVG_DecodeFrames"]
            .execute(vae, {"samples": latents(9)}, 2, **given)
            .args[0]
        )

    @pytest.fixture
    def between(self, load):
        """A keyframe at frame 4."""
        return load("nodes.host.keyframes").Keyframes((torch.rand(1, 32, 64, 3),), (4,))

    def test_every_keyframe_is_put_back_exactly(self, run, between):
        first, last = torch.rand(2, 1, 32, 64, 3)
        plain = run()
        frames = run(first_frame=first, last_frame=last, keyframes=between)
        for at, picture in ((0, first), (4, between.images[0]), (8, last)):
            assert torch.equal(frames[at], picture[0])
        others = [1, 2, 3, 5, 6, 7]
        assert torch.equal(frames[others], plain[others])

    def test_colours_follow_the_ramp(self, run, between, load):
        to_linear = load("fcvg_core.colors").to_linear
        first, last = 0.2 * torch.rand(1, 32, 64, 3), 0.5 + 0.2 * torch.rand(1, 32, 64, 3)
        frames = run(first_frame=first, last_frame=last, match_colors=True)
        assert torch.equal(frames[0], first[0]) and torch.equal(frames[-1], last[0])
        light = to_linear(frames).mean(dim=(1, 2))
        ramp = torch.lerp(light[0], light[-1], torch.linspace(0, 1, 9)[:, None])
        assert (light - ramp).abs().max() < 0.005
        bent = run(first_frame=first, last_frame=last, keyframes=between, match_colors=True)
        assert torch.equal(bent[4], between.images[0][0])
        light = to_linear(bent).mean(dim=(1, 2))
        assert (light[2] - (light[0] + light[4]) / 2).abs().max() < 0.005

    def test_colours_without_keyframes(self, run):
        picture = torch.rand(1, 32, 64, 3)
        for given in ({}, {"first_frame": picture}, {"last_frame": picture}):
            with pytest.raises(ValueError, match="connect first_frame and last_frame"):
                run(match_colors=True, **given)

    def test_colours_of_a_video_of_one_frame(self, node_classes, vae):
        picture = torch.rand(1, 32, 64, 3)
        ends = {"first_frame": picture, "last_frame": picture, "match_colors": True}
        node = node_classes["FCVG_DecodeFrames"]
        frames = node.execute(vae, {"samples": latents(1)}, 2, **ends).args[0]
        assert torch.equal(frames, picture)

    def test_a_keyframe_outside_of_the_video(self, node_classes, vae, between):
        with pytest.raises(ValueError, match="4"):
            node_classes["FCVG_DecodeFrames"].execute(
                vae, {"samples": latents(4)}, 2, keyframes=between
            )
