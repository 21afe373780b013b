"""Conditions for other models, as the host's own nodes take them, and exact keyframes."""

import logging

import pytest
import torch

RED, GREEN, BLUE = (torch.eye(3)[i].expand(1, 32, 64, 3) for i in range(3))


@pytest.fixture
def execute(node_classes):
    return node_classes["FCVG_ControlForVace"].execute


@pytest.fixture
def put_back(node_classes):
    return node_classes["FCVG_PutKeyframesBack"].execute


@pytest.fixture
def between(load):
    """A blue keyframe at frame 4."""
    return load("nodes.host.keyframes").Keyframes((BLUE,), (4,))


def control(num_frames: int) -> torch.Tensor:
    """Control frames with a level of grey of their own."""
    return torch.linspace(0.1, 0.9, num_frames)[:, None, None, None].expand(-1, 64, 128, 3)


class TestControlForVace:
    def test_keyframes_are_kept_and_all_else_is_painted(self, execute, between):
        video, masks, *numbers = execute(control(9), 128, 64, RED, GREEN, between).args
        assert numbers == [128, 64, 9]
        assert video.shape == (9, 64, 128, 3) and masks.shape == (9, 64, 128)
        assert masks.flatten(1).amax(1).tolist() == [0, 1, 1, 1, 0, 1, 1, 1, 0]
        assert masks.flatten(1).amin(1).tolist() == [0, 1, 1, 1, 0, 1, 1, 1, 0]
        assert video[[0, 4, 8], 5, 5].tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
        assert torch.equal(video[1:4], control(9)[1:4])

    def test_without_keyframes_all_is_painted(self, execute, caplog):
        caplog.set_level(logging.INFO)
        video, masks, *_ = execute(control(5), 128, 64).args
        assert masks.all() and torch.equal(video, control(5))
        assert caplog.messages == ["VACE paints 5 of 5 frames. Frames that are given: none."]

    def test_control_frames_are_not_written_into(self, execute):
        frames = control(5).clone()
        execute(frames, 128, 64, RED, GREEN)
        assert torch.equal(frames, control(5))

    def test_other_sizes_are_cropped_and_resized(self, execute, caplog):
        caplog.set_level(logging.INFO)
        video = execute(control(5), 64, 64, first_frame=RED).args[0]
        assert video.shape == (5, 64, 64, 3) and video[0, 0, 0].tolist() == [1, 0, 0]
        assert caplog.messages[0].startswith("control_frames: 128 x 64 -> 64 x 64: 32 pixels")

    @pytest.mark.parametrize(
        ("num_frames", "counts"), [(1, "5"), (4, "5"), (6, "5 or 9"), (80, "77 or 81")]
    )
    def test_a_number_of_frames_that_wan_does_not_make(self, execute, num_frames, counts):
        with pytest.raises(ValueError, match=f"frames: set num_frames to {counts} where"):
            execute(control(num_frames), 128, 64, RED)

    @pytest.mark.parametrize(("width", "remedy"), [(830, "816 or 832"), (0, "64"), (9000, "4096")])
    def test_a_size_that_wan_does_not_make(self, execute, width, remedy):
        with pytest.raises(ValueError, match=f"width is {width}, .* set {remedy}[.]"):
            execute(control(5), width, 480)

    def test_a_keyframe_outside_of_the_video(self, execute, load):
        late = load("nodes.host.keyframes").Keyframes((BLUE,), (90,))
        with pytest.raises(ValueError, match="90"):
            execute(control(9), 128, 64, RED, GREEN, late)


class SeeingVae:
    """A VAE that keeps what it is asked to encode, and gives latents of Wan's shape."""

    def __init__(self):
        self.seen = []

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        self.seen.append(pixels)
        frames, height, width, _ = pixels.shape
        return torch.zeros(1, 16, (frames - 1) // 4 + 1, height // 8, width // 8)


@pytest.mark.seam
def test_what_the_hosts_node_makes_of_it(execute):
    """The part that stays has the keyframes alone, the part to paint has the control alone."""
    from comfy_extras.nodes_wan import WanVaceToVideo

    video, masks, width, height, length = execute(control(9), 128, 64, RED, GREEN).args
    vae = SeeingVae()
    positive, _, latent, trimmed = WanVaceToVideo.execute(
        [[torch.zeros(1, 8, 4096), {}]],
        [[torch.zeros(1, 8, 4096), {}]],
        vae,
        width,
        height,
        length,
        1,
        1.0,
        control_video=video,
        control_masks=masks,
    ).args
    stays, painted = vae.seen
    assert torch.allclose(stays[[0, -1]], video[[0, -1]])
    assert (stays[1:-1] == 0.5).all() and (painted[[0, -1]] == 0.5).all()
    assert torch.allclose(painted[1:-1], control(9)[1:-1])
    assert latent["samples"].shape == (1, 16, 3, 8, 16) and trimmed == 0
    assert positive[0][1]["vace_mask"][0].shape == (1, 64, 3, 8, 16)


class TestPutKeyframesBack:
    def test_pixel_by_pixel(self, put_back, between):
        frames = torch.full((9, 32, 64, 3), 0.5)
        found = put_back(frames, RED, GREEN, between).args[0]
        assert torch.equal(found[[0, 4, 8]], torch.cat([RED, BLUE, GREEN]))
        assert (found[[1, 2, 3, 5, 6, 7]] == 0.5).all() and (frames == 0.5).all()

    def test_nothing_connected_changes_nothing(self, put_back):
        frames = torch.rand(3, 32, 64, 3)
        assert torch.equal(put_back(frames).args[0], frames)

    def test_colours_too(self, put_back):
        """With the same picture at both ends all frames get its colours."""
        picture = 0.3 + 0.4 * torch.rand(1, 32, 64, 3)
        frames = (picture * torch.tensor([1.2, 1.0, 0.9])).expand(5, -1, -1, -1)
        found = put_back(frames, picture, picture, match_colors=True).args[0]
        assert torch.equal(found[0], picture[0])
        assert (found.mean((1, 2)) - picture[0].mean((0, 1))).abs().max() < 0.01

    def test_colours_need_both_ends(self, put_back):
        with pytest.raises(ValueError, match="connect first_frame and last_frame"):
            put_back(torch.rand(3, 32, 64, 3), RED, match_colors=True)
