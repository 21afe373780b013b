"""What the values of a model's config files may be.

A value that changes how a network computes, but not the shapes of its tensors, must be the
model's own: another value would give wrong pictures without any error.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UserError
from ..quoting import unquoted


@dataclass(frozen=True)
class Rule:
    """What one value must be.

    Attributes:
        default: the model's own value, for a file that does not name the value.
        expected: the right values, in words.
        fits: whether a value is right.
    """

    default: Any
    expected: str
    fits: Callable[[Any], bool]


Rules = Mapping[str, Rule]


def exactly(value: Any) -> Rule:
    """This value, of the same type."""
    return Rule(value, repr(value), lambda found: type(found) is type(value) and found == value)


def about(value: float, *, model: str) -> Rule:
    """This number, as closely as a number format can hold it."""
    return Rule(
        value,
        f"{model}'s {value}",
        lambda found: is_number(found) and math.isclose(found, value),
    )


def whole(default: int, most: int) -> Rule:
    """A whole number from 1."""
    return Rule(default, f"a whole number from 1 to {most}", lambda found: is_whole(found, most))


def is_whole(value: Any, most: int) -> bool:
    """Whether a value is a whole number from 1 to `most`; true and false are none."""
    return type(value) is int and 0 < value <= most


def is_number(value: Any) -> bool:
    """Whether a value is a number; true and false are none."""
    return type(value) in (int, float)


def read_config(content: Any, rules: Rules, *, name: str, model: str) -> dict:
    """The values that have rules; if the file does not name a value, the model's own value.

    Args:
        content: what the file holds: a table of values by name.
        name: name of the file, for messages.
        model: name of the model, for messages.

    Raises:
        UserError: a value is wrong.
    """
    if not isinstance(content, Mapping):
        kind = type(content).__name__
        raise UserError(f"{name} holds a {kind}; expected {model}'s settings by name.")
    config = {}
    for key, rule in rules.items():
        config[key] = content.get(key, rule.default)
        if not rule.fits(config[key]):
            raise wrong_value(name, key, config[key], rule.expected, model=model)
    return config


def wrong_value(name: str, key: str, value: Any, expected: str, *, model: str) -> UserError:
    """The error about a wrong value of a file."""
    return UserError(
        f"{name}: {key} is {value_text(value)}; expected {expected}. Use the folder of {model} as "
        "it was published."
    )


def value_text(value: Any) -> str:
    """A value of a JSON file for a message; nested values are not written out."""
    if value is None:
        return "null"
    if (
        isinstance(value, dict)
        or isinstance(value, list)
        and any(isinstance(item, (dict, list)) for item in value)
    ):
        return "nested values" if value else "{}"
    return unquoted(repr(value))
