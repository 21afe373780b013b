"""Options of the command that makes videos with SMCD; also as the official code names them.

The official names and defaults are those of Mingxiao-Li/Animate-Your-Motion
inference_customize.py. Differs: the label of an object is an option, where the official code always
takes "dog", and the options that say which model it is are accepted and change nothing.
"""

import argparse
from pathlib import Path
from typing import NoReturn

from ..spec import BoxChoice, SmcdModelChoice, SmcdSampling, SmcdSpec, SmcdVideo
from ..spec.values import PATH, ValueKind
from .option_groups import add_fit, add_run, options_of
from .option_parser import Gather

# Official names of options that set what an option of this program sets.
OFFICIAL = {"output_dir": "output"}
GROUNDING = "vanilla_cross_vision"


def _released(text: str) -> str:
    if text != GROUNDING:
        raise ValueError(text)
    return text


RELEASED = ValueKind(
    f"{GROUNDING}, the model of the second stage, since the others are not supported", _released
)


def add_smcd_files(group: argparse._ArgumentGroup) -> None:
    """Picture, boxes, texts, model, and where a run writes."""
    add = options_of(SmcdSpec, group)
    add("first", nargs="?", metavar="IMAGE", help="the picture that moves, if not that of DIR")
    add(
        "--input-data-path",
        "--input_data_path",
        metavar="DIR",
        help="folder with the picture, img.png, and the boxes of one object, bbox.txt, or of "
        "several, boxes.json",
    )
    add(
        "--boxes",
        action=_GatherBoxes,
        metavar="[LABEL=]FILE",
        help="boxes of an object, x1,y1,x2,y2 in pixels of the picture on a line for each frame; "
        "or key boxes, such as 0: 10,20,110,90; or boxes as JSON, of MOT, YouTube-VIS or GOT-10k. "
        "May come several times",
    )
    add(
        "--label",
        action=Gather,
        metavar="WORDS",
        help="what the object is, for example dog: once for all files, or once for each in their "
        "order. By default the whole prompt stands for an object whose file tells no label",
    )
    add("--prompt", metavar="TEXT", help="what happens")
    add(
        "--negative-prompt",
        metavar="TEXT",
        help="what the video should not show",
    )
    add_run(group, official=())
    group.add_argument(
        "--output_dir",
        type=PATH,
        metavar="OUT",
        help="the same as --output with --official-files",
    )
    add(
        "--official-files",
        help="write cus_pred.gif, prompt.txt, pred_box_img/ and boxes_pred.gif too",
    )
    add_smcd_models(group)


def add_smcd_models(group: argparse._ArgumentGroup) -> None:
    """Which model paints, also as the official code says it."""
    add = options_of(SmcdModelChoice, group)
    add(
        "--ckpt",
        "--trained_ckpt_path",
        metavar="DIR",
        help="folder with pytorch_model.bin, pytorch_model_1.bin and pytorch_model_2.bin, or one "
        "file that holds all three. A model that is not named is looked for in FCVG_MODELS, then "
        "in ComfyUI's folders. A run downloads nothing; the command models --get does",
    )
    for name, what in (
        ("--position-net", "the network that encodes boxes"),
        ("--visual-encoder", "the network that encodes the picture"),
        ("--text-encoder", "SD 2.1's text encoder"),
        ("--vae", "Stable Diffusion's VAE"),
    ):
        add(name, metavar="FILE", help=f"{what}, a file of its own")
    add("--tokenizer", metavar="DIR", help="folder with CLIP's vocab.json and merges.txt")
    add(
        "--root-path",
        metavar="DIR",
        help="folder of ModelScope's text-to-video model: its open_clip_pytorch_model.bin and "
        "VQGAN_autoencoder.pth are used",
    )
    add(
        "--config",
        metavar="FILE",
        help="configuration of the official code: its root_path and seed are used, unless they "
        "are given as options",
    )
    add_official_model(group)


def add_official_model(group: argparse._ArgumentGroup) -> None:
    """Options of the official code that say which model it is: there is only the released one."""
    group.add_argument(
        "--train_grounding",
        type=RELEASED,
        metavar=GROUNDING,
        help="accepted, and always so",
    )
    add_constant_switches(group)
    group.add_argument(
        "--pretrained_weight_path",
        type=PATH,
        metavar="FILE",
        help="accepted without effect: the model's own weights replace all of these",
    )
    group.add_argument(
        "--control_net",
        nargs=0,
        action=Refuse,
        help="refused: the released model has no such network",
    )


def add_constant_switches(group: argparse._ArgumentGroup) -> None:
    """Switches of the official code which every model of the second stage has set."""
    for name in ("--cat_init", "--cross_vision"):
        group.add_argument(name, action="store_true", help="accepted, and always so")


def add_boxes(group: argparse._ArgumentGroup) -> None:
    """How files of boxes are read."""
    add = options_of(BoxChoice, group)
    add("--box-file", help="what the files are, if it can't be told from them (%(default)s)")
    add(
        "--form",
        help="numbers of a box: two corners, or a corner with width and height (%(default)s)",
    )
    add("--units", help="pixels of the picture, or shares of it (%(default)s)")
    add(
        "--timing",
        metavar="T",
        help="how boxes move: uniform, ease-in, ease-out, ease-in-out, reference, or numbers such "
        "as 0,0.2,1, which are spread evenly over the video (%(default)s)",
    )
    add(
        "--fill",
        help="frames that have no box of their own: boxes are interpolated, so that fewer or more "
        "boxes than frames are spread over the video, or held, so that each box stays in its frame "
        "(%(default)s)",
    )
    add(
        "--video",
        metavar="NAME",
        help="the video of an annotation file of YouTube-VIS that holds several: its id, its "
        "folder, or one of its files",
    )


def add_smcd_video(group: argparse._ArgumentGroup) -> None:
    """Size, length and frame rate."""
    add = options_of(SmcdVideo, group)
    for name in ("--height", "--width"):
        add(
            name,
            metavar="N",
            help="in pixels, a multiple of 64; trained at 256 (%(default)s)",
        )
    add_fit(group, SmcdVideo)
    add(
        "--frames",
        "--video_length",
        metavar="N",
        help="number of frames; trained at 8 (%(default)s)",
    )
    add("--fps", metavar="X", help="frame rate of the written video (%(default)s)")
    add("--keep-keyframes", help="put the given picture into the video unchanged")


def add_smcd_sampling(
    group: argparse._ArgumentGroup,
    part: type[SmcdSampling] = SmcdSampling,
    *,
    padding: str = "0 as the official program does (%(default)s)",
    seed: str = "the noise at the start",
) -> None:
    """How the video is sampled.

    Args:
        part: which says the defaults.
        padding: a number of objects beside the one of training, for the help.
        seed: what the seed is of, for the help.
    """
    add = options_of(part, group)
    add(
        "--steps",
        metavar="N",
        help="steps of DDIM; numbers that don't divide 1000 make more steps (%(default)s)",
    )
    add(
        "--guidance",
        "--guidance_scale",
        metavar="X",
        help="how strongly the prompt steers; 1 is without guidance (%(default)s)",
    )
    add(
        "--scene-guidance",
        metavar="X",
        help="how strongly picture and boxes steer; 1 is off, as in the official code, otherwise "
        "each step predicts three times and not twice (%(default)s)",
    )
    add(
        "--pad-to",
        metavar="N",
        help="fill the objects up with absent ones to this number: 8 as the model was trained, "
        f"{padding}",
    )
    add(
        "--seed",
        metavar="N",
        help=f"seed of {seed}, 0 to 2**64 - 1; for a negative number a seed is drawn. By default "
        "that of --config, otherwise 33",
    )


class _GatherBoxes(Gather):
    """Gathers LABEL=FILE or FILE; the labels are those of --label, one for each file.

    Once a file has come with a label, a file without one gets an empty label, and not the other's.
    """

    labels = False  # whether a file has come with one

    def __call__(self, parser, namespace, values, option_string=None):
        label, equals, file = str(values).partition("=")
        if not equals or "/" in label or "\\" in label:  # a folder, whose name holds the =
            label, file = "", values
        super().__call__(parser, namespace, Path(file), option_string)
        given = namespace.label if isinstance(namespace.label, list) else []
        self.labels = self.labels or bool(label)
        others = len(namespace.boxes) - 1 - len(given)
        if label and others < 0:
            raise argparse.ArgumentError(
                self, f"{values} and an earlier --label name the same object: give one of them"
            )
        if label or (self.labels and others >= 0):
            namespace.label = [*given, *[""] * others, label]


class Refuse(argparse.Action):
    """An option of official code that is not supported; its help begins with "refused"."""

    def __call__(self, parser, namespace, values, option_string=None) -> NoReturn:
        raise argparse.ArgumentError(None, f"{option_string} is {self.help}")
