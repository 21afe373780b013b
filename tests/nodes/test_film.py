"""The film that the editor plays while a video is sampled: when it is sent, and what it shows."""

import io
import time
from binascii import a2b_base64

import numpy as np
import pytest
import torch
from PIL import Image
from taesdv_cases import write_taesdv

FRAMES = 5


@pytest.fixture(scope="module")
def film(load):
    return load("nodes.host.film")


@pytest.fixture(scope="module")
def preview(load):
    return load("nodes.host.preview")


@pytest.fixture
def clock(film, monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(film.time, "monotonic", lambda: now[0])
    return now


def latents(num_frames: int = FRAMES, height: int = 6, width: int = 8) -> torch.Tensor:
    draw = torch.Generator().manual_seed(3)
    return torch.randn(num_frames, 4, height, width, generator=draw)


def grey(x: torch.Tensor) -> torch.Tensor:
    """Frames as bright as the first number of each."""
    return x[:, :1, :1, :1].expand(-1, 3, 8, 8)


def ramp(num_frames: int) -> torch.Tensor:
    return torch.linspace(0, 1, num_frames)[:, None, None, None].expand(-1, 4, 2, 2)


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)))


class TestFilm:
    def test_all_frames_in_order(self, film):
        sent = []
        film.Film([grey], lambda *given: sent.append(given)).show(ramp(FRAMES), is_last=False)
        ((frames, fps),) = sent
        assert fps == film.FPS and len(frames) == FRAMES
        found = [pixels(frame).mean() for frame in frames]
        assert found == pytest.approx([0, 63.75, 127.5, 191.25, 255], abs=2)
        assert pixels(frames[0]).shape == (8, 8, 3)

    def test_a_long_video_is_spread_and_plays_as_fast(self, film):
        sent = []
        film.Film([grey], lambda *given: sent.append(given)).show(ramp(100), is_last=False)
        ((frames, fps),) = sent
        assert len(frames) == film.MOST_FRAMES == 32
        assert pixels(frames[0]).mean() < 2 and pixels(frames[-1]).mean() > 253
        assert len(frames) / fps == pytest.approx(100 / film.FPS)

    def test_not_more_often_than_every_half_second(self, film, clock):
        sent = []
        shown = film.Film([grey], lambda *given: sent.append(given))
        for _ in range(17):
            shown.show(ramp(2), is_last=False)
            clock[0] += 0.125
        assert len(sent) == 5
        shown.show(ramp(2), is_last=True)  # its middle frame stays in the editor
        assert len(sent) == 6

    def test_films_take_three_percent_of_the_time_at_most(self, film, clock):
        def slow(x):
            clock[0] += 2
            return grey(x)

        sent = []
        shown = film.Film([slow], lambda *given: sent.append(clock[0]))
        while clock[0] < 1000:
            shown.show(ramp(2), is_last=False)
            clock[0] += 1
        assert 2 * len(sent) <= 0.035 * 900 and len(sent) > 10

    @pytest.mark.parametrize(
        "fault",
        [RuntimeError("no"), ValueError("no"), OSError("no"), torch.cuda.OutOfMemoryError("no")],
    )
    def test_a_simpler_decoder_follows_one_that_fails(self, film, caplog, fault):
        def broken(x):
            raise fault

        sent = []
        shown = film.Film([broken, grey], lambda *given: sent.append(given))
        for _ in range(3):
            shown.show(ramp(2), is_last=False)
        assert len(sent) == 1
        assert caplog.messages == ["The moving preview failed (no). A simpler preview follows."]

    def test_a_run_goes_on_without_any(self, film, caplog):
        def broken(x):
            raise ValueError("Bad file.")

        sent = []
        shown = film.Film([broken], lambda *given: sent.append(given))
        for _ in range(3):
            shown.show(ramp(2), is_last=False)
        assert not sent
        assert caplog.messages == ["The moving preview failed (Bad file.). No preview follows."]

    def test_an_interrupt_is_no_fault(self, film):
        class InterruptError(Exception):
            """As the host's."""

        def interrupted(x):
            raise InterruptError

        with pytest.raises(InterruptError):
            film.Film([interrupted, grey], print).show(ramp(2), is_last=False)

    def test_the_end(self, film):
        sent = []
        film.Film([grey], lambda frames, fps: sent.append(frames)).end()
        assert sent == [[]]

    def test_the_event_is_text(self, film):
        frames = film.encode_frames(grey(ramp(3)))
        event = film.film_event("4:7", frames, 7.0)
        assert event["node"] == "4:7" and event["fps"] == 7.0
        assert [a2b_base64(text) for text in event["frames"]] == frames


def test_a_film_is_encoded_quickly(film):
    """Its 25 frames of 512 x 288 should take 20 to 50 ms; the bound is wide for a busy machine."""
    frames = torch.nn.functional.interpolate(torch.rand(25, 3, 72, 128), size=(288, 512))
    best = min(_seconds(lambda: film.encode_frames(frames)) for _ in range(3))
    print(f"{1000 * best:.0f} ms")
    assert best < 1


def _seconds(work) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@pytest.mark.seam
class TestDecoders:
    def test_linear_colours_are_those_of_the_host(self, preview):
        """And a frame is as large as the video, but at most 512 pixels."""
        from comfy.latent_formats import SD15
        from latent_preview import Latent2RGBPreviewer

        found = preview._decode_linearly(latents(2, 16, 64))
        assert found.shape == (2, 3, 128, 512)
        still = Latent2RGBPreviewer(SD15().latent_rgb_factors).decode_latent_to_preview(
            latents(2, 16, 64)
        )
        wanted = still.resize((512, 128), Image.Resampling.BILINEAR)
        shown = found[0].movedim(0, -1).mul(255).numpy()
        assert np.abs(shown - np.asarray(wanted)).max() < 2.5
        assert preview._decode_linearly(latents(1, 100, 80)).shape == (1, 3, 512, 410)
        assert preview._decode_linearly(latents(1, 6, 700)).shape == (1, 3, 4, 512)

    def test_of_the_host(self, preview):
        """Its decoder of single pictures gives -1..1."""

        class Taesd:
            def decode(self, x):
                assert len(x) == 1
                return grey(x) * 2 - 1

        found = preview._decode_small(lambda x: preview._decode_by_taesd(Taesd(), x), ramp(3))
        torch.testing.assert_close(found, grey(ramp(3)))

    def test_which_one_is_chosen(self, preview, monkeypatch, tmp_path):
        import latent_preview
        from comfy.cli_args import LatentPreviewMethod as Method

        linear = latent_preview.Latent2RGBPreviewer([[1.0] * 3] * 4)
        taesd = latent_preview.TAESDPreviewerImpl(None)
        path = str(write_taesdv(tmp_path / "taesdv.pth"))

        def chosen(method, previewer, found):
            monkeypatch.setattr(preview.args, "preview_method", method)
            monkeypatch.setattr(preview, "find_taesdv", lambda: found)
            *best, last = preview._decoders(previewer)
            assert last is preview._decode_linearly
            names = [getattr(x.args[0], "func", type(x.args[0])) for x in best]
            return [getattr(x, "__name__", x) for x in names]

        assert chosen(Method.Auto, linear, path) == ["TinyDecoder"]
        assert chosen(Method.TAESD, linear, path) == ["TinyDecoder"]
        assert chosen(Method.TAESD, taesd, path) == ["TinyDecoder"]
        assert chosen(Method.TAESD, taesd, None) == ["_decode_by_taesd"]
        assert chosen(Method.Auto, linear, None) == []
        assert chosen(Method.Latent2RGB, linear, path) == []


@pytest.mark.seam
class TestWhoGetsIt:
    """An editor gets film and still, other programs the still alone."""

    @pytest.fixture
    def run(self, preview, monkeypatch):
        """Runs a callback of the host as a sampler does; gives events, stills, kept latents."""
        import latent_preview

        def run(*, node="7", editor=True, previewer=True, fails=False, events=None):
            events, stills, kept = [] if events is None else events, [], {}
            linear = latent_preview.Latent2RGBPreviewer([[1.0] * 3] * 4) if previewer else None
            monkeypatch.setattr(latent_preview, "get_previewer", lambda *args: linear)
            monkeypatch.setattr(
                latent_preview, "preview_to_image", lambda image, *a, **k: stills.append(image)
            )
            monkeypatch.setattr(preview, "running_node", lambda: node)
            monkeypatch.setattr(preview, "is_editor", lambda: editor)
            monkeypatch.setattr(preview, "send_to_page", lambda *given: events.append(given))
            callback = latent_preview.prepare_callback(FakeModel, 2, kept)
            with preview.moving_preview(callback) as shown:
                for step in range(2):
                    shown(step, latents(), latents(), 2)
                if fails:
                    raise InterruptedError
            return events, stills, kept

        return run

    def test_an_editor(self, run, film):
        events, stills, kept = run()
        assert [name for name, _ in events] == [film.EVENT] * 3
        assert [event["node"] for _, event in events] == ["7"] * 3
        # After the first step, after the last step, and the end.
        assert [len(event["frames"]) for _, event in events] == [FRAMES, FRAMES, 0]
        middle = latents()[FRAMES // 2].sum(0)
        assert len(stills) == 2
        torch.testing.assert_close(stills[-1][..., 0], middle)
        assert torch.equal(kept["x0"], latents())  # all frames, in order

    @pytest.mark.parametrize("who", [{"editor": False}, {"node": None}])
    def test_another_program(self, run, who):
        events, stills, _ = run(**who)
        assert not events and len(stills) == 2

    def test_nobody_without_a_preview_of_the_host(self, run):
        events, stills, kept = run(previewer=False)
        assert not events and not stills and torch.equal(kept["x0"], latents())

    def test_the_end_is_sent_after_an_interrupt_too(self, run):
        events = []
        with pytest.raises(InterruptedError):
            run(fails=True, events=events)
        assert [len(event["frames"]) for _, event in events] == [FRAMES, FRAMES, 0]

    @pytest.mark.parametrize("callback", [None, print])
    def test_a_callback_of_somebody_else(self, preview, callback):
        with preview.moving_preview(callback) as shown:
            assert shown is callback


class FakeModel:
    """What the host's callback asks of a model."""

    load_device = "cpu"
    model = type("Model", (), {"latent_format": None})


class TestPage:
    @pytest.mark.parametrize(
        ("client", "flags", "is_editor"),
        [
            ("a", {"supports_preview_metadata": True}, True),
            ("a", {}, False),
            ("b", {"supports_preview_metadata": True}, False),
            (None, {"supports_preview_metadata": True}, False),
        ],
    )
    def test_an_editor_says_that_it_is_one(self, load, monkeypatch, client, flags, is_editor):
        import server

        class Server:
            client_id = client
            sockets_metadata = {"a": {"feature_flags": flags}}

        monkeypatch.setattr(server.PromptServer, "instance", Server, raising=False)
        assert load("nodes.host.page").is_editor() is is_editor

    def test_without_a_server(self, load, monkeypatch):
        import server

        monkeypatch.delattr(server.PromptServer, "instance", raising=False)
        page = load("nodes.host.page")
        assert not page.is_editor()
        page.send_to_page("event", {})
        assert page.running_node() is None
