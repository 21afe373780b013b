"""The guiders of the pack, and control in those of the host."""

import gc
import importlib
import weakref

import pytest
import torch
from guiding import FRAMES, Rig, conditioning, patches_of, random

pytestmark = pytest.mark.seam


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


class TestBothDirections:
    @pytest.mark.parametrize("window", [25, 4])
    @pytest.mark.parametrize("guidance", [(3.0, 3.0), (1.0, 3.0), (1.0, 1.0)])
    def test_swapped_keyframes_and_flipped_noise_flip_the_video(self, rig, window, guidance):
        def make(flipped):
            return rig.inbetween(
                rig.steer(flipped=flipped), flipped=flipped, window=window, guidance=guidance
            )

        assert rig.asymmetry(make) <= 1e-5

    @pytest.mark.parametrize("frames", [2, 4, 7])
    def test_any_number_of_frames(self, rig, frames):
        def make(flipped):
            return rig.inbetween(rig.steer(frames=frames, flipped=flipped), flipped=flipped)

        assert rig.asymmetry(make, frames=frames) <= 1e-5

    @pytest.mark.parametrize(("kind", "directions"), [("inbetween", 2), ("animation", 1)])
    def test_guidance_of_one_skips_the_unconditional_half(self, rig, kind, directions):
        seen = []
        handle = rig.model.model.diffusion_model.register_forward_hook(
            lambda module, args, out: seen.append(len(args[0]))
        )
        for guidance in ((1.0, 1.0), (1.0, 3.0)):
            rig.sample(getattr(rig, kind)(rig.steer(), guidance=guidance), steps=1)
            seen.append(None)
        handle.remove()
        middle = seen.index(None)
        assert sum(seen[:middle]) == directions * FRAMES
        assert sum(seen[middle + 1 : -1]) == 2 * directions * FRAMES

    def test_every_pass_has_uuids_of_its_own(self, rig):
        """What is kept under a uuid from step to step must not be another pass's."""
        seen = []
        model = rig.steer()

        def note(executor, *args, **kwargs):
            options = kwargs.get("transformer_options") or args[-1]
            seen.append(options["uuids"])
            return executor(*args, **kwargs)

        model.add_wrapper_with_key("diffusion_model", "note", note)
        rig.sample(rig.inbetween(model, window=4), steps=2)
        first, second = seen[: len(seen) // 2], seen[len(seen) // 2 :]
        assert first == second
        flat = [uuid for uuids in first for uuid in uuids]
        assert len(set(flat)) == len(flat) == 2 * 2 * 2  # windows, directions, halves

    @pytest.mark.parametrize("window", [25, 4])
    def test_from_a_video(self, rig, window):
        """denoise below 1, into a part of the picture."""
        latent, mask = random(5, FRAMES, 4, 8, 8), torch.ones(FRAMES, 1, 8, 8)
        mask[1, :, 2:6] = 0

        def make(flipped):
            return rig.inbetween(rig.steer(flipped=flipped), flipped=flipped, window=window)

        videos = [
            rig.sample(
                make(flipped),
                flipped=flipped,
                latent_image=latent.flip(0) if flipped else latent,
                denoise_mask=mask.flip(0) if flipped else mask,
                sigmas=torch.tensor([10.0, 3.0, 1.0, 0.0]),
            )
            for flipped in (False, True)
        ]
        assert (videos[0] - videos[1]).abs().max() <= 1e-5 * videos[0].std()
        kept = mask.expand_as(latent) == 0
        torch.testing.assert_close(videos[0][kept], latent[kept], atol=1e-4, rtol=1e-4)
        assert (videos[0][~kept] - latent[~kept]).abs().mean() > 0.1


class TestOneDirection:
    @pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "euler_ancestral"])
    def test_the_hosts_guider_gives_the_same(self, rig, sampler):
        wanted, out = (
            rig.sample(guide(rig.steer()), sampler=sampler, steps=3)
            for guide in (rig.host, rig.animation)
        )
        assert (out - wanted).abs().max() <= 1e-5 * wanted.std()

    def test_from_a_video(self, rig):
        """denoise below 1: the noise is added to a latent that is there already."""
        latent = random(5, FRAMES, 4, 8, 8)
        sigmas = torch.tensor([10.0, 3.0, 1.0, 0.0])
        wanted, out = (
            rig.sample(guide(rig.steer()), latent_image=latent, sigmas=sigmas)
            for guide in (rig.host, rig.animation)
        )
        assert (out - wanted).abs().max() <= 1e-5 * wanted.std()
        assert (out - rig.sample(rig.animation(rig.steer()), sigmas=sigmas)).abs().max() > 0.1


class TestParts:
    """What a graph may do with the guider besides a plain run."""

    @pytest.mark.parametrize("window", [25, 4])
    def test_mask(self, rig, window):
        mask = torch.zeros(1, 1, 8, 8)
        mask[..., 4:] = 1
        latent = random(5, FRAMES, 4, 8, 8)
        guider = rig.inbetween(rig.steer(), window=window)
        out = rig.sample(guider, latent_image=latent, denoise_mask=mask)
        torch.testing.assert_close(out[..., :4], latent[..., :4], atol=1e-5, rtol=1e-5)
        assert (out[..., 4:] - latent[..., 4:]).abs().max() > 0.1

    @pytest.mark.parametrize("window", [25, 4])
    def test_masks_and_pictures_with_a_value_a_frame(self, rig, window):
        """Every pass sees those of its own frames, in its own order of time."""
        pictures = random(6, FRAMES, 4, 8, 8)
        mask = torch.rand(FRAMES, 8, 8, generator=torch.Generator().manual_seed(7))

        def make(flipped):
            guider = rig.inbetween(rig.steer(flipped=flipped), flipped=flipped, window=window)
            values = pictures.flip(0) if flipped else pictures
            masks = mask.flip(0) if flipped else mask
            first, last = (
                conditioning(seed, concat_latent_image=values, mask=masks) for seed in (1, 3)
            )
            other = conditioning(5, concat_latent_image=values)  # where the masks leave room
            keyframes = (first + other, last + other)[:: -1 if flipped else 1]
            guider.set_conds(*keyframes, conditioning(None))
            return guider

        assert rig.asymmetry(make) <= 1e-5

    def test_a_mask_acts_on_its_own_frame(self, rig):
        def make(frame: int, window: int):
            mask = torch.zeros(FRAMES, 8, 8)
            mask[frame] = 1
            guider = rig.animation(rig.steer(), window=window)
            guider.set_conds(
                conditioning(1, mask=mask) + conditioning(3, mask=1 - mask), conditioning(None)
            )
            return guider

        at_end, at_start = (rig.sample(make(frame, 4), steps=1) for frame in (FRAMES - 1, 0))
        changed = (at_end - at_start).abs().amax(dim=(1, 2, 3)) > 1e-3
        assert changed.tolist() == [True, False, False, False, True]

    def test_sigmas_in_two_parts(self, rig):
        guider = rig.inbetween(rig.steer())
        sigmas = torch.tensor([700.0, 50.0, 3.0, 0.5, 0.0])
        whole = rig.sample(guider, sigmas=sigmas)
        half = rig.sample(guider, sigmas=sigmas[:3])
        rest = guider.sample(
            torch.zeros_like(half), half, sampler_object("euler"), sigmas[2:], disable_pbar=True
        )
        assert (rest - whole).abs().max() <= 1e-4 * whole.std()

    @pytest.mark.parametrize("sampler", ["euler", "dpm_fast", "dpmpp_2m", "heun"])
    def test_denoised_output_is_in_order(self, rig, sampler):
        """The host keeps what the callback was given last."""
        kept = {}
        out = rig.sample(
            rig.inbetween(rig.steer()),
            sampler=sampler,
            steps=4,
            callback=lambda step, x0, x, total: kept.update(x0=x0),
        )
        denoised = rig.model.model.process_latent_out(kept["x0"])
        assert (denoised - out).abs().max() <= 0.05 * out.std()


class TestPreview:
    def test_shows_the_middle_frame(self, rig, monkeypatch):
        import latent_preview

        shown, kept = [], {}
        previewer = latent_preview.Latent2RGBPreviewer([[1.0, 1.0, 1.0]] * 4)
        monkeypatch.setattr(latent_preview, "get_previewer", lambda *args: previewer)
        monkeypatch.setattr(
            latent_preview, "preview_to_image", lambda image, *args, **kwargs: shown.append(image)
        )
        guider = rig.inbetween(rig.steer())
        callback = latent_preview.prepare_callback(guider.model_patcher, 2, kept)
        rig.sample(guider, callback=callback)
        assert len(shown) == 2
        middle = kept["x0"][FRAMES // 2].sum(0)
        torch.testing.assert_close(shown[-1][..., 0], middle)

    def test_previewers_of_other_packs_get_all_frames(self, rig, monkeypatch):
        import latent_preview

        seen = []

        class Player(latent_preview.LatentPreviewer):
            def decode_latent_to_preview_image(self, preview_format, x0):
                seen.append(x0)

        monkeypatch.setattr(latent_preview, "get_previewer", lambda *args: Player())
        kept = {}
        guider = rig.inbetween(rig.steer())
        callback = latent_preview.prepare_callback(guider.model_patcher, 2, kept)
        rig.sample(guider, callback=callback)
        assert seen[-1] is kept["x0"]


class TestControl:
    def test_runs_once_a_step(self, rig):
        calls = []
        handle = rig.controlnext.model.register_forward_hook(lambda *args: calls.append(1))
        rig.sample(rig.inbetween(rig.steer()), steps=3)
        handle.remove()
        assert len(calls) == 3

    def test_windows_share_what_was_computed(self, rig):
        seen = []
        handle = rig.controlnext.model.register_forward_hook(
            lambda module, args, out: seen.append(len(args[0]))
        )
        rig.sample(rig.inbetween(rig.steer(frames=7), window=4), frames=7)
        handle.remove()
        assert sum(seen) == 2 * 7

    def test_nothing_is_kept_after_sampling(self, rig, monkeypatch):
        module = rig.load("fcvg_core.models.controlnext.features")
        kept = []

        def prepare(features, size):
            prepared = prepare_control(features, size)
            kept.append(weakref.ref(prepared))
            return prepared

        prepare_control = module.prepare_control
        monkeypatch.setattr(module, "prepare_control", prepare)
        steered = rig.steer()
        rig.sample(rig.inbetween(steered))
        gc.collect()
        assert kept and not any(reference() is not None for reference in kept)
        assert patches_of(steered)[0]._control is None

    def test_model_that_comes_in_is_not_changed(self, rig):
        before = repr(rig.model.model_options)
        rig.sample(rig.inbetween(rig.steer()))
        assert repr(rig.model.model_options) == before

    def test_range_of_percent(self, rig):
        patch = patches_of(rig.steer(start=0.5))[0]
        hidden = random(0, 10, 64, 4, 4)
        options = {"block": ("input", 3), "cond_or_uncond": [1, 0]}
        early = patch(hidden, {**options, "sigmas": torch.tensor([600.0])})
        assert early is hidden
        acted = patch(hidden, {**options, "sigmas": torch.tensor([0.1])})
        assert torch.equal(acted[:5], hidden[:5])  # the unconditional half
        assert not torch.allclose(acted[5:], hidden[5:])

    def test_several_threads_at_once(self, rig):
        """As the host calls it with several GPUs: each thread a pass, all at one noise level."""
        from concurrent.futures import ThreadPoolExecutor

        patch = patches_of(rig.steer())[0]
        hidden = random(0, 5, 64, 4, 4)
        options = {"block": ("input", 3), "cond_or_uncond": [0]}

        def call(sigma: float) -> torch.Tensor:
            with torch.inference_mode():
                return patch(hidden, {**options, "sigmas": torch.tensor([sigma])})

        wanted = {sigma: call(sigma) for sigma in (3.0, 0.5)}
        with ThreadPoolExecutor(4) as pool:
            sigmas = [3.0, 0.5] * 20
            for sigma, out in zip(sigmas, pool.map(call, sigmas), strict=True):
                assert torch.equal(out, wanted[sigma])


class TestWhichAreSteered:
    """The host's guiders put their conditions into different orders."""

    @pytest.fixture
    def steered_names(self, rig, monkeypatch):
        """Sample with a guider; the names of the conds of which the control changed something."""
        module = rig.load("nodes.host.controlnext.patch")

        def run(make) -> set:
            model = rig.steer()
            seen, guiders = set(), []

            def note(options):
                chunks = which(options)
                seen.update(u for u, is_ in zip(options["uuids"], chunks, strict=True) if is_)
                return chunks

            def catch(executor, *args, **kwargs):
                guiders.append(dict(executor.class_obj.conds))
                return executor(*args, **kwargs)

            which = module.conditional_chunks
            monkeypatch.setattr(module, "conditional_chunks", note)
            model.add_wrapper_with_key("outer_sample", "catch", catch)
            rig.sample(make(model), steps=1)
            return {
                name for name, conds in guiders[0].items() for cond in conds if cond["uuid"] in seen
            }

        return run

    def test_the_hosts_own(self, rig, steered_names):
        assert steered_names(rig.host) == {"positive"}

    def test_without_a_negative(self, rig, steered_names):
        from comfy_extras.nodes_custom_sampler import Guider_Basic

        def make(model):
            guider = Guider_Basic(model)
            guider.set_conds(conditioning(1))
            return guider

        assert steered_names(make) == {"positive"}

    @pytest.mark.parametrize(
        ("module", "name", "settings"),
        [
            ("nodes_custom_sampler", "Guider_DualCFG", (3.0, 2.0, False)),
            ("nodes_custom_sampler", "Guider_DualCFG", (3.0, 2.0, True)),
            ("nodes_perpneg", "Guider_PerpNeg", (3.0, 0.5)),
        ],
    )
    def test_with_three_conditionings(self, rig, steered_names, module, name, settings):
        def make(model):
            guider = getattr(importlib.import_module(f"comfy_extras.{module}"), name)(model)
            guider.set_conds(conditioning(1), conditioning(3), conditioning(None))
            guider.set_cfg(*settings)
            return guider

        assert steered_names(make) == {"positive"}


class TestBadInput:
    def test_one_frame_is_refused_before_models_load(self, rig):
        with pytest.raises(ValueError, match="at least 2 frames"):
            rig.sample(rig.inbetween(rig.steer(frames=1)), frames=1)

    def test_overlap_as_large_as_the_window(self, rig):
        with pytest.raises(ValueError, match="overlap by 1 to 2 frames"):
            rig.sample(rig.inbetween(rig.steer(), window=3, overlap=3))

    @pytest.mark.parametrize("shape", [(1, 16, 5, 8, 8), (5, 16, 8, 8), (4, 8, 8)])
    def test_latent_of_another_model(self, rig, shape):
        latent = torch.zeros(shape)
        guider = rig.inbetween(rig.steer())
        with pytest.raises(ValueError, match=r"but a video of SVD is \(frames, 4, height / 8"):
            guider.sample(latent, latent, sampler_object("euler"), torch.tensor([1.0, 0.0]))

    @pytest.mark.parametrize("make", ["inbetween", "animation"])
    def test_model_that_is_no_svd(self, rig, make):
        other = type("Patcher", (), {"model": object()})()
        with pytest.raises(ValueError, match="works with Stable Video Diffusion, but the model is"):
            getattr(rig, make)(other)


def sampler_object(name: str):
    import comfy.samplers

    return comfy.samplers.sampler_object(name)
