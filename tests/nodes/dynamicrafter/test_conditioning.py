"""A prompt and pictures -> the host's conditionings, with the tiny checkpoint's encoders."""

import logging
from dataclasses import replace

import pytest
import torch
from dynamicrafter_runs import host_keys, random

SIZE = (64, 128)


@pytest.fixture(scope="module")
def conditioning(load):
    return load("nodes.host.dynamicrafter.conditioning")


@pytest.fixture(scope="module")
def texts(loaded) -> tuple[list, list]:
    """A prompt and the empty prompt."""
    with torch.inference_mode():
        return tuple(
            loaded.clip.encode_from_tokens_scheduled(loaded.clip.tokenize(text))
            for text in ("a cat walks over a roof", "")
        )


@pytest.fixture(scope="module")
def condition(conditioning, loaded, texts):
    """Runs `condition_clip` on a picture; named values replace the defaults."""

    def run(image: torch.Tensor, last: torch.Tensor | None = None, **more) -> tuple:
        given = {
            "projector": loaded.projector,
            "clip_vision": loaded.clip_vision,
            "vae": loaded.vae,
        }
        given |= {"positive": texts[0], "negative": texts[1]}
        given |= {name: more.pop(name) for name in list(more) if name in given}
        settings = conditioning.ClipSettings(
            **{
                "mode": "animate",
                "size": SIZE,
                "num_frames": 16,
                "rate": 10,
                "image_tokens": "auto",
                "clip_picture": "as the video",
                **more,
            }
        )
        return conditioning.condition_clip(image=image, last_image=last, settings=settings, **given)

    return run


@pytest.fixture(scope="module")
def keys(load):
    return host_keys(load)


def picture(seed: int, height: int = SIZE[0], width: int = SIZE[1], channels: int = 3):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(1, height, width, channels, generator=draw)


class TestModes:
    def test_animation_has_the_picture_in_every_frame(self, condition, keys, loaded):
        positive, negative, image_only, latent = condition(picture(0))
        expected = loaded.vae.encode(picture(0))
        for conds in (positive, negative, image_only):
            found = conds[0][1][keys.IMAGE_LATENTS]
            torch.testing.assert_close(found, expected.repeat(16, 1, 1, 1))
            assert conds[0][1][keys.RATE] == 10
        assert latent["samples"].shape == (16, 4, 8, 16) and not latent["samples"].any()

    def test_interpolation_has_zeros_between_both_pictures(self, condition, keys, loaded):
        found = condition(picture(0), picture(1), mode="interpolate")[0][0][1][keys.IMAGE_LATENTS]
        torch.testing.assert_close(found[:1], loaded.vae.encode(picture(0)))
        torch.testing.assert_close(found[-1:], loaded.vae.encode(picture(1)))
        assert not found[1:-1].any()

    def test_a_loop_ends_with_the_first_picture(self, condition, keys, caplog):
        with caplog.at_level(logging.INFO):
            found = condition(picture(0), picture(1), mode="loop")[0][0][1][keys.IMAGE_LATENTS]
        assert torch.equal(found[0], found[-1]) and found[0].any() and not found[1:-1].any()
        assert "does not use last_image" in caplog.text

    def test_a_last_picture_of_another_size_is_fitted_itself(self, condition, keys, loaded):
        last = picture(1, 90, 200)
        found = condition(picture(0), last, mode="interpolate")[0][0][1][keys.IMAGE_LATENTS]
        alone = condition(last)[0][0][1][keys.IMAGE_LATENTS]
        torch.testing.assert_close(found[-1], alone[0])

    def test_interpolation_without_a_last_picture(self, condition):
        with pytest.raises(ValueError, match="last_image is missing"):
            condition(picture(0), mode="interpolate")

    def test_a_model_that_does_not_interpolate(self, condition, load, loaded):
        known = load("fcvg_core.models.dynamicrafter.variants").VARIANTS["256"]
        projector = replace(loaded.projector, variant=known)
        with pytest.raises(ValueError, match="dynamicrafter_512_interp_v1/model.ckpt"):
            condition(picture(0), picture(1), mode="interpolate", projector=projector)


class TestTokens:
    def test_branches(self, condition, keys, texts):
        """image_only has the negative's text and the positive's picture."""
        positive, negative, image_only, _ = condition(picture(0))
        assert torch.equal(positive[0][0], texts[0][0][0])
        assert torch.equal(image_only[0][0], negative[0][0])
        real, grey, same = (x[0][1][keys.IMAGE_TOKENS] for x in (positive, negative, image_only))
        assert torch.equal(real, same)
        assert real.shape == (16, 16, 64) and (real - grey).abs().max() > 1e-3

    def test_unconditional_picture_is_grey(self, condition, keys):
        """Not black: the middle between black and white."""
        tokens = {value: condition(torch.full((1, *SIZE, 3), value))[:2] for value in (0.0, 0.5)}
        grey, negative = (x[0][1][keys.IMAGE_TOKENS] for x in tokens[0.5])
        torch.testing.assert_close(grey, negative, rtol=0, atol=1e-4)
        black = tokens[0.0][0][0][1][keys.IMAGE_TOKENS]
        assert (black - negative).abs().max() > 1e-3

    def test_the_whole_picture_is_seen(self, condition, keys):
        """Not only the middle square, which the host's own preparation takes."""
        image = picture(0)
        edge = image.clone()
        edge[:, :, :24] = 1 - edge[:, :, :24]
        found = [condition(x)[0][0][1][keys.IMAGE_TOKENS] for x in (image, edge)]
        assert (found[0] - found[1]).abs().max() > 1e-3

    def test_the_picture_before_it_is_cropped(self, condition, keys):
        """A wide picture whose sides are cut off from the video."""
        wide = picture(0, 64, 256)
        edge = wide.clone()
        edge[:, :, :48] = 1 - edge[:, :, :48]
        whole, cropped = (
            [condition(x, clip_picture=how)[0][0][1][keys.IMAGE_TOKENS] for x in (wide, edge)]
            for how in ("whole", "as the video")
        )
        assert (whole[0] - whole[1]).abs().max() > 1e-3
        assert torch.equal(*cropped)

    @pytest.mark.parametrize(
        ("how", "num_frames", "shape"),
        [
            ("auto", 16, (16, 16, 64)),
            ("auto", 24, (1, 256, 64)),
            ("shared", 16, (1, 256, 64)),
            ("per frame", 24, (24, 16, 64)),
        ],
    )
    def test_shapes(self, condition, keys, how, num_frames, shape):
        positive, *_ = condition(picture(0), image_tokens=how, num_frames=num_frames)
        assert positive[0][1][keys.IMAGE_TOKENS].shape == shape

    def test_every_entry_of_a_prompt_gets_the_picture(self, condition, keys, texts):
        positive, *_ = condition(picture(0), positive=texts[0] + texts[1])
        assert len(positive) == 2
        assert all(keys.IMAGE_TOKENS in values for _, values in positive)
        assert keys.IMAGE_TOKENS not in texts[0][0][1]  # the input is not changed

    def test_a_long_prompt(self, condition, loaded, rig):
        clip = loaded.clip
        long = clip.encode_from_tokens_scheduled(clip.tokenize("a cat on a roof " * 30))
        positive, *_ = condition(picture(0), positive=long)
        assert positive[0][0].shape[1] % 77 == 0 and positive[0][0].shape[1] > 77


class TestPictures:
    @pytest.mark.parametrize(
        "shape", [(1, 1), (2, 500), (700, 40), (64, 128)], ids=lambda s: f"{s[0]}x{s[1]}"
    )
    @pytest.mark.parametrize("how", ["whole", "as the video"])
    def test_sizes(self, condition, keys, shape, how):
        positive, *_ = condition(picture(0, *shape), clip_picture=how)
        assert positive[0][1][keys.IMAGE_LATENTS].shape == (16, 4, 8, 16)
        assert positive[0][1][keys.IMAGE_TOKENS].isfinite().all()

    def test_transparency_and_further_pictures_do_not_count(self, condition, keys):
        image = picture(0, channels=4)
        batch = torch.cat([image, 1 - image])
        found, expected = (
            condition(x)[0][0][1][keys.IMAGE_LATENTS] for x in (batch, image[..., :3])
        )
        assert torch.equal(found, expected)


class TestSaid:
    @pytest.mark.parametrize(
        ("settings", "count"),
        [
            ({}, 0),
            ({"num_frames": 4}, 1),
            ({"num_frames": 4, "image_tokens": "per frame"}, 0),
            ({"image_tokens": "shared"}, 0),
        ],
    )
    def test_whether_frames_share_image_tokens(self, condition, caplog, settings, count):
        caplog.set_level(logging.INFO)
        condition(picture(0), **settings)
        assert len([text for text in caplog.messages if "all image tokens" in text]) == count


class TestRefused:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"size": (72, 128)}, "multiple of 64"),
            ({"rate": 0}, "from 1 to"),
            ({"num_frames": 1}, "got 1: 16 are recommended"),
        ],
    )
    def test_settings(self, condition, settings, message):
        with pytest.raises(ValueError, match=message):
            condition(picture(0), **settings)

    def test_a_prompt_of_another_text_encoder(self, condition):
        with pytest.raises(ValueError, match="width 64.*Load DynamiCrafter"):
            condition(picture(0), positive=[[random(0, 1, 77, 768), {}]])

    @pytest.mark.seam
    def test_a_vae_of_another_family(self, condition, loaded):
        import copy

        vae = copy.copy(loaded.vae)
        vae.latent_channels = 16
        with pytest.raises(ValueError, match="16 channels.*Load DynamiCrafter"):
            condition(picture(0), vae=vae)

    @pytest.mark.seam
    def test_an_image_encoder_for_larger_pictures(self, condition, loaded):
        """As CLIP ViT-L of 336 pixels, or SigLIP."""
        import copy

        encoder = copy.copy(loaded.clip_vision)
        encoder.image_size = 336
        with pytest.raises(ValueError, match="of 336 pixels, .* takes 224: .*CLIP-ViT-H-14"):
            condition(picture(0), clip_vision=encoder)

    @pytest.mark.seam
    def test_an_image_encoder_of_another_width(self, condition, load, stand_ins):
        loading = load("nodes.host.svd.loading")
        clip_vision, _ = loading.load_svd_encoders(str(stand_ins / "svd"))
        with pytest.raises(ValueError, match="CLIP-ViT-H-14"):
            condition(picture(0), clip_vision=clip_vision)
