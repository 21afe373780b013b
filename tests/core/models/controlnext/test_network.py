"""The network of both versions, at small sizes."""

from dataclasses import replace

import pytest
import torch

from fcvg_core.models.controlnext import V1, V2, Config, ControlNeXt

SMALL = {"out_channels": 8, "stem": (4, 4, 8)}
CONFIGS = {
    "v1": replace(V1, **SMALL, down=(8, 16, 16)),
    "v2": replace(V2, **SMALL, down=(8, 16)),
}


@pytest.fixture(scope="module")
def networks() -> dict[str, ControlNeXt]:
    torch.manual_seed(0)
    return {name: ControlNeXt(config).eval() for name, config in CONFIGS.items()}


@pytest.fixture(params=CONFIGS)
def network(request, networks) -> ControlNeXt:
    return networks[request.param]


class TestForward:
    @pytest.mark.parametrize(
        ("version", "size", "out"),
        [
            ("v2", (64, 96), (7, 11)),
            ("v1", (64, 96), (2, 3)),
            ("v1", (128, 192), (4, 6)),
            ("v1", (32, 32), (1, 1)),
        ],
    )
    def test_shape(self, networks, version, size, out):
        features = networks[version](torch.rand(2, 3, *size), torch.tensor(1.0))
        assert features.shape == (2, 8, *out)

    def test_padded_as_in_training(self):
        """The published training code's network trims no pixels, so it sees control elsewhere."""
        sizes = {padding: _features_size(padding) for padding in (0, 1)}
        assert sizes == {0: (7, 11), 1: (8, 12)}

    @torch.no_grad()
    def test_works_frame_by_frame(self, network):
        frames = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        together = network(frames, torch.tensor(0.3))
        alone = torch.cat([network(frame[None], torch.tensor(0.3)) for frame in frames])
        torch.testing.assert_close(together, alone)

    @torch.no_grad()
    def test_depends_on_the_timestep(self, networks):
        frames = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        one, other = (networks["v2"](frames, torch.tensor(t)) for t in (1.6, -1.0))
        assert not torch.allclose(one, other, atol=1e-3)


class TestLevels:
    @pytest.mark.parametrize(("scale", "level"), [(0.0, 0.65), (1.0, 0.95037617), (-30.0, 0.0)])
    def test_version_1_has_learned_its_own(self, scale, level):
        network = ControlNeXt(CONFIGS["v1"])
        torch.nn.init.constant_(network.scale, scale)
        conditional, unconditional = network.levels()
        assert conditional == pytest.approx(level, abs=1e-6)
        assert unconditional == 0.65  # sigmoid(0) * 1.3, whatever was learned

    def test_version_2_steers_the_conditional_half_only(self, networks):
        assert networks["v2"].levels() == (0.2, 0.0)


class TestConfig:
    @pytest.mark.parametrize(("config", "scale"), [(V2, False), (V1, True)])
    def test_version_is_the_configs(self, config, scale):
        network = ControlNeXt(config, device="meta")
        assert ("scale" in network.state_dict()) is scale is config.learned_scale
        assert len(network.down_res) == len(network.down_sample) == len(config.down)

    def test_number_format(self):
        network = ControlNeXt(V1, device="meta", dtype=torch.float16)
        assert {p.dtype for p in network.parameters()} == {torch.float16}

    def test_version_2_of_another_size_has_as_many_tensors(self):
        network = ControlNeXt(replace(V2, out_channels=4), device="meta")
        assert len(network.state_dict()) == 52

    @pytest.mark.parametrize(
        ("config", "size", "hidden"),
        [
            (V2, (8, 16), (4, 8)),
            (V2, (9, 3), (5, 2)),
            (V1, (72, 128), (9, 16)),
            (V1, (9, 1), (2, 1)),
        ],
    )
    def test_hidden_size(self, config: Config, size, hidden):
        """Each halving rounds up, as the UNet's strided convolutions do."""
        assert config.hidden_size(size) == hidden


def _features_size(padding: int) -> tuple[int, int]:
    network = ControlNeXt(replace(V2, **SMALL, down=(8, 16), stem_padding=padding), device="meta")
    return tuple(network(torch.empty(1, 3, 64, 96, device="meta"), torch.tensor(0.0)).shape[2:])
