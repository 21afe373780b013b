import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.models.controlnext import (
    V1,
    V2,
    ControlNeXt,
    check_fit,
    check_num_frames,
    check_version,
)


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


class TestCheckNumFrames:
    def test_as_many_in_both(self):
        check_num_frames(torch.zeros(5, 3, 2, 2), 5)

    @pytest.mark.parametrize("found", [0, 4, 6])
    def test_another_number(self, found):
        message = (
            f"The video has 5 frames but there are {found} control frames: use the same number of "
            "frames in both."
        )
        with pytest.raises(UserError, match=message):
            check_num_frames(torch.zeros(found, 3, 2, 2), 5)
