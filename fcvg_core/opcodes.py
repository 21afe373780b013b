"""Sizes of the arrays that a pickle of torch.save asks for; the pickle is not executed."""

import pickletools
from typing import Any, BinaryIO, NamedTuple

from .errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C  # a file in torch's older format begins with a pickle of this number
HEAD_PICKLES = 3  # pickles at the start of the older format: MAGIC, a version, system information
STORAGE, STORAGE_TYPE = "storage", "Storage"
# Name of a storage type -> bytes per number.
NUMBER_BYTES = {
    "ComplexDouble": 16, "ComplexFloat": 8, "Double": 8, "Long": 8, "Float": 4, "Int": 4,
    "QInt32": 4, "Half": 2, "BFloat16": 2, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1,
    "QInt8": 1, "QUInt8": 1, "QUInt4x2": 1, "QUInt2x4": 1, "Untyped": 1,
}  # fmt: skip
# A pickle can nest tuples so that a few instructions make a tuple with billions of values. Hashing
# such a tuple would take years or crash the program.
MAX_TUPLE = 10_000
BYTES = ("builtins bytearray", "__builtin__ bytearray")  # a number alone can make it of any length
_PUT = {"PUT", "BINPUT", "LONG_BINPUT"}
_GET = {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE"}


class _Tuple(NamedTuple):
    """A tuple on the stack, and its number of values, nested values included."""

    items: tuple
    size: int


def stored_arrays(pickle: bytes | BinaryIO) -> list[tuple[str, int]]:
    """Key and length in bytes of every array of numbers that a pickle loads from its file.

    Args:
        pickle: one pickle, or an open file whose current position is the start of a pickle.

    Raises:
        UserError: the pickle contains something that a file of weights never contains. The
            message is a part of a sentence, for example "it makes a bytearray".
        Exception: of any type, if the bytes are not a pickle.
    """
    stack: list[Any] = []
    marks: list[int] = []  # places in the stack
    memo: dict[int, Any] = {}
    lengths: dict[str, int] = {}
    for code, argument, _ in pickletools.genops(pickle):
        if code.name in _PUT:
            memo[argument] = stack[-1]
        elif code.name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif code.name in _GET:
            stack.append(memo[argument])
        elif code.name == "MARK":
            marks.append(len(stack))
        else:
            if argument in BYTES:
                raise UserError("it makes a bytearray")
            operands = _pop_operands(code, stack, marks)
            if code.name == "BINPERSID" and (array := _array(operands[0])):
                key, length = array
                lengths[key] = max(length, lengths.get(key, 0))
            stack += [_result(code, argument, operands)] * len(code.stack_after)
    return [*lengths.items()]


def older_arrays(opened: BinaryIO) -> list[tuple[str, int]]:
    """`stored_arrays` of a file in torch's older format; an empty list for any other file."""
    first = next(
        (
            (code.name, argument)
            for code, argument, _ in pickletools.genops(opened)
            if code.name != "PROTO"
        ),
        None,
    )
    if first != ("LONG1", MAGIC):
        return []
    opened.seek(0)
    for _ in range(HEAD_PICKLES):
        stored_arrays(opened)
    return stored_arrays(opened)


def _pop_operands(code: pickletools.OpcodeInfo, stack: list, marks: list[int]) -> tuple:
    """Remove the operands of an instruction from the stack; some reach down to the last mark."""
    count = len(code.stack_before)
    if pickletools.markobject in code.stack_before:
        under_mark = code.stack_before.index(pickletools.markobject)
        count = len(stack) - marks.pop() + under_mark
    place = len(stack) - count
    if place < 0:
        raise IndexError("an instruction needs more values than the stack holds")
    operands = tuple(stack[place:])
    del stack[place:]
    return operands


def _result(code: pickletools.OpcodeInfo, argument: Any, operands: tuple) -> Any:
    """Result of an instruction: a constant or a tuple; None for all other instructions."""
    if code.name not in _TUPLES:
        return argument
    size = 1 + sum(item.size if isinstance(item, _Tuple) else 1 for item in operands)
    if size > MAX_TUPLE:
        raise UserError(f"it makes a tuple of more than {MAX_TUPLE} values")
    return _Tuple(operands, size)


def _array(persistent_id: Any) -> tuple[str, int] | None:
    """Key and length in bytes of the array that a persistent id names; None for other ids."""
    if not isinstance(persistent_id, _Tuple) or persistent_id.items[0] != STORAGE:
        return None
    kind, key, _, numbers = persistent_id.items[1:5]
    name = str(kind).rpartition(" ")[2].removesuffix(STORAGE_TYPE)  # "torch FloatStorage": "Float"
    return str(key), numbers * NUMBER_BYTES[name]
