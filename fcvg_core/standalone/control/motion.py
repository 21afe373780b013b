"""Keyframes -> what moves between them: a matcher and a pose finder look at them."""

import itertools
import logging

from ...lines import LineMatches, report_matches
from ...motion import Motion, Span
from ...pose import Poses, count_people
from ...progress import Progress, silent
from .dwpose import Keyframes, PoseFinder
from .matching import MORE_LINES, Matcher


def find_motion(
    keyframes: Keyframes,
    *,
    match: Matcher,
    find_poses: PoseFinder | None,
    remedy: str = MORE_LINES,
    progress: Progress = silent,
) -> Motion:
    """Lines and people that neighbouring keyframes show.

    Args:
        keyframes: two or more in the order of time, uint8 [H, W, 3] of one size.
        match: a matcher of the room `lines`, or a function that returns matches made before.
        find_poses: returns the people of each keyframe; None looks for nobody.
        remedy: what the user can do if few lines match, as a sentence.
        progress: is told the stage, how many parts of it are done, and how many parts there are.
    """
    pairs = list(itertools.pairwise(keyframes))
    stages = len(pairs) + 1  # lines of each pair matched, people found
    progress("conditions", 0, stages)
    matches: list[LineMatches] = []
    for pair in pairs:
        if len(pairs) > 1:
            logging.info("Keyframes %d and %d:", len(matches) + 1, len(matches) + 2)
        matches.append(match(*pair))
        report_matches(matches[-1], remedy=remedy)
        progress("conditions", len(matches), stages)
    people = find_poses(keyframes) if find_poses else None
    if people:
        _log_people(people)
    progress("conditions", stages, stages)
    spans = (
        Span(matches=found, people=both)
        for found, both in zip(
            matches, itertools.pairwise(people) if people else [None] * len(pairs), strict=True
        )
    )
    return Motion(matches[0].size, tuple(spans))


def _log_people(people: tuple[Poses, ...]) -> None:
    counts = [count_people(poses.num_people) for poses in people]
    if len(counts) == 2:
        logging.info("The first frame shows %s, the last frame shows %s.", *counts)
    else:
        logging.info("The keyframes show %s.", ", ".join(counts))
