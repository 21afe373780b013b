"""`smcd-train`: the second stage of SMCD's training, on GOT-10k and YouTube-VIS."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ....choices import BOX_SETS
from ....errors import UserError
from ....shell import shell_words
from ....training.smcd.official_config import STAGE_ONE, read_configuration
from ....training.smcd.spec import SmcdTrainingSpec, StageTwo, StartFiles, TrainedVideos, Writing
from ...spec.values import PATH
from ..option_groups import options_of
from ..smcd_options import GROUNDING, Refuse, add_constant_switches

if TYPE_CHECKING:
    from ....training.loop import Summary
    from ....training.smcd.run import OpenedTraining

HELP = "train SMCD's second stage on videos with boxes (GOT-10k, YouTube-VIS)"
DESCRIPTION = (
    "Train SMCD's networks on videos with boxes, as the authors' second stage does: a model that "
    "knows boxes learns a picture too. A run writes checkpoint-N, which the command smcd and "
    "ComfyUI take as a model; Ctrl+C saves a checkpoint and ends the run. The first stage is not "
    "supported, since its official code can't run: start from a folder of a first stage, or from "
    "SMCD's released weights. smcd-prepare makes the files that the data sets lack; "
    "docs/smcd_training.md leads from the data sets to a model."
)
EXAMPLES = (
    "smcd-train --data dataset --tune-from stage1 --drop-picture -o mine",
    "smcd-train --config configs/object_tracking_ms_stage2.yaml --train_batch_size 4 "
    "--gradient_accumulation_steps 4 --train_grounding vanilla_cross_vision "
    "--use_img_free_guidance --cross_vision --cat_init --tune_from_ckpt_path stage1 "
    "--output_dir mine",
    "smcd-train --data dataset -o mine --resume latest",
)
# Options of the authors' research paths -> why they are refused.
REFUSED = {
    "--use_image_dataset": STAGE_ONE.removesuffix("."),
    "--use_tmp_window_attention": "the released model attends to all frames",
    "--only_cat_first_frame": "the released model has the first frame beside every frame",
    "--use_clip_visual_encoder": "the released model has a visual encoder of its own",
    "--control_net": "the released model has no such network",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    _add_files(parser.add_argument_group("files"))
    _add_videos(parser.add_argument_group("videos"))
    _add_training(parser.add_argument_group("training"))
    _add_official(parser.add_argument_group("options of the official code"))


def run(options: argparse.Namespace) -> None:
    """Train.

    Raises:
        UserError: an option, a file or a data set can't be used, or the run can't go on.
        KeyboardInterrupt: a signal came; a checkpoint is saved.
    """
    check_official(options)
    spec = read_spec(options)
    from ....training.smcd.run import open_training, train_smcd
    from ..progress import Bars

    opened = open_training(spec)
    with Bars() as bars:
        done = train_smcd(opened, progress=bars)
    if opened.place.first:
        _tell(opened, done)


def read_spec(options: argparse.Namespace) -> SmcdTrainingSpec:
    """What is typed, otherwise what the configuration says, otherwise the defaults.

    Raises:
        UserError: the configuration can't be read, or wants what is not supported.
    """
    spec = SmcdTrainingSpec()
    if options.config is not None:
        spec = read_configuration(options.config)
    known = SmcdTrainingSpec.settings_by_key()
    return spec.changed({x: getattr(options, x) for x in options.given if x in known})


def check_official(options: argparse.Namespace) -> None:
    """Raise UserError if another model or stage is asked for."""
    if options.train_grounding == "vanilla":
        raise UserError(f"--train_grounding is vanilla. {STAGE_ONE}")
    if options.train_grounding not in (None, GROUNDING):
        raise UserError(
            f"--train_grounding is {options.train_grounding}; expected {GROUNDING}, which is the "
            "released model."
        )


def _tell(opened: OpenedTraining, done: Summary) -> None:
    """Print what a run came to, and how its weights are used."""
    spec = opened.spec
    folder = spec.writing.output / f"checkpoint-{done.step}"
    loss = "" if done.loss is None else f", loss {done.loss:.4g}"
    skipped = f"; {done.skipped:,} steps were skipped" if done.skipped else ""
    print(f"videos:   {len(opened.videos):,} of {', '.join(spec.data.datasets)}")
    print(f"trained:  {opened.trained[0]}: {opened.count_trained():,} numbers")
    print(f"steps:    {done.step:,} of {spec.training.steps:,}{loss}{skipped}")
    print(f"saved:    {folder}")
    print(f"to paint: python -m fcvg_core smcd --ckpt {shell_words(str(folder))} ...")


def _add_files(group: argparse._ArgumentGroup) -> None:
    add, write = options_of(StartFiles, group), options_of(Writing, group)
    add(
        "--tune-from",
        "--tune_from_ckpt_path",
        metavar="DIR",
        help="start from these weights: a folder of a first stage (pytorch_model.bin, "
        "pytorch_model_1.bin), or SMCD's released weights",
    )
    add(
        "--resume",
        "--resume_from_checkpoint",
        metavar="N",
        help="go on with a run: latest, checkpoint-N, or the path of a checkpoint, which may be of "
        "the official program",
    )
    write("-o", "--output", "--output_dir", metavar="OUT", help="folder of the run (%(default)s)")
    group.add_argument(
        "--config",
        type=PATH,
        metavar="FILE",
        help="configuration of the official code (.yaml); typed options win over it",
    )
    add("--text-encoder", metavar="FILE", help="SD 2.1's text encoder")
    add("--vae", metavar="FILE", help="Stable Diffusion's VAE")
    add("--tokenizer", metavar="DIR", help="folder with CLIP's vocab.json and merges.txt")
    add(
        "--root-path",
        "--root_path",
        metavar="DIR",
        help="folder of ModelScope's text-to-video model: its open_clip_pytorch_model.bin and "
        "VQGAN_autoencoder.pth are used",
    )
    write(
        "--every",
        "--checkpointing_steps",
        metavar="N",
        help="steps from a checkpoint to the next; the last step has one (%(default)s)",
    )
    write("--keep", metavar="N", help="checkpoints that are kept, the newest (%(default)s)")
    write("--log-every", metavar="N", help="steps from a line of the log to the next (%(default)s)")


def _add_videos(group: argparse._ArgumentGroup) -> None:
    add = options_of(TrainedVideos, group)
    add(
        "--data", "--path", metavar="DIR", help="folder that holds got-10k and youvis (%(default)s)"
    )
    add(
        "--datasets",
        nargs="+",
        metavar="NAME",
        help=f"{' and '.join(BOX_SETS)}, which is the default, or one of them",
    )
    add("--split", metavar="NAME", help="folder of the data sets (%(default)s)")
    add(
        "--frames",
        "--n_sample_frames",
        metavar="N",
        help="neighbouring frames of a video, from a random frame on (%(default)s)",
    )
    for name in ("--height", "--width"):
        add(name, metavar="N", help="in pixels, a multiple of 64 (%(default)s)")
    add(
        "--objects",
        "--num_max_obj",
        metavar="N",
        help="objects of each video: absent ones fill up, and further ones are left out "
        "(%(default)s)",
    )


def _add_training(group: argparse._ArgumentGroup) -> None:
    add, write = options_of(StageTwo, group), options_of(Writing, group)
    numbers = {
        ("--steps", "--max_train_steps"): "steps of the optimiser",
        ("--batch", "--train_batch_size"): "videos that go through the networks at once",
        ("--accumulate", "--gradient_accumulation_steps"): "batches of a step",
        ("--rate", "--learning_rate"): "the learning rate",
        ("--warmup", "--lr_warmup_steps"): "steps over which the learning rate rises from 0",
        ("--beta1", "--adam_beta1"): "of AdamW",
        ("--beta2", "--adam_beta2"): "of AdamW",
        ("--weight-decay", "--adam_weight_decay"): "of AdamW",
        ("--clip-norm", "--max_grad_norm"): "largest norm of the gradient; 0: it is not clipped",
        ("--dropout",): "share of zeros in the UNet's residual blocks",
        ("--seed",): "of all chance",
    }
    for names, what in numbers.items():
        add(*names, metavar="N", help=f"{what} (%(default)s)")
    add(
        "--scale-rate",
        "--scale_lr",
        help="multiply the learning rate by the videos of a step",
    )
    add(
        "--drop-picture",
        "--use_img_free_guidance",
        help="drop the first frame now and then, as for the released weights; boxes are dropped "
        "now and then in any case",
    )
    add(
        "--modules",
        "--trainable_modules",
        nargs="+",
        metavar="NAME",
        help="what is trained of the UNet, by parts of names, instead of the second stage's list",
    )
    add(
        "--save-memory",
        "--gradient_checkpointing",
        help="compute activations again on the way back instead of keeping them",
    )
    write("--device", help="auto, cpu, cuda, cuda:1 ... (%(default)s)")
    write("--dtype", help="number format of the networks' work (%(default)s)")


def _add_official(group: argparse._ArgumentGroup) -> None:
    """Options that say which model it is, or that are for the authors' research."""
    group.add_argument(
        "--train_grounding",
        metavar=GROUNDING,
        help="accepted, and always so; vanilla, the first stage, is refused",
    )
    add_constant_switches(group)
    group.add_argument(
        "--use_wandb",
        action="store_true",
        help="accepted without effect: OUT holds log.jsonl, and TensorBoard's files where it is "
        "installed",
    )
    for name, what in (
        ("--pretrained_weight_path", "the weights to start from hold a whole UNet"),
        ("--val_batch_size", "the official code validates nothing"),
        ("--tmp_window_size", "the released model attends to all frames"),
    ):
        group.add_argument(name, metavar="X", help=f"accepted without effect: {what}")
    for name, why in REFUSED.items():
        group.add_argument(name, nargs=0, action=Refuse, help=f"refused: {why}")
