"""Configuration files (.yaml) of the official code of DynamiCrafter: what they say of a model."""

from pathlib import Path
from typing import Any

from ...errors import UserError

MAX_BYTES = 2**20


def read_model_config(path: Path) -> dict[str, Any]:
    """The parameters of the model in a configuration file; empty if the file has none.

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
    for key in ("model", "params"):
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}
