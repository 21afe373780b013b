"""The numbers of the official code, from the host's samplers."""

import pytest
import torch
from dynamicrafter_cases import as_frames, assert_close, tolerance
from dynamicrafter_runs import host_keys
from smcd_cases import DdimCase, each_ddim_case
from unet3d_cases import check_close, each_network_case, smcd_config, with_official_weights

from fcvg_core.models.unet3d import UNet3D

pytestmark = pytest.mark.seam


class Run:
    """A golden run in the host."""

    def __init__(self, load, build, case: DdimCase):
        self.case, self.model = case, build(case.unet())
        self.keys = host_keys(load, "smcd")
        self.sampling = load("nodes.host.unet3d.sampling")
        self.levels = self.sampling.ddim_levels_of(self.model, case.steps, "uniform")
        self.states: list[torch.Tensor] = []

    def conditioning(self, text: torch.Tensor) -> list:
        case, picture = self.case, self.model.model.process_latent_out(self.case.concat)
        values = {
            self.keys.IMAGE_LATENTS: picture.expand(case.num_frames, -1, -1, -1),
            self.keys.OBJECTS: case.objects,
            self.keys.IMAGE_TOKENS: case.image_tokens,
        }
        return [[text, values]]

    def sample(self, sampler, levels: torch.Tensor) -> torch.Tensor:
        """The final latents as the official code has them."""
        import comfy.samplers

        guider = comfy.samplers.CFGGuider(self.model)
        texts = (self.case.text, self.case.negative_text)
        guider.set_conds(*map(self.conditioning, texts))
        guider.set_cfg(self.case.guidance)
        start = self.case.start
        out = guider.sample(
            start,
            torch.zeros_like(start),
            sampler,
            levels,
            callback=lambda step, denoised, x, total: self.states.append(x),
            disable_pbar=True,
            seed=0,
        )
        return self.model.model.process_latent_in(out)


@each_ddim_case()
def test_ddim(load, build_model, case):
    """Every step and the result are the official ones."""
    run = Run(load, build_model, case)
    case.check(run.sample(run.sampling.ddim_sampler(0.0), run.levels))
    assert len(run.states) == len(case.timesteps)
    steps = run.sampling.plan_steps(run.model.model.model_sampling, run.levels, 0.0)
    assert [step.timestep for step in steps] == case.timesteps
    for i, (state, step) in enumerate(zip(run.states[1:], steps, strict=False)):
        case.check_step(state * step.alpha_prev**0.5, i)


@each_ddim_case()
def test_euler_and_ddim_uniform_of_the_host(load, build_model, case):
    """The same steps, but the last one goes on to clean latents."""
    import comfy.samplers

    run = Run(load, build_model, case)
    sampling = run.model.get_model_object("model_sampling")
    levels = comfy.samplers.calculate_sigmas(sampling, "ddim_uniform", case.steps)
    out = run.sample(comfy.samplers.sampler_object("euler"), levels)
    assert_close(out, as_frames(case.tensors["out_pred_x0"][-1]), tolerance(case.config))


@each_network_case("smcd", "UNetSD")
def test_unet(build_model, config, tensors):
    """Two videos in one batch, as cond and uncond are."""
    sizes = smcd_config(config["kwargs"])
    network = build_model(with_official_weights(UNet3D(sizes), config)).model.diffusion_model
    latents = tensors["in_x"][:, : sizes.in_channels]  # of the first stage: without a picture
    num_frames = tensors["in_x"].shape[2]

    def run(objects: torch.Tensor | None) -> torch.Tensor:
        return network(
            as_frames(latents),
            tensors["in_timesteps"].repeat_interleave(num_frames).float(),
            tensors["in_y"].repeat_interleave(num_frames, dim=0),
            num_video_frames=num_frames,
            image_tokens=tensors.get("in_visual_feat"),  # a network of the first stage has none
            objects=objects,
        )

    for name, objects in (("out", tensors["in_grounding_context"]), ("out_no_grounding", None)):
        if name in tensors:
            check_close(run(objects), as_frames(tensors[name]), config)
