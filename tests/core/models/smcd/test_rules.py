"""What SMCD takes, and where its networks lie in files."""

import logging

import pytest

from fcvg_core.errors import UserError
from fcvg_core.models.smcd.rules import (
    MARKS,
    NETWORKS,
    POSITION_NET,
    UNET,
    VISUAL_ENCODER,
    check_video,
    names_beside,
    split_merged,
)


class TestCheckVideo:
    def test_as_trained(self, caplog):
        caplog.set_level(logging.INFO)
        check_video((256, 256), 8)
        assert not caplog.messages

    def test_what_is_untrained_is_said(self, caplog):
        caplog.set_level(logging.INFO)
        check_video((256, 512), 16)
        assert caplog.messages == [
            "SMCD was trained with 256 x 256 pixels, but the video has 512 x 256: it may look "
            "worse.",
            "SMCD was trained with 8 frames, but the video has 16: it may look worse.",
        ]

    @pytest.mark.parametrize(
        ("size", "num_frames", "message"),
        [
            ((250, 256), 8, "height must be a multiple of 64 .* got 250: use 192 or 256"),
            ((256, 0), 8, "width must be a multiple of 64"),
            ((256, 256), 1, "must have from 2 to 1024 frames, got 1: 8 are recommended"),
            ((256, 256), 5000, "must have from 2 to 1024 frames, got 5000"),
        ],
    )
    def test_what_is_impossible(self, size, num_frames, message):
        with pytest.raises(UserError, match=message):
            check_video(size, num_frames)


class TestNamesBeside:
    def test_released_names(self):
        assert names_beside("pytorch_model.bin") == {
            UNET: "pytorch_model.bin",
            POSITION_NET: "pytorch_model_1.bin",
            VISUAL_ENCODER: "pytorch_model_2.bin",
        }
        assert names_beside("model.safetensors")[VISUAL_ENCODER] == "model_2.safetensors"

    @pytest.mark.parametrize("name", ["smcd.safetensors", "pytorch_model_1.bin", ""])
    def test_a_name_of_its_own(self, name):
        assert names_beside(name) is None


class TestSplitMerged:
    def test_all_networks_in_one_file(self):
        names = [f"{network}.{MARKS[network]}" for network in NETWORKS]
        assert split_merged([*names, "unet.out.2.bias", "step"]) == {
            UNET: {MARKS[UNET]: names[0], "out.2.bias": "unet.out.2.bias"},
            POSITION_NET: {MARKS[POSITION_NET]: names[1]},
            VISUAL_ENCODER: {MARKS[VISUAL_ENCODER]: names[2]},
        }

    def test_one_network_under_its_bare_names(self):
        names = [MARKS[UNET], "out.2.bias"]
        assert split_merged(names) == {UNET: {name: name for name in names}}

    def test_something_else(self):
        assert split_merged(["weight"]) == {}
