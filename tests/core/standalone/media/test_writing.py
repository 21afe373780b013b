"""Frames on the disk."""

import os

import numpy as np
import pytest
from PIL import Image

from fcvg_core.errors import UserError
from fcvg_core.standalone.media.writing import (
    frames_size,
    video_size,
    write_frames,
    write_gif,
    write_video,
)


@pytest.mark.parametrize(("count", "last"), [(2, "01"), (12, "11"), (101, "100")])
def test_write_frames(tmp_path, count, last) -> None:
    frames = np.random.RandomState(0).randint(0, 256, (count, 4, 6, 3)).astype(np.uint8)
    write_frames(tmp_path / "frames", frames)
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert len(names) == count and names[-1] == f"{last}.png"
    assert np.array_equal(Image.open(tmp_path / "frames" / names[-1]), frames[-1])


def test_write_frames_under_other_names(tmp_path) -> None:
    write_frames(tmp_path / "a", np.zeros((11, 2, 2, 3), np.uint8), name="pred_{}.png")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names[:3] == ["pred_0.png", "pred_1.png", "pred_10.png"]


@pytest.mark.parametrize(("fps", "duration"), [(8, 120), (1000, 10), (0.001, 655_350)])
def test_write_gif(tmp_path, fps, duration) -> None:
    """A wide picture of few colours comes back nearly as it is."""
    ramp = np.linspace(0, 255, 96).astype(np.uint8)[None, :, None] * np.array([1, 0, 1], np.uint8)
    frames = np.stack([np.roll(np.repeat(ramp, 20, 0), 9 * i, 1) for i in range(3)])
    write_gif(tmp_path / "a.gif", frames, fps)
    with Image.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.info["duration"], gif.info["loop"]) == (3, duration, 0)
        for i, frame in enumerate(frames):
            gif.seek(i)
            found = np.asarray(gif.convert("RGB")).astype(int)
            assert np.abs(found - frame).mean() < 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_write_frames_on_a_disk_that_fills(tmp_path, full_disk) -> None:
    with pytest.raises(UserError, match=r"full\. .* 1 of 3 frames are in .*frames\.$"):
        write_frames(tmp_path / "frames", np.zeros((3, 4, 6, 3), np.uint8))
    assert os.listdir(tmp_path / "frames") == ["00.png"]


def test_write_frames_tells_before_each(tmp_path) -> None:
    there = []
    write_frames(
        tmp_path,
        np.zeros((3, 4, 6, 3), np.uint8),
        before=lambda number: there.append((number, len(os.listdir(tmp_path)))),
    )
    assert there == [(0, 0), (1, 1), (2, 2)]


def test_sizes_are_enough(tmp_path) -> None:
    noise = np.random.RandomState(0).randint(0, 256, (3, 128, 192, 3)).astype(np.uint8)
    write_frames(tmp_path / "frames", noise)
    taken = sum(path.stat().st_blocks * 512 for path in (tmp_path / "frames").iterdir())
    assert noise.nbytes < taken <= frames_size(noise.shape) < 1.2 * noise.nbytes
    ramp = np.linspace(0, 255, 192)[:, None].repeat(3, 1).astype(np.uint8)
    scene = np.stack([np.roll(np.broadcast_to(ramp, (128, 192, 3)), i, 1) for i in range(10)])
    write_video(tmp_path / "a.mp4", scene, 7)
    assert (tmp_path / "a.mp4").stat().st_size < video_size(scene.shape)


@pytest.mark.parametrize("available", [True, False])
def test_write_video(tmp_path, monkeypatch, available) -> None:
    import av

    if not available:
        monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    frames = np.zeros((5, 64, 128, 3), np.uint8)
    frames[:, :32] = (200, 40, 40)
    write_video(tmp_path / "result.mp4", frames, 7)
    with av.open(str(tmp_path / "result.mp4")) as opened:
        stream = opened.streams.video[0]
        decoded = [frame.to_ndarray(format="rgb24") for frame in opened.decode(stream)]
        assert stream.average_rate == 7 and stream.pix_fmt == "yuv420p"
    assert np.abs(np.stack(decoded).astype(int) - frames).mean() < 4
