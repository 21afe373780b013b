"""Options of a training -> networks, videos and a task; and a run."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from glob import escape

import torch
from torch.utils.data import ConcatDataset

from ...box_sets import open_box_set
from ...catalogue.comfyui import known_folders
from ...errors import UserError
from ...files.claim import made_folder
from ...files.writing import save_text
from ...models.smcd.rules import NETWORKS, check_video
from ...progress import Progress, silent
from ...standalone.spec.part import to_plain
from ..config import Saving, Training, TrainingMachine
from ..loop import Checkpoint, Place, Summary, Words, check_new, open_place, train
from ..trained_sets import SMCD, VISUAL_ENCODER, TrainedSet, count_values, find_trained_set
from .dropping import WITH_PICTURE, SmcdDropout
from .encoders import CheckedEncoders, open_encoders
from .layout import LATEST, OfficialLayout, open_resumed
from .spec import SmcdTrainingSpec
from .start import Start, open_start
from .task import SmcdTask
from .videos import Windows

RECORD = "options.json"
WITH_BOXES = "+boxes"  # ends the names of trained sets that hold PositionNet
OWN_MODULES = {"gate_attn.cross", "gate_attn.v", "2.transformer_blocks", "input_blocks.0.0"}
FACTORS = "unet.*.gate_attn.cross_alpha*"  # that are trained in any case
WORDS = Words(
    resume=f"--resume {LATEST}",
    steps="--steps",
    less_memory="Give --batch 1 and a higher --accumulate, leave --save-memory on, or lower "
    "--width, --height or --frames",
    calmer="Lower --rate or raise --warmup, or give --dtype fp32",
)


@dataclass(frozen=True, eq=False)
class OpenedTraining:
    """What a run is told, found and checked; no weights are read.

    Attributes:
        place: where training runs.
        start: the networks that it starts from.
        resumed: the checkpoint that it goes on from; None: it begins.
        trained: name of the trained set, and the set.
        videos: that are trained on, one data set after the other.
        windows: how they are cut.
        encoders: of prompts and frames.
    """

    spec: SmcdTrainingSpec
    place: Place
    start: Start
    resumed: Checkpoint | None
    trained: tuple[str, TrainedSet]
    videos: ConcatDataset
    windows: Windows
    encoders: CheckedEncoders

    def count_trained(self) -> int:
        """How many numbers are trained."""
        found = self.start.network.named_parameters()
        return count_values(value for name, value in found if self.trained[1].holds(name))


def open_training(spec: SmcdTrainingSpec) -> OpenedTraining:
    """Find and check what a run is told.

    Differs: the official code shuffles which data set a number belongs to, and takes the video of
    this number, so that some videos come twice in an epoch and some never.

    Raises:
        MissingModelsError: text encoder, VAE or tokenizer are neither named nor found.
        UserError: a file, a data set or the device can't be used.
    """
    machine = TrainingMachine(device=spec.writing.device, dtype=spec.writing.dtype)
    place, roots = open_place(machine), known_folders()
    start, resumed = _find_start(spec)
    if start.is_stand_in:
        logging.warning("THESE ARE STAND-IN MODELS, NOT TRAINED: THEY LEARN NOTHING OF USE.")
    with_boxes = _trains_boxes(start, resumed)
    trained = _find_trained(spec.training.modules, with_boxes=with_boxes)
    encoders = open_encoders(spec.files, start, place.dtype, roots)
    data = spec.data
    check_video((data.height, data.width), data.frames)
    windows = Windows(num_frames=data.frames, size=(data.height, data.width), objects=data.objects)
    sets = [
        open_box_set(data.data, name, data.split, least=data.frames)
        for name in dict.fromkeys(data.datasets)
    ]
    for each in sets:  # labels of another text encoder should be said before the first step
        first = windows.cut(each[0], torch.Generator())
        windows.conditions(first, start.network.position_net.config.in_channels)
        logging.info("%s: %d videos.", each.dataset, len(each))
    videos = ConcatDataset(sets)
    return OpenedTraining(spec, place, start, resumed, trained, videos, windows, encoders)


def train_smcd(opened: OpenedTraining, *, progress: Progress = silent) -> Summary:
    """Train, from the beginning or from a checkpoint. Call this once: the networks are used up.

    Raises:
        UserError: see `loop.train`; or a file can't be written.
        Interrupted: a signal came; a checkpoint was saved.
    """
    spec, place, (name, trained) = opened.spec, opened.place, opened.trained
    training, writing = spec.training, spec.writing
    network = opened.start.load(training.seed)
    network.add_dropout(training.dropout)
    if training.save_memory:
        network.save_memory()
    task = SmcdTask(
        network,
        opened.videos,
        opened.windows,
        opened.encoders.load(place.device),
        WITH_PICTURE if training.drop_picture else SmcdDropout(),
    )
    layout = OfficialLayout(network=network, kept=trained)
    if place.first:
        with made_folder(writing.output):
            save_text(writing.output / RECORD, _record(spec))
    rate = _rate(spec, place)
    return train(
        task,
        trained=trained,
        rates=dict.fromkeys(NETWORKS, rate),
        training=_loop_settings(spec, name, rate),
        saving=Saving(every=writing.every, keep=writing.keep, log_every=writing.log_every),
        machine=TrainingMachine(device=writing.device, dtype=writing.dtype),
        output=writing.output,
        resume=replace(opened.resumed, layout=layout) if opened.resumed else False,
        layout=layout,
        words=WORDS,
        progress=progress,
    )


def _find_start(spec: SmcdTrainingSpec) -> tuple[Start, Checkpoint | None]:
    """The networks that training starts from; those of a checkpoint, if it goes on from one."""
    files = spec.files
    if files.resume:
        resumed = open_resumed(files.resume, spec.writing.output)
        if files.tune_from is not None:
            logging.info("--tune-from is not read: the checkpoint holds all networks.")
        return open_start(resumed.path), resumed
    check_new(spec.writing.output, OfficialLayout(), WORDS)
    if files.tune_from is None:
        raise UserError(
            "Nothing to start from is named: give --tune-from with the folder of a first "
            "stage of training, or of SMCD's released weights."
        )
    return open_start(files.tune_from), None


def _trains_boxes(start: Start, resumed: Checkpoint | None) -> bool:
    """Whether PositionNet is trained: because it began with random values."""
    if resumed is None:
        return not start.has_boxes
    if settings := resumed.state["settings"]:
        return str(settings.get("trained", "")).endswith(WITH_BOXES)
    return any(key.startswith("exp_avg/position_net.") for key in resumed.optimizer())


def _find_trained(modules: tuple[str, ...] | None, *, with_boxes: bool) -> tuple[str, TrainedSet]:
    """The name of the trained set, and the set."""
    ending = WITH_BOXES if with_boxes else ""
    if modules is None or set(modules) == OWN_MODULES:
        return f"picture{ending}", find_trained_set(SMCD, f"picture{ending}")
    patterns = [f"unet.*{escape(module)}*" for module in modules]
    patterns += [FACTORS, VISUAL_ENCODER, *(["position_net.*"] if with_boxes else [])]
    return f"{', '.join(modules)}{ending}", TrainedSet(tuple(patterns), "chosen modules")


def _rate(spec: SmcdTrainingSpec, place: Place) -> float:
    """The learning rate."""
    training = spec.training
    videos = training.batch * training.accumulate * place.processes
    return training.rate * (videos if training.scale_rate else 1)


def _loop_settings(spec: SmcdTrainingSpec, name: str, rate: float) -> Training:
    """What the loop is told."""
    training = spec.training
    return Training(
        trained=name,
        steps=training.steps,
        batch=training.batch,
        accumulate=training.accumulate,
        unet_rate=rate,
        controlnext_rate=rate,
        warmup=training.warmup,
        beta1=training.beta1,
        beta2=training.beta2,
        weight_decay=training.weight_decay,
        clip_norm=training.clip_norm,
        ema=0.0,
        save_memory=training.save_memory,
        seed=training.seed,
    )


def _record(spec: SmcdTrainingSpec) -> str:
    """All options of a run, as JSON."""
    plain: Mapping = {key: to_plain(value) for key, value in spec.options().items()}
    return json.dumps(plain, indent=1) + "\n"
