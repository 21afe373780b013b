"""The denoising loop: the official runs, and the branches of guidance."""

import pytest
import torch
from dynamicrafter_cases import assert_close
from smcd_cases import DdimCase, each_ddim_case
from unet3d_cases import TINY_SMCD, tiny_unet

from fcvg_core.errors import UserError
from fcvg_core.standalone.networks.branches import Scales
from fcvg_core.standalone.networks.smcd.denoising import (
    Conditions,
    Scene,
    denoise_video,
    plan_steps,
)

FRAMES, WIDTH = 3, TINY_SMCD.context_channels


@each_ddim_case()
def test_the_official_runs(case: DdimCase):
    scene = Scene(case.concat, case.objects, case.image_tokens)
    seen = []
    found = denoise_video(
        case.unet(),
        Conditions(case.text, case.negative_text, scene, None),
        case.start,
        steps=case.steps,
        scales=Scales(case.guidance, 1.0),
        progress=lambda *state: seen.append(state),
    )
    case.check(found)
    assert [step.timestep for step in plan_steps(case.steps)] == case.timesteps
    assert seen == [(done, len(case.timesteps)) for done in range(len(case.timesteps) + 1)]


def noise(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def scene(seed: int) -> Scene:
    return Scene(
        noise(1, 4, 4, 4, seed=seed),
        noise(FRAMES, 2, WIDTH, seed=seed + 1),
        noise(FRAMES, 4, WIDTH, seed=seed + 2),
    )


CONDITIONS = Conditions(noise(1, 5, WIDTH, seed=1), noise(1, 5, WIDTH, seed=2), scene(3), scene(6))
START = noise(FRAMES, 4, 4, 4, seed=9)


class CountingUnet:
    """A UNet that notes what it gets, and how often."""

    def __init__(self, network):
        self.network, self.seen = network, []

    def __getattr__(self, name):
        return getattr(self.network, name)

    def __call__(self, *args, **kwargs):
        self.seen.append((args, kwargs))
        return self.network(*args, **kwargs)


@pytest.fixture(scope="module")
def unet():
    return tiny_unet(TINY_SMCD)


def paint(network, text: float, image: float, steps: int = 1) -> torch.Tensor:
    return denoise_video(network, CONDITIONS, START, steps=steps, scales=Scales(text, image))


class TestGuidance:
    @pytest.mark.parametrize(
        ("text", "image", "branches"),
        [(7.5, 1.0, 2), (1.0, 1.0, 1), (7.5, 2.0, 3), (1.0, 2.0, 3), (3.0, 3.0, 2), (0.0, 1.0, 2)],
    )
    def test_no_branch_runs_in_vain(self, unet, text, image, branches):
        counting = CountingUnet(unet)
        paint(counting, text, image)
        assert [len(args[0]) for args, _ in counting.seen] == [branches * FRAMES]

    def test_by_hand(self, unet):
        """From nothing to the scene, and from there to the text."""

        def predict(text: torch.Tensor, given: Scene) -> torch.Tensor:
            return unet(
                torch.cat([START, given.latents.expand(FRAMES, -1, -1, -1)], dim=1),
                torch.full((FRAMES,), 1),
                text.expand(FRAMES, -1, -1),
                num_frames=FRAMES,
                image_tokens=given.image_tokens,
                objects=given.objects,
            )

        given = CONDITIONS
        with torch.no_grad():
            nothing = predict(given.negative_text, given.nothing)
            by_scene = predict(given.negative_text, given.scene)
            by_both = predict(given.text, given.scene)
        output = nothing + 2.0 * (by_scene - nothing) + 7.5 * (by_both - by_scene)
        (step,) = plan_steps(1)
        clean = (START - (1 - step.alpha) ** 0.5 * output) / step.alpha**0.5
        expected = step.alpha_prev**0.5 * clean + (1 - step.alpha_prev) ** 0.5 * output
        assert_close(paint(unet, 7.5, 2.0), expected, 1e-5)

    @pytest.mark.parametrize(("text", "image"), [(7.5, 1.0), (3.0, 3.0)])
    def test_what_cancels_out_changes_nothing(self, unet, text, image):
        """Close to scales at which a branch cancels out, three branches give almost the same."""
        assert_close(paint(unet, text, image + 1e-5), paint(unet, text, image), 1e-3)


def test_half_precision(unet):
    """The UNet computes in its own format; the latents stay in float32."""
    found = paint(tiny_unet(TINY_SMCD).bfloat16(), 2.0, 1.0)
    assert found.dtype == torch.float32
    assert_close(found, paint(unet, 2.0, 1.0), 0.1)


def test_overflow_is_said():
    network = tiny_unet(TINY_SMCD)
    torch.nn.init.constant_(network.out[2].bias, float("inf"))
    with pytest.raises(
        UserError, match=r"not numbers\. The UNet overflows in float16: try --dtype"
    ):
        paint(network, 1.0, 1.0)


class TestSteps:
    def test_timestep_1000_becomes_999_and_leads_a_whole_stride(self):
        steps = plan_steps(3)
        assert [step.timestep for step in steps] == [999, 667, 334, 1]
        assert steps[1].alpha < steps[0].alpha_prev < plan_steps(2)[0].alpha

    @pytest.mark.parametrize("steps", [0, 1001])
    def test_too_few_or_too_many(self, steps):
        with pytest.raises(UserError, match=f"takes 1 to 1000 steps, got {steps}"):
            plan_steps(steps)
