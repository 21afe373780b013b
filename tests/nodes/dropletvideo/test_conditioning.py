"""Picture, prompts and FPS -> conditionings, against the official pipeline."""

import pytest
import torch
from dropletvideo_cases import each_pipeline_case

from fcvg_core.models.dropletvideo.config import VaeConfig

PICTURE = torch.rand(1, 90, 160, 3, generator=torch.Generator().manual_seed(0))
TEXT = [[torch.zeros(1, 400, 20), {"pooled_output": None}]]
USUAL = {
    "size": (64, 96),
    "num_frames": 9,
    "fps": 4,
    "fit": "crop",
    "pads": False,
    "augmentation": 0.0,
    "seed": 0,
}
TINY = VaeConfig(block_channels=(8, 8, 8, 8), layers=1, norm_groups=4)


@pytest.fixture(scope="module")
def vae(build_vae):
    generator = torch.Generator().manual_seed(0)
    return build_vae(
        TINY, lambda shapes: {k: torch.randn(v, generator=generator) for k, v in shapes.items()}
    )


@pytest.fixture(scope="module")
def condition(load, vae):
    module = load("nodes.host.dropletvideo.conditioning")

    def condition(image=PICTURE, end_image=None, positive=TEXT, vae=vae, **changed) -> tuple:
        clip = module.DropletClip(**{**USUAL, **changed})
        return module.condition_clip(positive, TEXT, vae, image, end_image, clip)

    return condition


def values(conditioning: list) -> tuple:
    """Latents, mask and FPS of a conditioning."""
    ((_, more),) = conditioning
    return tuple(
        more[key] for key in ("concat_latent_image", "dropletvideo_mask", "dropletvideo_fps")
    )


@each_pipeline_case()
def test_the_official_conditions(condition, build_vae, case):
    """Unscaled here: the model scales mask and latents."""
    positive, negative, latent = condition(
        case.image[None] / 255,
        vae=build_vae(case.vae_config, case.vae_weights),
        size=case.size,
        num_frames=case.num_frames,
        fps=case.fps,
    )
    assert latent["samples"].shape == case.noise.shape and not latent["samples"].any()
    for conditioning in (positive, negative):
        latents, mask, fps = values(conditioning)
        assert fps == case.fps
        case.check_conditions(torch.cat([mask, latents], dim=1) * case.scaling_factor)
    assert positive[0][1]["pooled_output"] is None  # what a prompt has stays
    assert TEXT[0][1].keys() == {"pooled_output"}  # the input itself is not changed


def test_noise_on_the_picture_follows_its_seed(condition):
    def latents(**changed):
        return values(condition(augmentation=0.1, **changed)[0])[0]

    assert torch.equal(latents(seed=1), latents(seed=1))
    assert not torch.equal(latents(seed=1), latents(seed=2))
    assert not torch.equal(latents(seed=1), values(condition()[0])[0])


def test_an_end_picture_is_said_to_be_untrained(condition, caplog):
    latents, mask, _ = values(condition(end_image=1 - PICTURE)[0])
    assert mask[0, 0, :, 0, 0].tolist() == [1, 0, 1]
    assert not torch.equal(latents[:, :, -1], values(condition()[0])[0][:, :, -1])
    assert "was not trained with a picture at the end" in caplog.text


def test_any_size_is_padded(condition):
    picture = torch.zeros(1, 70, 100, 3)
    picture[:, -1] = picture[:, :, -1] = 1.0
    whole = torch.ones(1, 80, 112, 3)
    whole[:, :69, :99] = 0.0
    latents, _, _ = values(condition(picture, size=(70, 100), pads=True)[0])
    assert torch.equal(latents, values(condition(whole, size=(80, 112))[0])[0])
    assert condition(picture, size=(70, 100), pads=True)[2]["samples"].shape[-2:] == (10, 14)


@pytest.mark.parametrize(("num_frames", "latents"), [(1, 1), (5, 2), (12, 3)])
def test_numbers_of_frames(condition, caplog, num_frames, latents):
    positive, _, latent = condition(num_frames=num_frames)
    assert latent["samples"].shape[2] == values(positive)[0].shape[2] == latents
    assert ("12 are rounded down to 9" in caplog.text) == (num_frames == 12)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"size": (64, 100)}, "width must be a multiple of 16 .*, got 100: use 96 or 112"),
        ({"size": (48, 96), "pads": True}, "height must be .* from 64 to 4096, got 48"),
        ({"num_frames": 2}, "must have 5 to 1021 frames, got 2"),
        ({"num_frames": 3}, "got 3"),
        ({"fps": 0}, "FPS must be a number from 1 to 60, got 0"),
        ({"fps": 1000}, "got 1000"),
        ({"num_frames": 1, "end_image": PICTURE}, "leave out the end picture"),
        ({"image": PICTURE * float("nan")}, "image holds NaN"),
        ({"image": torch.zeros(0, 8, 8, 3)}, "image is an empty batch"),
        ({"end_image": torch.zeros(1, 8, 8, 2)}, "end_image has the shape"),
        ({"positive": [[torch.zeros(1, 226, 20), {}]]}, "takes 400 tokens of T5-XXL: encode"),
        (
            {"positive": [[torch.zeros(1, 400, 20), {"attention_mask": torch.ones(1, 400)}]]},
            "positive was encoded by a T5-XXL that masks the padding",
        ),
    ],
)
def test_what_can_not_be(condition, changed, said):
    with pytest.raises(ValueError, match=said):
        condition(**changed)


def test_a_vae_of_another_family(load, condition):
    """ComfyUI's reading of the same file, too, would compute other numbers."""
    import comfy.sd

    other = comfy.sd.VAE(**load("nodes.host.encoders").smallest_autoencoder())
    with pytest.raises(ValueError, match="is not DropletVideo's as this pack reads it.* connect"):
        condition(vae=other)
