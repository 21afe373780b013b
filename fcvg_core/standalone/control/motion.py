"""Two keyframes -> what moves between them: a matcher and a pose finder look at them."""

import logging
from dataclasses import dataclass

from ...lines import LineMatches, report_matches
from ...pose import Poses, count_people
from ...progress import Progress, silent
from .dwpose import Keyframes, PoseFinder
from .matching import MORE_LINES, Matcher

STAGES = 2  # lines matched, people found


@dataclass(frozen=True, eq=False)
class FoundMotion:
    """Lines and people that both keyframes show.

    Attributes:
        matches: the matched lines, N >= 0.
        people: people of the first and of the last keyframe; None if nobody is looked for.
    """

    matches: LineMatches
    people: tuple[Poses, Poses] | None


def find_motion(
    keyframes: Keyframes,
    *,
    match: Matcher,
    find_poses: PoseFinder | None,
    remedy: str = MORE_LINES,
    progress: Progress = silent,
) -> FoundMotion:
    """Lines and people of two keyframes.

    Args:
        keyframes: first and last, uint8 [H, W, 3] of one size.
        match: a matcher of the room `lines`, or a function that returns matches made before.
        find_poses: returns the people of both keyframes; None looks for nobody.
        remedy: what the user can do if few lines match, as a sentence.
        progress: is told the stage, how many parts of it are done, and how many parts there are.
    """
    progress("conditions", 0, STAGES)
    matches = match(*keyframes)
    report_matches(matches, remedy=remedy)
    progress("conditions", 1, STAGES)
    people = None
    if find_poses:
        people = find_poses(keyframes)
        logging.info(
            "The first frame shows %s, the last frame shows %s.",
            *(count_people(poses.num_people) for poses in people),
        )
    progress("conditions", 2, STAGES)
    return FoundMotion(matches, people)
