"""All that moves between the keyframes of a node: found in pictures, or collected from inputs."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...fcvg_core.control import ControlFrameSettings
from ...fcvg_core.errors import UserError
from ...fcvg_core.frames import to_image, to_uint8
from ...fcvg_core.lines import LineMatches, draw_matches
from ...fcvg_core.motion import Motion, MotionTrack, Span, track_motion
from ...fcvg_core.paths import Path
from ...fcvg_core.pose import PoseDetector, Poses, list_people
from .dwpose import find_people
from .fitting import fit_pictures
from .images import first_picture
from .keyframes import Keyframes, place_motion
from .line_matching import MatcherSettings, match_pair, say_what_matches
from .poses import drawn_size, keyframe_frames, keyframe_people


def find_motion(
    pictures: dict[str, Tensor],
    gluestick: ModelPatcher | None,
    settings: MatcherSettings,
    dwpose: PoseDetector | None,
) -> tuple[list[np.ndarray], Motion]:
    """Keyframes of one size, and what moves between each two neighbouring keyframes.

    Args:
        pictures: of all keyframes, from `name_pictures`.
        gluestick: None: lines are matched without weights.
        dwpose: None: nobody is looked for.

    Returns:
        The keyframes as [H, W, 3] uint8 of the first keyframe's size, and their motion.
    """
    first = next(iter(pictures.values()))
    size = tuple(first.shape[1:3])
    frames = [to_uint8(fit_pictures(image, size, name)[0]) for name, image in pictures.items()]
    people = None if dwpose is None else _find_all_people(frames, dwpose)
    spans = []
    for i, names in enumerate(pairwise(pictures)):
        where = "" if len(frames) == 2 else " to ".join(names)
        matches = match_pair(frames[i], frames[i + 1], gluestick, settings, where=where)
        both = None if people is None else (people[i], people[i + 1])
        spans.append(Span(matches=matches, people=both))
    say_what_matches(gluestick)
    return frames, Motion(size, tuple(spans))


def _find_all_people(frames: list[np.ndarray], dwpose: PoseDetector) -> list[Poses]:
    images = to_image(np.stack(frames))
    found = [*find_people(dwpose, images, whole_frame=False)]
    numbers = [poses.num_people for poses in found]
    if any(numbers):
        logging.info("Poses of %s.", list_people(numbers, item="keyframe"))
    else:
        logging.info("Nobody is found in the keyframes.")
    return found


def draw_found(frames: list[np.ndarray], motion: Motion, *, show_ids: bool) -> np.ndarray:
    """Each two neighbouring keyframes side by side with their matched lines: [spans, h, w, 3]."""
    pairs = zip(pairwise(frames), motion.spans, strict=True)
    return np.stack(
        [draw_matches(*pair, span.matches, seed=0, show_ids=show_ids) for pair, span in pairs]
    )


def collect_motion(
    motion: Motion | None,
    line_matches: LineMatches | None,
    poses: tuple[Any, Any],
    paths: Sequence[Path] | None,
    first_frame: Tensor | None,
) -> Motion:
    """All that moves, of the inputs of one node.

    Args:
        poses: the inputs first_pose and last_pose, in OpenPose's format.
        first_frame: IMAGE whose size counts if neither a motion nor lines nor poses are connected.

    Raises:
        UserError: nothing is connected, inputs exclude each other, or the size is not known.
    """
    has_poses = any(pose is not None for pose in poses)
    if motion is not None:
        if line_matches is not None or has_poses:
            raise UserError(
                "motion takes the place of line_matches, first_pose and last_pose: connect motion "
                "alone, or these inputs without motion."
            )
        return _add_paths(motion, paths) if paths else motion
    if line_matches is None and not has_poses and not paths:
        raise UserError(
            "Nothing is connected: give line_matches, both poses, or all three; or a motion, or "
            "paths."
        )
    keyframes = keyframe_frames(*poses) if has_poses else None
    if line_matches is not None:
        size = line_matches.size
    elif keyframes is not None:
        size = drawn_size(keyframes)
    else:
        size = _size_of(first_frame)
    return join_inputs(line_matches, keyframes, paths, size)


def join_inputs(
    line_matches: LineMatches | None,
    poses: list | None,
    paths: Sequence[Path] | None,
    size: tuple[int, int],
) -> Motion:
    """What moves between two keyframes of a size (height, width), of separate inputs.

    Args:
        poses: from `keyframe_frames`.
    """
    people = None if poses is None else keyframe_people(poses, size)
    return Motion(size, (Span(matches=line_matches, people=people, paths=tuple(paths or ())),))


def track_inputs(
    motion: Motion, keyframes: Keyframes | None, settings: ControlFrameSettings
) -> MotionTrack:
    """Where everything of a node's motion is in every frame.

    Raises:
        UserError: nothing is in the motion; or see `place_motion` and `track_motion`.
    """
    if all(x.matches is None and x.people is None and not x.paths for x in motion.spans):
        raise UserError(
            "motion is empty: connect line_matches or poses to Edit Motion, or draw a line or a "
            "path on its canvas."
        )
    return track_motion(
        motion,
        place_motion(motion, keyframes, settings.num_frames),
        settings.timing,
        missing_joints=settings.missing_joints,
        missing_people=settings.missing_people,
    )


def _add_paths(motion: Motion, paths: Sequence[Path]) -> Motion:
    """A motion between two keyframes, and paths beside those that it has."""
    if len(motion.spans) > 1:
        raise UserError(
            f"paths belong between two keyframes, but motion has {motion.num_keyframes}: connect "
            "paths to Edit Motion for the two keyframes, then Join Motions."
        )
    (span,) = motion.spans
    free = max((path.id for path in span.paths), default=-1) + 1
    new = [path for path in paths if path not in span.paths]  # Edit Motion gives its paths twice
    more = tuple(replace(path, id=free + i) for i, path in enumerate(new))
    return replace(motion, spans=(replace(span, paths=span.paths + more),))


def _size_of(first_frame: Tensor | None) -> tuple[int, int]:
    if first_frame is None:
        raise UserError(
            "Only paths are connected, and they do not say how large the frames are: connect "
            "first_frame too."
        )
    return tuple(first_picture(first_frame, "first_frame").shape[1:3])
