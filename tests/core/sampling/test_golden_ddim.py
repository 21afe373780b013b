"""The runs of the official sampler: their schedules, and every step of them."""

import torch
from dynamicrafter_cases import (
    SamplingCase,
    as_frames,
    assert_close,
    each_sampling_case,
    table_tolerance,
    tolerance,
    unet,
)

from fcvg_core.sampling import (
    ddim_levels,
    ddim_step,
    ddim_steps,
    euler_step,
    guide,
    guide_branches,
    noise_table,
    rescale_guidance,
    spaced_timesteps,
    split_prediction,
)
from fcvg_core.sampling.diffusion import SMALLEST_ALPHA

COLUMNS = {
    "ddim_timesteps": "timestep",
    "ddim_alphas": "alpha",
    "ddim_alphas_prev": "alpha_prev",
    "ddim_sigmas": "sigma",
    "ddim_scale": "scale",
    "ddim_scale_prev": "scale_prev",
}


class Run:
    """Our functions on the UNet of a case."""

    def __init__(self, case: SamplingCase):
        settings = case.settings
        self.case, self.network = case, unet(case.model, case.config)
        self.table = noise_table(zero_snr=settings["zsnr"], base_scale=settings["base_scale"])
        self.timesteps = spaced_timesteps(settings["steps"], settings["spacing"])
        self.steps = ddim_steps(self.table, self.timesteps, settings["eta"])

    def estimate(self, latents: torch.Tensor, step) -> tuple[torch.Tensor, torch.Tensor]:
        """Clean latents and noise that the guided network sees in latents of a step."""
        settings = self.case.settings
        cond = self.predict(latents, step, "in_context", "in_context")
        uncond = self.predict(latents, step, "in_uncond_context", "in_uncond_context")
        guided = guide(cond, uncond, settings["cfg"])
        if settings["multi"] is not None:
            image_only = self.predict(latents, step, "in_uncond_context", "in_context")
            scales = {"image_scale": settings["multi"], "text_scale": settings["cfg"]}
            guided = guide_branches(uncond, image_only, cond, **scales)
        guided = rescale_guidance(guided, cond, settings["resc"])
        return split_prediction(latents, guided, step.alpha, settings["param"])

    def predict(self, latents: torch.Tensor, step, text: str, picture: str) -> torch.Tensor:
        """The network with the text of one context and the image tokens of another."""
        count = len(latents)
        return self.network(
            torch.cat([latents, self.case.concat], dim=1),
            torch.full((count,), step.timestep),
            self.case.tokens(text)[0].expand(count, -1, -1),
            num_frames=count,
            image_tokens=self.case.tokens(picture)[1].expand(count, -1, -1),
            rate=torch.full((count,), self.case.rate),
        )


@each_sampling_case()
def test_tables(case):
    settings = case.settings
    table = noise_table(zero_snr=settings["zsnr"], base_scale=settings["base_scale"])
    timesteps = spaced_timesteps(settings["steps"], settings["spacing"])
    # The official tables rise with the timestep; the run goes from the last to the first.
    assert timesteps.tolist() == case.tensors["ddim_timesteps"].flip(0).tolist()
    names = case.tensors.keys() & COLUMNS
    assert len(names) == (4 if settings["base_scale"] is None else 6)
    steps = ddim_steps(table, timesteps, settings["eta"])
    for name in names:
        found = torch.tensor([getattr(step, COLUMNS[name]) for step in steps])
        torch.testing.assert_close(
            found, case.tensors[name].flip(0), rtol=table_tolerance(case.config), atol=0
        )


@each_sampling_case()
@torch.inference_mode()
def test_every_step(case):
    run, latents = Run(case), case.start
    for i, step in enumerate(run.steps):
        clean, noise = run.estimate(latents, step)
        latents, clean = ddim_step(clean, noise, step, case.fresh[i] if step.sigma else None)
        case.check("out_pred_x0", i, clean)
        case.check("out_x_prev", i, latents)
    assert_close(latents, as_frames(case.tensors["out"]), tolerance(case.config))


@each_sampling_case(adds_noise=False)
@torch.inference_mode()
def test_euler_on_the_levels_takes_the_same_steps(case):
    """Without fresh noise, the state of the host's samplers is the official state, scaled."""
    run = Run(case)
    levels = ddim_levels(run.table, run.timesteps).double()
    state = case.start.double() / official_factor(run.steps[0])
    for i, step in enumerate(run.steps):
        clean, _ = run.estimate((state * official_factor(step)).float(), step)
        state = euler_step(state, clean / step.scale, levels[i], levels[i + 1])
        case.check("out_x_prev", i, state.float() * step.alpha_prev**0.5 * step.scale_prev)


def official_factor(step) -> float:
    """From the state clean + sigma * noise to the official state."""
    return max(step.alpha, SMALLEST_ALPHA) ** 0.5 * step.scale
