"""A job of a command in stages, which one process does, or several on different machines."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from ..catalogue.model_files import MissingModelsError
from ..errors import UserError
from ..failures import explain, is_out_of_memory
from ..files.claim import Claim
from ..progress import Progress, silent
from .spec import RunSpec

S = TypeVar("S", bound=RunSpec)


class UnusableModels(UserError):  # noqa: N818 (it says what can't be used)
    """Models, or packages, that no job of the same setup can do without, can't be used here."""


class Work(Generic[S]):
    """A job: inputs are checked, models are opened, conditions are prepared, files are written.

    A command's module names its class WORK; then the command `batch` can do its jobs too. The
    module is imported without torch, and so is its class: methods import what they need.

    Attributes:
        command: name of the command, for run.json.
        recipe: version of what the job makes. It is raised only when the same options make
            something else than before: then results of earlier versions are made again.
        spec: what the job does.
    """

    command: ClassVar[str]
    recipe: ClassVar[int] = 1

    def __init__(self, spec: S):
        self.spec = spec

    @property
    def spec_on_cpu(self) -> S:
        """The spec for a machine that paints nothing."""
        return replace(self.spec, machine=replace(self.spec.machine, device="cpu"))

    @property
    def setup(self) -> str:
        """Jobs of one setup need the same loaded models; see `setup_of`."""
        raise NotImplementedError

    def check(self) -> None:
        """Read every input file; no model is needed.

        Raises:
            UserError: an input can't be read, or options do not go together.
        """
        raise NotImplementedError

    def open(self, like: Any = None) -> Any:
        """The maker: model files are checked, weights are read when they are used first.

        Args:
            like: maker of an earlier job, maybe of another command; what it has loaded is kept
                where it is the same.

        Raises:
            UnusableModels: a package is missing, or a model is missing or holds something else.
            UserError: another file is missing, or settings do not go together.
        """
        raise NotImplementedError

    def open_preparer(self, like: Any = None) -> Any:
        """As `open`, but only for `prepare`: it needs no models that paint, and runs on a CPU."""
        return None

    def prepare(self, preparer: Any, progress: Progress = silent) -> Any:
        """What can be made before anything is painted: control frames, for example.

        Args:
            preparer: of `open_preparer`, or the maker.

        Returns:
            A value that can be pickled; None: there is nothing to prepare.
        """
        return None

    def finish(self, maker: Any, prepared: Any, claim: Claim, progress: Progress = silent) -> None:
        """Paint, and write all files.

        Args:
            maker: of `open`.
            prepared: of `prepare`, in this process or in another; None: the maker prepares too.
            claim: the folder to write to; run.json names the folder of the spec.

        Raises:
            UnusableModels: weights, which are read when they are used first, can't be read.
        """
        raise NotImplementedError


@contextmanager
def about_models() -> Iterator[None]:
    """Errors that the user can correct become `UnusableModels`, with the same message.

    Missing models and packages keep their type for Python programs; see `unusable_if_missing`.
    """
    try:
        yield
    except (UnusableModels, MissingModelsError):
        raise
    except UserError as error:
        raise UnusableModels(str(error)) from error
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise UnusableModels(explain(error)) from error


@contextmanager
def unusable_if_missing() -> Iterator[None]:
    """A model or a package that is missing becomes `UnusableModels`, with the same message."""
    try:
        yield
    except (MissingModelsError, ImportError) as error:
        raise UnusableModels(explain(error)) from error


def setup_of(command: str, *choices: Any) -> str:
    """A short text that is the same for the same choices.

    Args:
        command: name of the command.
        choices: everything that decides which networks are loaded: texts, numbers, paths, None, and
            lists or tables of them.
    """
    text = json.dumps(choices, default=str, sort_keys=True)
    return f"{command}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
