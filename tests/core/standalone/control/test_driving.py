"""A driving video -> control frames."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from golden_cases import load_arrays
from pose_cases import detector

from fcvg_core.pose import STYLES, draw_poses, stack_frames
from fcvg_core.settings import DrivingSettings
from fcvg_core.standalone.control.driving import draw_driving_poses

SETTINGS = DrivingSettings(one_person=False, smoothing=0.0, pose_width=1.0, pose_colors="fcvg")


@pytest.fixture(scope="module")
def image(own_golden: Path) -> np.ndarray:
    return load_arrays(own_golden / "dwpose" / "dwpose_odd.npz")["image"]


class TestDrawDrivingPoses:
    def test_itself_drives_it_nowhere(self, own_golden, image) -> None:
        """The picture as its own video: the fit is the identity, every frame its own pose."""
        finder = detector(own_golden, "dwpose_synth.npz", whole_frame=False)
        control = draw_driving_poses([image] * 3, image, finder, SETTINGS, max_frames=3)
        own = draw_poses(
            stack_frames([finder(image)]), image.shape[:2], style=STYLES["controlnext-svd-v2"]
        )
        assert control.shape == (4, *image.shape) and (control[0] == own[0]).all()
        for frame in control[1:]:
            assert (frame != own[0]).mean() < 1e-3  # rounded to another pixel here and there

    def test_another_size(self, own_golden, image) -> None:
        finder = detector(own_golden, "dwpose_odd.npz")
        reference = np.full((256, 128, 3), 90, np.uint8)
        control = draw_driving_poses(
            (frame for frame in [image] * 2), reference, finder, SETTINGS, max_frames=2
        )
        assert control.shape == (3, 256, 128, 3) and control.any()

    def test_one_frame_lives_at_a_time(self, own_golden, image) -> None:
        import weakref

        alive = []

        def frames():
            for _ in range(4):
                frame = image.copy()
                alive.append(weakref.ref(frame))
                yield frame
                del frame
                assert sum(ref() is not None for ref in alive) <= 1

        finder = detector(own_golden, "dwpose_synth.npz")
        assert len(draw_driving_poses(frames(), image, finder, SETTINGS, max_frames=9)) == 5

    def test_progress(self, own_golden, image) -> None:
        seen = []
        finder = detector(own_golden, "dwpose_synth.npz")
        draw_driving_poses(
            [image] * 2,
            image,
            finder,
            SETTINGS,
            max_frames=9,
            progress=lambda *state: seen.append(state),
        )
        assert seen == [("poses", 1, 9), ("poses", 2, 9), ("poses", 2, 2)]

    def test_nobody(self, own_golden, image) -> None:
        """The video may be a drawing that is not recognised as one."""
        finder = detector(own_golden, "dwpose_none.npz", whole_frame=False)
        with pytest.raises(ValueError, match="Nobody is found in the 2 frames .* add --drawn"):
            draw_driving_poses([image] * 2, image, finder, SETTINGS, max_frames=2)

    @pytest.mark.parametrize("stage", ["video", "reference"])
    def test_memory_is_given_back_on_an_error(self, own_golden, image, stage) -> None:
        finder = detector(own_golden, "dwpose_synth.npz")
        released = []
        finder = replace(finder)
        object.__setattr__(finder, "release", lambda: released.append(1))
        bad = np.zeros((8, 8, 3))
        frames, reference = ([image, bad], image) if stage == "video" else ([image], bad)
        with pytest.raises(ValueError, match="expected a frame"):
            draw_driving_poses(frames, reference, finder, SETTINGS, max_frames=2)
        assert released == [1]

    def test_no_frame(self, own_golden, image) -> None:
        finder = detector(own_golden, "dwpose_synth.npz")
        with pytest.raises(ValueError, match="has no frame"):
            draw_driving_poses([], image, finder, SETTINGS, max_frames=2)
