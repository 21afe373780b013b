import pytest
import torch

from fcvg_core.sampling import flip_chunks, fuse, guidance_ramp


class TestFuse:
    def test_weights_fall_from_forward_to_backward(self):
        fused = fuse(torch.ones(5, 1), torch.zeros(5, 1))
        assert fused.flatten().tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]

    def test_swapping_the_directions_flips_the_frames(self):
        forward, backward = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0))
        mirrored = fuse(backward.flip(0), forward.flip(0)).flip(0)
        torch.testing.assert_close(fuse(forward, backward), mirrored)

    def test_two_frames_are_one_of_each(self):
        assert fuse(torch.full((2,), 3.0), torch.full((2,), 7.0)).tolist() == [3.0, 7.0]


class TestGuidanceRamp:
    def test_rises_and_broadcasts(self):
        ramp = guidance_ramp(1.0, 3.0, torch.zeros(3, 4, 2, 2))
        assert ramp.shape == (3, 1, 1, 1)
        assert ramp.flatten().tolist() == [1.0, 2.0, 3.0]


class TestFlipChunks:
    def test_only_the_named_chunks(self):
        flipped = flip_chunks(torch.arange(6), [False, True])
        assert flipped.tolist() == [0, 1, 2, 5, 4, 3]

    def test_nothing_to_flip_is_no_copy(self):
        batch = torch.arange(4)
        assert flip_chunks(batch, [False, False]) is batch

    def test_chunks_that_do_not_divide(self):
        with pytest.raises(ValueError, match="zip"):
            flip_chunks(torch.arange(3), [True, False, True, False])
