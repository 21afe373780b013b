"""Seconds from two keyframes to their control frames: python benchmarks/conditions.py

Nothing is asserted. Run it before and after a change, and compare.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fcvg_core.frames import crop_resize  # noqa: E402
from fcvg_core.lines import (  # noqa: E402
    ClassicLineMatcher,
    draw_lines,
    interpolate_lines,
    match_colors,
)
from fcvg_core.standalone.demo.scene import draw_sample_pair  # noqa: E402
from fcvg_core.timeline import inbetween_times  # noqa: E402

PHOTO_SIZE = (1080, 1920)
SIZE = (576, 1024)
NUM_FRAMES = 25
REPEATS = 5


def timed(seconds: list[float], step: Callable[..., Any], *values: Any, **settings: Any) -> Any:
    """Run a step and return its result; the time in seconds is appended to the list."""
    start = time.perf_counter()
    result = step(*values, **settings)
    seconds.append(time.perf_counter() - start)
    return result


def main() -> None:
    """Print a table of the steps: the first run, the median of all runs, the share of the total."""
    photos = draw_sample_pair(PHOTO_SIZE)
    matcher = ClassicLineMatcher()
    steps: dict[str, list[float]] = {"crop": [], "match": [], "interpolate": [], "draw": []}
    for _ in range(REPEATS):
        frames = timed(steps["crop"], lambda: [crop_resize(photo, SIZE) for photo in photos])
        matches = timed(steps["match"], matcher, *frames)
        times = inbetween_times(NUM_FRAMES)
        track = timed(steps["interpolate"], interpolate_lines, matches, times)
        colors = match_colors(matches, seed=0)
        timed(steps["draw"], draw_lines, track, SIZE, line_width=1, colors=colors)
    medians = {name: sorted(seconds)[REPEATS // 2] for name, seconds in steps.items()}
    total = sum(medians.values())
    print(f"{NUM_FRAMES} frames of {SIZE[0]} x {SIZE[1]}, {len(matches.lines0)} matches")
    print(f"{'step':12s} {'first s':>9s} {'median s':>9s} {'share':>6s}")
    for name, median in medians.items():
        print(f"{name:12s} {steps[name][0]:9.3f} {median:9.3f} {median / total:6.1%}")
    first = sum(seconds[0] for seconds in steps.values())
    print(f"{'total':12s} {first:9.3f} {total:9.3f} {1:6.1%}")


if __name__ == "__main__":
    main()
