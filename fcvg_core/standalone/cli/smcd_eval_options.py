"""Options of the command that evaluates SMCD over a data set; also as the official code has them.

The official names and defaults are those of Mingxiao-Li/Animate-Your-Motion inference_eval.py.
"""

import argparse

from ...choices import BOX_FORMS, BOX_SETS
from ..spec import SmcdEvalSampling, SmcdEvalSpec, SmcdVideo
from ..spec.values import PATH, ValueKind
from .option_groups import add_loading, options_of
from .smcd_options import (
    Refuse,
    add_smcd_models,
    add_smcd_sampling,
)

REFUSED = {
    "--use_tmp_window_attention": "windows in time",
    "--use_image_dataset": "training with pictures",
    "--use_clip_visual_encoder": "CLIP's image encoder",
}
# Options that say how the official program works, and change no video here.
IGNORED = {"--tmp_window_size": 3, "--num_workers": 0, "--batch_size": 2}


def _zero(text: str) -> float:
    if float(text):
        raise ValueError(text)
    return 0.0


ZERO = ValueKind(
    "0, since the official formula adds a whole prediction to the result (--scene-guidance is a "
    "scale for picture and boxes)",
    _zero,
)


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """All options of the command."""
    files = parser.add_argument_group("files")
    _add_set(files)
    add_smcd_models(files)
    _add_measures(parser.add_argument_group("measures"))
    _add_video(parser.add_argument_group("video"))
    sampling = parser.add_argument_group("sampling")
    add_smcd_sampling(
        sampling,
        SmcdEvalSampling,
        padding="by default as the official program does: 8 for youvis, 0 for got10k",
        seed="the windows and of the first video's noise, from which the others' seeds go on",
    )
    add_loading(parser.add_argument_group("machine"))
    _add_official(parser.add_argument_group("official options"))


def _add_set(group: argparse._ArgumentGroup) -> None:
    """The data set, and where the videos go."""
    add = options_of(SmcdEvalSpec, group)
    add("--dataset", help=f"{' or '.join(BOX_SETS)}: GOT-10k or YouTube-VIS 2021 (%(default)s)")
    add(
        "--path",
        metavar="DIR",
        help="the folder that holds the folder got-10k (or got10k) or youvis, in the official "
        "layout; smcd-prepare makes the files that the download lacks. By default that of --config",
    )
    add("--split", metavar="NAME", help="folder of the data set: val of got10k, train of youvis")
    add(
        "--count",
        metavar="N",
        help="number of videos, from the first one on: all of got10k, 180 of youvis",
    )
    add(
        "-o",
        "--output",
        "--output_dir",
        metavar="OUT",
        help="folder for the results (%(default)s). Videos that are there already, from the same "
        "command, are not painted again",
    )


def _add_measures(group: argparse._ArgumentGroup) -> None:
    options_of(SmcdEvalSpec, group)(
        "--clip-vision",
        metavar="FILE",
        help="CLIP ViT-H, by which frames are compared with each other and, if the file has the "
        "text encoder too (ModelScope's open_clip_pytorch_model.bin), with the prompt",
    )
    group.add_argument(
        "--measure-boxes",
        type=PATH,
        nargs=2,
        metavar=("FOUND", "TRUE"),
        help="paint nothing, but compare boxes that a tracker has found with the true ones: files "
        "of boxes, folders of videos that this command has written, or folders with one of them "
        "for each video. -o is a new JSON file then",
    )
    group.add_argument(
        "--form",
        choices=BOX_FORMS,
        default=BOX_FORMS[0],
        help="of the numbers in files of lines: two corners, or a corner with width and height "
        "(%(default)s)",
    )


def _add_video(group: argparse._ArgumentGroup) -> None:
    add = options_of(SmcdVideo, group)
    for name in ("--height", "--width"):
        add(name, metavar="N", help="in pixels, a multiple of 64; trained at 256 (%(default)s)")
    add(
        "--frames",
        "--video_length",
        metavar="N",
        help="number of frames; trained at 8 (%(default)s)",
    )
    add("--fps", metavar="X", help="frame rate of the written GIFs (%(default)s)")


def _add_official(group: argparse._ArgumentGroup) -> None:
    """Options of the official program that change nothing, or are not supported."""
    for name, what in REFUSED.items():
        group.add_argument(
            name, nargs=0, action=Refuse, help=f"refused: the released model is without {what}"
        )
    for name, default in IGNORED.items():
        group.add_argument(
            name,
            type=int,
            default=default,
            metavar="N",
            help="accepted without effect: videos are painted one by one",
        )
    for name in ("--img_free_guidance", "--ti_free_guidance"):
        group.add_argument(
            name, type=ZERO, default=0.0, metavar="0", help="accepted if it is 0, which is off"
        )
