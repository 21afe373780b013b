"""Control frames and the video that they steer: size, number, guider, and what is said of them."""

import logging
from types import SimpleNamespace

import pytest
import torch
from guiding import FRAMES, Rig, conditioning, patches_of

LARGE = (96, 144)  # pixels; the rig's video has 64 x 64


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture
def steer(rig):
    def run(frames: torch.Tensor, start: float = 0.0, end: float = 1.0, strength: float = 1.0):
        return rig.load("nodes.host.controlnext.patch").steer(
            rig.model,
            rig.controlnext,
            frames,
            strength=strength,
            start_percent=start,
            end_percent=end,
        )

    return run


@pytest.fixture
def apply(node_classes, rig):
    """Apply ControlNeXt: frames -> a steered model."""

    def run(frames: torch.Tensor, model=rig.model):
        node = node_classes["FCVG_ApplyControlNeXt"]
        return node.execute(model, rig.controlnext, frames, 1.0, 0.0, 1.0).args[0]

    return run


@pytest.fixture
def on_node(load, monkeypatch, caplog) -> list[str]:
    """What a node of the host shows while it samples."""
    shown, messages = [], load("nodes.messages")
    monkeypatch.setattr(messages, "running_node", lambda: "9")
    monkeypatch.setattr(messages, "show_on_node", lambda node_id, text: shown.append(text))
    caplog.set_level("INFO")
    return shown


def pictures(size: tuple[int, int], frames: int = FRAMES) -> torch.Tensor:
    return torch.rand(frames, *size, 3, generator=torch.Generator().manual_seed(0))


class TestSize:
    def test_other_sizes_become_the_videos(self, rig, load, apply, on_node):
        """As if they had been cropped and resized before; in every run, once a run."""
        frames = load("fcvg_core.frames")
        large = pictures(LARGE)
        fitted = frames.to_image(
            torch.stack(
                [torch.from_numpy(frames.fit_frame(frames.to_uint8(f), (64, 64))) for f in large]
            ).numpy()
        )
        wanted, model = rig.sample(rig.animation(apply(fitted))), apply(large)
        assert not any(on_node)
        seen = []
        handle = rig.controlnext.model.register_forward_hook(
            lambda module, args, out: seen.append(args[0].shape)
        )
        for _ in range(2):
            assert torch.equal(rig.sample(rig.animation(model)), wanted)
        handle.remove()
        assert set(seen) == {(FRAMES, 3, 64, 64)}
        said = "are cropped and resized from 144 x 96 to 64 x 64 pixels, the size of the video."
        assert [*filter(None, on_node)] == [f"The control frames {said}"] * 2

    def test_nothing_is_kept_after_a_run(self, rig, steer):
        model = steer(pictures(LARGE))
        rig.sample(rig.animation(model))
        (patch,) = patches_of(model)
        assert patch._fitted is patch.frames and patch._control is None

    def test_an_interrupt_while_they_are_resized(self, rig, steer):
        import comfy.model_management as mm

        guider = rig.animation(steer(pictures(LARGE)))
        mm.interrupt_current_processing(True)
        with pytest.raises(mm.InterruptProcessingException):
            rig.sample(guider)

    def test_a_video_that_is_too_small(self, load, tiny_models):
        small = Rig(load, *tiny_models, 2)
        with pytest.raises(ValueError, match="has 16 x 16 pixels, but ControlNeXt needs 32 or"):
            small.sample(small.animation(small.steer()))


def test_nothing_is_shown_twice_on_a_node_of_this_pack(load, on_node):
    """And a run that says nothing removes what an earlier run has said."""
    messages = load("nodes.messages")
    with messages.shown_log():
        logging.info("one")
        with messages.shown_log():
            logging.info("two")
    logging.info("three")
    assert on_node == ["one", "one\ntwo"]
    with messages.shown_log():
        pass
    assert on_node[-1] == ""


class TestBeforeModelsAreLoaded:
    @pytest.fixture(autouse=True)
    def no_loading(self, monkeypatch):
        import comfy.sampler_helpers

        def fail(*args, **kwargs):
            raise AssertionError("models are loaded")

        monkeypatch.setattr(comfy.sampler_helpers, "prepare_sampling", fail)

    @pytest.mark.seam
    @pytest.mark.parametrize("guide", ["inbetween", "animation", "host"])
    def test_number_of_frames(self, rig, guide):
        guider = getattr(rig, guide)(rig.steer(frames=4))
        with pytest.raises(ValueError, match="video has 5 frames but there are 4 control frames"):
            rig.sample(guider)

    def test_the_hosts_windows(self, rig):
        model = rig.steer()
        model.model_options["context_handler"] = object()
        with pytest.raises(ValueError, match="which control frames can't follow: take Context"):
            rig.sample(rig.host(model))


class TestGuidersOfTheHost:
    @pytest.mark.seam
    def test_one_direction_is_said_once(self, rig, apply, on_node):
        frames = pictures((64, 64))
        rig.sample(rig.host(apply(frames, apply(frames))))
        assert len(on_node) == 1 and "sampled in one direction only" in on_node[0]

    def test_a_guider_of_one_conditioning(self, rig, apply, on_node):
        from comfy_extras.nodes_custom_sampler import Guider_Basic

        guider = Guider_Basic(apply(pictures((64, 64))))
        guider.set_conds(conditioning(1))
        rig.sample(guider)
        assert len(on_node) == 1 and "connect Inbetween Guider" in on_node[0]

    def test_the_packs_own_need_no_word(self, rig, apply, on_node):
        for guide in (rig.inbetween, rig.animation):
            rig.sample(guide(apply(pictures((64, 64)))), steps=1)
        assert not any(on_node)

    @pytest.mark.parametrize(
        ("version", "frames", "said"),
        [(1, 25, ""), (1, 26, "All 26 frames"), (2, 25, "one direction"), (2, 26, "All 26 frames")],
    )
    def test_what_is_missing(self, load, caplog, version, frames, said):
        """Version 1 knows one direction, and up to 25 frames are one window."""
        load("nodes.host.controlnext.patch")._say_what_is_missing(
            SimpleNamespace(), frames, version
        )
        assert (said in caplog.text) and bool(caplog.text) == bool(said)


class TestPercent:
    @pytest.mark.parametrize(
        ("start", "end", "said"), [(0.8, 0.5, 1), (0.5, 0.5, 1), (0, 0, 1), (0, 1, 0)]
    )
    def test_control_that_never_acts(self, steer, caplog, start, end, said):
        steer(pictures((64, 64)), start, end)
        assert caplog.text.count("Control never acts, because start_percent") == said

    def test_it_never_acts(self, rig, steer):
        off, weak = (
            rig.sample(rig.animation(steer(pictures((64, 64)), **given)))
            for given in ({"start": 0.8, "end": 0.5}, {"strength": 0.0})
        )
        assert torch.equal(off, weak)
