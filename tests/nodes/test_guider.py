import pytest
import torch

pytestmark = pytest.mark.seam


@pytest.fixture(scope="module")
def model(load, stand_ins):
    return load("nodes.host.loading").load_unet(
        str(stand_ins / "unet.safetensors"), None, "default"
    )


@pytest.fixture(scope="module")
def controlnext(load, stand_ins):
    return load("nodes.host.loading").load_controlnext(str(stand_ins / "controlnext.safetensors"))


def random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def conditioning(embedding: torch.Tensor, latent: torch.Tensor) -> list:
    values = {"fps": 7, "motion_bucket_id": 127, "augmentation_level": 0.02}
    return [[embedding, {**values, "concat_latent_image": latent}]]


FIRST = conditioning(random(1, 1, 1, 64), random(2, 1, 4, 8, 16))
LAST = conditioning(random(3, 1, 1, 64), random(4, 1, 4, 8, 16))
NEGATIVE = conditioning(torch.zeros(1, 1, 64), torch.zeros(1, 4, 8, 16))


@pytest.fixture
def sample(load, model, controlnext):
    """Sample five frames; what is not named is FCVG's default."""

    def run(*, first=FIRST, last=LAST, frames=None, noise=None, steps=2, sampler="euler", window=25,
            overlap=2, guidance=(3.0, 3.0), callback=None, num_frames=5):  # fmt: skip
        import comfy.samplers

        frames = torch.rand(
            num_frames, 64, 128, 3, generator=torch.Generator().manual_seed(0)
        ) if frames is None else frames  # fmt: skip
        steered = load("nodes.host.control_patch").steer(
            model, controlnext, frames, strength=1.0, start_percent=0.0, end_percent=1.0
        )
        guider = load("nodes.host.guider").InbetweenGuider(
            steered, window=window, overlap=overlap,
            min_guidance=guidance[0], max_guidance=guidance[1],
        )  # fmt: skip
        guider.set_conds(first, last, NEGATIVE)
        noise = random(0, num_frames, 4, 8, 16) if noise is None else noise
        sigmas = comfy.samplers.calculate_sigmas(
            steered.get_model_object("model_sampling"), "karras", steps
        )
        return guider.sample(
            noise, torch.zeros_like(noise), comfy.samplers.sampler_object(sampler), sigmas,
            callback=callback, disable_pbar=True, seed=0,
        )  # fmt: skip

    return run


class TestBothDirections:
    @pytest.mark.parametrize(("guidance", "num_frames"), [((3.0, 3.0), 5), ((1.0, 3.0), 5)])
    def test_swapped_keyframes_and_flipped_noise_flip_the_video(self, sample, guidance, num_frames):
        frames = torch.rand(5, 64, 128, 3, generator=torch.Generator().manual_seed(0))
        video = sample(frames=frames, guidance=guidance)
        flipped = sample(
            first=LAST, last=FIRST, frames=frames.flip(0), noise=random(0, 5, 4, 8, 16).flip(0),
            guidance=guidance,
        )  # fmt: skip
        assert (video - flipped.flip(0)).abs().max() <= 1e-5 * video.std()

    def test_guidance_of_one_skips_the_unconditional_half(self, sample, model):
        batches = count_frames(model)
        with batches:
            sample(guidance=(1.0, 1.0), steps=1)
        assert sum(batches.seen) == 2 * 5

    @pytest.mark.parametrize("sampler", ["dpmpp_2m", "heun", "euler_ancestral", "uni_pc", "lcm"])
    def test_every_kind_of_sampler(self, sample, sampler):
        assert sample(sampler=sampler).isfinite().all()


class TestControl:
    def test_runs_once_a_step(self, sample, controlnext):
        calls = []
        handle = controlnext.model.register_forward_hook(lambda *args: calls.append(1))
        sample(steps=3)
        handle.remove()
        assert len(calls) == 3

    def test_windows_share_what_was_computed(self, sample, controlnext):
        seen = []
        handle = controlnext.model.register_forward_hook(
            lambda module, args, out: seen.append(len(args[0]))
        )
        sample(num_frames=7, window=4, overlap=2, steps=2)
        handle.remove()
        assert sum(seen) == 2 * 7

    def test_nothing_is_kept_after_sampling(self, load, model, controlnext, sample):
        patches = load("nodes.host.control_patch")
        kept = []
        init = patches.ControlPatch.__init__
        try:
            patches.ControlPatch.__init__ = lambda self, *a, **k: (
                kept.append(self),
                init(self, *a, **k),
            )[1]
            sample()
        finally:
            patches.ControlPatch.__init__ = init
        assert kept[0]._control is None

    def test_model_that_comes_in_is_not_changed(self, load, model, controlnext, sample):
        before = repr(model.model_options)
        sample()
        assert repr(model.model_options) == before

    def test_range_of_percent(self, load, model, controlnext):
        steer = load("nodes.host.control_patch").steer
        frames = torch.rand(5, 64, 128, 3)
        late = steer(model, controlnext, frames, strength=1.0, start_percent=0.5, end_percent=1.0)
        (patch,) = late.model_options["transformer_options"]["patches"][
            "input_block_patch_after_skip"
        ]
        hidden = random(0, 10, 64, 4, 8)
        options = {"block": ("input", 3), "cond_or_uncond": [1, 0]}
        early = patch(hidden, {**options, "sigmas": torch.tensor([600.0])})
        assert early is hidden
        acted = patch(hidden, {**options, "sigmas": torch.tensor([0.1])})
        assert torch.equal(acted[:5], hidden[:5])  # the unconditional half
        assert not torch.allclose(acted[5:], hidden[5:])

    def test_wrong_number_of_frames(self, sample):
        with pytest.raises(ValueError, match="4 control frames for a video of 5 frames"):
            sample(frames=torch.rand(4, 64, 128, 3))

    def test_frames_that_are_too_small(self, sample):
        with pytest.raises(ValueError, match="ControlNeXt needs 32 or more"):
            sample(frames=torch.rand(5, 16, 16, 3))


class TestWindows:
    def test_one_frame_is_refused_before_models_load(self, sample):
        with pytest.raises(ValueError, match="at least 2 frames"):
            sample(num_frames=1)

    def test_overlap_as_large_as_the_window(self, sample):
        with pytest.raises(ValueError, match="overlap by 1 to 2 frames"):
            sample(window=3, overlap=3)


class TestPreview:
    def test_middle_frame_comes_first_until_the_last_step(self, sample):
        shown = []
        video = sample(steps=3, callback=lambda step, x0, x, total: shown.append((x0[0], x0)))
        assert len(shown) == 3
        first, rolled = shown[0]
        assert torch.equal(first, rolled.roll(2, 0)[2])
        # The last one is the result, in order: with sigma 0 at the end nothing is added to it.
        torch.testing.assert_close(shown[-1][1], video * 0.18215)


class count_frames:  # noqa: N801
    """Counts the frames that go through a model's UNet."""

    def __init__(self, model):
        self.unet = model.model.diffusion_model
        self.seen = []

    def __enter__(self):
        self.handle = self.unet.register_forward_hook(
            lambda module, args, out: self.seen.append(len(args[0]))
        )

    def __exit__(self, *error):
        self.handle.remove()


@pytest.fixture
def steered(load, model, controlnext):
    """The model under control frames of five frames."""
    return load("nodes.host.control_patch").steer(
        model,
        controlnext,
        torch.rand(5, 64, 128, 3),
        strength=1.0,
        start_percent=0.0,
        end_percent=1.0,
    )


def test_guiders_of_the_host_steer_their_positive_condition(steered):
    (patch,) = steered.model_options["transformer_options"]["patches"][
        "input_block_patch_after_skip"
    ]
    hidden = random(0, 15, 64, 4, 8)
    options = {"block": ("input", 3), "cond_or_uncond": [2, 0, 1], "sigmas": torch.tensor([3.0])}
    out = patch(hidden, options)
    same = [torch.equal(a, b) for a, b in zip(out.chunk(3), hidden.chunk(3), strict=True)]
    assert same == [True, False, True]
    other_block = {**options, "block": ("input", 2)}
    assert patch(hidden, other_block) is hidden


def test_plain_sampler_of_the_host(steered):
    """ControlNeXt-SVD's way: one direction, the host's own guider."""
    import comfy.samplers

    guider = comfy.samplers.CFGGuider(steered)
    guider.set_conds(FIRST, NEGATIVE)
    guider.set_cfg(2.5)
    noise = random(0, 5, 4, 8, 16)
    sigmas = comfy.samplers.calculate_sigmas(
        steered.get_model_object("model_sampling"), "karras", 2
    )
    out = guider.sample(
        noise, torch.zeros_like(noise), comfy.samplers.sampler_object("euler"), sigmas,
        disable_pbar=True, seed=0,
    )  # fmt: skip
    assert out.isfinite().all()
