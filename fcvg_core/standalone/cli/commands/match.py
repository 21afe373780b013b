"""`match`: the lines that two frames share, as JSON and as a picture."""

import argparse

from ....files.claim import claim_folder
from ....files.writing import write_aside
from ....lines import draw_matches
from ...control.matching import choose_matcher
from ...media.matches_file import write_matches
from ...media.pictures import read_keyframes
from ...media.writing import write_picture
from ..job import check_named


def run(options: argparse.Namespace) -> None:
    """Match lines and write them."""
    size = (options.height, options.width)
    check_named(options, ("gluestick", "superpoint"))
    keyframes = read_keyframes(options.first, options.last, size)
    with claim_folder(options.output) as claim:
        matches = choose_matcher(options, size)(*keyframes)
        with write_aside(claim.path / "matches.json") as part:
            write_matches(part, matches)
        write_picture(claim.path / "matches.png", draw_matches(*keyframes, matches, seed=0))
    print(f"{len(matches.lines0)} lines match")
    print(f"matches: {claim.path / 'matches.json'}")
    print(f"picture: {claim.path / 'matches.png'}")
