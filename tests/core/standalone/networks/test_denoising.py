"""Latents out of one direction or of both, on stand-in models."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from memory import PeakBytes
from stand_ins import fill, levels

from fcvg_core.models.controlnext import prepare_control
from fcvg_core.models.svd import SIGMA_MAX, SIGMA_MIN
from fcvg_core.sampling import Window, ays_sigmas, karras_sigmas, level_at
from fcvg_core.standalone.networks import denoising
from fcvg_core.standalone.networks.denoising import denoise, place_of_video
from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.one_token import use_one_token
from fcvg_core.standalone.networks.passes import EncodedImage
from fcvg_core.standalone.networks.steering import steered

SIZE = (64, 64)
LATENT = (4, SIZE[0] // 8, SIZE[1] // 8)
ONE, BOTH = 1, 2  # directions: as many as there are images


def random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def random_frames(num_frames: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (num_frames, 3, *SIZE), generator=generator, dtype=torch.uint8)


IMAGES = tuple(EncodedImage(random(i, 1, 1, 64), random(i + 2, 1, *LATENT)) for i in range(3))

LAST = IMAGES[1].latent


@pytest.fixture(scope="module")
def models_v1(load_stand_ins, make_controlnext_v1) -> Models:
    """All four levels of the UNet: this ControlNeXt steers the fourth."""
    return replace(load_stand_ins(torch.float32), controlnext=make_controlnext_v1(64))


@pytest.fixture(scope="module")
def models_v2(load_stand_ins) -> Models:
    """Two of the UNet's levels: a run does the same at every depth, in less time."""
    from diffusers import UNetSpatioTemporalConditionModel

    unet = UNetSpatioTemporalConditionModel(**levels(2))
    unet.load_state_dict(fill(unet, salt="fcvg "))
    use_one_token(unet)
    return replace(load_stand_ins(torch.float32), unet=unet.eval())


@pytest.fixture(params=[ONE, BOTH], ids=["one direction", "both directions"])
def directions(request) -> int:
    return request.param


@pytest.fixture
def run(settings):
    """A function that denoises; what is not named is random or a setting of a short run."""

    @torch.no_grad()
    def denoised(
        models: Models,
        num_frames: int,
        directions: int = ONE,
        *,
        images=IMAGES,
        control="random",
        noise=None,
        draw=None,
        start=None,
        at=None,
        **changes,
    ) -> torch.Tensor:
        return denoise(
            models,
            images[:directions],
            random_frames(num_frames) if isinstance(control, str) else control,
            random(9, num_frames, *LATENT) if noise is None else noise,
            settings(num_frames=num_frames, **changes),
            at=at,
            start=start,
            draw=draw,
        )

    return denoised


class Calls:
    """Notes the shapes that a network is called with."""

    def __init__(self, network: torch.nn.Module):
        self.shapes = []
        self._network = network

    def __enter__(self) -> list[tuple[int, ...]]:
        self._handle = self._network.register_forward_pre_hook(
            lambda module, args: self.shapes.append(tuple(args[0].shape))
        )
        return self.shapes

    def __exit__(self, *exception) -> None:
        self._handle.remove()


class TestCalls:
    def test_unet_runs_once_a_window_and_direction(self, run, models, directions) -> None:
        with Calls(models.unet) as calls:
            run(models, 9, directions, window=4, overlap=1, steps=1)
        assert [shape[:2] for shape in calls] == [(2, 4)] * 3 * directions  # both halves

    def test_controlnext_runs_once_a_frame_and_step(self, run, models, directions) -> None:
        """Repetitions of a step need the same features."""
        again = {"noise_injection_steps": 1, "noise_injection_ratio": 1.0}
        draw = lambda: torch.ones(9, *LATENT)  # noqa: E731
        with Calls(models.controlnext) as calls:
            run(models, 9, directions, window=4, overlap=1, draw=draw, **again)
        assert [shape[0] for shape in calls] == [8, 1] * 2

    def test_controlnext_does_not_run_where_its_weight_is_zero(self, run, models) -> None:
        with Calls(models.controlnext) as calls:
            out = run(models, 3, control_weight=0.0)
        assert not calls and torch.equal(out, run(models, 3, control=None))

    def test_guidance_of_one_needs_no_unconditional_half(self, run, models_v2) -> None:
        with Calls(models_v2.unet) as calls:
            run(models_v2, 4, BOTH, guidance_start=1.0, guidance_end=1.0)
            run(models_v2, 4, BOTH, guidance_end=1.0, steps=1)
        assert [shape[0] for shape in calls] == [1, 1, 1, 1, 2, 2]

    def test_repeated_steps(self, run, models_v2) -> None:
        """Two directions; the first of two steps is taken twice."""
        again = {"noise_injection_steps": 1, "noise_injection_ratio": 0.5}
        with Calls(models_v2.unet) as calls:
            out = run(models_v2, 4, BOTH, draw=lambda: torch.ones(4, *LATENT), **again)
        assert len(calls) == 2 * 3
        assert (out - run(models_v2, 4, BOTH)).abs().max() > 1e-3


class TestSpans:
    """Three keyframes, at the frames 0, 4 and 8."""

    AT = (0, 4, 8)

    @pytest.mark.parametrize("more", [{}, {"forward_share": 1.0}], ids=["both", "forward"])
    def test_each_is_sampled_between_its_own_keyframes(self, run, models_v2, more) -> None:
        """After one step each span is what it is alone; the shared frame is the mean of both."""
        noise, control = random(9, 9, *LATENT), random_frames(9)
        out = run(models_v2, 9, 3, at=self.AT, noise=noise, control=control, steps=1, **more)
        first, second = (
            run(
                models_v2, 5, BOTH, images=IMAGES[i:], noise=noise[part], control=control[part],
                steps=1, **more,
            )
            for i, part in enumerate((slice(0, 5), slice(4, 9)))
        )  # fmt: skip
        assert (first[4] - second[0]).abs().max() > 0.1
        mean = (first[4:] + second[:1]) / 2
        wanted = torch.cat([first[:4], mean, second[1:]])
        torch.testing.assert_close(out, wanted, atol=1e-3, rtol=1e-4)

    def test_two_keyframes_are_one_span(self, run, models_v2) -> None:
        """Bit for bit, also in several windows."""
        plain, spans = (
            run(models_v2, 5, BOTH, window=3, overlap=1, steps=1, at=at) for at in (None, (0, 4))
        )
        assert torch.equal(plain, spans)

    def test_windows_lie_inside_spans(self, run, models_v2) -> None:
        """A span of 6 frames has two windows of 4; the other span is a window of 4."""
        with Calls(models_v2.unet) as calls:
            run(models_v2, 9, 3, at=(0, 5, 8), window=4, overlap=2, steps=1)
        assert [shape[:2] for shape in calls] == [(2, 4)] * 3 * BOTH

    def test_kept_features(self, run, models_v2) -> None:
        """Each span keeps its own: the second step computes none anew, so nothing steers it."""
        with Calls(models_v2.controlnext) as calls:
            run(models_v2, 9, 3, at=self.AT, cache_interval=2)
        assert [shape[0] for shape in calls] == [8, 1]


class TestFewerPasses:
    """A few frames, both directions; both halves are one call of the UNet."""

    def test_guidance_interval(self, run, models_v2) -> None:
        """Outside the interval the unconditional half is not computed."""
        levels = karras_sigmas(4, lowest=SIGMA_MIN, highest=SIGMA_MAX)
        # Between the second level and the third, and between the third and the last.
        inside = {"guidance_from": 0.3, "guidance_until": 0.7}
        highest, lowest = (
            level_at(percent, lowest=SIGMA_MIN, highest=SIGMA_MAX) for percent in inside.values()
        )
        acts = [bool(lowest <= level <= highest) for level in levels[:-1]]
        assert 0 < sum(acts) < 4
        with Calls(models_v2.unet) as calls:
            run(models_v2, 3, BOTH, steps=4, **inside)
        assert [shape[0] for shape in calls] == [1 + act for act in acts for _ in range(BOTH)]

    def test_an_interval_that_holds_no_level_is_a_guidance_of_one(self, run, models_v2) -> None:
        none = run(models_v2, 3, BOTH, guidance_from=0.45, guidance_until=0.5)
        one = run(models_v2, 3, BOTH, guidance_start=1.0, guidance_end=1.0)
        assert torch.equal(none, one)

    def test_steps_that_are_forward_only(self, run, models_v2) -> None:
        backward = []
        handle = models_v2.unet.register_forward_pre_hook(
            lambda module, args: backward.append(bool(args[0][-1, 0, 4:].eq(LAST[0]).all()))
        )
        run(models_v2, 3, BOTH, steps=3, forward_share=0.5)
        handle.remove()
        assert backward == [False, False, False, True]

    def test_a_forward_only_step(self, run, models_v2) -> None:
        """One step leads to the estimate itself: its backward path ends with the keyframe."""
        short = {"steps": 1, "window": 3, "overlap": 1}
        forward = run(models_v2, 5, ONE, control=None, **short)
        out = run(models_v2, 5, BOTH, control=None, **short, forward_share=1.0)
        end = LAST * models_v2.vae.config.scaling_factor
        # Latents begin at a deviation of 700, whose last float32 digit is 6e-5.
        torch.testing.assert_close(out[:1], forward[:1], rtol=0, atol=3e-4)
        for frame in (2, 4):  # each window heads for the keyframe
            torch.testing.assert_close(out[frame : frame + 1], end, rtol=0, atol=3e-4)

    def test_forward_only_with_one_image(self, run, models_v2) -> None:
        with pytest.raises(ValueError, match="a first and a last keyframe"):
            run(models_v2, 3, ONE, forward_share=0.2)

    def test_schedule(self, run, models_v2, monkeypatch) -> None:
        seen = []
        monkeypatch.setattr(
            denoising, "repeat_step", lambda x, *levels, **more: seen.append(levels[0]) or x
        )
        run(models_v2, 3, steps=10, schedule="ays")
        assert torch.equal(torch.stack(seen), ays_sigmas(10)[:-1])


class TestCache:
    def test_every_second_evaluation_is_shallow(self, run, models_v2, directions) -> None:
        """Of three evaluations two are whole; the other computes no control either."""
        unet, controlnext = models_v2.unet, models_v2.controlnext
        with Calls(unet) as whole, Calls(unet.conv_in) as every, Calls(controlnext) as control:
            run(models_v2, 4, directions, window=3, overlap=2, steps=3, cache_interval=2)
        assert (len(whole), len(control)) == (2 * 2 * directions, 2)
        assert len(every) == 3 * 2 * directions

    def test_an_interval_of_the_whole_run(self, run, models) -> None:
        with Calls(models.unet) as whole, Calls(models.controlnext) as control:
            run(models, 3, BOTH, steps=4, cache_interval=4)
        assert (len(whole), len(control)) == (BOTH, 1)

    def test_a_half_that_was_not_computed_has_no_features(self, run, models_v2) -> None:
        """Guidance begins at a shallow evaluation: this evaluation is whole, too."""
        with Calls(models_v2.unet) as whole:
            run(models_v2, 3, ONE, steps=2, cache_interval=2, guidance_from=0.1)
        assert [shape[0] for shape in whole] == [1, 2]

    @pytest.mark.parametrize("windows", [{}, {"window": 3, "overlap": 2}])
    def test_passes_do_not_share_features(self, run, models_v2, monkeypatch, windows) -> None:
        """With the same input every pass gives what it gave before, shallow or not."""
        frozen = {"steps": 2, **windows}
        # Both steps see the same latents at almost the same level: only wrong keys could differ.
        levels = torch.tensor([1.0, 1.0 - 1e-6, 0.0])
        monkeypatch.setattr(denoising, "noise_levels", lambda settings: levels)
        every = run(models_v2, 4, BOTH, **frozen)
        cached = run(models_v2, 4, BOTH, **frozen, cache_interval=2)
        assert (cached - every).abs().max() <= 1e-4 * every.std()

    def test_repeated_steps_are_evaluations(self, run, models_v2) -> None:
        again = {"noise_injection_steps": 1, "noise_injection_ratio": 1.0}
        with Calls(models_v2.unet) as whole:
            run(models_v2, 3, draw=lambda: torch.ones(3, *LATENT), cache_interval=2, **again)
        assert len(whole) == 2  # of four


class TestBothDirections:
    @pytest.mark.parametrize("num_frames", [4, 5])
    def test_swapping_keyframes_flips_the_video(self, run, models_v2, num_frames) -> None:
        ramp = {"guidance_start": 1.5, "guidance_end": 4.0}
        control, noise = random_frames(num_frames), random(9, num_frames, *LATENT)
        out = run(models_v2, num_frames, BOTH, control=control, noise=noise, **ramp)
        flipped = {"control": control.flip(0), "noise": noise.flip(0), "images": IMAGES[1::-1]}
        swapped = run(models_v2, num_frames, BOTH, **flipped, **ramp)
        # Latents begin at a deviation of 700, whose last float32 digit is 6e-5.
        assert (out - swapped.flip(0)).abs().max() <= 2e-4


class TestStart:
    START = random(7, 5, *LATENT)

    @pytest.mark.parametrize("windows", [{}, {"window": 4, "overlap": 2}])
    def test_the_whole_does_not_look_at_the_start(self, run, models_v2, directions, windows):
        wanted = run(models_v2, 5, directions, **windows)
        assert torch.equal(run(models_v2, 5, directions, start=self.START, **windows), wanted)

    def test_first_step(self, run, models_v2, monkeypatch) -> None:
        """Two of four steps: noise of the third noise level, added to the start."""
        sigmas = karras_sigmas(4, lowest=SIGMA_MIN, highest=SIGMA_MAX)
        seen = []
        monkeypatch.setattr(
            denoising, "repeat_step", lambda x, *levels, **more: seen.append((x, *levels)) or x
        )
        run(models_v2, 5, BOTH, start=self.START, denoise=0.5)
        assert [pair for _, *pair in seen] == [[sigmas[2], sigmas[3]], [sigmas[3], sigmas[4]]]
        wanted = self.START + random(9, 5, *LATENT) * sigmas[2]
        torch.testing.assert_close(seen[0][0], wanted)

    def test_a_share_that_rounds_to_the_whole_schedule(self, run, models_v2, monkeypatch) -> None:
        """The deviation of the highest noise level, as in a run that starts from noise alone."""
        seen = []
        monkeypatch.setattr(denoising, "repeat_step", lambda x, *a, **b: seen.append(x) or x)
        run(models_v2, 5, BOTH, steps=1)
        run(models_v2, 5, BOTH, steps=1, start=self.START, denoise=0.8)
        assert torch.equal(seen[1], seen[0] + self.START)

    def test_noise_is_injected_into_a_share_of_the_steps_that_are_done(self, run, models_v2):
        again = {"noise_injection_steps": 1, "noise_injection_ratio": 0.5}
        with Calls(models_v2.unet) as calls:
            run(
                models_v2,
                5,
                BOTH,
                start=self.START,
                denoise=0.5,
                draw=lambda: torch.ones(5, *LATENT),
                **again,
            )
        assert len(calls) == 2 * 3

    def test_no_start(self, run, models_v2) -> None:
        with pytest.raises(ValueError, match="the video needs `start`"):
            run(models_v2, 5, denoise=0.5)


class TestOneDirection:
    def test_guidance_rises_in_every_window(self, run, models) -> None:
        """Frame 4 begins neither window, so it is pushed as far as the ramp says."""
        short = {"window": 4, "overlap": 1, "steps": 1, "guidance_start": 2.0}
        flat = run(models, 7, **short, guidance_end=2.0)
        ramp = run(models, 7, **short, guidance_end=3.0)
        moved = (ramp - flat).abs().amax((1, 2, 3))
        assert moved[0] == 0  # at the start of the ramp
        assert (moved[1:3] > 0).all() and (moved[4:6] > 0).all()
        assert moved[4] < moved[6]  # starts anew in the second window

    @pytest.mark.parametrize(("name", "reaches"), [("models_v1", False), ("models_v2", True)])
    def test_first_control_frame_in_later_windows(self, run, request, name, reaches) -> None:
        models = request.getfixturevalue(name)
        control = random_frames(7)
        other = torch.cat([255 - control[:1], control[1:]])
        one, two = (
            run(models, 7, control=frames, window=4, overlap=1, steps=1)
            for frames in (control, other)
        )
        changed = (one - two).abs().amax((1, 2, 3)) > 0
        assert changed[:4].all()
        assert changed[4:].any() == reaches


class TestControl:
    def test_steers(self, run, models, directions) -> None:
        plain = run(models, 3, directions, control=None)
        assert (plain - run(models, 3, directions)).abs().max() > 1e-3

    def test_pixel_values_are_the_same_as_shares(self, run, models) -> None:
        shares = random_frames(3).float() / 255
        assert torch.equal(run(models, 3), run(models, 3, control=shares))

    def test_leaves_no_hook_and_no_state(self, run, models, directions) -> None:
        out = run(models, 3, directions)
        assert torch.equal(out, run(models, 3, directions))
        assert not any(block._forward_hooks for block in models.unet.down_blocks)

    @torch.no_grad()
    @pytest.mark.parametrize(("name", "acts"), [("models_v1", True), ("models_v2", False)])
    def test_on_the_unconditional_half(self, request, name, acts) -> None:
        models = request.getfixturevalue(name)
        size = models.controlnext.config.hidden_size(LATENT[1:])
        control = prepare_control(random(2, 3, 64, *size), size)
        outs = []
        for strength in (0.0, 1.0):
            with steered(models.unet, models.controlnext, control, strength):
                outs.append(
                    models.unet(
                        torch.ones(2, 3, 8, *LATENT[1:]),
                        torch.tensor(1.0),
                        encoder_hidden_states=torch.ones(2, 1, 64),
                        added_time_ids=torch.ones(2, 3),
                    ).sample
                )
        changed = [(one - two).abs().max() > 1e-4 for one, two in zip(*outs, strict=True)]
        assert changed == [acts, True]


class TestWindows:
    def test_fewer_frames_than_a_window(self, run, models) -> None:
        assert torch.equal(run(models, 3, window=24), run(models, 3, window=3, overlap=99))

    def test_a_long_video_needs_the_memory_of_one_window(self, run, models) -> None:
        """A frame more costs its latents and features, not the UNet's activations."""
        peaks = {}
        for num_frames, window in ((8, 8), (24, 8), (24, 24)):
            with PeakBytes() as counted:
                run(models, num_frames, window=window, overlap=1, steps=1)
            peaks[num_frames, window] = counted.peak
        a_frame = (peaks[24, 8] - peaks[8, 8]) / 16
        a_frame_in_a_window = (peaks[24, 24] - peaks[8, 8]) / 16
        assert a_frame < 50_000  # the test's own control frame is 12 kB, its features 4 kB
        assert a_frame_in_a_window > 250_000

    def test_a_long_video_waits_on_the_cpu(self) -> None:
        card = torch.device("cuda")
        models = Models(SimpleNamespace(device=card), None, None)
        assert place_of_video(models, [Window(0, 4)]) == card
        windows = [Window(0, 4), Window(2, 4)]
        assert place_of_video(models, windows) == torch.device("cpu")


class TestBadInput:
    def test_overlap_as_large_as_the_window(self, run, models_v1) -> None:
        with pytest.raises(ValueError, match="overlap by 1 to 3 frames, got an overlap of 4"):
            run(models_v1, 9, window=4, overlap=4)

    @pytest.mark.parametrize("num_frames", [0, 1])
    def test_no_video(self, run, models_v1, num_frames) -> None:
        with pytest.raises(ValueError, match=f"at least 2 frames, got {num_frames}"):
            run(models_v1, num_frames)

    @pytest.mark.parametrize("found", [0, 3, 5])
    def test_wrong_number_of_control_frames(self, run, models, directions, found) -> None:
        with pytest.raises(ValueError, match=f"video has 4 frames but there are {found} control"):
            run(models, 4, directions, control=random_frames(found))

    def test_v1_over_a_unet_that_it_does_not_fit(self, run, models_v2, make_controlnext_v1) -> None:
        wrong = replace(models_v2, controlnext=make_controlnext_v1(1280))
        with pytest.raises(ValueError, match="v1 gives 1280 channels, but the UNet takes 64 into"):
            run(wrong, 4)

    def test_noise_injection_without_noise(self, run, models_v2) -> None:
        with pytest.raises(ValueError, match="Noise injection needs `draw`"):
            run(models_v2, 4, noise_injection_steps=1, noise_injection_ratio=0.5)
