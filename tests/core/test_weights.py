"""What is wrong with a state dict, in words."""

import re

import pytest
import torch
from weight_cases import KEYS, VALUES

from fcvg_core.errors import UserError
from fcvg_core.quoting import in_short
from fcvg_core.weights import misfits, plain_tensors, unwrap

WEIGHT = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
SHAPES = {"a.weight": (4, 4)}


class TestPlainTensors:
    @pytest.mark.parametrize("case", VALUES)
    def test_values(self, case: str) -> None:
        """What is no plain array is told here, kinds and shapes by `misfits`."""
        make, words = VALUES[case]
        found = {"a.weight": make(WEIGHT)}
        try:
            plain = plain_tensors(found, name="x.bin")
        except UserError as error:
            message = str(error)
            assert message.startswith("x.bin is not a plain table of") and len(message) < 300
        else:
            assert not plain["a.weight"].requires_grad
            message = in_short(misfits(plain, SHAPES))
        assert bool(message) == bool(words)
        if words:
            assert "a.weight" in message
            assert any(word in message for word in words.replace("\\", "").split("|"))

    @pytest.mark.parametrize("case", KEYS)
    def test_keys(self, case: str) -> None:
        try:
            plain = plain_tensors({KEYS[case]: WEIGHT}, name="x.bin")
        except UserError as error:
            assert not isinstance(KEYS[case], str)
            message = str(error)
        else:
            message = in_short(misfits(plain, SHAPES))
            assert "is unknown" in message
        assert len(message) < 300 and message.isprintable()

    @pytest.mark.parametrize(
        "found",
        [
            {},
            {"state_dict": {"a": WEIGHT}, "epoch": 1},
            {"module": {"a": WEIGHT}},
            {"model": {"state_dict": {"a": WEIGHT}}},
        ],
    )
    def test_training_checkpoints(self, found: dict) -> None:
        assert plain_tensors(found, name="x").keys() == ({"a"} if found else set())

    @pytest.mark.parametrize("found", [[WEIGHT], WEIGHT, None, "text", 3])
    def test_no_table(self, found: object) -> None:
        with pytest.raises(UserError, match=f"x.bin .* holds a {type(found).__name__}"):
            plain_tensors(found, name="x.bin")

    def test_empty(self) -> None:
        with pytest.raises(UserError, match=r"a is empty: its shape is \(4, 0\)"):
            plain_tensors({"a": torch.ones(4, 0)}, name="x.bin")


class TestMisfits:
    def test_whole_numbers_where_every_network_has_them(self) -> None:
        state = {"norm.num_batches_tracked": torch.tensor(3), "position_ids": torch.arange(5)[None]}
        assert misfits(state, {key: tuple(value.shape) for key, value in state.items()}) == []

    def test_order_and_part(self) -> None:
        state = {"a": torch.ones(2), "b": torch.ones(2)}
        assert misfits(state, {"a": (3,), "c": (1,)}) == [
            "a has the shape (2,), but (3,) is expected",
            "c is missing",
            "b is unknown",
        ]
        assert misfits(state, {"a": (2,), "b": (2,), "c": (1,)}, partial=True) == []

    @pytest.mark.parametrize("case", ["quantised", "sparse", "expanded", "a number"])
    def test_what_is_no_plain_tensor(self, case: str) -> None:
        make, words = VALUES[case]
        (found,) = misfits({"a.weight": make(WEIGHT)}, SHAPES)
        assert re.search(f"^a.weight {words}", found)

    def test_without_values(self) -> None:
        """Shapes and kinds alone, as a file's header tells them."""
        state = {"a.weight": torch.empty(4, 4, dtype=torch.int8, device="meta")}
        assert misfits(state, SHAPES)[0].startswith("a.weight holds int8 numbers")


def test_a_table_that_holds_itself() -> None:
    found: dict = {}
    found["model"] = found
    assert unwrap(found)[0] is found
