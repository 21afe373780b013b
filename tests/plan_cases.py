"""A small mode for tests of manifests and plans: its jobs need no models."""

import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fcvg_core.batch.planning.drafts import Mode
from fcvg_core.bounds import SEED, Bounds
from fcvg_core.errors import UserError
from fcvg_core.files.plain_file import check_file
from fcvg_core.standalone.spec import RunSpec
from fcvg_core.standalone.spec.part import setting
from fcvg_core.standalone.spec.values import PATH, SEED_OR_DRAWN, TEXT, number, several, whole
from fcvg_core.standalone.work import Work

__all__ = ["SEED", "MemoryStore", "copy_mode", "CopySpec"]


@dataclass(frozen=True, kw_only=True)
class CopySpec(RunSpec):
    """Pictures in, something out."""

    first: Path | None = setting(PATH, None)
    between: tuple[Path, ...] = setting(several(PATH), (), later=True)
    model: Path | None = setting(PATH, None)
    unread: Path | None = setting(PATH, None)
    steps: int = setting(whole(Bounds(1, 100)), 25)
    scale: float = setting(number(Bounds(0, 100)), 1.0)
    prompt: str = setting(TEXT, "")
    seed: int = setting(SEED_OR_DRAWN, 0)

    def unused(self) -> tuple[str, ...]:
        """Options whose files are not read."""
        return (*super().unused(), "unread")


class CopyWork(Work[CopySpec]):
    """A job that opens its first picture."""

    recipe = 1

    @property
    def setup(self) -> str:
        """Jobs of one model stand together."""
        return str(self.spec.model)

    def check(self) -> None:
        """Raise UserError if there is no first picture, or it is no picture."""
        if self.spec.prompt == "die":
            os._exit(1)  # as the system ends a process that takes too much memory
        if self.spec.first is None:
            raise UserError("A picture is needed.")
        check_file(self.spec.first)
        if not self.spec.first.read_bytes().startswith(b"picture"):
            raise UserError(f"{self.spec.first} is no picture.")


WORK, SPEC = CopyWork, CopySpec


def read_copy(table, *, typed: bool, settings=None) -> CopySpec:
    """The spec of a row; of typed values only numbers are read."""
    known = CopySpec.settings_by_key()
    values = {**(settings or {}), **table}
    for name, value in values.items():
        if name not in known:
            raise UserError(f"copy has no option {name!r}.")
        if isinstance(value, str) and (typed or name not in table):
            kind = known[name].metadata["kind"]
            values[name] = kind.read_saved(value.split(";")) if name == "between" else kind(value)
    return CopySpec.from_options(values)


def unknown_to_copy(settings) -> tuple[str, ...]:
    """Names of settings that the mode has not."""
    known = CopySpec.settings_by_key()
    read_copy({name: text for name, text in settings.items() if name in known}, typed=True)
    return tuple(name for name in settings if name not in known)


def copy_mode(recipe: int = 1) -> dict[str, Mode]:
    """The mode, as `make_plan` takes it."""
    mode = Mode("copy", "plan_cases", recipe, partial(read_copy), unknown_to_copy)
    return {"copy": mode}


@dataclass
class MemoryStore:
    """A store in memory; it has what a plan asks a store for."""

    address: str = "OUT"
    exclusive: bool = True
    files: dict[str, bytes] = field(default_factory=dict)
    records: dict[str, dict] = field(default_factory=dict)

    def read(self, name):
        return self.files.get(name)

    def append(self, name, lines):
        self.files[name] = self.files.get(name, b"") + lines

    def names(self, folder):
        return [name.split("/", 1)[1] for name in self.files if name.startswith(f"{folder}/")]

    def done(self):
        return set(self.records)

    def record(self, name):
        return self.records.get(name)
