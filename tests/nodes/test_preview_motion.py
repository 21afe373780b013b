"""Preview Motion: its frames, what it plays on the node, and its messages about bad input."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

SIZE = (64, 96)
WIDGETS = {"num_frames": 6, "timing": "reference", "custom_times": "", "fps": 8.0}
CANVAS = {"canvas_width": SIZE[1], "canvas_height": SIZE[0]}


def somebody(x: float) -> list:
    """One person, in OpenPose's format."""
    points = [n for i in range(18) for n in (x + i, 5.0 + 3 * i, 1.0)]
    return [{"people": [{"pose_keypoints_2d": points}], **CANVAS}]


@pytest.fixture(scope="module")
def keyframes(load) -> tuple[torch.Tensor, torch.Tensor]:
    draw_sample_pair = load("fcvg_core.standalone.demo.scene").draw_sample_pair
    first, last = (torch.from_numpy(frame)[None] / 255 for frame in draw_sample_pair(SIZE))
    return first, last


@pytest.fixture(scope="module")
def matches(load):
    lines = torch.tensor([[[10.0, 10], [60, 12]], [[50, 20], [52, 55]]])
    return load("fcvg_core.lines").LineMatches(lines, lines + 6, size=SIZE)


@pytest.fixture
def preview(node_classes, keyframes):
    """Runs the node on the sample keyframes; returns its result."""

    def run(first=keyframes[0], last=keyframes[1], **given):
        return node_classes["FCVG_PreviewMotion"].execute(first, last, **{**WIDGETS, **given})

    return run


@pytest.fixture
def watched(load, monkeypatch) -> list:
    """What the node gives to the core."""
    core, got = load("fcvg_core.warp"), []
    real = core.preview_keyframes

    def watching(*args, **given):
        got[:] = args
        return real(*args, **given)

    monkeypatch.setattr(core, "preview_keyframes", watching)
    return got


@pytest.fixture
def path(load):
    """A point that moves along a curve."""
    points = torch.tensor([[30.0, 40], [30, 10], [70, 10], [70, 40]])
    return load("fcvg_core.paths").Path(0, points)


def played(result) -> Path:
    """The file that the editor plays on the node."""
    import folder_paths

    shown = result.ui.as_dict()
    assert shown["animated"] == (True,)
    (file,) = shown["images"]
    assert file["type"] == "temp"
    return Path(folder_paths.get_temp_directory(), file["subfolder"], file["filename"])


def durations(animation: Image.Image) -> list[int]:
    """Milliseconds that each frame is shown."""
    found = []
    for at in range(animation.n_frames):
        animation.seek(at)
        animation.load()
        found.append(animation.info["duration"])
    return found


class TestFrames:
    @pytest.mark.seam
    def test_the_ends_are_the_keyframes(self, preview, keyframes, matches):
        frames = preview(line_matches=matches).args[0]
        assert frames.shape == (6, *SIZE, 3) and frames.dtype == torch.float32
        assert torch.equal(frames[:1], keyframes[0]) and torch.equal(frames[-1:], keyframes[1])
        assert not torch.equal(frames[2], frames[3])

    def test_ends_of_more_than_8_bits_stay_as_they_are(self, preview):
        ends = torch.rand(2, 1, *SIZE, 3, generator=torch.Generator().manual_seed(0))
        frames = preview(*ends).args[0]
        # The second frame repeats the first keyframe, and the second-to-last frame the last.
        assert torch.equal(frames[:2], ends[0].expand(2, -1, -1, -1))
        assert torch.equal(frames[-2:], ends[1].expand(2, -1, -1, -1))
        same = preview(ends[0], ends[0], timing="uniform").args[0]
        assert torch.equal(same, ends[0].expand(6, -1, -1, -1))

    @pytest.mark.parametrize(
        ("timing", "custom_times"), [("reference", ""), ("ease-in", ""), ("custom", "0, 0.2, 1")]
    )
    def test_moves_as_the_core_does(self, preview, keyframes, matches, load, timing, custom_times):
        timeline, core = load("fcvg_core.timeline"), load("fcvg_core.warp")
        to_uint8 = load("fcvg_core.frames").to_uint8
        result = preview(line_matches=matches, timing=timing, custom_times=custom_times)
        curve = [0, 0.2, 1] if timing == "custom" else timing
        first, last = (to_uint8(frame[0]) for frame in keyframes)
        wanted = core.preview_motion(
            (first, last), timeline.inbetween_times(6, curve), matches=matches
        )
        assert (to_uint8(result.args[0]) == wanted).all()

    def test_people_are_passed_on(self, preview, watched):
        preview(first_pose=somebody(20), last_pose=somebody(50))
        _, at, _, motion = watched
        assert at == (0, 5) and motion.spans[0].matches is None
        necks = [float(people.keypoints[0, 1, 0]) for people in motion.spans[0].people]
        assert necks == pytest.approx([21 / 96, 51 / 96])

    @pytest.mark.parametrize("channels", [1, 4])
    def test_any_picture(self, preview, channels):
        """Grey becomes RGB, alpha is left out, and of a batch the first picture is used."""
        batch = torch.rand(2, *SIZE, channels, generator=torch.Generator().manual_seed(0))
        rgb = batch[:1, ..., :3].expand(-1, -1, -1, 3)
        frames = preview(batch, batch.flip(2)).args[0]
        assert torch.equal(frames, preview(rgb, rgb.flip(2)).args[0])

    def test_last_frame_of_another_size_is_resized(self, preview, keyframes, caplog):
        caplog.set_level("INFO")
        larger = torch.rand(1, 128, 96, 3, generator=torch.Generator().manual_seed(0))
        assert preview(last=larger).args[0].shape == (6, *SIZE, 3)
        assert "last_frame: 96 x 128 -> 96 x 64: 32 pixels are cut off" in caplog.text


class TestMotion:
    def test_a_motion_is_the_same_as_its_parts(self, preview, matches, path, load):
        """Lines and paths, connected alone or as a motion."""
        types = load("fcvg_core.motion")
        motion = types.Motion(SIZE, (types.Span(matches=matches, paths=(path,)),))
        frames = preview(motion=motion).args[0]
        assert torch.equal(frames, preview(line_matches=matches, paths=(path,)).args[0])
        alone = types.Motion(SIZE, (types.Span(matches=matches),))
        assert torch.equal(frames, preview(motion=alone, paths=(path,)).args[0])
        assert not torch.equal(frames, preview(motion=alone).args[0])

    def test_paths_alone_move_a_picture_that_stands_still(self, preview, keyframes, path):
        still, _ = keyframes
        frames = preview(still, still, paths=(path,), timing="uniform").args[0]
        assert torch.equal(frames[[0, -1]], still.expand(2, -1, -1, -1))
        assert (frames[1:-1] != still).any(dim=-1).float().mean() > 0.05

    def test_motion_takes_the_place_of_lines_and_poses(self, preview, matches, load):
        types = load("fcvg_core.motion")
        motion = types.Motion(SIZE, (types.Span(matches=matches),))
        for given in ({"line_matches": matches}, {"first_pose": somebody(9)}):
            with pytest.raises(ValueError, match="motion takes the place of line_matches"):
                preview(motion=motion, **given)

    def test_motion_of_another_size(self, preview, load):
        types = load("fcvg_core.motion")
        other = types.Motion((576, 1024), (types.Span(),))
        with pytest.raises(ValueError, match="motion is of pictures of 1024 x 576 pixels, but fir"):
            preview(motion=other)


class TestKeyframes:
    @pytest.fixture
    def between(self, load):
        """A keyframe of another size, at frame 5 of 12."""
        image = torch.rand(1, 2 * SIZE[0], 2 * SIZE[1], 3, generator=torch.manual_seed(0))
        return load("nodes.host.keyframes").Keyframes((image,), (5,))

    @pytest.fixture
    def three(self, matches, load):
        types = load("fcvg_core.motion")
        return types.Motion(SIZE, (types.Span(matches=matches), types.Span()))

    def test_every_keyframe_is_exact(self, preview, keyframes, between, three, load):
        frames = preview(motion=three, keyframes=between, num_frames=12).args[0]
        fitted = load("nodes.host.fitting").fit_pictures(between.images[0], SIZE, "keyframe 5")
        assert len(frames) == 12
        for frame, picture in ((0, keyframes[0]), (5, fitted), (11, keyframes[1])):
            assert torch.equal(frames[frame], picture[0])
        apart = (frames[1:] - frames[:-1]).flatten(1).abs().amax(1)
        assert apart[4:6].min() > 0  # the frame of the keyframe comes once

    def test_nothing_moves(self, preview, between, caplog):
        frames = preview(keyframes=between, num_frames=12, timing="uniform").args[0]
        assert len(frames) == 12
        for names in ("Keyframes 1 and 2: No line", "Keyframes 2 and 3: No line"):
            assert caplog.text.count(names) == 1

    def test_other_numbers_of_keyframes(self, preview, between, three, matches):
        with pytest.raises(ValueError, match="over 3 keyframes, but only first_frame and last_fr"):
            preview(motion=three)
        with pytest.raises(ValueError, match="known between 2 keyframes, but with the first and"):
            preview(line_matches=matches, keyframes=between, num_frames=12)

    def test_a_keyframe_outside_the_video(self, preview, between):
        with pytest.raises(ValueError, match="at frame 5, but the video has 4 frames"):
            preview(keyframes=between, num_frames=4)


class TestPlaying:
    @pytest.mark.seam
    def test_an_animation_of_all_frames(self, preview):
        with Image.open(played(preview(timing="uniform"))) as animation:
            assert animation.format == "WEBP" and animation.info["loop"] == 0
            assert (animation.n_frames, animation.size) == (6, SIZE[::-1])
            assert durations(animation) == [1000 // 8] * 6

    def test_a_frame_that_is_repeated_is_shown_longer(self, preview):
        """WebP keeps it once."""
        with Image.open(played(preview(timing="reference"))) as animation:
            assert durations(animation) == [250, 125, 125, 250]

    def test_no_file_is_overwritten(self, preview):
        first = played(preview())
        kept = first.read_bytes()
        assert played(preview(fps=9.0)) != first and first.read_bytes() == kept

    def test_large_frames_are_shrunk_for_playing_alone(self, preview):
        large = torch.rand(1, 192, 1024, 3, generator=torch.Generator().manual_seed(0))
        result = preview(large, large.flip(2), num_frames=2)
        assert result.args[0].shape == (2, 192, 1024, 3)
        with Image.open(played(result)) as animation:
            assert animation.size == (512, 96)

    def test_of_a_long_video_not_every_frame_is_played(self, preview, load, monkeypatch):
        """The motion takes as long as it would with all frames."""
        monkeypatch.setattr(load("nodes.host.animation"), "MOST_FRAMES", 3)
        result = preview(timing="uniform")
        frames = result.args[0]
        assert len(frames) == 6
        with Image.open(played(result)) as animation:
            assert durations(animation) == [2 * 1000 // 8] * 3
            animation.seek(2)
            shown = torch.from_numpy(np.array(animation.convert("RGB"))) / 255
        far, near = ((shown - frames[i]).abs().mean() for i in (0, -1))
        assert near < 0.5 * far  # the last keyframe, through WebP

    def test_progress_and_interrupt(self, preview, monkeypatch):
        import comfy.model_management as mm
        import comfy.utils

        told = []
        monkeypatch.setattr(
            comfy.utils, "PROGRESS_BAR_HOOK", lambda *done, **_: told.append(done[:2])
        )
        preview()
        assert len(told) > 1 and told[-1][0] == told[-1][1]
        mm.interrupt_current_processing(True)
        with pytest.raises(mm.InterruptProcessingException):
            preview()


class TestMessages:
    def test_nothing_connected(self, preview, caplog):
        preview()
        assert caplog.text.count("the preview is a plain blend") == 1

    def test_nobody_and_no_line(self, preview, caplog, load):
        none = load("fcvg_core.lines").LineMatches(
            torch.zeros(0, 2, 2), torch.zeros(0, 2, 2), size=SIZE
        )
        nobody = [{"people": [], **CANVAS}]
        preview(line_matches=none, first_pose=somebody(9), last_pose=nobody)
        assert caplog.text.count("the preview is a plain blend") == 1

    def test_what_moves_is_no_plain_blend(self, preview, matches, caplog):
        preview(line_matches=matches)
        preview(first_pose=somebody(9), last_pose=somebody(40))
        assert "No line and no person" not in caplog.text

    def test_lines_of_another_size(self, preview, load):
        lines = torch.zeros(1, 2, 2)
        other = load("fcvg_core.lines").LineMatches(lines, lines, size=(576, 1024))
        with pytest.raises(ValueError, match=r"of 1024 x 576 pixels, but first_frame has 96 x 64"):
            preview(line_matches=other)

    def test_poses_of_one_keyframe(self, preview):
        with pytest.raises(ValueError, match="connect first_pose and last_pose"):
            preview(first_pose=somebody(9))

    @pytest.mark.parametrize("name", ["first", "last"])
    def test_nan(self, preview, name):
        with pytest.raises(ValueError, match=f"{name}_frame holds NaN"):
            preview(**{name: torch.full((1, *SIZE, 3), torch.nan)})

    def test_speed_of_a_link_that_no_widget_takes(self, preview):
        with pytest.raises(ValueError, match="fps is 0, but it must be from 0.001 to 1000"):
            preview(fps=0.0)

    def test_wrong_timing(self, preview):
        with pytest.raises(ValueError, match="got '0, 2'"):
            preview(timing="custom", custom_times="0, 2")
