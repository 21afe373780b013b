"""What the guiders and the all-in-one samplers say on their nodes: needs, coverage, steps."""

import logging
from types import SimpleNamespace

import pytest
import torch
from guiding import FRAMES, Rig, conditioning, random

from fcvg_core.estimate import FCVG, GB, STREAMS, TOO_LARGE, estimate

GREEN, YELLOW, RED = "\N{LARGE GREEN CIRCLE} ", "\N{LARGE YELLOW CIRCLE} ", "\N{LARGE RED CIRCLE} "
WEIGHTS = 2 * FCVG.unet  # bytes


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture
def outlook(load):
    return load("nodes.host.outlook")


@pytest.fixture
def shown(load, monkeypatch, caplog) -> list[tuple[str, str]]:
    """What is shown from now on, while node 7 runs: the id of a node, and its text."""
    messages, texts = load("nodes.messages"), []
    monkeypatch.setattr(messages, "running_node", lambda: "7")
    monkeypatch.setattr(messages, "show_on_node", lambda *given: texts.append(given))
    caplog.set_level(logging.INFO)
    return texts


@pytest.fixture
def clock(outlook, monkeypatch) -> SimpleNamespace:
    """A clock that stands still until a test moves it."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(outlook.time, "monotonic", lambda: now.seconds)
    return now


def large_model(rig, weights: int = WEIGHTS) -> SimpleNamespace:
    """As much of a model of full size as is looked at."""
    return SimpleNamespace(
        model=rig.model.model,
        model_size=lambda: weights,
        model_patches_models=list,
        get_wrappers=lambda kind, key: [],
        load_device=torch.device("cuda", 0),
    )


def needs(size, window, frames=25) -> int:
    found = estimate(size, frames, window, "fp32", overlap=6, decode_chunk=0)
    return found.step + WEIGHTS


@pytest.mark.seam
class TestNeeds:
    def test_nothing_of_memory_on_a_cpu(self, rig, outlook, caplog):
        caplog.set_level(logging.INFO)
        line = outlook.log_needs(rig.model, outlook.Video((576, 1024), 60, 25, 6), FCVG)
        assert line == caplog.messages[-1] == "60 frames of 1024 x 576 in 3 windows of 25."

    @pytest.mark.parametrize(
        ("gigabytes", "light", "words"),
        [
            (14, GREEN, "Needs about 12.9 GB on the card; ComfyUI can use 14.0 GB."),
            (11.5, YELLOW, "Needs about 12.9 GB on the card, but ComfyUI can use 11.5 GB: a part"),
            (6, RED, "even if weights are streamed, but ComfyUI can use 6.0 GB: lower window to "),
        ],
    )
    def test_lights(self, rig, outlook, monkeypatch, caplog, gigabytes, light, words):
        """The tiny model computes in fp32, so a step needs twice the memory of the documents."""
        caplog.set_level(logging.INFO)
        monkeypatch.setattr(
            outlook, "look_at_card", lambda *given: outlook.Card(int(gigabytes * GB), 0)
        )
        line = outlook.log_needs(large_model(rig), outlook.Video((576, 1024), 25, 25, 6), FCVG)
        assert line.startswith(f"{light}25 frames of 1024 x 576 in one window. ")
        assert words in line
        record = caplog.records[-1]
        assert f"{light}{record.getMessage()}" == line
        assert record.levelno == (logging.WARNING if light == RED else logging.INFO)

    def test_what_the_host_keeps_free_may_make_it_stream(self, rig, outlook):
        usable = needs((576, 1024), 25) + GB
        video = outlook.Video((576, 1024), 25, 25, 6)
        fit, text = outlook.compare(large_model(rig), video, outlook.Card(usable, 9 * GB), FCVG)
        assert fit != STREAMS
        fit, text = outlook.compare(large_model(rig), video, outlook.Card(usable, 12 * GB), FCVG)
        assert fit == STREAMS and "keeps 12.0 GB free for a step" in text

    def test_overlap_as_long_as_a_shorter_window(self, rig, outlook):
        video = outlook.Video((576, 1024), 25, 25, 14)
        fit, text = outlook.compare(large_model(rig), video, outlook.Card(5 * GB, 0), FCVG)
        assert fit == TOO_LARGE and "window" not in text and "lower the size to" in text

    def test_a_card_whose_memory_the_host_does_not_know(self, rig, outlook):
        model = large_model(rig)
        for name in ("cpu", "mps", "privateuseone"):
            model.load_device = torch.device(name)
            assert outlook.look_at_card(model, outlook.Video((576, 1024), 25, 25, 6)) is None

    def test_advice_is_followed(self, rig, outlook):
        """What the text says fits, and one frame more does not fit."""
        card = outlook.Card(6 * GB, 0)
        video = outlook.Video((576, 1024), 25, 25, 6)
        _, text = outlook.compare(large_model(rig), video, card, FCVG)
        window = int(text.split("lower window to ")[1].split(",")[0])
        for length, too_large in ((window, False), (window + 1, True)):
            shorter = outlook.Video((576, 1024), 25, length, 6)
            fit, _ = outlook.compare(large_model(rig), shorter, card, FCVG)
            assert (fit == TOO_LARGE) == too_large

    @pytest.mark.parametrize(
        ("gigabytes", "sizes"), [(3, True), (1, True), (0.1, False), (0, False)]
    )
    def test_hardly_any_memory(self, rig, outlook, gigabytes, sizes):
        """Advice has numbers down to a card on which nothing can run."""
        video = outlook.Video((576, 1024), 25, 25, 6)
        card = outlook.Card(int(gigabytes * GB), 0)
        fit, text = outlook.compare(large_model(rig), video, card, FCVG)
        assert fit == TOO_LARGE
        assert ("the size to " in text) == sizes
        assert ("not even 8 frames of 448 x 256 fit, which need 0.9 GB" in text) != sizes

    def test_a_video_shorter_than_its_window(self, rig, outlook):
        video = outlook.Video((576, 1024), 4, 25, 6)
        _, text = outlook.compare(large_model(rig), video, outlook.Card(0, 0), FCVG)
        assert "not even 4 frames of 448 x 256 fit" in text

    @pytest.mark.parametrize(("frames", "passes"), [(25, 4), (26, 0)])
    def test_features_that_svd_cache_keeps(self, rig, outlook, load, frames, passes):
        """Those of several windows wait outside the card."""
        cached = load("nodes.host.svd.cache").cache_features(rig.model, interval=2)
        video = outlook.Video((576, 1024), frames, 25, 6)
        card = outlook.Card(100 * GB, 0)
        more = passes * 25 * 320 * 72 * 128 * 4 / GB  # in fp32
        texts = [outlook.compare(x, video, card, FCVG)[1] for x in (rig.model, cached)]
        without, with_cache = (float(text.split()[2]) for text in texts)
        assert with_cache - without == pytest.approx(more, abs=0.11)

    def test_the_card_is_asked(self, rig, outlook, monkeypatch):
        """Free memory, what other models give back, and what the host keeps for a step."""
        mm = outlook.mm
        here, elsewhere = torch.device("cuda", 0), torch.device("cuda", 1)
        loaded = [
            SimpleNamespace(load_device=here, loaded_size=lambda: 3 * GB),
            SimpleNamespace(load_device=elsewhere, loaded_size=lambda: 5 * GB),
            None,  # a model that is gone
        ]
        monkeypatch.setattr(mm, "get_free_memory", lambda device: 4 * GB)
        monkeypatch.setattr(mm, "loaded_models", lambda: loaded)
        monkeypatch.setattr(mm, "pytorch_attention_flash_attention", lambda: True)
        card = outlook.look_at_card(large_model(rig), outlook.Video((576, 1024), 60, 25, 6))
        assert card.usable == 7 * GB
        # 25 frames of 72 x 128 numbers of 4 bytes, 0.02 MB for each byte: as docs/memory.md says.
        step = 25 * 72 * 128 * 4 * 0.02 * 2**20
        assert card.kept == int(step + mm.extra_reserved_memory())

    def test_before_any_model_is_loaded(self, rig, load, monkeypatch, caplog):
        import comfy.model_management as mm

        order = []
        guiders, loads = load("nodes.host.guider"), mm.load_models_gpu
        say = guiders.log_needs
        monkeypatch.setattr(
            guiders, "log_needs", lambda *given: order.append("needs") or say(*given)
        )
        monkeypatch.setattr(
            mm, "load_models_gpu", lambda *a, **k: order.append("load") or loads(*a, **k)
        )
        rig.sample(rig.animation(rig.steer(), guidance=(1.0, 1.0)), steps=1)
        assert order[:2] == ["needs", "load"] and order.count("needs") == 1


class TestCoverage:
    def frames(self, *lit: slice) -> torch.Tensor:
        frames = torch.zeros(len(lit), 16, 16, 3)
        for frame, columns in zip(frames, lit, strict=True):
            frame[:, columns] = 1.0
        return frames

    @pytest.mark.parametrize(
        ("columns", "light", "words"),
        [
            ((slice(16),) * 3, GREEN, "show something in 16 of 16 parts of the picture."),
            ((slice(8), slice(16), slice(8)), GREEN, "show something in 8 to 16 of 16 parts"),
            ((slice(4), slice(16), slice(8)), YELLOW, "Where they are black, nothing steers"),
            ((slice(0), slice(16), slice(8)), YELLOW, "show something in 0 to 16 of 16 parts"),
            ((slice(0),) * 3, RED, "are black, so nothing steers the video"),
        ],
    )
    def test_lights(self, load, caplog, columns, light, words):
        say = load("nodes.host.coverage").log_coverage
        caplog.set_level(logging.INFO)
        say(self.frames(*columns), enough=6)
        (record,) = caplog.records
        assert words in record.getMessage() and record.light == light

    def test_of_a_steered_model(self, rig, load, caplog):
        caplog.set_level(logging.INFO)
        say = load("nodes.host.coverage").log_coverage_of
        for model in (rig.model, rig.steer(strength=0.0), rig.steer(start=0.8, end=0.5)):
            say(model, enough=6)
        assert not [text for text in caplog.messages if "Control frames" in text]
        caplog.clear()
        say(rig.steer(), enough=6)
        assert caplog.messages == [
            "Control frames show something in 16 of 16 parts of the picture."
        ]

    @pytest.mark.parametrize("off", [{"strength": 0.0}, {"start": 0.5, "end": 0.5}])
    def test_no_light_for_control_that_never_acts(self, rig, load, caplog, off):
        steered = rig.steer(**off)
        caplog.clear()
        load("nodes.host.coverage").log_coverage_of(steered, enough=6)
        assert not caplog.messages


class TestSteps:
    def test_time_of_the_steps_that_are_left(self, outlook, clock):
        lines = []
        watch = outlook.StepClock(lines.append, calls=25)
        note = watch.timed(None)
        clock.seconds = 100.0
        watch.start()
        for step, seconds in enumerate((104.0, 105.5, 107.0)):  # the first step takes longer
            clock.seconds = seconds
            watch.start()
            note(step, None, None, 25)
        assert lines == [
            "Step 1 of 25, 4.0 s a step, about 2 min left.",
            "Step 2 of 25, 1.5 s a step, about 34 s left.",
            "Step 3 of 25, 1.5 s a step, about 33 s left.",
        ]
        watch.finish()
        assert lines[-1] == "3 steps in 7 s."

    def test_the_whole_time_is_logged(self, outlook, clock, caplog):
        """So it is a part of the result of an all-in-one node."""
        caplog.set_level(logging.INFO)
        watch = outlook.StepClock(lambda line: None, calls=1)
        watch.start()
        clock.seconds = 200.0
        watch.timed(None)(0, None, None, 1)
        watch.finish()
        assert caplog.messages == ["1 step in 3 min."]

    def test_a_single_step(self, outlook, clock):
        lines = []
        watch = outlook.StepClock(lines.append, calls=1)
        watch.start()
        clock.seconds = 5.2
        watch.timed(None)(0, None, None, 1)
        watch.finish()
        assert lines == ["Step 1 of 1, 5.2 s a step, about 0 s left.", "1 step in 5 s."]

    def test_one_text_a_second(self, outlook, clock):
        lines = []
        watch = outlook.StepClock(lines.append, calls=100)
        note = watch.timed(None)
        watch.start()
        for step in range(100):
            clock.seconds += 0.125
            note(step, None, None, 100)
        assert len(lines) == 13 and lines[1].startswith("Step 9 of 100, 0.1 s a step")

    def test_a_step_without_an_evaluation(self, outlook, clock):
        lines = []
        watch = outlook.StepClock(lines.append, calls=2)
        watch.timed(None)(0, None, None, 2)
        watch.finish()
        assert lines == ["Step 1 of 2, 0.0 s a step, about 0 s left.", "1 step in 0 s."]

    def test_a_run_that_does_no_step_says_nothing(self, outlook):
        lines = []
        outlook.StepClock(lines.append, calls=3).finish()
        assert not lines

    @pytest.mark.parametrize(
        ("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (5400, "1.5 h")]
    )
    def test_durations(self, outlook, seconds, words):
        assert outlook._in_words(seconds) == words

    @pytest.mark.parametrize("name", ["heun", "dpm_fast"])
    def test_the_callback_is_called_as_without_it(self, rig, name):
        def run(display) -> tuple[torch.Tensor, list]:
            calls = []
            guider = rig.animation(rig.steer(), guidance=(1.0, 1.0))
            guider.display = display
            video = rig.sample(
                guider,
                sampler=name,
                steps=3,
                callback=lambda *given: calls.append((given[0], given[1].clone(), given[3])),
            )
            return video, calls

        (one, seen), (other, seen_too) = run(None), run(lambda lines: None)
        assert torch.equal(one, other) and len(seen) == len(seen_too) > 0
        for (step, denoised, total), same in zip(seen, seen_too, strict=True):
            assert (step, total) == (same[0], same[2]) and torch.equal(denoised, same[1])

    @pytest.mark.parametrize(("times", "ratio"), [(1, 0.5), (2, 0.34)])
    def test_repeated_steps_are_counted(self, rig, load, times, ratio):
        import comfy.samplers

        injection = load("nodes.host.injection")
        plain = comfy.samplers.sampler_object("euler")
        sampler = injection.inject_into(plain, times=times, ratio=ratio)
        calls = []
        rig.sample(
            rig.animation(rig.model, guidance=(1.0, 1.0)),
            sampler=sampler,
            steps=4,
            callback=lambda *given: calls.append(given),
        )
        assert injection.count_calls(sampler, 4) == len(calls)
        assert injection.count_calls(plain, 4) == 4


@pytest.mark.seam
class TestOnTheNode:
    def test_guider_inside_another_node(self, rig, load, node_classes, shown, monkeypatch):
        """Its own node shows coverage, needs and steps, while the node that samples runs."""
        keyframes = [conditioning(seed) for seed in (1, 3, None)]
        made = node_classes["FCVG_GuideInbetween"].execute(rig.steer(), *keyframes, 3.0, 3.0, 25, 2)
        coverage = f"{GREEN}Control frames show something in 16 of 16 parts of the picture."
        assert shown == [("7", coverage)]
        monkeypatch.setattr(load("nodes.messages"), "running_node", lambda: "8")
        del shown[:]
        for _ in range(2):  # the host keeps the guider for the next run
            rig.sample(made.args[0], steps=2)
            assert shown[0] == ("7", f"{coverage}\n5 frames of 64 x 64 in one window.")
            assert {node for node, _ in shown} == {"7"}
            assert shown[1][1].startswith(f"{shown[0][1]}\nStep 1 of 2, ")
            assert shown[-1][1].startswith(f"{shown[0][1]}\n2 steps in ")
            del shown[:]

    def test_all_in_one(self, load, stand_ins, rig, node_classes, shown):
        encoders = load("nodes.host.svd.loading").load_svd_encoders(str(stand_ins / "svd"))
        pictures = torch.rand(2, 1, 64, 64, 3, generator=torch.Generator().manual_seed(1))
        node_classes["FCVG_Sampler"].execute(
            rig.model,
            *encoders,
            *pictures,
            controlnext=rig.controlnext,
            control_frames=random(0, FRAMES, 64, 64, 3).clamp(0, 1),
            seed=0,
            steps=2,
            min_guidance=1.0,
            max_guidance=1.0,
            window=25,
            overlap=2,
            sampler_name="euler",
            scheduler="karras",
            width=64,
            height=64,
            num_frames=FRAMES,
            fps=7,
            motion_bucket_id=127,
            augmentation=0.02,
            noise_injection_steps=0,
            noise_injection_ratio=0.0,
            control_weight=1.0,
        )
        texts = [text for _, text in shown]
        assert texts[0].startswith(f"{GREEN}Control frames show")
        assert texts[1] == f"{texts[0]}\n5 frames of 64 x 64 in one window."
        assert texts[-1].startswith(f"{texts[1]}\n2 steps in ")
