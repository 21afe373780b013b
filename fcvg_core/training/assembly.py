"""A training file -> models, clips and a task; and a run, or a look at what a run would do."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..catalogue.comfyui import known_folders
from ..errors import UserError
from ..files.claim import made_folder
from ..files.writing import save_text
from ..progress import Progress, silent
from ..quoting import quote
from ..standalone.demo.strip import draw_strip
from ..standalone.media.writing import write_picture
from .base_models import OpenedBase, open_base
from .config import TrainingSpec, to_tables
from .data.item import Fault, Item, write_faults
from .data.manifest import read_manifest
from .data.prepare import Prepared, PreparedClip, prepare
from .data.split import split_items
from .drawing import Draw
from .dropout import Dropout
from .jobs import JOBS, Tools
from .jobs.job import Job
from .loop import Place, Summary, open_place, train
from .memory import TrainingMemory, training_memory
from .noise import find_distribution
from .record import RECORD, RunRecord, describe_file, read_record, save_record
from .svd_task import Brush, SvdTask, painting_settings, to_frames
from .trained_sets import FAMILIES
from .validation import validate

T = TypeVar("T")
CONFIG, FAULTS, VALIDATION, CHECK = "training.toml", "faults.jsonl", "validation", "check"
PICTURED = 3  # clips whose pictures a check writes


@dataclass(frozen=True, eq=False)
class Opened:
    """What a training file names; models and clips are found, and no weights are read.

    Attributes:
        place: where training runs.
        base: the models that it starts from.
        items: the clips of the manifest.
    """

    spec: TrainingSpec
    place: Place
    base: OpenedBase
    tools: Tools
    items: Sequence[Item]

    @property
    def job(self) -> Job:
        """What is trained for."""
        return JOBS[self.spec.job]

    @property
    def trained(self) -> str:
        """Name of the trained set."""
        return self.spec.training.trained or FAMILIES[self.job.family].default

    def memory(self) -> TrainingMemory:
        """What a step needs, before weights are read; for SVD the count takes half a minute."""
        return training_memory(self.base.network, self.base.trained, self.spec, self.place.dtype)


@dataclass(frozen=True)
class SplitClips:
    """The clips that can be used.

    Attributes:
        trained: clips that are trained on, at least one.
        held_out: clips for validation.
        faults: of clips that are left out.
    """

    trained: Sequence[PreparedClip]
    held_out: Sequence[PreparedClip]
    faults: Sequence[Fault]


def open_run(spec: TrainingSpec) -> Opened:
    """Find and check what a training file names.

    Raises:
        MissingModelsError: a model is neither named nor found.
        UserError: the manifest or a model can't be used, or there is no such device.
    """
    place, roots = open_place(spec.machine), known_folders()
    items = read_manifest(spec.data.manifest)
    base = open_base(spec, roots, place)
    if base.stand_ins:
        logging.warning("THESE ARE STAND-IN MODELS, NOT TRAINED: THEY LEARN NOTHING OF USE.")
    tools = Tools(base.load_encoders, base.encoder_files, roots, place.device)
    return Opened(spec, place, base, tools, items)


def prepare_clips(opened: Opened, *, progress: Progress = silent) -> SplitClips:
    """Read every clip of the manifest; what is found and encoded is kept for the next run.

    Raises:
        UserError: no clip can be used, or none that is trained on.
    """
    spec = opened.spec

    def make() -> Prepared:
        return prepare(opened.items, spec, opened.job, opened.tools, progress=progress)

    prepared = _in_turn(opened.place, make)
    held_out = split_items([clip.item for clip in prepared.clips], spec.data.held_out)[1]
    trained, kept = ([], [])
    for clip in prepared.clips:
        (kept if clip.item in held_out else trained).append(clip)
    if spec.validation.every and not kept:
        logging.warning("No clip is kept for validation, so nothing is validated.")
    return SplitClips(trained, kept, prepared.faults)


def check_run(opened: Opened, clips: SplitClips) -> list[Path]:
    """Write pictures of the first clips: frames below, their control frames above.

    Returns:
        The files, in the folder `check` of the run's folder.

    Raises:
        UserError: a picture can't be written.
    """
    folder, written = opened.spec.output / CHECK, []
    with made_folder(folder):
        for clip in clips.trained[:PICTURED]:
            control = to_frames(clip.clip(None).control)
            written.append(folder / f"{clip.name}.jpg")
            write_picture(written[-1], draw_strip(control, clip.frames()))
    return written


def check_output(opened: Opened, *, resume: bool) -> None:
    """Raise UserError unless a run may write into its folder, or may go on there."""
    output = opened.spec.output
    if not (output / RECORD).exists():
        return
    if not resume:
        raise UserError(
            f"There is a run in {output} already: go on with it by --resume, or choose another "
            "output folder."
        )
    before, now = read_record(output), _record(opened, clips=0, files=())
    for name in ("job", "trained", "start"):
        was, wanted = getattr(before, name), getattr(now, name)
        if was != wanted:
            raise UserError(
                f"The run in {output} has {name} = {quote(was)}, not {quote(wanted)}: give what it "
                "had, or choose another output folder."
            )
    for noted, path in zip(before.files, opened.base.weight_files, strict=False):
        if describe_file(path)["sha256"] != noted["sha256"]:
            raise UserError(
                f"The run in {output} did not begin with {path}, or this file has changed since: "
                "give the file that it began with, or choose another output folder."
            )


def train_run(
    opened: Opened,
    clips: SplitClips,
    config: str,
    *,
    resume: bool = False,
    progress: Progress = silent,
) -> Summary:
    """Train, from the beginning or from the newest checkpoint in the run's folder.

    Args:
        clips: from `prepare_clips`.
        config: text of the training file, which is kept beside the run.

    Raises:
        UserError: see `train`; or a file can't be written.
        Interrupted: a signal came; a checkpoint was saved.
    """
    spec, place = opened.spec, opened.place
    if place.first:
        with made_folder(spec.output):
            write_faults(spec.output / FAULTS, clips.faults)
            if not (spec.output / RECORD).exists():
                files = [describe_file(path) for path in opened.base.weight_files]
                save_text(spec.output / CONFIG, config)
                save_record(spec.output, _record(opened, len(clips.trained), files))
    task = _make_task(opened, clips)

    def validate_at(step: int) -> dict:
        folder = spec.output / VALIDATION
        return validate(task, task.network, spec.validation, folder, step)

    return train(
        task,
        trained=opened.base.trained,
        rates=spec.training.rates,
        training=spec.training,
        saving=spec.saving,
        machine=spec.machine,
        output=spec.output,
        resume=resume,
        validate=validate_at if clips.held_out else None,
        validate_every=spec.validation.every,
        progress=progress,
    )


def _make_task(opened: Opened, clips: SplitClips) -> SvdTask:
    """The networks with their weights, and the clips that they are trained on."""
    spec, training = opened.spec, opened.spec.training
    network = opened.base.load_network(training.seed)
    if training.save_memory:
        network.save_memory()
    brush = None
    if spec.validation.every and spec.validation.painted and clips.held_out:
        vae = opened.base.load_vae(opened.place.dtype)
        brush = Brush(vae, painting_settings(spec), spec.machine.decode_chunk)
    draw = Draw(
        sigmas=find_distribution(training.noise),
        dropout=Dropout(training.dropout, training.drop_control),
        directions=training.directions,
    )
    return SvdTask(network, clips.trained, draw, held_out=clips.held_out, brush=brush)


def _record(opened: Opened, clips: int, files: Sequence[dict]) -> RunRecord:
    """What training.json holds."""
    base = opened.base
    return RunRecord(
        job=opened.spec.job,
        family=opened.job.family,
        trained=opened.trained,
        start=base.start,
        model=base.files.svd,
        unet=base.files.unet,
        controlnext=base.files.controlnext,
        files=tuple(files),
        clips=clips,
        spec=to_tables(opened.spec),
    )


def _in_turn(place: Place, make: Callable[[], T]) -> T:
    """What every process makes: first the first one, whose files the others then find."""
    if place.first:
        made = make()
        place.highest(0)  # a barrier
        return made
    place.highest(0)
    return make()
