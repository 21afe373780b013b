"""Which clips are kept for validation."""

from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.training.data import Item, split_items


def items(count: int, **changes) -> list[Item]:
    return [Item(id=f"clip {i}", line=i + 1, video=Path("a.mp4"), **changes) for i in range(count)]


def ids(found: list[Item]) -> list[str]:
    return [item.id for item in found]


def test_share_and_order():
    trained, held = split_items(items(1000), 0.2)
    assert 150 < len(held) < 250
    assert sorted(ids(trained) + ids(held)) == sorted(ids(items(1000)))
    assert [item.line for item in held] == sorted(item.line for item in held)


def test_more_clips_move_none():
    few, many = (ids(split_items(items(count), 0.2)[1]) for count in (50, 100))
    assert few == many[: len(few)]


@pytest.mark.parametrize("count", range(1, 12))
@pytest.mark.parametrize("share", (0.0, 1e-9, 0.999, 1.0))
def test_neither_part_is_empty(count, share):
    trained, held = split_items(items(count), share)
    assert trained
    if share == 0:
        assert not held
    elif count >= 5 or share > 0.9:
        assert len(held) == (1 if share < 0.5 else count - 1)


def test_the_manifest_decides():
    given = items(6, split="train")
    assert split_items(given, 1.0) == (given, [])
    kept = items(6, split="held out")[:5] + items(6, split="train")[5:]
    assert split_items(kept, 0.0) == (kept[5:], kept[:5])
    kept = items(6, split="held out")[:5] + items(6)[5:]
    assert split_items(kept, 0.0) == (kept[5:], kept[:5])


def test_nothing_is_left_to_train():
    with pytest.raises(UserError, match='All 2 clips have "split": "held out"'):
        split_items(items(2, split="held out"), 0.2)
