"""The content key of a task: equal keys mean equal results."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

# Where a result goes and where networks run changes no result. Neither does the version of the
# form of the options.
NO_PART = ("version", "output", "device", "offload")
LARGEST_SEED = 2**31


def content_key(
    mode: str,
    recipe: int,
    options: Mapping[str, Any],
    inputs: Mapping[str, str],
    *,
    paths: Iterable[str] = (),
) -> str:
    """SHA-256 in hexadecimal digits of all that decides a result.

    Models that are found in the known folders, because no option names them, are no part of it: one
    batch should see one set of models.

    Args:
        mode: the command.
        recipe: version of what the command makes.
        options: JSON form of the command's spec.
        inputs: mark of the content of each file, by the name of its option.
        paths: options that are paths; the content of their files decides, and not their names.
    """
    apart = {*NO_PART, *paths}
    table = {name: _canonical(v) for name, v in options.items() if name not in apart}
    return digest({"mode": mode, "recipe": recipe, "options": table, "inputs": dict(inputs)})


def digest(value: Any) -> str:
    """SHA-256 in hexadecimal digits of a value of JSON; the order of names does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """A value so that equal numbers are equal texts: CSV gives 7.0 where JSON has 7."""
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def seed_of(task_id: str) -> int:
    """The seed, 0 to 2**31 - 1, that is drawn for a task: always the same for the same id."""
    return _number(f"seed of {task_id}") % LARGEST_SEED


def in_shard(task_id: str, shard: tuple[int, int] | None) -> bool:
    """Whether a task belongs to a share.

    Args:
        shard: number of the share, from 0, and number of all shares; None: all tasks.
    """
    return shard is None or _number(f"shard of {task_id}") % shard[1] == shard[0] % shard[1]


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
