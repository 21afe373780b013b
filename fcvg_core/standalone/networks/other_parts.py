"""Networks of a model that lie in several files: what is missing, and whether they fit together."""

from collections.abc import Mapping
from pathlib import Path

from ...catalogue.model_files import MissingModelsError, ModelFile
from ...errors import UserError
from .parts import CheckedPart

Others = Mapping[str, tuple[str, ModelFile]]  # option of a network -> its name in words, its file


def check_found(found: Mapping[str, Path | None], others: Others, *, holder: Path | None) -> None:
    """Raise MissingModelsError if a network is in no file.

    Args:
        found: the file of each network that the model's own file lacks, by its option; None: it is
            in no known folder.
        others: at least the same options.
        holder: the model's own file or folder, for the message; None: there is none.
    """
    if missing := [name for name, path in found.items() if path is None]:
        words, models = zip(*(others[name] for name in missing), strict=True)
        who = f"{holder} holds" if holder else "There is"
        options = (f"--{name.replace('_', '-')} FILE" for name in missing)
        raise MissingModelsError(
            f"{who} no {' and no '.join(words)}: give {' and '.join(options)}, or download what is "
            "missing with python -m fcvg_core models --get --only "
            f"{' '.join(model.key for model in models)}."
        )


def check_width(
    what: str, giver: CheckedPart, given: int, into: str, taker: CheckedPart, wanted: int, use: str
) -> None:
    """Raise UserError unless a network takes the tokens that another network gives.

    Args:
        what, into: both networks in words: "text encoder", "UNet".
        given, wanted: widths of the tokens.
        use: what fits, for the message: "T5 v1.1 XXL".
    """
    if given != wanted:
        raise UserError(
            f"The {what} in {giver.file.path} gives tokens of width {given}, but the {into} in "
            f"{taker.file.path} takes {wanted}: use {use}."
        )
