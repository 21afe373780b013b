import torch

from fcvg_core.clip import clip_pixels, normalize_for_clip


class TestClipPixels:
    def test_flat_pictures_stay_flat(self):
        out = clip_pixels(torch.full((1, 3, 300, 500), 0.25))
        torch.testing.assert_close(out, torch.full((1, 3, 224, 224), 0.25))

    def test_small_pictures_are_enlarged(self):
        assert clip_pixels(torch.rand(1, 3, 64, 64)).shape == (1, 3, 224, 224)

    def test_normalize(self):
        mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(1, 3, 1, 1)
        out = normalize_for_clip(mean.expand(1, 3, 224, 224))
        torch.testing.assert_close(out, torch.zeros(1, 3, 224, 224))
