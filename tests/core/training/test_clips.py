"""A clip, and the same clip backward in time."""

import pytest
import torch
from training_cases import FRAMES, LATENT, make_clip, random

from fcvg_core.standalone.networks.passes import EncodedImage
from fcvg_core.training.clips import reverse_clip


class TestReverseClip:
    def test_twice_is_the_clip_itself(self):
        clip = make_clip(weights=random(7, FRAMES, 1, *LATENT[1:]))
        again = reverse_clip(reverse_clip(clip))
        assert torch.equal(again.latents, clip.latents)
        assert torch.equal(again.weights, clip.weights)
        assert again.images == clip.images
        assert again.control is clip.control
        assert (again.ids, again.backward) == (clip.ids, False)

    def test_begins_with_the_last_frame(self):
        clip = make_clip(weights=random(7, FRAMES, 1, *LATENT[1:]))
        back = reverse_clip(clip)
        assert torch.equal(back.latents[0], clip.latents[-1])
        assert torch.equal(back.weights[0], clip.weights[-1])
        assert back.images[0] is clip.images[1]
        assert back.backward and back.control is clip.control

    def test_leaves_the_clip_alone(self):
        clip = make_clip()
        before = clip.latents.clone()
        reverse_clip(clip)
        assert torch.equal(clip.latents, before) and not clip.backward

    def test_needs_both_ends(self):
        with pytest.raises(ValueError, match="its end is unknown"):
            reverse_clip(make_clip(images=make_clip().images[:1]))


class TestClip:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"latents": random(0, 4, 4, 8)}, r"expected latents \[T, 4, h, w\]"),
            ({"images": ()}, "expected 1 or 2 images of a clip, got 0"),
            (
                {"images": (EncodedImage(random(0, 1, 1, 64), random(0, 1, 4, 2, 2)),)},
                r"expected an image's latent \(1, 4, 4, 8\), got \(1, 4, 2, 2\)",
            ),
            ({"control": random(0, 2, 3, 32, 64)}, "expected 3 control frames, got 2"),
            ({"weights": random(0, 3, 4, 4, 8)}, r"expected weights \(3, 1, 4, 8\)"),
        ],
    )
    def test_fields_that_do_not_fit(self, changes, message):
        with pytest.raises(ValueError, match=message):
            make_clip(**changes)
