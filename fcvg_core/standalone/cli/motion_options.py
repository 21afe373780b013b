"""Options that say what moves between two keyframes and how: lines, people, timing."""

import argparse

from ..spec import InbetweenPoseChoice, MatcherChoice, Motion
from .option_groups import add_detector, add_matcher, options_of
from .option_rules import Rules

# Of commands that take two keyframes. The first names are those of the official code.
KEYFRAME_RULES = Rules(
    aliases={"image1_path": "first", "image2_path": "last"},
    pairs=(("matches", "matcher"),),
    replaces={
        "matcher": "matches",
        "gluestick": "matches",
        "superpoint": "matches",
        "dwpose_det": "poses",
        "dwpose_pose": "poses",
        "last": "between",
        "at": "frames",
        "frames": "at",
    },
)


def add_motion(group: argparse._ArgumentGroup) -> None:
    """How lines and people are found, how they move, and how they are drawn."""
    _add_lines(group)
    _add_people(group)
    _add_motion(group)


def _add_lines(group: argparse._ArgumentGroup) -> None:
    add_matcher(group)
    options_of(MatcherChoice, group)(
        "--matches",
        metavar="FILE",
        help="file of lines that were matched before (by `match`, by hand or by another program)",
    )
    add = options_of(Motion, group)
    add("--line-width", metavar="N", help="width of lines in pixels (%(default)s)")
    add(
        "--color-seed",
        metavar="N",
        help="seed of the lines' colours; it changes only which colour each line gets "
        "(%(default)s)",
    )


def _add_people(group: argparse._ArgumentGroup) -> None:
    add_detector(group)
    people = group.add_mutually_exclusive_group()
    options_of(InbetweenPoseChoice, people)(
        "--poses",
        nargs=2,
        metavar="FILE",
        help="files with the people of the first and of the last keyframe, JSON in OpenPose's "
        "format (by `pose` or another program)",
    )
    people.add_argument(
        "--no-poses", dest="poses", action="store_const", const=False, help="draw lines only"
    )


def _add_motion(group: argparse._ArgumentGroup) -> None:
    add = options_of(Motion, group)
    add(
        "--edits",
        metavar="FILE",
        help="file with the state of the node Edit Motion: what a person changed of the lines and "
        "people, and paths and regions that stand still; for two keyframes",
    )
    add(
        "--missing-joints",
        help="joints that only one keyframe shows: hide them, or hold them beside the body "
        "(%(default)s)",
    )
    add(
        "--missing-people",
        help="people whom only one keyframe shows: fade them, or drop them (%(default)s)",
    )
    add(
        "--timing",
        metavar="T",
        help="how the motion runs from the first keyframe (0) to the last (1): reference (steady, "
        "as FCVG was trained: the second frame repeats the first keyframe, and the last but one "
        "repeats the last keyframe), uniform (steady, without repeated frames), ease-in, ease-out, "
        "ease-in-out, or numbers such as 0,0.2,1, which are spread evenly over the frames "
        "(%(default)s)",
    )
