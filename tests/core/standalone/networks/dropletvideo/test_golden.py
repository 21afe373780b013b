"""The pipeline against runs of the official pipeline."""

from types import SimpleNamespace

import torch
from dropletvideo_cases import PipelineCase, each_pipeline_case, each_schedule_case, shapes
from torch import Tensor, nn

from fcvg_core.models.dropletvideo.config import ModelSettings
from fcvg_core.sampling import noise_table
from fcvg_core.standalone.networks.dropletvideo import (
    DropletPipeline,
    DropletRequest,
    DropletSettings,
)
from fcvg_core.standalone.networks.dropletvideo.denoising import denoise_video, plan_steps
from fcvg_core.standalone.networks.dropletvideo.encoders import build_vae
from fcvg_core.standalone.networks.dropletvideo.pipeline import Networks


class GivenText(nn.Module):
    """A text encoder that gives the text of a case, whose "tokens" are 0 or 1."""

    def __init__(self, *texts: Tensor):
        super().__init__()
        self.texts = nn.Parameter(torch.stack(texts), requires_grad=False)

    def forward(self, input_ids: Tensor) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=self.texts[input_ids.item()])


def pipeline_of(case: PipelineCase) -> DropletPipeline:
    """A pipeline with the networks of a case."""
    settings = ModelSettings(scaling_factor=case.scaling_factor)
    vae = build_vae(case.vae_config, settings)
    vae.load_state_dict(case.vae_weights(shapes(vae)), assign=True)
    networks = Networks(
        transformer=case.transformer(),
        text_encoder=GivenText(case.negative_text, case.text),
        vae=vae.eval(),
        tokenizer=lambda prompt, name: torch.tensor([[int(prompt)]]),
    )
    return DropletPipeline(networks, device=torch.device("cpu"), offload=False)


@each_pipeline_case()
def test_pipeline(case) -> None:
    settings = DropletSettings(num_frames=case.num_frames, steps=case.steps, guidance=case.guidance)
    request = DropletRequest(
        first=case.image.numpy(), prompt="1", negative_prompt="0", fps=case.fps
    )
    assert [step.timestep for step in plan_steps(case.steps)] == case.timesteps.tolist()
    pipeline = pipeline_of(case)
    conditions = pipeline.encode(request, settings)
    case.check_conditions(conditions.beside)
    latents = denoise_video(
        pipeline.networks.transformer,
        conditions,
        case.noise,
        steps=case.steps,
        guidance=case.guidance,
    )
    case.check_latents(latents)


@each_schedule_case()
def test_schedule(case) -> None:
    alphas = noise_table(zero_snr=True, base_scale=None).alphas
    assert torch.allclose(alphas.float(), case.tensors["alphas_cumprod"], atol=1e-6)
    for name, timesteps in case.tensors.items():
        if name.startswith("timesteps_"):
            plan = plan_steps(int(name.removeprefix("timesteps_")))
            assert [step.timestep for step in plan] == timesteps.tolist()
            assert plan[0].alpha == 0 and plan[-1].alpha_prev == 1
