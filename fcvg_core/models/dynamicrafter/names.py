"""The model that the name of a DynamiCrafter file tells, and what is done if it tells nothing."""

import logging
from collections.abc import Sequence

from .variants import VARIANTS

# How a user chooses a model, in a sentence with {} for its word. Each face has words of its own.
CHOOSE = "choose the model {}"
NAME_MARKS = {"interp": "512_interp", "1024": "1024", "512": "512"}  # in names of files


def word_of_name(name: str, possible: Sequence[str]) -> str | None:
    """The model that a file's own name or, if it names none, its folder names.

    Args:
        name: see `find_variant`. The names of folders above the file's folder tell nothing.
        possible: keys of VARIANTS; None is returned for any other model.
    """
    for part in reversed(name.lower().replace("\\", "/").split("/")[-2:]):
        for mark, word in NAME_MARKS.items():
            if mark in part:
                return word if word in possible else None
    return None


def guess_word(possible: Sequence[str], *, name: str, interpolates: bool, choose: str) -> str:
    """The model that a file without a word in its name is taken for; the log says the guess.

    Args:
        possible: keys of VARIANTS that the file's tensors allow.
        name, interpolates, choose: see `find_variant`.
    """
    word = needed_word(possible, interpolates=interpolates)
    others = " or ".join(other for other in possible if other != word)
    if others:
        logging.info(
            "The name of %s does not tell whether it is %s: it is taken for %s. If it is %s, %s.",
            name,
            " or ".join(possible),
            word,
            others,
            choose.format(others),
        )
    return word


def needed_word(possible: Sequence[str], *, interpolates: bool) -> str:
    """The first of some models that does what is needed, or the first at all.

    Args:
        possible: keys of VARIANTS.
        interpolates: see `find_variant`.
    """
    fitting = (word for word in possible if VARIANTS[word].interpolates is interpolates)
    return next(fitting, possible[0])
