"""The numbers of the official code, from the host's samplers."""

import torch
from dynamicrafter_cases import (
    TEXT_TOKENS,
    SamplingCase,
    as_frames,
    assert_close,
    each_sampling_case,
    split_context,
    tolerance,
    unet,
)
from dynamicrafter_runs import host_keys
from unet3d_cases import check_close, each_network_case


class Run:
    """A golden run in the host."""

    def __init__(self, load, build, case: SamplingCase):
        self.load, self.case = load, case
        settings = case.settings
        self.model = build(
            unet(case.model, case.config),
            prediction=settings["param"],
            zero_snr=settings["zsnr"],
            base_scale=settings["base_scale"],
        )
        self.sampling = load("nodes.host.unet3d.sampling")
        self.states: list[torch.Tensor] = []

    def conditioning(self, text: str, picture: str) -> list:
        """The text of one official context with the image tokens of another."""
        keys = host_keys(self.load)
        values = {
            keys.IMAGE_LATENTS: self.model.model.process_latent_out(self.case.concat),
            keys.IMAGE_TOKENS: self.case.tokens(picture)[1],
            keys.RATE: self.case.rate,
        }
        return [[self.case.tokens(text)[0], values]]

    def guider(self):
        """The guider of the case's settings."""
        import comfy.samplers

        settings = self.case.settings
        positive = self.conditioning("in_context", "in_context")
        negative = self.conditioning("in_uncond_context", "in_uncond_context")
        if settings["multi"] is not None:
            return self.load("nodes.host.unet3d.guider").make_guider(
                self.model,
                positive,
                self.conditioning("in_uncond_context", "in_context"),
                negative,
                cfg=settings["cfg"],
                cfg_image=settings["multi"],
                rescale=settings["resc"],
            )
        model = self.sampling.rescale_clip_guidance(self.model, settings["resc"])
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(positive, negative)
        guider.set_cfg(settings["cfg"])
        return guider

    def sample(self, sampler) -> torch.Tensor:
        """The final latents as the official code has them."""
        settings = self.case.settings
        levels = self.sampling.ddim_levels_of(self.model, settings["steps"], settings["spacing"])
        out = self.guider().sample(
            self.case.start,
            torch.zeros_like(self.case.start),
            sampler,
            levels,
            callback=lambda step, denoised, x, total: self.states.append(x),
            disable_pbar=True,
            seed=0,
        )
        return self.model.model.process_latent_in(out)

    def check(self, out: torch.Tensor) -> None:
        """Assert that every step and the result are the official ones."""
        model_sampling = self.model.model.model_sampling
        steps = self.sampling.plan_steps(model_sampling, self.levels(), self.case.settings["eta"])
        for i, (state, step) in enumerate(zip(self.states[1:], steps, strict=False)):
            factor = step.alpha_prev**0.5 * step.scale_prev
            self.case.check("out_x_prev", i, state * factor)
        assert_close(out, as_frames(self.case.tensors["out"]), tolerance(self.case.config))

    def levels(self) -> torch.Tensor:
        settings = self.case.settings
        return self.sampling.ddim_levels_of(self.model, settings["steps"], settings["spacing"])


@each_sampling_case()
def test_ddim(load, build_model, case):
    run = Run(load, build_model, case)
    sampler = run.sampling.ddim_sampler(case.settings["eta"])
    given = iter(case.fresh)
    sampler.extra_options["noise_sampler"] = lambda *levels: next(given)
    run.check(run.sample(sampler))
    assert len(run.states) == len(case.fresh)


@each_sampling_case(adds_noise=False)
def test_euler_takes_the_same_steps(load, build_model, case):
    import comfy.samplers

    run = Run(load, build_model, case)
    run.check(run.sample(comfy.samplers.sampler_object("euler")))


@each_network_case("dynamicrafter", "UNetModel")
def test_unet(build_model, config, tensors):
    """Two videos in one batch, as cond and uncond are; the names are those of the official code."""
    network = build_model(unet(config["kwargs"], config)).model.diffusion_model
    num_frames = tensors["in_x"].shape[2]
    latents = torch.cat([tensors["in_x"], tensors["in_c_concat"]], dim=1)

    def run(context: torch.Tensor, video: int, rate: int) -> torch.Tensor:
        text, image = split_context(context[video : video + 1], num_frames)
        return network(
            as_frames(latents[video : video + 1]),
            tensors["in_timesteps"][video].expand(num_frames).float(),
            text.expand(num_frames, -1, -1),
            image_tokens=image.expand(num_frames, -1, -1),
            rate=rate,
            num_video_frames=num_frames,
        )

    context, rates = tensors["in_context"], tensors["in_fs"].tolist()
    shared, default = context[:, : TEXT_TOKENS + 16], config["kwargs"]["default_fs"]
    expected = {
        "out": (context, rates),
        "out_shared_context": (shared, rates),
        "out_default_fs": (context, [default] * len(rates)),
    }
    for name, (tokens, rate) in expected.items():
        found = torch.cat([run(tokens, video, rate[video]) for video in range(len(rate))])
        check_close(found, as_frames(tensors[name]), config)
