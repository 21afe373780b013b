from dataclasses import replace

import pytest
import torch

from fcvg_core.models.controlnext import V1, V2, ControlNeXt, check_fit, check_version

SMALL = {"out_channels": 8, "stem": (4, 4, 8)}


@pytest.fixture(scope="module")
def network() -> ControlNeXt:
    torch.manual_seed(0)
    return ControlNeXt(replace(V1, **SMALL, down=(8, 16, 16))).eval()


class TestControlNeXtV1:
    @pytest.mark.parametrize(
        ("size", "out"), [((64, 96), (2, 3)), ((128, 192), (4, 6)), ((32, 32), (1, 1))]
    )
    def test_shape_is_half_that_of_version_2(self, network, size, out):
        assert network(torch.rand(2, 3, *size), torch.tensor(1.0)).shape == (2, 8, *out)

    @torch.no_grad()
    def test_works_frame_by_frame(self, network):
        frames = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        together = network(frames, torch.tensor(0.3))
        alone = torch.cat([network(frame[None], torch.tensor(0.3)) for frame in frames])
        torch.testing.assert_close(together, alone)

    @pytest.mark.parametrize(("scale", "level"), [(0.0, 0.65), (1.0, 0.95037617), (-30.0, 0.0)])
    def test_levels(self, scale, level):
        network = ControlNeXt(replace(V1, **SMALL, down=(8, 16, 16)))
        torch.nn.init.constant_(network.scale, scale)
        conditional, unconditional = network.levels()
        assert conditional == pytest.approx(level, abs=1e-6)
        assert unconditional == 0.65  # sigmoid(0) * 1.3, whatever was learned

    def test_three_blocks_of_the_shared_kind(self, network):
        assert [len(part) for part in (network.down_res, network.down_sample)] == [3, 3]


class TestBuild:
    def test_version_is_the_configs(self):
        for config, scale in ((V2, False), (V1, True)):
            network = ControlNeXt(config, device="meta")
            assert ("scale" in network.state_dict()) is scale is config.learned_scale
            assert len(network.down_res) == len(config.down)

    def test_number_format(self):
        network = ControlNeXt(V1, device="meta", dtype=torch.float16)
        assert {p.dtype for p in network.parameters()} == {torch.float16}
        assert network.config.out_channels == 1280

    def test_version_2_of_another_size_has_not_changed(self):
        network = ControlNeXt(replace(V2, out_channels=4), device="meta")
        assert len(network.state_dict()) == 52
        assert network.levels() == (0.2, 0.0)


class TestCheckFit:
    def test_svd(self):
        for config in (V2, V1):
            check_fit(ControlNeXt(config, device="meta"), (320, 640, 1280, 1280))

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            (V1, "v1 gives 1280 channels, but the UNet takes 640 into its middle block"),
            (V2, "v2 gives 320 channels, but the UNet takes 64 into its second block"),
        ],
    )
    def test_another_model(self, config, message):
        network = ControlNeXt(config, device="meta")
        with pytest.raises(ValueError, match=f"{message}: the two files belong to different"):
            check_fit(network, (64, 128, 640, 640))


def test_fcvg_takes_version_2_only():
    check_version(ControlNeXt(V2, device="meta"))
    with pytest.raises(ValueError, match="ControlNeXt v1, but FCVG works with v2"):
        check_version(ControlNeXt(V1, device="meta"))
