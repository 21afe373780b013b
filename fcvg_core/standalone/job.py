"""The models of a run, the machine that they run on, and the file that repeats it."""

import argparse
import importlib.util
import logging
from pathlib import Path

import torch

from ..models.fcvg import check_version
from .claim import resolve_output
from .integrity import check_name
from .loading import PARTS, Checked, Models, check_models, fill_models
from .machine import choose_device, choose_dtype
from .model_files import FCVG, Family, ModelFiles, find_models
from .output import changed_inputs, read_run, write_run
from .pipeline import Progress, VideoPipeline
from .plain_file import check_file
from .stand_ins import is_stand_in_file

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
        saved |= {"unet": files.unet, "controlnext": files.controlnext}
        saved["model"] = _absolute(files.svd)
        facts |= {"device": str(job.device), "dtype": str(job.dtype), "stand_ins": job.stand_ins}
    saved["output"] = resolve_output(saved["output"])
    for name in (*inputs, "output", "unet", "controlnext"):
        if saved[name]:
            saved[name] = _absolute(saved[name])
    write_run(folder / "run.json", saved, _one_by_one(went_in), **facts)


def warn_of_changes(run: Path | None) -> None:
    """Say which files of the earlier run of a run.json are not what they were."""
    for path in changed_inputs(read_run(run)) if run else ():
        logging.warning("%s is not the file of the earlier run any more.", path)


def check_named(options: argparse.Namespace, names: tuple[str, ...]) -> None:
    """Raise UserError for the first option that names no plain file."""
    for path in _one_by_one({name: getattr(options, name) or [] for name in names}).values():
        check_file(path)


def _check_files(files: ModelFiles, family: Family, dtype: torch.dtype) -> dict[str, Checked]:
    """The networks before their tensors are read; UserError where a file is not what it should be.
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
