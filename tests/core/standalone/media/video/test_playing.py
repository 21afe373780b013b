"""A video that was written, in a real browser: its colours, times and last frame."""

import base64
import shutil
from pathlib import Path

import numpy as np
import pytest
from editor import QUIET, open_browser
from videos import COLORS, read

from fcvg_core.standalone.media.video import VideoWriter
from fcvg_core.standalone.media.writing import write_video

# Colours as a graphics card paints them: the browser's own conversion clips the blue of BT.709.
PAINT = (
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--enable-gpu-rasterization",
)
SHOW = """async ([address, times]) => {
    const video = document.createElement("video");
    const happens = name => new Promise((done, fail) => {
        video.addEventListener(name, done, {once: true});
        video.addEventListener("error", () => fail(new Error(video.error.message)), {once: true});
    });
    const canvas = document.createElement("canvas"), painter = canvas.getContext("2d");
    const look = async () => {
        await new Promise(done => setTimeout(done, 60));  // until it is painted
        painter.drawImage(video, 0, 0);
        const [x, y] = [canvas.width / 2, canvas.height / 2];
        return [...painter.getImageData(x, y, 1, 1).data.slice(0, 3)];
    };
    document.body.replaceChildren(video);  // one that is not seen is painted now and then only
    video.muted = true;
    video.src = address;
    await happens("loadeddata");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const colors = [];
    for (const time of [...times, video.duration]) {
        const found = happens("seeked");
        video.currentTime = time;
        await found;
        colors.push(await look());
    }
    const found = happens("seeked");
    video.currentTime = Math.max(0, video.duration - 0.5);
    await found;
    const ended = happens("ended");
    await video.play();
    await ended;
    colors.push(await look());
    return {size: [canvas.width, canvas.height], duration: video.duration, colors};
}"""


@pytest.fixture(scope="module")
def show():
    """A function: what a browser shows of a video at some times, at its end, and when it ended."""
    with open_browser((*(option for option in QUIET if option != "--disable-gpu"), *PAINT)) as it:
        page = it.new_page()

        def show(path: Path, times: list[float]) -> dict:
            content = base64.b64encode(path.read_bytes()).decode()
            return page.evaluate(SHOW, [f"data:video/mp4;base64,{content}", times])

        yield show


@pytest.mark.slow
class TestInABrowser:
    def check(self, shown: dict, count: int, fps: float) -> None:
        """Every frame at the middle of its time; the last one at the end and after playing."""
        assert shown["duration"] == pytest.approx(count / fps, abs=1e-5)
        want = [COLORS[i % len(COLORS)] for i in range(count)]
        want += [want[-1]] * 2
        assert np.abs(np.subtract(shown["colors"], want)).max() <= 3

    @pytest.mark.parametrize(("width", "height"), [(512, 768), (576, 1024), (320, 192), (301, 173)])
    def test_colors(self, tmp_path, show, width, height) -> None:
        frames = [np.full((height, width, 3), color, np.uint8) for color in COLORS]
        write_video(tmp_path / "a.mp4", frames, 7)
        shown = show(tmp_path / "a.mp4", [(i + 0.5) / 7 for i in range(len(frames))])
        self.check(shown, len(frames), 7)
        assert shown["size"] == [width + width % 2, height + height % 2]

    @pytest.mark.parametrize(("count", "fps"), [(2, 7), (3, 7), (25, 7), (25, 23.976)])
    def test_times(self, tmp_path, show, count, fps) -> None:
        frames = [np.full((64, 96, 3), COLORS[i % len(COLORS)], np.uint8) for i in range(count)]
        write_video(tmp_path / "a.mp4", frames, fps)
        self.check(show(tmp_path / "a.mp4", [(i + 0.5) / fps for i in range(count)]), count, fps)

    @pytest.mark.parametrize("killed", [False, True])
    def test_interrupted(self, tmp_path, show, killed) -> None:
        path, count = tmp_path / "a.mp4", 40
        with pytest.raises(KeyboardInterrupt), VideoWriter(path, 10) as writer:
            for i in range(count):
                writer.write(np.full((64, 96, 3), COLORS[i % len(COLORS)], np.uint8))
            shutil.copy(path, tmp_path / "killed.mp4")
            raise KeyboardInterrupt
        if killed:
            path = tmp_path / "killed.mp4"
            count = len(read(path))
            assert count >= 20
        self.check(show(path, [(i + 0.5) / 10 for i in range(count)]), count, 10)
