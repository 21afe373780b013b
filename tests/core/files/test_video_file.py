"""A video that is opened from its content; tests/.../media/video/test_reading.py opens files."""

import io
from functools import wraps

import av
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


@pytest.mark.parametrize(
    ("version", "taken"), [("14.2.0", {"metadata_errors": "replace"}), ("19.0.2", {})]
)
def test_every_release_of_pyav_gets_arguments_that_it_knows(
    version, taken, tmp_path, monkeypatch
) -> None:
    file = write_exactly(tmp_path / "a.mov", noise(3))
    known = {"container_options"} | taken.keys()
    opened = av.open

    @wraps(opened)
    def checked(source, **options):
        assert options.keys() <= known
        assert taken.items() <= options.items()
        return opened(source, container_options=options["container_options"])

    monkeypatch.setattr(av, "__version__", version)
    monkeypatch.setattr(av, "open", checked)
    with open_video(file) as (_, stream):
        assert stream.frames == 3
