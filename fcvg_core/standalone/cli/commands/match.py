"""`match`: the lines that two frames share, as JSON and as a picture."""

import argparse

from ....files.claim import claim_folder
from ....files.writing import save_text
from ...spec import MatcherChoice
from ...spec.parts import Size
from ...spec.values import PATH
from ..option_groups import OUTPUT, add_device, add_matcher, add_size

HELP = "find the lines that two frames share"
DESCRIPTION = (
    "Write the lines that two frames share as a picture and as matches.json, which you can edit: "
    "one match a line. --matches of preview and inbetween takes this file, and so does the node "
    "Load Line Matches."
)
EXAMPLES = ("match first.png last.png -o lines",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("first", type=PATH, metavar="FIRST", help="picture of the first frame")
    parser.add_argument("last", type=PATH, metavar="LAST", help="picture of the last frame")
    parser.add_argument("-o", "--output", type=PATH, required=True, metavar="OUT", help=OUTPUT)
    add_size(parser)
    add_matcher(parser)
    add_device(parser)
    parser.add_argument(
        "--show-ids",
        action="store_true",
        help="write the id that each match has in matches.json into the picture",
    )


def run(options: argparse.Namespace) -> None:
    """Match lines and write them."""
    from ....catalogue.comfyui import known_folders
    from ....lines import describe_matches, draw_matches, format_matches, warn_of_few
    from ...control.matching import MORE_LINES, open_matcher
    from ...media.pictures import read_keyframes
    from ...media.writing import write_picture
    from ...named_files import check_named
    from ...networks.device import choose_device

    choice = MatcherChoice.from_options(vars(options))
    check_named(choice)
    frame = Size.from_options(vars(options))
    keyframes = read_keyframes((options.first, options.last), frame.size, frame.fit, frame.anchor)
    with claim_folder(options.output) as claim:
        match = open_matcher(choice, known_folders(), device=choose_device(options.device))
        matches = match(*keyframes)
        save_text(claim.path / "matches.json", format_matches(matches))
        drawn = draw_matches(*keyframes, matches, seed=0, show_ids=options.show_ids)
        write_picture(claim.path / "matches.png", drawn)
    print(describe_matches(matches))
    warn_of_few(matches, remedy=MORE_LINES)
    print(f"matches: {claim.path / 'matches.json'}")
    print(f"picture: {claim.path / 'matches.png'}")
