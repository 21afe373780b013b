"""The denoising loop: the official runs, the branches of guidance, memory."""

from dataclasses import replace

import pytest
import torch
from dynamicrafter_cases import SamplingCase, assert_close, each_sampling_case, unet

from fcvg_core.models.dynamicrafter.variants import VARIANTS
from fcvg_core.sampling import noise_table
from fcvg_core.standalone.networks.dynamicrafter.denoising import (
    Branch,
    ClipSettings,
    Conditions,
    denoise_clip,
)


def settings_of(case: SamplingCase) -> ClipSettings:
    found = case.settings
    return ClipSettings(
        num_frames=len(case.start),
        rate=case.rate,
        steps=found["steps"],
        eta=found["eta"],
        spacing=found["spacing"],
        guidance=found["cfg"],
        image_guidance=found["multi"],
        rescale=found["resc"],
        image_tokens="auto",
        decode_chunk=1,
    )


def conditions_of(case: SamplingCase) -> Conditions:
    return Conditions(
        case.concat, Branch(*case.tokens("in_context")), Branch(*case.tokens("in_uncond_context"))
    )


def paint(case: SamplingCase, network, settings: ClipSettings, **more) -> torch.Tensor:
    found = case.settings
    fresh = iter(case.fresh)
    return denoise_clip(
        network,
        replace(VARIANTS["512"], prediction=found["param"]),
        noise_table(zero_snr=found["zsnr"], base_scale=found["base_scale"]),
        conditions_of(case),
        case.start,
        settings,
        draw=lambda: next(fresh),
        **more,
    )


@each_sampling_case()
def test_the_official_runs(case):
    seen = []
    settings = settings_of(case)
    network = unet(case.model, case.config)
    out = paint(case, network, settings, progress=lambda *state: seen.append(state))
    case.check("out_x_prev", -1, out)
    count = len(case.tensors["ddim_timesteps"])
    assert seen == [(done, count) for done in range(count + 1)]


@pytest.fixture
def case() -> SamplingCase:
    """Any of the runs, for its network and its conditions."""
    return each_sampling_case().args[1][0]


def three_branches(case: SamplingCase, **changes) -> ClipSettings:
    found = {"steps": 1, "guidance": 7.5, "image_guidance": 3.0, **changes}
    return replace(settings_of(case), **found)


class CountingUnet:
    """A UNet that notes how many frames it gets, and takes at most `most` of them."""

    def __init__(self, network, most: int = 1000, error: Exception | None = None):
        self.network, self.most, self.error, self.seen = network, most, error, []

    def __getattr__(self, name):
        return getattr(self.network, name)

    def __call__(self, latents, *args, **kwargs):
        self.seen.append(len(latents))
        if len(latents) > self.most:
            raise self.error
        return self.network(latents, *args, **kwargs)


class TestBranches:
    @pytest.mark.parametrize(
        ("changes", "branches"),
        [
            ({}, 3),
            ({"image_guidance": None}, 2),
            ({"image_guidance": None, "guidance": 1.0}, 1),
            ({"image_guidance": 1.0, "guidance": 1.0}, 1),
            ({"image_guidance": 2.0, "guidance": 1.0}, 3),
            ({"image_guidance": 1.0}, 2),
            ({"image_guidance": 7.5}, 2),
        ],
    )
    def test_no_branch_runs_in_vain(self, case, changes, branches):
        network = CountingUnet(unet(case.model, case.config))
        paint(case, network, three_branches(case, **changes))
        assert network.seen == [branches * len(case.start)]

    @pytest.mark.parametrize("image_guidance", [1.0, 7.5])
    def test_what_cancels_out_changes_nothing(self, case, image_guidance):
        """Close to scales at which a branch cancels out, three branches give almost the same."""
        network = unet(case.model, case.config)
        two, three = (
            paint(case, network, three_branches(case, image_guidance=image_guidance + more))
            for more in (0, 1e-5)
        )
        assert_close(three, two, 1e-3)

    def test_memory_runs_out(self, case, caplog):
        """The branches then run one by one, and give the same."""
        settings = three_branches(case, steps=2)
        network, count = unet(case.model, case.config), len(case.start)
        whole = paint(case, network, settings)
        small = CountingUnet(network, count, torch.cuda.OutOfMemoryError("out of memory"))
        assert_close(paint(case, small, settings), whole, 1e-4)
        assert small.seen == [3 * count, *[count] * 6]  # it is not tried again in the second step
        assert "the branches of guidance now run one by one" in caplog.text

    def test_other_errors_pass_through(self, case):
        error = RuntimeError("CUDA error: an illegal memory access was encountered")
        network = CountingUnet(unet(case.model, case.config), 0, error)
        with pytest.raises(RuntimeError, match="illegal memory access"):
            paint(case, network, three_branches(case))

    def test_one_branch_that_is_too_large(self, case):
        error = torch.cuda.OutOfMemoryError("out of memory")
        network = CountingUnet(unet(case.model, case.config), 0, error)
        with pytest.raises(torch.cuda.OutOfMemoryError):
            paint(case, network, three_branches(case))


def test_half_precision(case):
    """The UNet computes in its own format; the latents stay in float32."""
    network = unet(case.model, case.config)
    settings = three_branches(case, guidance=1.0, image_guidance=None)
    exact = paint(case, network, settings)
    out = paint(case, network.bfloat16(), settings)
    assert out.dtype == torch.float32
    assert not torch.equal(out, exact)
    assert_close(out, exact, 0.1)


def test_no_noise_is_drawn_without_eta(case):
    case = replace(case, tensors={**case.tensors, "in_noise": torch.empty(0)})
    out = paint(case, unet(case.model, case.config), three_branches(case, eta=0.0))
    assert out.isfinite().all()
