"""Every sampler of the host through the guider: swapped keyframes and flipped noise flip a video."""

import pytest
from guiding import Rig

# They draw noise of their own, which does not flip with the video.
NOISY = ("ancestral", "sde", "ddpm", "lcm", "seeds", "sa_solver")
CASES = [(25, 3.0), (25, 1.0), (4, 3.0), (4, 1.0)]  # window and guidance


@pytest.fixture(scope="module")
def rig(load, stand_ins):
    loading = load("nodes.host.loading")
    return Rig(
        load,
        loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default"),
        loading.load_controlnext(str(stand_ins / "controlnext.safetensors")),
    )


def deterministic() -> list[str]:
    import comfy.samplers

    return [
        name for name in comfy.samplers.SAMPLER_NAMES if not any(word in name for word in NOISY)
    ]


@pytest.mark.parametrize(("window", "guidance"), CASES)
def test_swapped_keyframes_and_flipped_noise_flip_the_video(rig, window, guidance):
    found = {}
    for sampler in deterministic():

        def make(flipped):
            return rig.inbetween(
                rig.steer(flipped=flipped), flipped=flipped, window=window,
                guidance=(guidance, guidance),
            )  # fmt: skip

        found[sampler] = rig.asymmetry(make, sampler=sampler, steps=4)
    print(found)
    assert max(found.values()) <= 1e-5, {k: v for k, v in found.items() if not v <= 1e-5}
