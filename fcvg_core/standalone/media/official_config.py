"""Configuration files (.yaml) of official code: what they say of a model."""

from pathlib import Path
from typing import Any

from ...errors import UserError

MAX_BYTES = 2**20


def read_model_config(path: Path) -> dict[str, Any]:
    """The parameters of DynamiCrafter's model in a configuration file; empty if it has none.

    Raises:
        UserError: see `read_config`.
    """
    content = read_config(path)
    for key in ("model", "params"):
        content = content.get(key)
        content = content if isinstance(content, dict) else {}
    return content


def read_config(path: Path) -> dict[str, Any]:
    """The values of a configuration file; empty if it holds something else than a table.

    Raises:
        UserError: the file is larger than 1 MiB, or is not YAML.
    """
    import yaml

    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"{path} has more than {MAX_BYTES >> 20} MiB; expected a configuration.")
    try:
        content = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = " ".join(str(error).split())
        raise UserError(f"{path} can't be read as YAML ({line}): leave --config out.") from error
    return content if isinstance(content, dict) else {}
