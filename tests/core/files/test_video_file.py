"""A video that is opened from its content; tests/.../media/video/test_reading.py opens files."""

import io

import numpy as np
import pytest
from videos import noise, write_exactly

from fcvg_core.errors import UserError
from fcvg_core.files.video_file import open_video


def test_content(tmp_path) -> None:
    frames = noise(3)
    content = write_exactly(tmp_path / "a.mov", frames).read_bytes()
    with open_video(io.BytesIO(content)) as (container, stream):
        found = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert np.array_equal(np.stack(found), frames)


@pytest.mark.parametrize("content", [b"", b"no video", b"ffconcat version 1.0\nfile a.mp4\n"])
def test_no_video(content) -> None:
    with (
        pytest.raises(UserError, match=rf"video \({len(content)} bytes\) can't be read as a video"),
        open_video(io.BytesIO(content)),
    ):
        pass
