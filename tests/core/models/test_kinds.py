import pytest
import torch

from fcvg_core.models.kinds import check_keys, describe_kind


class TestCheckKeys:
    expected = {"a": (1,), "b": (2, 3)}

    def test_right_ones(self):
        check_keys({"a": torch.zeros(1), "b": torch.zeros(2, 3)}, self.expected, name="x")
        check_keys({"a": torch.zeros(1)}, self.expected, name="x", partial=True)

    @pytest.mark.parametrize(
        ("state", "partial", "message"),
        [
            ({"a": torch.zeros(1)}, False, "b is missing"),
            ({"a": torch.zeros(2)}, True, r"a has the shape \(2,\), but \(1,\) is expected"),
            ({"c": torch.zeros(1)}, True, "c is unknown"),
            ({}, True, "holds no tensor"),
        ],
    )
    def test_wrong_ones(self, state, partial, message):
        with pytest.raises(ValueError, match=message):
            check_keys(state, self.expected, name="x", partial=partial)


def test_describe_tells_an_sd15_unet():
    names = ("conv_in.weight", "down_blocks.0.resnets.0.conv1.weight")
    state = {name: torch.zeros(1) for name in names}
    assert describe_kind(state) == "a UNet without temporal layers (SD 1.5 or 2)"
