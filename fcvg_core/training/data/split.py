"""Which clips are kept for validation."""

import hashlib
from collections.abc import Sequence

from ...errors import UserError
from .item import HELD_OUT, TRAIN, Item

ENOUGH = 5  # with so many clips there is always one for validation


def split_items(items: Sequence[Item], held_out: float) -> tuple[list[Item], list[Item]]:
    """The clips that are trained on, and those that are kept for validation.

    What a manifest says of a clip holds. For the other clips the hash of the id decides, so that
    new clips change nothing for those that were there. One clip at least is trained on; of 5 clips
    or more, one at least is kept for validation, unless the share is 0.

    Args:
        items: at least one.
        held_out: share of the clips that is kept, 0..1.

    Returns:
        The two lists, in the order of `items`.

    Raises:
        UserError: the manifest keeps all clips for validation.
    """
    free = sorted((item for item in items if item.split is None), key=_place)
    kept = {item.id for item in items if item.split == HELD_OUT}
    if len(kept) == len(items):
        raise UserError(
            f'All {len(items)} clips have "split": "{HELD_OUT}", so none is left to be trained on: '
            f'give some of them "split": "{TRAIN}".'
        )
    kept |= {item.id for item in free if _place(item) < held_out}
    if held_out and free and not kept and len(items) >= ENOUGH:
        kept.add(free[0].id)
    if len(kept) == len(items):
        kept.remove(free[-1].id)
    parts = ([], [])
    for item in items:
        parts[item.id in kept].append(item)
    return parts


def _place(item: Item) -> float:
    """Where an id lies between 0 and 1, the same on every machine."""
    return int.from_bytes(hashlib.sha256(item.id.encode()).digest()[:6], "big") / 2**48
