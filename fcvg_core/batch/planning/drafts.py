"""A row of a manifest becomes a spec with whole paths, and then a task with its content key."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...standalone.spec import RunSpec
from ...standalone.spec.part import one_by_one
from ..manifest import Manifest, Row
from ..store.layout import result_name
from ..store.urls import is_url, join_url
from ..types import Task
from .inputs import hide_urls, holder_of, show_urls
from .keys import content_key, digest, seed_of

ReadTable = Callable[..., RunSpec]


def _nothing(settings: Mapping[str, str]) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Mode:
    """A command whose jobs can be done.

    Attributes:
        name: of the command.
        module: whole name of its module, which has WORK and SPEC.
        recipe: version of what it makes.
        read: the spec of a row: `read(table, typed=...)`, and with settings for all rows
            `read(table, typed=..., settings=...)`; raises UserError.
        unknown: names of the settings for all rows that it has not; raises UserError if one of
            the others has a wrong value.
    """

    name: str
    module: str
    recipe: int
    read: ReadTable
    unknown: Callable[[Mapping[str, str]], tuple[str, ...]] = _nothing


@dataclass(frozen=True)
class Fault:
    """A row that can't be done.

    Attributes:
        id: of the row.
        line: of the manifest.
        message: what the single command would print.
        name, key: of its record among the failed; the key is that of the row itself.
        mode: of the row.
    """

    id: str
    line: int
    message: str
    name: str = ""
    key: str = ""
    mode: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.id}: {self.message}"


@dataclass(frozen=True)
class Draft:
    """A row that was read; the content of its files is not known yet.

    Attributes:
        spec: with whole paths; a path stands for each URL.
        remote: such a path -> its URL.
        setup: which models it needs.
        files: files and folders that it reads, as paths or URLs, by the names of their options.
        paths: options that name files or folders.
    """

    row: Row
    mode: Mode
    spec: RunSpec
    setup: str
    remote: Mapping[str, str]
    files: Mapping[str, str | Path]
    paths: frozenset[str]

    def task(self, marks: Mapping[str, str]) -> Task:
        """The task.

        Args:
            marks: of the content of each of the files.
        """
        options = self.spec.to_json()
        key = content_key(self.mode.name, self.mode.recipe, options, marks, paths=self.paths)
        return Task(
            id=self.row.id,
            name=result_name(self.row.id, key),
            key=key,
            mode=self.mode.name,
            module=self.mode.module,
            options=options,
            setup=self.setup,
            inputs=marks,
            remote=self.remote,
            seed=options.get("seed"),
        )


class Reader:
    """Reads the rows of a manifest."""

    def __init__(self, manifest: Manifest, modes: Mapping[str, Mode], settings: Mapping[str, str]):
        """Take what all rows share.

        Args:
            settings: options of all rows, as they are typed; what a row has wins.
        """
        self._manifest, self._modes, self._settings = manifest, modes, settings

    def draft(self, row: Row, mode: str) -> Draft | Fault:
        """A row as a draft, or what is wrong with it."""
        try:
            if row.fault:
                raise UserError(row.fault)
            return self._draft(row, self._modes[mode])
        except UserError as error:
            return self.fault(row, mode, str(error))

    def fault(self, row: Row, mode: str, message: str) -> Fault:
        """A row that can't be done, with this message."""
        held = [mode, row.table.decode(), dict(self._settings), self._manifest.folder, message]
        key = digest(held)
        return Fault(row.id, row.line, message, result_name(row.id, key), key, mode)

    def _draft(self, row: Row, mode: Mode) -> Draft:
        urls: dict[str, str] = {}
        spec, remote = self._place(self._read(row, mode, urls), urls)
        work = importlib.import_module(mode.module).WORK(spec)
        paths, unused = spec.paths(), spec.unused()
        used = {name: files for name, files in paths.items() if name not in unused}
        files = {name: remote.get(str(path), path) for name, path in one_by_one(used).items()}
        return Draft(row, mode, spec, work.setup, remote, files, frozenset({*paths, *unused}))

    def _read(self, row: Row, mode: Mode, urls: dict[str, str]) -> RunSpec:
        """The spec of a row; a seed that is to be drawn follows from the id."""
        table, settings = (
            {name: hide_urls(value, urls) for name, value in values.items()}
            for values in (row.options(), self._settings)
        )
        more = {"settings": settings} if settings else {}
        spec = mode.read(table, typed=self._manifest.typed, **more)
        seed = _draws(table) or (not any(map(_is_seed, table)) and _draws(settings))
        if not seed:
            return spec
        own = seed_of(row.id)
        drawn = {**table, seed: str(own) if self._manifest.typed else own}
        return mode.read(drawn, typed=self._manifest.typed, **more)

    def _place(self, spec: RunSpec, urls: Mapping[str, str]) -> tuple[RunSpec, dict[str, str]]:
        """The spec with whole paths, and the URLs that are paths."""
        remote: dict[str, str] = {}
        placed = {
            name: whole
            for name, value in spec.options().items()
            if name != "output" and (whole := self._whole(value, urls, remote)) != value
        }
        return spec.changed(placed), remote

    def _whole(self, value: Any, urls: Mapping[str, str], remote: dict[str, str]) -> Any:
        if isinstance(value, tuple):
            return tuple(self._whole(item, urls, remote) for item in value)
        if isinstance(value, str):
            return show_urls(value, urls)
        if not isinstance(value, Path):
            return value
        if (url := urls.get(str(value))) is None:
            folder = self._manifest.folder
            if value.is_absolute() or not is_url(folder):
                return Path(os.path.join(folder, value)) if not value.is_absolute() else value
            url = join_url(folder, value.as_posix())
        holder = holder_of(url)
        remote[holder] = url
        return Path(holder)


def _is_seed(name: str) -> bool:
    return name.removeprefix("--") == "seed"


def _draws(table: Mapping[str, Any]) -> str | None:
    """The name of a seed that is negative, for which one is drawn; None if there is none."""
    for name, value in table.items():
        if _is_seed(name) and value is not None and str(value).strip().startswith("-"):
            return name
    return None
