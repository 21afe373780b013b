"""What chance decides of a step."""

import pytest
import torch
from training_cases import generator, make_clip

from fcvg_core.training.drawing import BOTH, DIRECTIONS, FORWARD, RANDOM, Draw, draw_passes
from fcvg_core.training.dropout import Dropout, Kept

KEEPING = Dropout(0.0)
CLIPS = [make_clip(0), make_clip(10)]


def drawn(directions: str, clips=CLIPS, seed: int = 0, dropout=KEEPING):
    return draw_passes(clips, Draw(directions=directions, dropout=dropout), generator(seed))


class TestDrawPasses:
    def test_forward(self):
        passes = drawn(FORWARD)
        assert [each.clip for each in passes] == CLIPS
        assert not torch.equal(passes[0].noise, passes[1].noise)
        assert passes[0].sigma != passes[1].sigma

    def test_both_directions_have_one_noise_level(self):
        passes = drawn(BOTH)
        assert [each.clip.backward for each in passes] == [False, True] * 2
        assert passes[0].sigma == passes[1].sigma != passes[2].sigma
        assert not torch.equal(passes[0].noise, passes[1].noise)

    def test_half_of_the_random_directions_are_backward(self):
        passes = drawn(RANDOM, [CLIPS[0]] * 400)
        assert 160 < sum(each.clip.backward for each in passes) < 240

    @pytest.mark.parametrize("directions", DIRECTIONS)
    def test_a_clip_with_a_reference_image_goes_forward(self, directions):
        clips = [make_clip(images=CLIPS[0].images[:1])] * 8
        assert [each.clip for each in drawn(directions, clips)] == clips

    def test_conditions_are_dropped(self):
        passes = drawn(FORWARD, [CLIPS[0]] * 40, dropout=Dropout(1 / 3))
        assert Kept() not in {each.kept for each in passes}

    @pytest.mark.parametrize("directions", DIRECTIONS)
    def test_goes_on_from_the_generator_s_state(self, directions):
        """A run that is resumed makes the passes that it would have made."""
        draw, whole = Draw(directions=directions), generator(5)
        draw_passes(CLIPS, draw, whole)
        state = whole.get_state()
        expected = draw_passes(CLIPS, draw, whole)
        resumed = generator()
        resumed.set_state(state)
        for found, wanted in zip(draw_passes(CLIPS, draw, resumed), expected, strict=True):
            assert torch.equal(found.noise, wanted.noise)
            assert (found.sigma, found.kept) == (wanted.sigma, wanted.kept)
            assert found.clip.backward == wanted.clip.backward

    def test_unknown_directions(self):
        with pytest.raises(ValueError, match="expected one of random, forward, both"):
            Draw(directions="sideways")
