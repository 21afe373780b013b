"""Random models in the official layouts."""

import pytest
import torch


class TestWeights:
    def test_vae_has_diffusers_own_names_and_shapes(self, module):
        from diffusers import AutoencoderKLTemporalDecoder

        with torch.device("meta"):
            network = AutoencoderKLTemporalDecoder(
                down_block_types=["DownEncoderBlock2D"] * 4,
                block_out_channels=[128, 256, 512, 512],
                layers_per_block=2,
            )
        assert module("gpu_weights").vae_shapes(tiny=False) == shapes(network)

    def test_image_encoder_has_transformers_own_names_and_shapes(self, module):
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

        weights = module("gpu_weights")
        config = weights.encoder_config(tiny=False)
        with torch.device("meta"):
            network = CLIPVisionModelWithProjection(CLIPVisionConfig(**config))
        assert weights.encoder_shapes(config) == shapes(network)

    @pytest.mark.parametrize("tiny", [False, True])
    def test_unet_has_the_sizes_that_fit_together(self, module, tiny):
        from diffusers import UNetSpatioTemporalConditionModel

        widths = [64, 128, 256, 256] if tiny else [320, 640, 1280, 1280]
        with torch.device("meta"):
            network = UNetSpatioTemporalConditionModel(
                block_out_channels=widths,
                num_attention_heads=[width // 64 for width in widths],
                cross_attention_dim=64 if tiny else 1024,
            )
        assert module("gpu_weights").unet_shapes(tiny) == shapes(network)

    def test_values_keep_activations_about_one(self, module):
        sizes = {"a.weight": (400, 300), "n.weight": (400,), "n.bias": (400,), "mix_factor": (1,)}
        draw = module("gpu_weights").draw_values
        values = draw(sizes, torch.float16, 3, "cpu")
        assert {name: tuple(value.shape) for name, value in values.items()} == sizes
        product = values["a.weight"].float() @ torch.randn(300, 400)
        assert product.std().item() == pytest.approx(1, abs=0.05)
        assert values["n.weight"].float().mean().item() == pytest.approx(1, abs=0.05)
        assert values["mix_factor"].item() == 0
        again = draw(sizes, torch.float16, 3, "cpu")
        assert all(torch.equal(values[name], again[name]) for name in sizes)


def shapes(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}
