"""A group of settings that checks itself and can be written as a flat table."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from ...errors import UserError
from ...quoting import quote
from .values import ValueKind

P = TypeVar("P", bound="Part")


def setting(
    kind: ValueKind, default: Any = MISSING, *, key: str | None = None, later: bool = False
) -> Any:
    """A field of a part.

    Args:
        default: its value unless another is given.
        key: its name on the command line and in run.json, if it differs from the field's name.
        later: whether it came after the form of run.json was released: JSON has it only where it
            differs from its default, so that the JSON of all other runs stays as it was.
    """
    return field(default=default, metadata={"kind": kind, "key": key, "later": later})


@dataclass(frozen=True, kw_only=True)
class Part:
    """Settings that belong together; each is checked when the part is made.

    A path may be a text, which becomes a Path; a list becomes a tuple. A field that holds another
    part has the class of the other part as its default_factory.

    Raises:
        UserError: a setting has a value that it can't hold.
        ValueError: a part inside is a part of another kind.
    """

    def __post_init__(self) -> None:
        for each in fields(self):
            if "kind" in each.metadata:
                value = _check(each, getattr(self, each.name))
                object.__setattr__(self, each.name, value)  # the part is still being made
            elif type(getattr(self, each.name)) is not each.default_factory:
                found, wanted = type(getattr(self, each.name)), each.default_factory
                raise ValueError(
                    f"{each.name} is of type {found.__name__}, but {wanted.__name__} is needed"
                )

    @classmethod
    def from_options(cls: type[P], options: Mapping[str, Any]) -> P:
        """The part of a flat table of options, which may hold options of other parts too.

        Raises:
            UserError: an option has a value that it can't hold.
        """
        values = {}
        for each in fields(cls):
            if "kind" not in each.metadata:
                values[each.name] = each.default_factory.from_options(options)
            elif _key(each) in options:
                values[each.name] = options[_key(each)]
        return cls(**values)

    @classmethod
    def settings_by_key(cls) -> dict[str, Field]:
        """Every setting, those of the parts inside too, by its name on the command line."""
        found = {}
        for each in fields(cls):
            inside = "kind" not in each.metadata
            found |= each.default_factory.settings_by_key() if inside else {_key(each): each}
        return found

    def options(self) -> dict[str, Any]:
        """Every value, those of the parts inside too, by its name on the command line."""
        found = {}
        for each in fields(self):
            value = getattr(self, each.name)
            found |= value.options() if isinstance(value, Part) else {_key(each): value}
        return found

    def paths(self) -> dict[str, tuple[Path, ...]]:
        """The files and folders that are named, by the name of their option."""
        listed = {k: v if isinstance(v, tuple) else (v,) for k, v in self.options().items()}
        return {k: v for k, v in listed.items() if v and all(isinstance(x, Path) for x in v)}

    def changed(self: P, options: Mapping[str, Any]) -> P:
        """The same part with other values of some options, by their names on the command line.

        Raises:
            UserError: an option has a value that it can't hold.
        """
        values = {}
        for each in fields(self):
            value = getattr(self, each.name)
            new = (
                value.changed(options)
                if isinstance(value, Part)
                else options.get(_key(each), value)
            )
            if new is not value:
                values[each.name] = new
        return replace(self, **values) if values else self

    def absolute(self: P) -> P:
        """The same part, each of its paths from the root of the disk."""
        return self.changed({key: _absolute(v) for key, v in self.options().items()})


def one_by_one(named: Mapping[str, tuple[Path, ...]]) -> dict[str, Path]:
    """Paths by the names of their options; several of one option get numbers."""
    return {
        f"{name}{number}" if len(paths) > 1 else name: path
        for name, paths in named.items()
        for number, path in enumerate(paths)
    }


def to_plain(value: Any) -> Any:
    """A value as JSON has it: paths are texts, tuples are lists."""
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _absolute(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_absolute, value))
    return value.absolute() if isinstance(value, Path) else value


def _key(each: Field) -> str:
    return each.metadata["key"] or each.name


def _check(each: Field, value: Any) -> Any:
    """The value of a setting: the same as if it were read from JSON."""
    if type(value) is type(each.default) and value == each.default:
        return value  # for example None, which JSON has for no kind
    kind, plain = each.metadata["kind"], to_plain(value)
    try:
        read = kind.read_saved(plain)
    except ValueError as error:
        name = each.name if each.name == _key(each) else f"{each.name} ({_key(each)})"
        raise UserError(f"{name} is {quote(plain)}: expected {kind.expected}.") from error
    if isinstance(read, list):
        return tuple(read)
    return value if read == value else read  # the number 1 does not become 1.0
