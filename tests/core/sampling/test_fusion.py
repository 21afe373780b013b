import torch

from fcvg_core.sampling import fuse


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
