"""A picture, boxes and a prompt in, frames of a video out, on tiny models."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fcvg_core.boxes import BoxTrack, BoxTracks
from fcvg_core.errors import UserError
from fcvg_core.models.smcd.tokens import absent_tokens
from fcvg_core.standalone.networks.clip_text import encode_prompt
from fcvg_core.standalone.networks.smcd import SmcdPipeline, SmcdRequest, SmcdSettings
from fcvg_core.standalone.networks.smcd.denoising import denoise_video

SIZE, FRAMES = (64, 128), 3
SHORT = SmcdSettings(num_frames=FRAMES, steps=1)


def picture(seed: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (*SIZE, 3), np.uint8)


def track(label: str, *, shift: float = 0.1, frames: int = FRAMES) -> BoxTrack:
    """A box that moves to the right."""
    boxes = [[0.1 + shift * i, 0.2, 0.4 + shift * i, 0.6] for i in range(frames)]
    return BoxTrack(label, np.array(boxes, np.float32))


def tracks(*found: BoxTrack) -> BoxTracks:
    return BoxTracks(found, FRAMES)


REQUEST = SmcdRequest(first=picture(0), tracks=tracks(track("dog")), prompt="a dog runs")


@pytest.fixture(scope="module")
def plain(pipeline) -> np.ndarray:
    """The frames of one step."""
    return pipeline(REQUEST, SHORT, seed=5)


class TestVideo:
    def test_frames(self, pipeline):
        seen = []
        frames = pipeline(
            REQUEST, replace(SHORT, steps=3), seed=5, progress=lambda *state: seen.append(state)
        )
        assert frames.shape == (FRAMES, *SIZE, 3) and frames.dtype == np.uint8
        assert seen == [
            *(("encoding", i, 1) for i in range(2)),
            *(("denoising", i, 4) for i in range(5)),  # 3 steps give 4
            *(("decoding", i, FRAMES) for i in range(FRAMES + 1)),
        ]

    def test_seed_and_offload(self, pipeline, plain):
        low = SmcdPipeline(pipeline.networks, device=pipeline.device, offload=True)
        assert np.array_equal(plain, low(REQUEST, SHORT, seed=np.int64(5)))
        assert not np.array_equal(plain, pipeline(REQUEST, SHORT, seed=2**64 - 1))

    @pytest.mark.parametrize(
        "changes", [{"guidance": 1.0}, {"scene_guidance": 3.0}, {"pad_to": 8}, {"steps": 2}]
    )
    def test_every_setting_counts(self, pipeline, plain, changes):
        assert not np.array_equal(pipeline(REQUEST, replace(SHORT, **changes), seed=5), plain)

    @pytest.mark.parametrize(
        "changes",
        [
            {"first": picture(1)},
            {"prompt": "a cat sleeps"},
            {"negative_prompt": "noise"},
            {"tracks": tracks(track("dog", shift=0.2))},
            {"tracks": tracks(track("cat"))},
            {"tracks": tracks(track("dog"), track("cat", shift=0.0))},
            {"tracks": tracks()},
        ],
    )
    def test_everything_of_a_request_counts(self, pipeline, plain, changes):
        assert not np.array_equal(pipeline(replace(REQUEST, **changes), SHORT, seed=5), plain)

    def test_the_noise_is_that_of_the_seed(self, pipeline, plain):
        conditions = pipeline.encode(REQUEST, SHORT)
        start = torch.randn(FRAMES, 4, 8, 16, generator=torch.Generator().manual_seed(5))
        latents = denoise_video(
            pipeline.networks.unet, conditions, start, steps=1, scales=SHORT.scales
        )
        frames = np.stack([*pipeline.decode(latents, 1, lambda *state: None)])
        assert np.array_equal(frames, plain)


class TestConditions:
    def test_the_scene(self, pipeline):
        """The mean of the picture's latents, and tokens for each frame."""
        scene = pipeline.encode(REQUEST, SHORT).scene
        pixels = torch.from_numpy(REQUEST.first)[None].movedim(-1, 1) / 127.5 - 1
        with torch.no_grad():
            mean = pipeline.networks.vae.encode(pixels).latent_dist.mean
        torch.testing.assert_close(scene.latents, mean * 0.18215, rtol=1e-4, atol=1e-5)
        assert scene.objects.shape == (FRAMES, 1, 64)
        assert not torch.equal(scene.objects[0], scene.objects[1])
        assert len(scene.image_tokens) == FRAMES
        assert torch.equal(scene.image_tokens[0], scene.image_tokens[2])

    def test_filled_up_to_eight(self, pipeline):
        """What comes beside the given objects are the learned features of absent ones."""
        found = pipeline.encode(REQUEST, replace(SHORT, pad_to=8)).scene.objects
        one = pipeline.encode(REQUEST, SHORT).scene.objects
        assert found.shape == (FRAMES, 8, 64)
        torch.testing.assert_close(found[:, :1], one)
        with torch.no_grad():
            absent = absent_tokens(pipeline.networks.position_net, FRAMES, 7)
        torch.testing.assert_close(found[:, 1:], absent)

    def test_no_objects(self, pipeline):
        """An absent one takes their place, so that the gate is open and the picture counts."""
        found = pipeline.encode(replace(REQUEST, tracks=tracks()), SHORT).scene
        with torch.no_grad():
            absent = absent_tokens(pipeline.networks.position_net, FRAMES, 1)
        torch.testing.assert_close(found.objects, absent)
        assert found.image_tokens.any()

    def test_a_scene_without_anything_is_made_if_it_guides(self, pipeline, one_thread):
        assert pipeline.encode(REQUEST, SHORT).nothing is None
        found = pipeline.encode(REQUEST, replace(SHORT, scene_guidance=2.0, pad_to=2))
        assert not found.nothing.latents.any()
        assert found.nothing.objects.shape == found.scene.objects.shape
        assert torch.equal(found.nothing.objects[0, 0], found.nothing.objects[2, 1])
        assert found.nothing.image_tokens.shape == found.scene.image_tokens.shape
        assert not torch.equal(found.nothing.image_tokens, found.scene.image_tokens)

    def test_prompts(self, pipeline):
        found = pipeline.encode(replace(REQUEST, negative_prompt="a dog runs"), SHORT)
        assert torch.equal(found.text, found.negative_text)
        blank, empty = (pipeline.encode(replace(REQUEST, prompt=x), SHORT).text for x in (" ", ""))
        assert torch.equal(blank, empty)  # the official null prompt is a blank


class TestLabels:
    def test_the_token_where_a_label_ends(self, pipeline):
        networks = pipeline.networks
        with torch.no_grad():
            text = encode_prompt("dog", networks.tokenizer, networks.text_encoder)
        (found,) = pipeline.embed_labels(["dog"])  # d, o, g are tokens 1 to 3 of the tiny tokenizer
        assert torch.equal(found, text[0, 4]) and found.dtype == torch.float32

    def test_in_the_order_of_the_labels(self, pipeline):
        dog, cat, again = pipeline.embed_labels(["dog", "cat", "dog"])
        assert torch.equal(dog, again) and not torch.equal(dog, cat)
        assert pipeline.embed_labels([]) == []

    def test_given_embeddings(self, pipeline, plain):
        """What a data set has brought is what the text encoder would say."""
        (dog,) = pipeline.embed_labels(["dog"])
        given = replace(REQUEST, embeddings={"dog": dog.numpy(), "cat": None})
        assert np.array_equal(pipeline(given, SHORT, seed=5), plain)

    def test_embeddings_of_another_text_encoder_are_made_anew(self, pipeline, plain, caplog):
        given = replace(REQUEST, embeddings={"dog": np.zeros(1024, np.float32)})
        for _ in range(2):
            assert np.array_equal(pipeline(given, SHORT, seed=5), plain)
        assert caplog.text.count("have 1024 numbers, but 64 are expected: the text enc") == 1


class TestWrongRequests:
    def test_an_embedding_is_missing(self, pipeline):
        with pytest.raises(UserError, match="The label 'dog' has no embedding among the given"):
            pipeline(replace(REQUEST, embeddings={}), SHORT, seed=5)

    def test_too_many_objects(self, pipeline):
        many = tracks(*[track(f"dog {i}") for i in range(9)])
        with pytest.raises(UserError, match="There are 9 box tracks, but SMCD takes 8 objects"):
            pipeline(replace(REQUEST, tracks=many), SHORT, seed=5)

    def test_another_number_of_frames(self, pipeline):
        with pytest.raises(UserError, match="box tracks have 3 frames, but the video has 8: give"):
            pipeline(REQUEST, replace(SHORT, num_frames=8), seed=5)

    def test_values_that_are_not_numbers(self, pipeline, monkeypatch):
        monkeypatch.setattr(pipeline.networks.unet, "forward", lambda x, *a, **k: x[:, :4] / 0)
        with pytest.raises(UserError, match="Sampling gave values that are not numbers"):
            pipeline(REQUEST, SHORT, seed=5)
