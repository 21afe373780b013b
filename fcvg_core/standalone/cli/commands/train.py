"""`train`: fine-tunes the networks of a family on clips, as a training file says."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ....errors import UserError
from ....shell import shell_words
from ...spec.values import PATH, whole

if TYPE_CHECKING:
    from ....training.assembly import Opened, SplitClips
    from ....training.loop import Summary
    from ....training.memory import TrainingMemory

HELP = "fine-tune the networks on your own clips"
DESCRIPTION = (
    "Train FCVG's or ControlNeXt-SVD's networks on clips, as a training file (TOML) says. A run "
    "writes checkpoints, a log and pictures into its output folder; Ctrl+C saves a checkpoint and "
    "ends it, and --resume goes on. The command export makes files of weights from it. "
    "docs/training.md lists all fields, and leads from ten clips to a file for ComfyUI."
)
EXAMPLES = (
    "train mine.toml --check",
    "train mine.toml",
    "train mine.toml --resume",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    from ....bounds import Bounds

    parser.add_argument("config", type=PATH, metavar="CONFIG", help="the training file")
    parser.add_argument(
        "--check",
        action="store_true",
        help="open every clip; print what would be trained and the memory that it needs, and write "
        "pictures of the first clips. What is found and encoded is kept for the run",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the newest checkpoint in the output"
    )
    parser.add_argument(
        "--steps",
        type=whole(Bounds(1, 10_000_000)),
        metavar="N",
        help="end after this step, whatever the training file says",
    )


def prints_result(options: argparse.Namespace) -> bool:
    """Whether what is printed is what was asked for."""
    return options.check


def run(options: argparse.Namespace) -> None:
    """Train, or with --check look at what would be trained.

    Raises:
        UserError: a field, a model or the clips can't be used, or the run can't go on.
        KeyboardInterrupt: a signal came; a checkpoint is saved.
    """
    from ....training.assembly import check_output, open_run, prepare_clips, train_run
    from ....training.config import read_config
    from ..progress import Bars

    if options.check and options.resume:
        raise UserError("--check trains nothing, so it can't --resume: give one of them.")
    spec = read_config(options.config)
    config = options.config.read_text(encoding="utf-8-sig")
    if options.steps is not None:
        spec = replace(spec, training=replace(spec.training, steps=options.steps))
    opened = open_run(spec)
    if not options.check:
        check_output(opened, resume=options.resume)
    with Bars() as bars:
        clips = prepare_clips(opened, progress=bars)
        if not options.check:
            done = train_run(opened, clips, config, resume=options.resume, progress=bars)
    if options.check:
        _tell_check(opened, clips, options.config)
    elif opened.place.first:
        _tell_run(opened, clips, done)


def _tell_check(opened: Opened, clips: SplitClips, config: Path) -> None:
    """Print what would be trained, and write pictures."""
    from ....training.assembly import check_run
    from ....training.trained_sets import network_of

    spec, base, training = opened.spec, opened.base, opened.spec.training
    counts = {}
    for name, parameter in base.network.named_parameters():
        if base.trained.holds(name):
            counts[network_of(name)] = counts.get(network_of(name), 0) + parameter.numel()
    print(f"job:       {spec.job}, starting from {base.start}")
    for name, path in base.files.named.items():
        print(f"  {name}: {path}")
    print(f"trained:   {opened.trained}: {base.trained.words}")
    for name, count in counts.items():
        print(f"  {name}: {count:,} numbers at a rate of {training.rates[name]:g}")
    data = spec.data
    print(
        f"a step:    {training.accumulate * training.batch} clips of {data.frames} frames, "
        f"{data.width} x {data.height}; {training.steps:,} steps"
    )
    _tell_memory(opened.memory(), opened)
    _tell_clips(opened, clips)
    for path in check_run(opened, clips):
        print(f"picture:   {path}")
    print(f"to train:  python -m fcvg_core train {shell_words(str(config))}")


def _tell_memory(memory: TrainingMemory, opened: Opened) -> None:
    from ....estimate import in_gigabytes

    parts = ("weights", "gradients", "moments", "averages", "activations")
    shares = ", ".join(f"{name} {in_gigabytes(getattr(memory, name))}" for name in parts)
    where = opened.place.device
    print(f"memory:    about {in_gigabytes(memory.total)} on {where} (computed): {shares}")


def _tell_clips(opened: Opened, clips: SplitClips) -> None:
    print(
        f"clips:     {len(opened.items):,} listed; {len(clips.trained):,} are trained on, "
        f"{len(clips.held_out):,} are kept for validation, {len(clips.faults):,} are left out"
    )
    for fault in clips.faults:
        print(f"  line {fault.line}, {fault.id}: {fault.message}")


def _tell_run(opened: Opened, clips: SplitClips, done: Summary) -> None:
    """Print what a run came to, and how its weights are exported."""
    output = opened.spec.output
    _tell_clips(opened, clips)
    loss = "" if done.loss is None else f", loss {done.loss:.4g}"
    skipped = f"; {done.skipped:,} steps were skipped" if done.skipped else ""
    print(f"steps:     {done.step:,} of {opened.spec.training.steps:,}{loss}{skipped}")
    print(f"saved:     {output / 'checkpoints'}")
    print(f"to export: python -m fcvg_core export {shell_words(str(output))}")
