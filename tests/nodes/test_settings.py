"""Video Settings, and what the conditioning nodes say of a video that does not fit."""

import pytest
import torch


class TestVideoSettings:
    def test_every_value_comes_out(self, node_classes):
        node = node_classes["FCVG_VideoSettings"]
        assert node.execute(768, 448, 14, 12.0).args == (768, 448, 14, 12.0)

    def test_size_that_the_models_can_not_take(self, node_classes):
        with pytest.raises(ValueError, match="width must be .* got 1000: use 960 or 1024."):
            node_classes["FCVG_VideoSettings"].execute(1000, 576, 25, 7.0)

    @pytest.mark.parametrize(
        ("num_frames", "fps", "said"),
        [
            (1, 7.0, "num_frames is 1, but it must be from 2 to 1024"),
            (1025, 7.0, "num_frames is 1025, but it must be"),
            (25, 0.0, "fps is 0, but it must be from 0.001 to 1000"),
        ],
    )
    def test_value_of_a_link_that_no_widget_takes(self, node_classes, num_frames, fps, said):
        with pytest.raises(ValueError, match=said):
            node_classes["FCVG_VideoSettings"].execute(64, 64, num_frames, fps)


# Conditioning nodes, and how many pictures they take.
NODES = {"FCVG_EncodeKeyframes": 2, "FCVG_EncodeReference": 1}


@pytest.fixture(params=NODES)
def condition(request, node_classes):
    """Runs a conditioning node without models: what it refuses, it refuses before they run."""
    image = torch.zeros(1, 64, 128, 3)

    def run(num_frames: int, control_frames: torch.Tensor):
        return node_classes[request.param].execute(
            *(None, None, *[image] * NODES[request.param]),
            *(128, 64, num_frames, 7, 127, 0.02, 0),
            control_frames=control_frames,
        )

    return run


class TestConditioning:
    def test_wrong_number_of_control_frames(self, condition):
        with pytest.raises(ValueError, match="has 5 frames but there are 4 control frames"):
            condition(5, torch.zeros(4, 64, 128, 3))

    def test_video_without_length(self, condition):
        with pytest.raises(ValueError, match="num_frames is -3, but a video has 2 frames or more"):
            condition(-3, torch.zeros(4, 64, 128, 3))

    @pytest.mark.parametrize(
        ("height", "said"),
        [(64, []), (128, ["control_frames: 128 x 128 -> 128 x 64: 32 pixels are cut off"])],
    )
    def test_control_frames_of_another_size(self, condition, height, said, caplog):
        caplog.set_level("INFO")
        with pytest.raises(AttributeError):  # there is no CLIP image encoder
            condition(4, torch.zeros(4, height, 128, 3))
        assert [message.partition(" at the ")[0] for message in caplog.messages] == said

    def test_keyframe_of_another_shape_is_said(self, load, caplog):
        caplog.set_level("INFO")
        fit_keyframe = load("nodes.host.svd.conditioning").fit_keyframe
        assert fit_keyframe(torch.zeros(1, 90, 160, 3), (64, 64), "first_frame").shape[-1] == 64
        assert caplog.messages == [
            "first_frame: 160 x 90 -> 64 x 64: 35 pixels are cut off at the left and 35 at the "
            "right."
        ]
