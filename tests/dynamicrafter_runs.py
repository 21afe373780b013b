"""A tiny DynamiCrafter in the host: its conditionings, and runs of the host's samplers."""

from types import SimpleNamespace

import torch
from torch import Tensor
from unet3d_cases import TINY

SIZE = 8  # of latents
FRAMES = 4


class Rig:
    """Conditionings and runs of one model."""

    room = "dynamicrafter"  # of `nodes.host`

    def __init__(self, load, model):
        self.load, self.model = load, model
        self.keys = host_keys(load, self.room)
        self.sampling = load("nodes.host.unet3d.sampling")

    def conditioning(
        self, seed: int, *, frames: int = FRAMES, length: int = 77, shared=False, **more
    ) -> list:
        """A prompt with a picture, as the conditioning node gives it."""
        width = TINY.context_channels
        values = {
            self.keys.IMAGE_LATENTS: random(seed + 1, frames, 4, SIZE, SIZE),
            self.keys.IMAGE_TOKENS: random(seed + 2, 1 if shared else frames, 16, width),
            self.keys.RATE: 10,
        }
        return [[random(seed, 1, length, width), {**values, **more}]]

    def inputs(self, **given) -> dict:
        """What the network gets of a conditioning; named values replace its own."""
        text, values = self.conditioning(1)[0]
        noise, device = random(0, FRAMES, 4, SIZE, SIZE), torch.device("cpu")
        return self.model.model.extra_conds(
            noise=noise, device=device, cross_attn=text, **{**values, **given}
        )

    def guider(self, model=None, *, cfg: float = 3.0, positive=None, negative=None, frames=FRAMES):
        """The host's own guider."""
        import comfy.samplers

        guider = comfy.samplers.CFGGuider(model or self.model)
        guider.set_conds(
            positive or self.conditioning(1, frames=frames),
            negative or self.conditioning(11, frames=frames),
        )
        guider.set_cfg(cfg)
        return guider

    def three_branches(self, model=None, *, cfg=3.0, cfg_image=2.0, rescale=0.0, **conds):
        """Our guider."""
        return self.load("nodes.host.unet3d.guider").make_guider(
            model or self.model,
            conds.get("positive", self.conditioning(1)),
            conds.get("image_only", self.conditioning(21)),
            conds.get("negative", self.conditioning(11)),
            cfg=cfg,
            cfg_image=cfg_image,
            rescale=rescale,
        )

    def sample(
        self, guider, *, sampler="euler", steps: int = 2, frames: int = FRAMES, **more
    ) -> Tensor:
        import comfy.samplers

        noise = more.pop("noise", random(0, frames, 4, SIZE, SIZE))
        run = {
            "sampler": comfy.samplers.sampler_object(sampler)
            if isinstance(sampler, str)
            else sampler,
            "sigmas": self.sampling.ddim_levels_of(guider.model_patcher, steps, "uniform_trailing"),
            "latent_image": torch.zeros_like(noise),
            "seed": 0,
            **more,
        }
        return guider.sample(noise, disable_pbar=True, **run)


def host_keys(load, room: str = Rig.room) -> SimpleNamespace:
    """The keys of a family's conditionings."""
    modules = (load(f"nodes.host.{name}.model") for name in ("unet3d", room))
    return SimpleNamespace(**{key: x for module in modules for key, x in vars(module).items()})


def build_host_model(load, configure, network):
    """A MODEL in float32 around a network of the core, which gives sizes and weights.

    Args:
        configure: makes the family's `UNet3DConfig` of the sizes.
    """
    config = configure(load("fcvg_core.models.unet3d").Config(**vars(network.config)))
    config.set_inference_dtype(torch.float32, None)
    cpu = torch.device("cpu")
    model = config.get_model({}, device=cpu)
    model.diffusion_model.eval().load_state_dict(network.state_dict())
    patcher = load("nodes.host.patchers").make_patcher(model, cpu, cpu)
    load("nodes.host.unet3d.control").cut_control_to_windows(patcher)
    return patcher


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
