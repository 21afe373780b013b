"""What a run leaves behind."""

import json

import numpy as np
import pytest
from PIL import Image

from fcvg_core.standalone import output
from fcvg_core.standalone.output import (
    changed_inputs,
    describe_file,
    read_run,
    write_frames,
    write_run,
    write_video,
)


@pytest.mark.parametrize(("count", "last"), [(2, "01"), (12, "11"), (101, "100")])
def test_write_frames(tmp_path, count, last) -> None:
    frames = np.random.RandomState(0).randint(0, 256, (count, 4, 6, 3)).astype(np.uint8)
    write_frames(tmp_path / "frames", frames)
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert len(names) == count and names[-1] == f"{last}.png"
    assert np.array_equal(Image.open(tmp_path / "frames" / names[-1]), frames[-1])


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


class TestRun:
    def test_there_and_back(self, tmp_path) -> None:
        (tmp_path / "a.png").write_bytes(b"1")
        write_run(tmp_path / "run.json", {"seed": 2**63}, {"first": tmp_path / "a.png"}, extra=1)
        run = read_run(tmp_path / "run.json")
        assert run["options"] == {"seed": 2**63} and run["extra"] == 1
        assert run["inputs"]["first"]["sha256"].startswith("6b86b273ff34")
        assert {"python", "torch", "numpy"} <= run["versions"].keys()

    def test_changed_inputs(self, tmp_path) -> None:
        paths = [tmp_path / name for name in "abc"]
        for path in paths:
            path.write_text("before")
        write_run(tmp_path / "run.json", {}, {path.name: path for path in paths})
        paths[1].write_text("after")
        paths[2].unlink()
        assert changed_inputs(read_run(tmp_path / "run.json")) == [str(p) for p in paths[1:]]

    def test_large_files_are_not_hashed(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(output, "HASHED_BYTES", 3)
        (tmp_path / "big").write_bytes(b"1234")
        assert describe_file(tmp_path / "big") == {"path": str(tmp_path / "big"), "bytes": 4}

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"options": 1, "inputs": {}}', "\xff"])
    def test_not_a_run(self, tmp_path, content) -> None:
        (tmp_path / "run.json").write_text(content, encoding="latin-1")
        with pytest.raises(ValueError, match="run.json of an earlier run"):
            read_run(tmp_path / "run.json")

    def test_missing(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="There is no file"):
            read_run(tmp_path / "run.json")

    def test_readable(self, tmp_path) -> None:
        write_run(tmp_path / "run.json", {"first": "\u00e9"}, {})
        assert "\u00e9" in (tmp_path / "run.json").read_text(encoding="utf-8")
        assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
