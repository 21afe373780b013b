"""`match`: the lines that two frames share, as JSON and as a picture."""

import argparse

from PIL import Image

from ...lines import draw_matches
from ..keyframes import read_keyframes
from ..matches_file import write_matches
from ..matching import choose_matcher
from ..output import claim_folder


def run(options: argparse.Namespace) -> None:
    """Match lines and write them."""
    size = (options.height, options.width)
    keyframes = read_keyframes(options.first, options.last, size)
    matches = choose_matcher(options, size)(*keyframes)
    folder = claim_folder(options.output)
    write_matches(folder / "matches.json", matches)
    Image.fromarray(draw_matches(*keyframes, matches, seed=0)).save(folder / "matches.png")
    print(f"{len(matches.lines0)} lines match")
    print(f"matches: {folder / 'matches.json'}")
    print(f"picture: {folder / 'matches.png'}")
