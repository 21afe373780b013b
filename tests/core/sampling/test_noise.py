import pytest
import torch

from fcvg_core.sampling import draw_augmentation, draw_noise


class TestDrawNoise:
    def test_order_is_augmentation_then_latents_then_the_rest(self):
        noise = draw_noise(7, (64, 128), 5)
        generator = torch.Generator().manual_seed(7)
        assert torch.equal(noise.augmentation, torch.randn(1, 3, 64, 128, generator=generator))
        assert torch.equal(noise.latents, torch.randn(5, 4, 8, 16, generator=generator))
        injected = torch.randn(3, generator=noise.generator)
        assert torch.equal(injected, torch.randn(3, generator=generator))

    def test_global_generator_is_left_alone(self):
        torch.manual_seed(1)
        expected = torch.randn(2)
        torch.manual_seed(1)
        draw_noise(0, (64, 64), 2)
        assert torch.equal(torch.randn(2), expected)


class TestDrawAugmentation:
    @pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
    def test_is_that_of_a_run(self, seed):
        noise = draw_augmentation(seed, (64, 128))
        assert torch.equal(noise, draw_noise(seed, (64, 128), 5).augmentation)
