"""The numbers of the official code, from the host's samplers and the host's VAE."""

import pytest
import torch
from dropletvideo_cases import (
    PipelineCase,
    each_pipeline_case,
    each_schedule_case,
    each_transformer_case,
    each_vae_case,
)
from torch import Tensor

from fcvg_core.models.dropletvideo.conditioning import condition_frames, mask_latents


class Run:
    """A golden run in the host.

    Attributes:
        model, vae: MODEL and VAE with the weights of the case.
        states: the sampler's states, step by step.
    """

    def __init__(self, load, build_model, build_vae, case: PipelineCase):
        self.load, self.case = load, case
        self.model = build_model(case.transformer(), case.scaling_factor)
        self.vae = build_vae(case.vae_config, case.vae_weights)
        self.states: list[Tensor] = []

    def guider(self):
        """The host's own guider, with what the conditioning node gives."""
        import comfy.samplers

        keys = self.load("nodes.host.dropletvideo.model")
        picture = self.case.image.permute(2, 0, 1) / 127.5 - 1
        video = condition_frames(picture, None, self.case.num_frames)
        latents = self.vae.encode((video[0].movedim(0, -1) + 1) / 2)
        size = tuple(latents.shape[-2:])
        mask = mask_latents(self.case.num_frames, size, has_last=False, scale=1.0)
        values = {keys.PICTURE_LATENTS: latents, keys.MASK: mask, keys.FPS: self.case.fps}
        guider = comfy.samplers.CFGGuider(self.model)
        texts = self.case.text, self.case.negative_text
        guider.set_conds(*([[text, values]] for text in texts))
        guider.set_cfg(self.case.guidance)
        return guider

    def sample(self, levels: Tensor, sampler: str = "euler") -> Tensor:
        """The final latents as the official code has them: scaled."""
        import comfy.samplers

        out = self.guider().sample(
            self.case.noise,
            torch.zeros_like(self.case.noise),
            comfy.samplers.sampler_object(sampler),
            levels,
            callback=lambda step, denoised, x, total: self.states.append(x),
            disable_pbar=True,
            seed=0,
        )
        return self.model.model.process_latent_in(out)


@pytest.fixture
def sampling(load):
    return load("nodes.host.dropletvideo.sampling")


@each_pipeline_case()
def test_sampler(load, sampling, build_model, build_vae, case):
    """Every step, from the picture on."""
    run = Run(load, build_model, build_vae, case)
    levels = sampling.trailing_levels(run.model, case.steps)
    case.check_latents(run.sample(levels))
    assert len(run.states) == case.steps
    for step, (state, level) in enumerate(zip(run.states[1:], levels[1:], strict=False)):
        case.check_latents(state / (level**2 + 1).sqrt(), step)


@each_pipeline_case()
def test_conditions(load, build_model, build_vae, case):
    run = Run(load, build_model, build_vae, case)
    guider = run.guider()
    values = guider.original_conds["positive"][0]
    found = run.model.model.extra_conds(**values, noise=case.noise, device="cpu")
    case.check_conditions(found["c_concat"].cond)
    assert torch.equal(found["c_crossattn"].cond, case.text)


@each_transformer_case()
def test_transformer(build_model, case):
    network = build_model(case.transformer()).model.diffusion_model
    for fps, expected in case.outputs:
        case.check(network(case.x, case.timesteps, case.context, fps=fps), expected)


@each_vae_case()
def test_vae(build_vae, case):
    """What the host's nodes decode and encode; frames are in 0..1 there, and cut to it."""
    vae, tensors = build_vae(case.vae_config, case.vae_weights), case.tensors

    def images(video: Tensor) -> Tensor:
        return (video.movedim(1, -1) + 1) / 2

    frames = images(tensors["in_video"])[0]
    case.check(vae.encode(frames), tensors["out_mode"])
    case.check(vae.encode(frames[:1]), tensors["out_mode_1frame"])
    for given, out in (
        ("out_mode", "out_decoded"),
        ("out_mode_1frame", "out_decoded_1frame"),
        ("in_z", "out_decoded_z"),
    ):
        case.check(vae.decode(tensors[given]), images(tensors[out]).clamp(0, 1))


@each_schedule_case()
def test_levels(sampling, loaded, case):
    """The timesteps of every number of steps in the case, and the noise levels at them."""
    model_sampling = loaded.model.get_model_object("model_sampling")
    alphas = case.tensors["alphas_cumprod"].double()
    for name, timesteps in case.tensors.items():
        if not name.startswith("timesteps_"):
            continue
        levels = sampling.trailing_levels(loaded.model, len(timesteps))
        assert torch.equal(model_sampling.timestep(levels[:-1]), timesteps) and levels[-1] == 0
        found = 1 / (levels[:-1].double() ** 2 + 1)
        torch.testing.assert_close(found, alphas[timesteps], rtol=0, atol=1e-6)


def test_ksampler_takes_the_same_levels(sampling, loaded):
    """KSampler with simple and 50 steps, the official number."""
    import comfy.samplers

    model_sampling = loaded.model.get_model_object("model_sampling")
    simple = comfy.samplers.calculate_sigmas(model_sampling, "simple", 50)
    assert torch.equal(simple, sampling.trailing_levels(loaded.model, 50))
