"""What a pickle of torch's asks for, told from its instructions, none of which is carried out."""

import pickletools
from typing import Any, BinaryIO, NamedTuple

from .errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C  # torch's older kind of file begins with a pickle of this number
HEAD_PICKLES = 3  # there: this number, a version, and sizes of the machine
STORAGE, STORAGE_TYPE = "storage", "Storage"
# Bytes of one number, by the name of its storage.
NUMBER_BYTES = {
    "ComplexDouble": 16, "ComplexFloat": 8, "Double": 8, "Long": 8, "Float": 4, "Int": 4,
    "QInt32": 4, "Half": 2, "BFloat16": 2, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1,
    "QInt8": 1, "QUInt8": 1, "QUInt4x2": 1, "QUInt2x4": 1, "Untyped": 1,
}  # fmt: skip
# A pickle can make a tuple that holds itself many times over, and nests as deep as it likes. To use
# it as a key takes a computer years, or ends the program.
MAX_TUPLE = 10_000
BYTES = ("builtins bytearray", "__builtin__ bytearray")  # of any length, from a number
_PUT = {"PUT", "BINPUT", "LONG_BINPUT"}
_GET = {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE"}


class _Tuple(NamedTuple):
    """A tuple on the stack, and how many values it holds with all that is in it."""

    items: tuple
    size: int


def stored_arrays(pickle: bytes | BinaryIO) -> list[tuple[str, int]]:
    """Key and length in bytes of every array of numbers that a pickle wants from its file.

    Args:
        pickle: one pickle; of an open file, that which begins where the file stands.

    Raises:
        UserError: it holds what no file of weights does: the end of a sentence.
        Exception: of some kind, where it is no pickle.
    """
    stack: list[Any] = []
    marks: list[int] = []  # places in the stack
    memo: dict[int, Any] = {}
    found: dict[str, int] = {}
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
            taken = _taken(code, stack, marks)
            if code.name == "BINPERSID" and (array := _array(taken[0])):
                key, length = array
                found[key] = max(length, found.get(key, 0))
            stack += [_made(code, argument, taken)] * len(code.stack_after)
    return [*found.items()]


def older_arrays(opened: BinaryIO) -> list[tuple[str, int]]:
    """What `stored_arrays` finds in a file of torch's older kind; nothing in any other file."""
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


def _taken(code: pickletools.OpcodeInfo, stack: list, marks: list[int]) -> tuple:
    """What an instruction takes off the stack, down to the last mark where it needs one."""
    count = len(code.stack_before)
    if pickletools.markobject in code.stack_before:
        under_mark = code.stack_before.index(pickletools.markobject)
        count = len(stack) - marks.pop() + under_mark
    place = len(stack) - count
    if place < 0:
        raise IndexError("an instruction takes more than there is")
    taken = tuple(stack[place:])
    del stack[place:]
    return taken


def _made(code: pickletools.OpcodeInfo, argument: Any, taken: tuple) -> Any:
    """What an instruction puts on the stack: constants and tuples as they are, else nothing."""
    if code.name not in _TUPLES:
        return argument
    size = 1 + sum(item.size if isinstance(item, _Tuple) else 1 for item in taken)
    if size > MAX_TUPLE:
        raise UserError(f"it makes a tuple of more than {MAX_TUPLE} values")
    return _Tuple(taken, size)


def _array(saved: Any) -> tuple[str, int] | None:
    """Key and length of the array that a saved id names."""
    if not isinstance(saved, _Tuple) or saved.items[0] != STORAGE:
        return None
    kind, key, _, numbers = saved.items[1:5]
    name = str(kind).rpartition(" ")[2].removesuffix(STORAGE_TYPE)  # of "torch FloatStorage"
    return str(key), numbers * NUMBER_BYTES[name]
