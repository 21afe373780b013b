"""Frames of a clip -> what moves in it: between its ends, and along its own frames."""

import functools
import itertools
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...canvas import in_words
from ...catalogue.find import find_dwpose
from ...catalogue.model_files import Roots
from ...errors import UserError
from ...json_text import parse_json
from ...lines import LineMatches, format_matches, parse_matches
from ...lines.matches_json import check_keys
from ...motion import Motion, Span
from ...pose import PoseDetector, Poses, from_openpose, is_seen, to_openpose
from ...quoting import quote
from ...standalone.control.dwpose import HOW_TO_GET, load_detector
from ...standalone.control.matching import Matcher, open_matcher
from ...standalone.media.matches_file import read_matches
from ...standalone.media.poses_file import read_poses
from ...standalone.spec import MatcherChoice
from ..config import Conditions

VERSION = 1
FORM = f"the motion of a clip: JSON with version {VERSION}, ends, chain and at"


@dataclass(frozen=True, eq=False)
class Finders:
    """What looks at the frames of clips.

    Attributes:
        match: finds the lines that two frames share.
        detector: finds the people of a frame; None: people are not looked for.
    """

    match: Matcher
    detector: PoseDetector | None = None

    def release(self) -> None:
        """Free the memory of the people's networks; the next frame loads them again."""
        if self.detector is not None:
            self.detector.release()


@dataclass(frozen=True, eq=False)
class ClipMotion:
    """What moves in a clip.

    Attributes:
        ends: between its first and its last frame.
        chain: along frames of the clip itself, which show how everything really moves; None: it
            is not known, or it is the same as `ends`.
        at: numbers of the frames of `chain`, from 0 to the clip's last frame; empty without it.
    """

    ends: Motion
    chain: Motion | None = None
    at: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.at) != (self.chain.num_keyframes if self.chain else 0):
            raise ValueError(f"expected a frame for each keyframe of the chain, got {self.at}")
        if self.at and (self.at[0] or sorted({*self.at}) != list(self.at)):
            raise ValueError(f"expected rising frames from 0, got {self.at}")

    @property
    def num_lines(self) -> int:
        """How many lines both ends show."""
        return len(self.ends.spans[0].matches.ids)

    @property
    def num_people(self) -> int:
        """How many people the end shows that shows more of them."""
        people = self.ends.spans[0].people or ()
        return max((int(is_seen(poses).any(-1).sum()) for poses in people), default=0)

    def to_text(self) -> str:
        """The motion as JSON; `from_text` gives back a motion that is drawn the same."""
        chain = None if self.chain is None else _to_values(self.chain)
        values = {"version": VERSION, "ends": _to_values(self.ends), "chain": chain, "at": self.at}
        return json.dumps(values)

    @classmethod
    def from_text(cls, text: str, *, name: str) -> "ClipMotion":
        """The motion in a text of `to_text`.

        Args:
            name: of the text, for messages.

        Raises:
            UserError: the text has another form.
        """
        try:
            return _read_motion(parse_json(text))
        except (ValueError, TypeError) as error:
            raise UserError(f"{name} does not hold {FORM} ({error}).") from error


def open_finders(conditions: Conditions, roots: Roots, device: torch.device) -> Finders:
    """The matcher and the detector that the conditions choose.

    People are not looked for if `conditions.people` is false, or if DWPose's files are neither
    named nor found, which is logged.

    Args:
        roots: known folders of models.
        device: where networks run.

    Raises:
        UserError: a file is missing, or holds something else.
    """
    choice = MatcherChoice(
        matcher=conditions.matcher,
        gluestick=conditions.gluestick,
        superpoint=conditions.superpoint,
        max_lines=conditions.max_lines,
        max_pts=conditions.max_pts,
    )
    match = open_matcher(choice, roots, device=device)
    if not conditions.people:
        return Finders(match)
    files = find_dwpose(conditions.dwpose_det, conditions.dwpose_pose, roots)
    if files is None:
        logging.info(
            "People are not looked for, because DWPose's two files (dwpose_det, dwpose_pose) are "
            "neither named nor found: %s",
            HOW_TO_GET,
        )
        return Finders(match)
    cpu_only = device.type == "cpu"
    return Finders(match, load_detector(files, device=device, cpu_only=cpu_only, whole_frame=False))


def find_clip_motion(
    frames: np.ndarray,
    conditions: Conditions,
    finders: Finders,
    *,
    matches: Path | None = None,
    poses: tuple[Path, Path] | None = None,
) -> ClipMotion:
    """Lines and people of a clip, found as `inbetween` finds them in keyframes.

    Args:
        frames: the clip, uint8 [T, H, W, 3], T >= 2.
        conditions: if its `true_share` is above 0, about every `true_every`-th frame is looked
            at, too; these frames are spread evenly.
        matches, poses: files of the clip's manifest, which win over what would be found at the
            clip's ends.

    Raises:
        UserError: neither a line nor a person is found at the ends, or a file of the manifest
            can't be read, holds something else, or is for another size.
    """
    size, last = frames.shape[1:3], len(frames) - 1
    people = _people_of(frames, finders) if conditions.people else None
    given = None if poses is None else _read_people(poses, size)
    found = finders.match(frames[0], frames[last]) if matches is None else _read(matches, size)
    ends = Motion(found.size, (Span(found, given or (people and (people(0), people(last)))),))
    motion = ClipMotion(ends)
    if not motion.num_lines and not motion.num_people:
        raise UserError(
            "No line of the first frame is in the last frame, and nobody is seen in them, so "
            "nothing would steer this clip: choose frames that are nearer to each other, or leave "
            "the clip out."
        )
    at = chain_frames(len(frames), conditions.true_every)
    if not conditions.true_share or len(at) == 2:
        return motion
    spans = (
        Span(finders.match(frames[i], frames[j]), people and (people(i), people(j)))
        for i, j in itertools.pairwise(at)
    )
    return ClipMotion(ends, Motion(found.size, tuple(spans)), at)


def chain_frames(count: int, every: int) -> tuple[int, ...]:
    """Frames of a clip, the first and the last among them, spread evenly.

    Args:
        count: frames of the clip, at least 2.
        every: largest number of frames from one to the next.
    """
    last = count - 1
    steps = -(-last // every)
    return tuple(round(last * step / steps) for step in range(steps + 1))


def _people_of(frames: np.ndarray, finders: Finders) -> Callable[[int], Poses] | None:
    """A function that finds the people of a frame by its number, each frame's once."""
    if finders.detector is None:
        return None
    return functools.cache(lambda number: finders.detector(frames[number]))


def _read(path: Path, size: tuple[int, int]) -> LineMatches:
    """Line matches of a file, which must be for this size."""
    matches = read_matches(path)
    if tuple(matches.size) != tuple(size):
        raise UserError(
            f"{path} is for frames of {in_words(matches.size)} pixels, but the clips are brought "
            f"to {in_words(size)}: match the lines at this size."
        )
    return matches


def _read_people(paths: tuple[Path, Path], size: tuple[int, int]) -> tuple[Poses, Poses]:
    """The people of the first and of the last frame, each from its file."""
    first, last = paths
    return read_poses(first, size=size), read_poses(last, size=size, frame=-1)


def _to_values(motion: Motion) -> dict[str, Any]:
    """A motion as values of JSON: each in the form of its file."""
    first, *_ = motion.spans
    people = None
    if first.people is not None:
        keyframes = [first.people[0], *(span.people[1] for span in motion.spans)]
        people = [to_openpose(poses, motion.size) for poses in keyframes]
    matches = [json.loads(format_matches(span.matches)) for span in motion.spans]
    return {"matches": matches, "people": people}


def _read_motion(found: Any) -> ClipMotion:
    """The motion of a clip in the values of its text."""
    check_keys(found, {"version", "ends", "chain", "at"})
    if found["version"] is True or found["version"] != VERSION:
        raise ValueError(f"version is {quote(found['version'])}; expected {VERSION}")
    chain = None if found["chain"] is None else _from_values(found["chain"])
    return ClipMotion(_from_values(found["ends"]), chain, tuple(map(int, found["at"])))


def _from_values(found: Any) -> Motion:
    """The motion in values of `_to_values`."""
    check_keys(found, {"matches", "people"})
    matches = [parse_matches(values, name="a span") for values in found["matches"]]
    if not matches:
        raise ValueError("it has no matches")
    people = [None] * len(matches)
    if found["people"] is not None:
        keyframes = [from_openpose(frame, exact_pixels=True) for frame in found["people"]]
        people = list(itertools.pairwise(keyframes))
    spans = (Span(*both) for both in zip(matches, people, strict=True))
    return Motion(matches[0].size, tuple(spans))
