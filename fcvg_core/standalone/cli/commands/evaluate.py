"""`evaluate`: how close results are to the true frames, as a table or JSON."""

import argparse
import json
from contextlib import nullcontext

from ....errors import UserError
from ....files.claim import made_folder
from ....files.writing import write_aside
from ...spec.values import PATH
from ..option_groups import add_device

HELP = "compare results with the true frames: PSNR, SSIM, jitter, LPIPS, FVMD"
DESCRIPTION = (
    "Compare each result with the true frames, and print a table. TRUTH and RESULT are videos, "
    "folders of frames, folders that a run wrote, or folders of several of these. LPIPS and FVMD "
    "are measured if the packages lpips and fvmd and their weights are there; nothing is "
    "downloaded. docs/evaluation.md explains the measures."
)
EXAMPLES = (
    "evaluate true_frames result.mp4",
    "evaluate true.mp4 one/frames two/frames -o measures.json",
    "evaluate true_clips result_clips --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("truth", type=PATH, metavar="TRUTH", help="the true frames")
    parser.add_argument(
        "results",
        type=PATH,
        nargs="+",
        metavar="RESULT",
        help="frames to compare with the true frames: as many, and of the same size",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "-o", "--output", type=PATH, metavar="FILE", help="write the JSON to this new file too"
    )
    add_device(parser)


def prints_result(options: argparse.Namespace) -> bool:
    """Whether the measures are printed, and no file is written."""
    return options.output is None


def run(options: argparse.Namespace) -> None:
    """Measure the results; print the table or JSON, and write the JSON file."""
    from ...evaluation import evaluate_results, table_lines, to_json
    from ...networks.device import choose_device
    from ..progress import Bars

    if options.output and options.output.exists():
        raise UserError(f"{options.output} exists. Name a new file with -o.")
    with made_folder(options.output.parent) if options.output else nullcontext():
        with Bars() as bars:
            measured = evaluate_results(
                options.truth, options.results, device=choose_device(options.device), progress=bars
            )
        content = json.dumps(to_json(options.truth, measured), indent=1, allow_nan=False)
        if options.output:
            with write_aside(options.output) as part:
                part.write_text(f"{content}\n", encoding="utf-8")
    print(content if options.json else "\n".join(table_lines(measured)))
