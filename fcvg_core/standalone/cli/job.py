"""The models of a run, the machine that they run on, and the file that repeats it."""

import argparse
import importlib.util
import logging
import os
from pathlib import Path

import torch

from ...catalogue.find import FCVG, Family, ModelFiles, find_models
from ...catalogue.integrity import check_name
from ...errors import UserError
from ...files.claim import resolve_output
from ...files.plain_file import check_file
from ...models.controlnext import check_version
from ..demo.stand_ins import is_stand_in_file
from ..networks.device import choose_device, choose_dtype
from ..networks.loading import PARTS, Checked, Models, check_models, fill_models
from ..networks.pipeline import Progress, VideoPipeline
from .run_record import changed_inputs, read_run, write_run

SHOWN = 20  # names in a list
MODELS = ("model", "unet", "controlnext")
POSITIONAL = ("first", "last", "image", "video")  # of the options that name files
PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "av")


class Job:
    """Chooses device, number format and files at once, and loads when it is told to.

    What the files say of themselves is read at once too: until they are loaded minutes may pass.

    Args:
        options: `model`, `unet`, `controlnext`, `device`, `dtype` and `offload` of the command
            line.
        family: whose files are looked for.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, or is not what it should be.
    """

    def __init__(self, options: argparse.Namespace, family: Family):
        check_packages(PACKAGES)
        self.device = choose_device(options.device)
        self.dtype = choose_dtype(options.dtype, self.device)
        self.offload = options.offload
        self.files = find_models(options.model, options.unet, options.controlnext, family=family)
        self._checked = _check_files(self.files, family, self.dtype)
        self.stand_ins = any(map(is_stand_in_file, (self.files.unet, self.files.controlnext)))
        if self.stand_ins:
            logging.warning("THESE ARE STAND-IN MODELS, NOT TRAINED: THE FRAMES WILL BE NOISE.")

    def load(self, kind: type[VideoPipeline], progress: Progress) -> VideoPipeline:
        """A pipeline with all its models."""
        loaded = {}
        progress("loading", 0, len(PARTS))
        for name, network in fill_models(self._checked):
            loaded[name] = network
            progress("loading", len(loaded), len(PARTS))
        return kind(Models(**loaded), device=self.device, offload=self.offload)


def save_run(
    folder: Path, options: argparse.Namespace, job: Job | None, inputs: tuple[str, ...]
) -> None:
    """Write run.json: all options, what went in, and the models that were found.

    Args:
        inputs: options that name files which go in. All files are kept as absolute paths, so
            that run.json works anywhere.
    """
    saved = {key: value for key, value in vars(options).items() if key not in ("command", "run")}
    went_in = {name: saved[name] for name in inputs if saved[name]}
    facts = {"command": options.command}
    if job:
        files = job.files
        went_in |= {"unet": files.unet, "controlnext": files.controlnext, "model": files.svd}
        saved |= {"unet": files.unet, "controlnext": files.controlnext, "model": files.svd}
        facts |= {"device": str(job.device), "dtype": str(job.dtype), "stand_ins": job.stand_ins}
    saved["output"] = resolve_output(saved["output"])
    for name in (*inputs, "output", *MODELS):
        if saved[name]:
            saved[name] = _absolute(saved[name])
    write_run(folder / "run.json", saved, _one_by_one(went_in), **facts)


def check_earlier_run(options: argparse.Namespace, inputs: tuple[str, ...]) -> None:
    """Look for files of the run of --run that are not what they were, which the log says.

    Args:
        inputs: options that name files which go in.

    Raises:
        UserError: a file that its run.json alone names is not there any more.
    """
    if not options.run:
        return
    run = read_run(options.run)
    needed = inputs if options.conditions_only else (*inputs, *MODELS)
    for name in needed:
        files = getattr(options, name) or []
        for file in map(str, files if isinstance(files, list) else [files]):
            if _says(run["options"], file) and not os.path.exists(file):
                option = name.upper() if name in POSITIONAL else f"--{name.replace('_', '-')}"
                raise UserError(
                    f"{options.run}: {name} is {file}, which is not there any more. Put it back, "
                    f"or give {option}."
                )
    changed = changed_inputs(run)
    for path in changed[:SHOWN]:
        logging.warning("%s is not the file of the earlier run any more.", path)
    if len(changed) > SHOWN:
        logging.warning("Neither are %d more files.", len(changed) - SHOWN)


def _says(saved: dict, file: str) -> bool:
    """Whether the options of a run.json name a file."""
    return any(
        file == value or isinstance(value, list) and file in value for value in saved.values()
    )


def check_named(options: argparse.Namespace, names: tuple[str, ...]) -> None:
    """Raise UserError for the first option that names no plain file."""
    for path in _one_by_one({name: getattr(options, name) or [] for name in names}).values():
        check_file(path)


def _check_files(files: ModelFiles, family: Family, dtype: torch.dtype) -> dict[str, Checked]:
    """The networks before their tensors are read.

    Raises:
        UserError: a file is not what it should be.
    """
    for path in (files.svd, files.unet, files.controlnext):
        check_name(path)
    checked = check_models(files.svd, files.unet, files.controlnext, dtype)
    if family is FCVG:
        check_version(checked["controlnext"].network)
    return checked


def _absolute(path: Path | str | list) -> str | list[str]:
    return [*map(_absolute, path)] if isinstance(path, list) else str(Path(path).absolute())


def _one_by_one(files: dict[str, Path | list]) -> dict[str, Path]:
    """Files by name; those of a list get a number."""
    single = {}
    for name, value in files.items():
        if isinstance(value, list):
            single |= {f"{name}{i}": Path(path) for i, path in enumerate(value)}
        else:
            single[name] = Path(value)
    return single


def check_packages(names: tuple[str, ...]) -> None:
    """Raise ModuleNotFoundError for the first package that is missing, before any work."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
