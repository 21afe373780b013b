import torch

from fcvg_core.models.svd import augment_keyframe


class TestAugmentKeyframe:
    def test_strength_is_halved_for_zero_to_one(self):
        out = augment_keyframe(torch.full((1, 3, 2, 2), 0.5), torch.ones(1, 3, 2, 2), 0.02)
        torch.testing.assert_close(out, torch.full((1, 3, 2, 2), 0.51))
