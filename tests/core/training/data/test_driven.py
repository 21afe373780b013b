"""Control frames of a video of people, and the bytes that hold them."""

import struct
import zlib

import numpy as np
import pytest
import torch
from drawn_people import walker
from pose_cases import detector, together

from fcvg_core.control import draw_driven_people
from fcvg_core.errors import UserError
from fcvg_core.pose import nobody
from fcvg_core.settings import DrivingSettings
from fcvg_core.training.config import Conditions
from fcvg_core.training.data.driven import (
    find_driven,
    open_people_finder,
    pack_frames,
    unpack_frames,
)

SIZE = (64, 128)
FRAMES = np.arange(3, dtype=np.uint8)[:, None, None, None].repeat(64, 1).repeat(128, 2).repeat(3, 3)


def find(frame: np.ndarray):
    """Two people, then nobody, then one."""
    both = together(walker(0.0, at=(0.3, 0.5)), walker(1.0, at=(0.7, 0.5)))
    return (both, nobody(), walker(2.0))[frame[0, 0, 0]]


class TestFindDriven:
    def test_as_animate_draws_them(self) -> None:
        """Everybody, in the style and the colours of ControlNeXt-SVD."""
        control = find_driven(FRAMES, find)
        settings = DrivingSettings(
            one_person=False, smoothing=0.0, pose_width=1.0, pose_colors="fcvg"
        )
        frames = {"driving_size": SIZE, "size": SIZE, "reference_first": True}
        for number in (0, 2):
            people = find(FRAMES[number])
            _, expected = draw_driven_people([people], people, settings, **frames)
            assert np.array_equal(control[number], expected[0]) and expected.any()
        assert control.shape == (3, *SIZE, 3) and not control[1].any()

    def test_nobody(self) -> None:
        with pytest.raises(UserError, match="Nobody is found in the 1 frame of the clip: choose"):
            find_driven(FRAMES[1:2], find)

    def test_nobody_who_can_be_seen(self) -> None:
        """Joints of a low score are not drawn."""
        someone = walker(0.0)
        someone.scores[:] = 0.0
        with pytest.raises(UserError, match="Nobody is found in the 3 frames"):
            find_driven(FRAMES, lambda frame: someone)

    def test_with_dwpose(self, own_golden) -> None:
        finder = detector(own_golden, "dwpose_synth.npz", whole_frame=False)
        frames = np.full((1, *SIZE, 3), 90, np.uint8)
        assert find_driven(frames, finder).any()


class TestOpenPeopleFinder:
    def test_named(self, own_golden) -> None:
        folder = own_golden / "dwpose"
        files = {"dwpose_det": folder / "det_one.onnx", "dwpose_pose": folder / "pose_a.onnx"}
        finder = open_people_finder(Conditions(**files), [], torch.device("cpu"))
        assert not finder.whole_frame
        finder.release()

    def test_missing(self) -> None:
        with pytest.raises(UserError, match="DWPose needs two files"):
            open_people_finder(Conditions(), [], torch.device("cpu"))


class TestPackFrames:
    def test_there_and_back(self) -> None:
        control = find_driven(FRAMES, find)
        content = pack_frames(control)
        back = unpack_frames(content, name="a clip")
        assert np.array_equal(back, control) and back.dtype == np.uint8 and back.flags.writeable
        assert len(content) < control.size / 20
        turned = control[:, ::-1, ::2]  # not in the order of memory
        assert np.array_equal(unpack_frames(pack_frames(turned), name="a clip"), turned)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: b"",
            lambda content: content[:-9],
            lambda content: content[:40] + b"\xff" + content[41:],
            lambda content: struct.pack("<3I", *[2**32 - 1] * 3) + content[12:],
            lambda content: content[:12] + zlib.compress(bytes(10**6)),
        ],
        ids=["empty", "cut off", "changed", "other head", "longer"],
    )
    def test_damaged(self, damage) -> None:
        content = pack_frames(find_driven(FRAMES, find))
        with pytest.raises(UserError, match="The control frames in a clip are damaged"):
            unpack_frames(damage(content), name="a clip")
