"""The networks that make tokens for SMCD's gate, against the official ones."""

import json

import pytest
import torch
from network_checks import CastingOperations, unused_tensors
from unet3d_cases import check_close, each_network_case, shapes, with_official_weights

from fcvg_core.models.smcd import (
    PositionNet,
    PositionNetConfig,
    VisualEncoder,
    VisualEncoderConfig,
)

TINY_POSITIONS = PositionNetConfig(in_channels=12, out_channels=20)
TINY_ENCODER = VisualEncoderConfig(channels=(8, 16, 24, 24), blocks=2)
FILES = {"pytorch_model_1.bin": PositionNet, "pytorch_model_2.bin": VisualEncoder}
CONFIGS = {PositionNet: PositionNetConfig, VisualEncoder: VisualEncoderConfig}


@pytest.mark.parametrize("file", FILES)
def test_official_names_at_full_size(own_golden, file):
    kind = FILES[file]
    names = json.loads((own_golden / "smcd/keys_full.json").read_text())[file]
    found = shapes(kind(CONFIGS[kind](), device="meta"))
    assert found == {key: tuple(shape) for key, shape in names.items()}


class TestPositionNet:
    @each_network_case("smcd", "PositionNet")
    @torch.no_grad()
    def test_golden(self, config, tensors):
        sizes = config["kwargs"]
        network = PositionNet(
            PositionNetConfig(in_channels=sizes["in_dim"], out_channels=sizes["out_dim"])
        )
        network = with_official_weights(network, config)
        inputs = (tensors[f"in_{name}"] for name in ("boxes", "masks", "embeddings"))
        check_close(network(*inputs), tensors["out"], config)

    @pytest.fixture
    def network(self) -> PositionNet:
        torch.manual_seed(0)
        network = PositionNet(TINY_POSITIONS)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        return network

    def test_every_tensor_counts(self, network):
        boxes, labels = torch.rand(2, 3, 4), torch.randn(2, 3, 12)
        assert not unused_tensors(network, network(boxes, torch.tensor([[1, 0, 1]] * 2), labels))

    @torch.no_grad()
    def test_what_is_not_there_does_not_count(self, network):
        """Not even if it is no number: it is a box that nobody has drawn."""
        boxes, labels = torch.full((1, 1, 4), float("nan")), torch.full((1, 1, 12), float("inf"))
        zeros = torch.zeros(1, 1, 4), torch.zeros(1, 1), torch.zeros(1, 1, 12)
        assert torch.equal(network(boxes, torch.zeros(1, 1), labels), network(*zeros))

    @torch.no_grad()
    def test_layers_of_a_host(self, network):
        """Weights in another format than the activations: boxes keep the precision of float32."""
        hosted = PositionNet(TINY_POSITIONS, operations=CastingOperations, dtype=torch.float64)
        hosted.load_state_dict(network.state_dict())
        given = torch.rand(1, 2, 4), torch.tensor([[1, 0]]), torch.randn(1, 2, 12)
        assert torch.allclose(hosted(*given), network(*given), atol=1e-6)


class TestVisualEncoder:
    @each_network_case("smcd", "VisualEncoder")
    @torch.no_grad()
    def test_golden(self, config, tensors):
        sizes = config["kwargs"]
        network = VisualEncoder(
            VisualEncoderConfig(channels=tuple(sizes["channels"]), blocks=sizes["nums_rb"])
        )
        network = with_official_weights(network, config)
        check_close(network(tensors["in_z"]), tensors["out_tokens"], config)

    def test_every_tensor_counts(self):
        torch.manual_seed(0)
        network = VisualEncoder(TINY_ENCODER)
        assert not unused_tensors(network, network(torch.randn(1, 4, 16, 16)))

    @pytest.mark.parametrize(("size", "tokens"), [((32, 32), 16), ((40, 64), 40), ((9, 17), 6)])
    def test_sizes(self, size, tokens):
        network = VisualEncoder(TINY_ENCODER, device="meta")
        assert network(torch.empty(2, 4, *size, device="meta")).shape == (2, tokens, 24)

    @torch.no_grad()
    def test_layers_of_a_host(self):
        torch.manual_seed(0)
        network = VisualEncoder(TINY_ENCODER)
        hosted = VisualEncoder(TINY_ENCODER, operations=CastingOperations, dtype=torch.float64)
        hosted.load_state_dict(network.state_dict())
        latents = torch.randn(1, 4, 8, 8)
        assert torch.allclose(hosted(latents), network(latents), atol=1e-5)
