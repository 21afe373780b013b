"""Prompts, a picture and boxes -> the host's conditionings, with the tiny files' encoders."""

import copy

import numpy as np
import pytest
import torch
from dynamicrafter_runs import host_keys, random

SIZE = (64, 128)
FRAMES = 4


@pytest.fixture(scope="module")
def keys(load):
    return host_keys(load, "smcd")


@pytest.fixture(scope="module")
def boxes(load):
    """Tracks by label: a box that moves to the right, a box that stays."""
    room = load("fcvg_core.boxes")

    def make(*labels: str, frames: int = FRAMES):
        steps = np.linspace(0, 0.5, frames)[:, None] * [1, 0, 1, 0]
        moving = np.array([0.1, 0.2, 0.4, 0.7]) + steps
        found = (room.BoxTrack(x, moving if i % 2 == 0 else moving[:1].repeat(frames, 0))
                 for i, x in enumerate(labels))  # fmt: skip
        return room.BoxTracks(tuple(found), frames)

    return make


@pytest.fixture(scope="module")
def condition(load, loaded, clip, vae, boxes):
    """Runs `condition_boxes`; named values replace the defaults."""
    module = load("nodes.host.smcd.conditioning")
    with torch.inference_mode():
        texts = [
            clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in ("a dog runs", "")
        ]

    def run(tracks="dog", **more) -> tuple:
        given = {"positive": texts[0], "negative": texts[1], "encoders": loaded.encoders}
        given |= {"clip": clip, "vae": vae, "image": picture(0)}
        given |= {name: more.pop(name) for name in list(more) if name in given}
        settings = module.BoxSettings(**{"num_frames": FRAMES, "size": SIZE, **more})
        tracks = boxes(tracks) if isinstance(tracks, str) else tracks
        return module.condition_boxes(tracks=tracks, settings=settings, **given)

    return run


def picture(seed: int, height: int = SIZE[0], width: int = SIZE[1]) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(1, height, width, 3, generator=draw)


def apart(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether values differ by more than rounding."""
    return bool((one - other).abs().max() > 1e-3 * one.abs().max())


class TestBranches:
    @pytest.mark.seam
    def test_picture_and_boxes_are_in_both_and_in_nothing_they_are_left_out(
        self, condition, keys, vae
    ):
        positive, negative, nothing, latent = condition()
        given = {name: positive[0][1][name] for name in vars_of(keys)}
        assert all(torch.equal(negative[0][1][key], x) for key, x in given.items())
        expected = vae.encode(picture(0)).repeat(FRAMES, 1, 1, 1)
        torch.testing.assert_close(given[keys.IMAGE_LATENTS], expected)
        without = {name: nothing[0][1][name] for name in given}
        assert torch.equal(nothing[0][0], negative[0][0])
        assert not without[keys.IMAGE_LATENTS].any()
        for key in (keys.OBJECTS, keys.IMAGE_TOKENS):
            assert without[key].shape == given[key].shape and apart(given[key], without[key])
        assert latent["samples"].shape == (FRAMES, 4, 8, 16) and not latent["samples"].any()

    def test_inputs_are_not_changed(self, condition, clip):
        prompt = clip.encode_from_tokens_scheduled(clip.tokenize("a cat"))
        names = set(prompt[0][1])
        positive, *_ = condition(positive=prompt + prompt)
        assert len(positive) == 2 and set(prompt[0][1]) == names

    def test_the_host_samples_them(self, condition, loaded, load):
        from smcd_runs import SmcdRig

        positive, negative, nothing, _ = condition()
        rig = SmcdRig(load, loaded.model)
        guider = rig.three_branches(positive=positive, image_only=negative, negative=nothing)
        noise = random(0, FRAMES, 4, 8, 16)
        out = rig.sample(guider, frames=FRAMES, latent_image=torch.zeros_like(noise), noise=noise)
        assert out.shape == noise.shape and out.isfinite().all()


def vars_of(keys) -> tuple[str, str, str]:
    return keys.IMAGE_LATENTS, keys.OBJECTS, keys.IMAGE_TOKENS


class TestBoxes:
    def objects(self, condition, keys, *args, **more) -> torch.Tensor:
        return condition(*args, **more)[0][0][1][keys.OBJECTS]

    def test_an_object_for_each_track(self, condition, keys, boxes):
        found = self.objects(condition, keys, boxes("dog", "a red cat"))
        assert found.shape == (FRAMES, 2, 64)
        assert apart(found[0, 0], found[-1, 0])  # it moves
        torch.testing.assert_close(found[0, 1], found[-1, 1])

    def test_labels_matter(self, condition, keys, boxes):
        dog, cat = (self.objects(condition, keys, boxes(x)) for x in ("dog", "cat"))
        assert apart(dog, cat)

    def test_absent_objects_fill_up(self, condition, keys, boxes):
        alone = self.objects(condition, keys, boxes("dog"))
        padded = self.objects(condition, keys, boxes("dog"), pad_to=8)
        absent = self.objects(condition, keys, None)
        assert padded.shape == (FRAMES, 8, 64) and absent.shape == (FRAMES, 1, 64)
        torch.testing.assert_close(padded[:, :1], alone)
        torch.testing.assert_close(padded[:, 1:], absent.repeat(1, 7, 1))

    def test_without_boxes_the_picture_counts(self, condition, keys):
        positive, _, nothing, _ = condition(None)
        assert torch.equal(positive[0][1][keys.OBJECTS], nothing[0][1][keys.OBJECTS])
        assert apart(positive[0][1][keys.IMAGE_TOKENS], nothing[0][1][keys.IMAGE_TOKENS])

    def test_another_number_of_frames(self, condition, keys, boxes, caplog):
        found = self.objects(condition, keys, boxes("dog", frames=7))
        assert found.shape == (FRAMES, 1, 64)
        assert "7 frames, the video 4: the boxes are spread" in caplog.text
        torch.testing.assert_close(found, self.objects(condition, keys, boxes("dog")))

    def test_boxes_follow_the_picture(self, condition, keys, boxes, load):
        """Its left and right quarters are cut off, or it is stretched as the boxes are."""
        square, wide = picture(0, 64, 64), picture(0, 64, 128)
        narrow = {"size": (64, 64), "fit": "crop", "image": wide}
        track = load("fcvg_core.boxes").fit_boxes(boxes("dog"), (64, 128), (64, 64), "crop")
        cut = self.objects(condition, keys, boxes("dog"), **narrow)
        expected = self.objects(condition, keys, track, size=(64, 64), image=square)
        torch.testing.assert_close(cut, expected)
        stretched = self.objects(condition, keys, boxes("dog"), size=(64, 64), image=wide)
        torch.testing.assert_close(stretched, self.objects(condition, keys, boxes("dog")))


class TestLabels:
    @pytest.mark.seam
    def test_the_row_of_the_end(self, load, clip):
        labels = load("nodes.host.smcd.labels")
        encoded = clip.encode_from_tokens_scheduled(clip.tokenize("a dog"))[0][0]
        torch.testing.assert_close(labels.embed_label(clip, "a dog"), encoded[0, 3])

    @pytest.mark.seam
    def test_parentheses_are_letters(self, load, clip):
        """Not weights, which the command line does not know."""
        labels = load("nodes.host.smcd.labels")
        tokens = clip.tokenize("(dog:1.5)", disable_weights=True)["h"][0]
        end = [token for token, _ in tokens].index(49407)
        assert end > 3
        tokens = {"h": [[(token, 1.0) for token, _ in tokens]]}
        encoded = clip.encode_from_tokens_scheduled(tokens)[0][0]
        torch.testing.assert_close(labels.embed_label(clip, "(dog:1.5)"), encoded[0, end])

    def test_a_long_label(self, load, clip, caplog):
        found = load("nodes.host.smcd.labels").embed_label(clip, "dog " * 90)
        assert found.shape == (64,) and "its end is left out" in caplog.text


class TestRefused:
    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"size": (72, 128)}, "multiple of 64"),
            ({"positive": [[random(0, 1, 77, 768), {}]]}, "width 64.*CLIP of Load SMCD"),
            ({"negative": [[random(0, 1, 77, 768), {}]]}, "negative has text tokens"),
            ({"image": torch.full((1, 8, 8, 3), torch.nan)}, "NaN"),
            ({"image": torch.zeros(0, 8, 8, 3)}, "empty"),
        ],
    )
    def test_inputs(self, condition, more, message):
        with pytest.raises(ValueError, match=message):
            condition(**more)

    def test_more_objects_than_training_had(self, condition, boxes):
        with pytest.raises(ValueError, match="9 box tracks, but SMCD takes 8"):
            condition(boxes(*["dog"] * 9))

    def test_a_vae_of_another_family(self, condition, vae):
        other = copy.copy(vae)
        other.latent_channels = 16
        with pytest.raises(ValueError, match="16 channels.*VAE of Load SMCD"):
            condition(vae=other)

    @pytest.mark.seam
    def test_a_text_encoder_of_another_family(self, condition, clip):
        other = copy.copy(clip)
        other.tokenize = lambda text, **more: {"l": [[(49406, 1.0), (49407, 1.0)]]}
        with pytest.raises(ValueError, match="for other models .l., .*CLIP of Load SMCD"):
            condition(clip=other)

    def test_a_text_encoder_of_another_width(self, condition, clip):
        other = copy.copy(clip)
        other.encode_from_tokens_scheduled = lambda tokens: [[random(0, 1, 77, 768), {}]]
        with pytest.raises(ValueError, match="embeddings of width 768, .* width 64"):
            condition(clip=other)
