"""Noise injection around the host's own samplers."""

from types import SimpleNamespace

import pytest
import torch

pytestmark = pytest.mark.seam

SIGMAS = torch.tensor([14.0, 7.0, 3.0, 1.0, 0.0])
HISTORYLESS = ["euler", "heun", "dpm_2", "ddim"]  # a step is the same in a run of its own


class Model:
    """What a sampler of the host sees of a model: it predicts a part of the latents."""

    def __init__(self, added: float = 0.0):
        import comfy.model_sampling as kinds

        class Sampling(kinds.ModelSamplingContinuousEDM, kinds.V_PREDICTION):
            pass

        sampling = Sampling(None)
        sampling.set_parameters(0.002, 700.0, 1.0)
        self.added = added
        self.sigmas = []
        self.inner_model = SimpleNamespace(
            inner_model=SimpleNamespace(model_sampling=sampling),
            model_patcher=SimpleNamespace(get_model_object=lambda name: sampling),
        )

    def __call__(self, x, sigma, model_options=None, **more):
        self.sigmas.append(float(sigma[0]))
        out = x / (3 + sigma[0]) + self.added
        for hook in (model_options or {}).get("sampler_post_cfg_function", []):
            out = hook({"denoised": out, "uncond_denoised": out / 2, "sigma": sigma, "input": x})
        return out


@pytest.fixture
def inject(load):
    return load("nodes.host.injection").inject_into


def named(name: str):
    import comfy.samplers

    return comfy.samplers.sampler_object(name)


def run(sampler, x=None, *, sigmas=SIGMAS, callback=None, model=None):
    x = torch.full((2, 4, 8, 8), 20.0) if x is None else x
    extra = {"model_options": {}, "seed": 3}
    return sampler.sampler_function(
        model or Model(),
        x,
        sigmas,
        extra_args=extra,
        callback=callback,
        disable=True,
        **sampler.extra_options,
    )


def supported(load) -> list[str]:
    import comfy.samplers

    table = load("nodes.host.injection").SINGLE_STEP
    return [name for name in comfy.samplers.SAMPLER_NAMES if name in table]


class TestSteps:
    def test_first_steps_are_repeated(self, inject):
        model, told = Model(), []
        run(
            inject(named("euler"), times=2, ratio=0.5),
            model=model,
            callback=lambda state: told.append(state["i"]),
        )
        assert model.sigmas == [14.0] * 3 + [7.0] * 3 + [3.0, 1.0]
        assert told == [0, 0, 0, 1, 1, 1, 2, 3]

    def test_all_steps(self, inject):
        model = Model()
        run(inject(named("euler"), times=1, ratio=1.0), model=model, sigmas=SIGMAS[-3:])
        assert model.sigmas == [3.0, 3.0, 1.0, 1.0]

    @pytest.mark.parametrize(("times", "ratio"), [(0, 0.5), (1, 0.0)])
    def test_nothing_to_inject_leaves_the_sampler(self, inject, times, ratio):
        sampler = named("uni_pc")
        assert inject(sampler, times=times, ratio=ratio) is sampler

    def test_too_small_a_share_is_a_plain_run(self, inject):
        for name in ("euler", "euler_ancestral", "dpmpp_2m"):
            plain = run(named(name))
            assert torch.equal(run(inject(named(name), times=2, ratio=0.1)), plain)

    @pytest.mark.parametrize("name", HISTORYLESS)
    def test_without_noise_it_repeats_steps(self, load, inject, monkeypatch, name):
        monkeypatch.setattr(
            load("fcvg_core.sampling.injection"), "inject_noise", lambda x, noise, high, low: x
        )
        x = torch.full((2, 4, 8, 8), 20.0)
        for at in ([0, 0, 1, 1], [2], [3]):
            for i in at:
                x = run(named(name), x, sigmas=SIGMAS[i : i + 2])
        out = run(inject(named(name), times=1, ratio=0.5))
        torch.testing.assert_close(out, x)


class TestEverySampler:
    def test_uses_the_model(self, load, inject):
        """uni_pc would only scale its input in a run of one step."""
        for name in supported(load):
            models = Model(), Model(added=1.0)
            sampler = inject(named(name), times=1, ratio=1.0)
            out = [run(sampler, model=model, sigmas=SIGMAS[:3]) for model in models]
            assert len(models[0].sigmas) >= 4, name
            assert out[0].isfinite().all(), name
            assert (out[0] - out[1]).abs().min() > 0.1, name

    def test_the_same_seed_gives_the_same(self, load, inject):
        for name in supported(load):
            sampler = inject(named(name), times=1, ratio=0.5)
            assert torch.equal(run(sampler), run(sampler)), name

    def test_noise_of_its_own_is_new_in_every_step(self, inject, monkeypatch):
        """A run of one step would begin its noise anew with the seed."""
        import comfy.k_diffusion.sampling as samplers

        drawn = []

        def sample(
            model, x, sigmas, extra_args=None, callback=None, disable=None, noise_sampler=None
        ):
            drawn.append(noise_sampler(sigmas[0], sigmas[1]))
            return x

        monkeypatch.setattr(samplers, "sample_euler_ancestral", sample)
        run(inject(named("euler_ancestral"), times=1, ratio=1.0))
        assert len(drawn) == 8
        assert len({float(noise[0, 0, 0, 0]) for noise in drawn}) == 8


class TestRefused:
    @pytest.mark.parametrize(
        "name", ["uni_pc", "uni_pc_bh2", "dpm_fast", "dpm_adaptive", "sa_solver", "sa_solver_pece"]
    )
    def test_samplers_that_do_not_work_in_single_steps(self, inject, name):
        with pytest.raises(ValueError, match=f"into the sampler {name}, .* choose euler"):
            inject(named(name), times=1, ratio=0.5)

    def test_sampler_of_another_kind(self, inject):
        with pytest.raises(ValueError, match="into the sampler object"):
            inject(object(), times=1, ratio=0.5)

    def test_every_sampler_of_the_host_is_known(self, load):
        """A sampler that the host adds has to be tried before it is allowed or refused."""
        import comfy.samplers

        refused = {"dpm_fast", "dpm_adaptive", "uni_pc", "uni_pc_bh2", "sa_solver"}
        refused.add("sa_solver_pece")
        assert set(supported(load)) | refused == set(comfy.samplers.SAMPLER_NAMES)
