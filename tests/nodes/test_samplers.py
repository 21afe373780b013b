"""Every sampler of the host: swapped keyframes and flipped noise flip the video."""

import pytest
from guiding import Rig

pytestmark = pytest.mark.sampling

# They draw noise of their own, which does not flip with the video.
NOISY = ("ancestral", "sde", "ddpm", "lcm", "seeds", "sa_solver")
# Frames of the video and of a window.
SHORT, ONE_WINDOW, TWO_WINDOWS = (3, 25), (5, 25), (4, 3)
# A sampler sees none of the windows, so each meets every value of both, but not every pair.
OF_EACH_KIND = (TWO_WINDOWS, 3.0)
CASES = [(SHORT, 1.0), OF_EACH_KIND]
SIZE = 4  # of latents
SIX = ("euler", "heun", "dpmpp_2m", "euler_cfg_pp", "dpmpp_2m_cfg_pp", "uni_pc")


@pytest.fixture(scope="module")
def asymmetry(load, tiny_models):
    """Asymmetry of four steps of a sampler."""
    rig = Rig(load, *tiny_models, SIZE)

    def run(sampler: str, lengths: tuple[int, int], guidance: float) -> float:
        frames, window = lengths

        def make(flipped):
            return rig.inbetween(
                rig.steer(frames=frames, flipped=flipped),
                flipped=flipped,
                window=window,
                guidance=(guidance, guidance),
            )

        return rig.asymmetry(make, sampler=sampler, frames=frames, steps=4)

    return run


@pytest.mark.slow
@pytest.mark.parametrize(("lengths", "guidance"), CASES)
def test_every_sampler_without_noise(asymmetry, lengths, guidance):
    import comfy.samplers

    done = SIX if (lengths, guidance) == OF_EACH_KIND else ()
    names = [
        name
        for name in comfy.samplers.SAMPLER_NAMES
        if name not in (*done, "dpm_adaptive") and not any(word in name for word in NOISY)
    ]
    found = {name: asymmetry(name, lengths, guidance) for name in names}
    assert max(found.values()) <= 1e-5, found


@pytest.mark.seam
@pytest.mark.parametrize("sampler", SIX)
def test_one_of_each_kind(asymmetry, sampler):
    assert asymmetry(sampler, *OF_EACH_KIND) <= 1e-5


def test_a_sampler_that_chooses_its_steps(asymmetry):
    """dpm_adaptive adds up an error over all pixels, and the order of addition changes its last
    digits, hence the length of its steps a little."""
    assert asymmetry("dpm_adaptive", ONE_WINDOW, 1.0) <= 1e-5
