import torch
from unet3d_cases import check_close, each_network_case, with_official_weights

from fcvg_core.models.dynamicrafter.projector import ImageProjector, ProjectorConfig

SMALL = ProjectorConfig(
    in_channels=12,
    channels=16,
    out_channels=8,
    num_tokens=32,
    depth=2,
    heads=2,
    head_channels=4,
    feed_forward_channels=20,
)


@each_network_case("dynamicrafter", "Resampler")
@torch.inference_mode()
def test_golden(config, tensors):
    sizes = config["kwargs"]
    network = ImageProjector(
        ProjectorConfig(
            in_channels=sizes["embedding_dim"],
            channels=sizes["dim"],
            out_channels=sizes["output_dim"],
            num_tokens=sizes["num_queries"] * sizes["video_length"],
            depth=sizes["depth"],
            heads=sizes["heads"],
            head_channels=sizes["dim_head"],
            feed_forward_channels=sizes["ff_mult"] * sizes["dim"],
        )
    )
    found = with_official_weights(network, config)(tensors["in_x"])
    check_close(found, tensors["out"], config)


def small_projector() -> ImageProjector:
    torch.manual_seed(0)
    network = ImageProjector(SMALL)
    torch.nn.init.normal_(network.latents)
    return network


def test_every_tensor_matters():
    network = small_projector()
    out = network(torch.randn(2, 5, 12))
    assert out.shape == (2, 32, 8)
    (out * torch.randn(out.shape)).sum().backward()
    assert all(parameter.grad.abs().max() > 1e-6 for parameter in network.parameters())


@torch.inference_mode()
def test_computes_in_the_format_of_its_input():
    """A host may keep the queries, which belong to no layer, in another format."""
    network, tokens = small_projector(), torch.randn(1, 5, 12)
    expected = network(tokens)
    network.latents.data = network.latents.data.bfloat16()
    out = network(tokens)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, expected, atol=0.05, rtol=0.05)
