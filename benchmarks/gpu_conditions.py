"""Seconds of what comes before sampling: lines and people are found, moved and drawn.

The class runs in the process of gpu_worker.py. GlueStick has random weights in the official layout.
DWPose has the stand-ins of tests/golden, which are tiny: the time is that of the code around the
networks, and onnxruntime may be without support for the GPU.
"""

import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from gpu_clock import best_device, finish
from gpu_weights import DWPOSE, GOLDEN, draw_values
from gpu_worker import require

REPEATS = 3


class Conditions:
    """Measurements of the stage of the conditions.

    Args:
        size: [height, width, frames].
        tiny: GlueStick on the CPU, with fewer keypoints.
    """

    def __init__(self, size: list[int], tiny: bool, **_):
        from fcvg_core.standalone.demo.scene import draw_sample_pair

        self._tiny, self._device = tiny, best_device(tiny)
        self._size, self._frames = tuple(size[:2]), size[2]
        self._pictures = draw_sample_pair(self._size)

    def lines(self) -> dict:
        """Lines without GlueStick: matched, moved and drawn."""
        from fcvg_core.lines import ClassicLineMatcher, draw_lines, interpolate_lines, match_colors
        from fcvg_core.timeline import inbetween_times

        times = inbetween_times(self._frames)
        first, (matches, match_s) = self._timed(lambda: ClassicLineMatcher()(*self._pictures))
        _, (track, move_s) = self._timed(lambda: interpolate_lines(matches, times))
        colors = match_colors(matches, seed=0)
        _, (_, draw_s) = self._timed(
            lambda: draw_lines(track, self._size, line_width=1, colors=colors)
        )
        return {
            "lines": len(matches.lines0),
            "first_match_s": first,
            "match_s": match_s,
            "move_s": move_s,
            "draw_s": draw_s,
        }

    def gluestick(self) -> dict:
        """GlueStick: a frame's keypoints and lines, and the matching of two frames."""
        from fcvg_core.frames import to_gray
        from fcvg_core.lines.matcher import GlueStickLineMatcher, build_gluestick, match_wireframes

        names = json.loads((GOLDEN / "gluestick" / "keys.json").read_text("utf-8"))
        states = [
            draw_values({k: tuple(s) for k, s in names[part].items()}, torch.float32, 7, "cpu")
            for part in ("gluestick", "superpoint")
        ]
        model = build_gluestick(*states)
        model.superpoint.to(self._device)
        model.matcher.to(self._device)
        most = 50 if self._tiny else 1000
        grays = [to_gray(picture) for picture in self._pictures]

        def find() -> list:
            # A new matcher, because a matcher keeps the wireframes of the last frames.
            matcher = GlueStickLineMatcher(model, max_keypoints=most)
            return [matcher.find_wireframe(gray) for gray in grays]

        first, (wireframes, both_s) = self._timed(find)
        _, (matches, match_s) = self._timed(
            lambda: match_wireframes(model.matcher, *wireframes, threshold=0.2)
        )
        return {
            "points": len(wireframes[0].points),
            "lines": len(wireframes[0].lines),
            "matches": len(matches.lines0),
            "first_frame_s": first / len(grays),
            "frame_s": both_s / len(grays),
            "match_s": match_s,
        }

    def poses(self) -> dict:
        """Two people: matched and moved, and drawn."""
        from fcvg_core.pose import STYLES, Poses, draw_poses, interpolate_poses
        from fcvg_core.pose.skeleton import NUM_POINTS
        from fcvg_core.timeline import inbetween_times

        generator = torch.Generator().manual_seed(0)
        pair = [
            Poses(
                torch.rand(2, NUM_POINTS, 2, generator=generator, dtype=torch.float64),
                torch.ones(2, NUM_POINTS, dtype=torch.float64),
            )
            for _ in range(2)
        ]
        times = inbetween_times(self._frames)
        words = {"missing_joints": "hide", "missing_people": "fade"}
        _, (track, move_s) = self._timed(lambda: interpolate_poses(*pair, times, **words))
        _, (_, draw_s) = self._timed(lambda: draw_poses(track, self._size, style=STYLES["fcvg"]))
        return {"move_s": move_s, "draw_s": draw_s}

    def dwpose(self) -> dict:
        """Stand-ins of DWPose: a frame's people."""
        require("onnxruntime")
        import onnxruntime

        from fcvg_core.pose import open_detector

        providers = onnxruntime.get_available_providers()

        used: list[str] = []

        def open_session(file: str, wanted: list[str]):
            session = onnxruntime.InferenceSession(file, providers=wanted)
            used[:] = session.get_providers()  # those that work, of those that are wanted
            return session

        files = tuple(str(GOLDEN / "dwpose" / source) for source, _ in DWPOSE)
        gpu = [name for name in providers if name == "CUDAExecutionProvider" and not self._tiny]
        wanted = [*gpu, "CPUExecutionProvider"]
        find = open_detector(open_session, files, providers=wanted, whole_frame=True)
        first, (people, frame_s) = self._timed(lambda: find(self._pictures[0]))
        return {
            "people": people.num_people,
            "providers": used,
            "first_frame_s": first,
            "frame_s": frame_s,
        }

    def _timed(self, work: Callable[[], Any]) -> tuple[float, tuple[Any, float]]:
        """Seconds of the first call; the result, and the median of the seconds of more calls."""
        seconds, result = [], None
        for _ in range(1 + REPEATS):
            start = time.perf_counter()
            result = work()
            finish(self._device)
            seconds.append(time.perf_counter() - start)
        return seconds[0], (result, median(seconds[1:]))
