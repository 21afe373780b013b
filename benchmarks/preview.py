"""The preview of the motion against the truth: python benchmarks/preview.py

Between the ends of each scene are drawn: a cross-fade, a video by optical flow (OpenCV's DIS, both
ways, half of each), and this project's preview with its classic matcher. Every frame is compared
with the truth. docs/preview.md says which scenes were looked at while the method was made.

    --clips FILE...   films or folders of frames; 25 frames of each are taken from the start
    --size HxW        size to which these films are cropped and resized (default 256x448)
    --speed           only seconds and memory of a preview of 25 frames of 576 x 1024

Nothing is asserted.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from statistics import mean
from time import perf_counter

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from preview_scenes import MOVING, NUM_FRAMES, TOWNS, Scene  # noqa: E402

from fcvg_core.frames import crop_resize  # noqa: E402
from fcvg_core.lines import ClassicLineMatcher  # noqa: E402
from fcvg_core.measures import psnr, ssim  # noqa: E402
from fcvg_core.pose import Poses  # noqa: E402
from fcvg_core.standalone.demo.scene import draw_sample_pair  # noqa: E402
from fcvg_core.standalone.media.video.folder import read_image_folder  # noqa: E402
from fcvg_core.standalone.media.video.reading import read_every_frame  # noqa: E402
from fcvg_core.timeline import inbetween_times  # noqa: E402
from fcvg_core.warp import preview_motion  # noqa: E402

METHODS = ("fade", "flow", "ours")
SPEED_SIZE = (576, 1024)
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("--size", default="256x448", metavar="HxW")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    if options.speed:
        measure_speed()
        return
    if options.clips:
        size = tuple(map(int, options.size.split("x")))
        clips = ((path.name, read_clip(path, size), None) for path in options.clips)
        compare("real film", clips)
        return
    compare("towns, middle frame at least 12 dB above fade, 5 above flow", draw_scenes(TOWNS))
    compare("what moves, no middle frame 0.3 dB below fade", draw_scenes(MOVING))
    # A process of its own, so that the memory of all this does not count.
    subprocess.run([sys.executable, __file__, "--speed"], check=True)


def draw_scenes(scenes: Iterable[Scene]) -> Iterable[tuple[str, np.ndarray, tuple | None]]:
    """Name, truth and people of scenes."""
    return ((scene.name, scene.frames(), scene.people()) for scene in scenes)


def read_clip(path: Path, size: tuple[int, int]) -> np.ndarray:
    """The first frames of a film: [T, *size, 3] uint8."""
    if path.is_dir():
        frames = read_image_folder(path, max_frames=NUM_FRAMES)
    else:
        frames = islice(read_every_frame(path), NUM_FRAMES)
    return np.stack([crop_resize(frame, size) for frame in frames])


def compare(title: str, clips: Iterable[tuple[str, np.ndarray, tuple | None]]) -> None:
    """Print a row for every clip, and their means."""
    print(f"\n{title}\nPSNR in dB, SSIM; of the frames between the keyframes")
    groups = ("middle", "mean", "worst", "SSIM mean")
    print(" " * 24 + "".join(f"{group:^24s}" for group in groups) + "  ours - best, middle")
    print(" " * 24 + "".join(f"{name:>8s}" for name in METHODS) * len(groups))
    rows = []
    for name, truth, people in clips:
        rows.append(row := measure(truth, people))
        print(f"{name:24s}" + format_row(row), flush=True)
    table = np.array(rows)
    print(f"{'mean':24s}" + format_row(table.mean(axis=0)))
    fade, flow, ours = table[:, 0].T
    print(
        f"middle frame: {mean(ours - fade):+.2f} dB to fade (worst {min(ours - fade):+.2f}), "
        f"{mean(ours - flow):+.2f} to flow, {mean(ours - np.maximum(fade, flow)):+.2f} to the "
        "better of both"
    )


def measure(truth: np.ndarray, people: tuple[Poses, Poses] | None) -> np.ndarray:
    """[4, 3]: PSNR of the middle frame, mean, worst, and mean SSIM, of each method."""
    between = truth[1:-1]
    times = np.linspace(0, 1, len(truth))[1:-1]
    columns = []
    for result in (
        fade(truth[0], truth[-1], times),
        follow_flow(truth[0], truth[-1], times),
        preview(truth, people)[1:-1],
    ):
        levels = psnr(between, result)
        columns.append(
            (levels[len(levels) // 2], levels.mean(), levels.min(), ssim(between, result).mean())
        )
    return np.array(columns).T


def format_row(row: np.ndarray) -> str:
    """The numbers of a row, and how far ours is from the better of the others."""
    numbers = "".join(f"{value:8.2f}" for values in row[:3] for value in values)
    numbers += "".join(f"{value:8.3f}" for value in row[3])
    return f"{numbers}{row[0, 2] - row[0, :2].max():+12.2f}"


def preview(truth: np.ndarray, people: tuple[Poses, Poses] | None) -> np.ndarray:
    """This project's frames between the ends of a clip."""
    ends = truth[0], truth[-1]
    times = inbetween_times(len(truth), "uniform")
    return preview_motion(ends, times, matches=ClassicLineMatcher()(*ends), people=people)


def fade(first: np.ndarray, last: np.ndarray, times: np.ndarray) -> np.ndarray:
    """A cross-fade."""
    return np.stack([cv2.addWeighted(first, 1 - time, last, time, 0) for time in times])


def follow_flow(first: np.ndarray, last: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Each keyframe carried along its own flow, half of each."""
    grays = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, last)]
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forward, back = search.calc(*grays, None), search.calc(*grays[::-1], None)
    rows, columns = np.indices(grays[0].shape, np.float32)
    pixels = np.stack([columns, rows], axis=-1)
    frames = []
    for time in times:
        carried = [
            cv2.remap(
                frame,
                np.float32(pixels - part * flow),
                None,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for frame, flow, part in ((first, forward, time), (last, back, 1 - time))
        ]
        frames.append(cv2.addWeighted(carried[0], 1 - time, carried[1], time, 0))
    return np.stack(frames)


def measure_speed() -> None:
    """Print seconds of the matcher and of the preview, and the memory above the imports."""
    pair = draw_sample_pair(SPEED_SIZE)
    times = inbetween_times(NUM_FRAMES, "uniform")
    before = forget_peak()
    rounds = []
    for _ in range(REPEATS):
        begun = perf_counter()
        matches = ClassicLineMatcher()(*pair)
        matched = perf_counter()
        preview_motion(pair, times, matches=matches)
        rounds.append((matched - begun, perf_counter() - matched))
    matching, moving = min(rounds, key=sum)
    height, width = SPEED_SIZE
    print(
        f"\n{NUM_FRAMES} frames of {height} x {width}, {cv2.getNumThreads()} threads, fastest of "
        f"{REPEATS}: matching {matching:.2f} s, moving {moving:.2f} s; "
        f"{peak_memory() - before} MB above what was there before"
    )


def forget_peak() -> int:
    """Memory of this process in MB; its peak begins anew. Linux alone can do this."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> int:
    """Largest memory of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
