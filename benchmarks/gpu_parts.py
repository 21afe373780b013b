"""What the benchmark consists of: modes of the server, their parts, and the time of each."""

from dataclasses import dataclass, replace
from math import inf

from gpu_graphs import ANIMATE, INBETWEEN, loader_graphs

BF16, FP16 = "--bf16-unet", "--fp16-unet"
GIGABYTE = 2**30


@dataclass(frozen=True)
class Part:
    """A check with a name of its own.

    Args:
        needs: seconds; with less left it is skipped.
        limit: seconds after which it is broken off.
        spare: run only in time that no part after it needs.
    """

    name: str
    needs: float
    limit: float
    graph: str | None = None  # of workflows/api
    loader: str | None = None  # of `loader_graphs`
    again: bool = False  # the same graph once more, which has to give the same
    unet_dtype: str = "default"
    spare: bool = False


@dataclass(frozen=True)
class Mode:
    """A way of starting the server, and what is run there.

    Args:
        leave: bytes of the card that are left to the server; None leaves all.
        needs_card: whether the server can't be started so on a CPU.
    """

    name: str
    flags: tuple[str, ...]
    parts: tuple[Part, ...]
    leave: int | None = None
    needs_card: bool = False


INPUTS, WEIGHTS = Part("inputs", 4, 30), Part("weights", 25, 120)


def start(mode: Mode) -> Part:
    """The part in which a mode's server starts."""
    return Part(f"{mode.name}: start", 12, 90)


def plan(only: str | None, *, tiny: bool) -> list[Mode]:
    """The modes to run, in order, with those of their parts whose names hold `only`.

    A CPU runs the default modes and the one without dynamic VRAM, which is off there anyway; how
    long a part takes there says nothing, so that only all parts together are limited.
    """
    found = []
    for mode in MODES:
        if tiny and mode.needs_card:
            continue
        parts = [replace(part, name=f"{mode.name}: {part.name}") for part in mode.parts]
        if tiny:
            parts = [replace(part, needs=0, limit=inf) for part in parts]
        chosen = tuple(part for part in parts if only is None or only in part.name)
        if chosen:
            found.append(replace(mode, parts=chosen))
    return found


def _twice(graph: str, seconds: float, *, spare: bool) -> tuple[Part, Part]:
    return (
        Part(graph, seconds, 90, graph=graph),
        Part(f"{graph} again", seconds * 0.8, 60, graph=graph, again=True, spare=spare),
    )


MODES = (
    Mode(
        "default, bf16",
        (BF16,),
        (
            *(Part(f"load {name}", 2, 40, loader=name) for name in loader_graphs()),
            *_twice(INBETWEEN, 15, spare=False),
            *_twice(ANIMATE, 12, spare=False),
            Part(
                f"{INBETWEEN} in fp8", 15, 60, graph=INBETWEEN, unet_dtype="fp8_e4m3fn", spare=True
            ),
        ),
    ),
    Mode(
        "default, fp16",
        (FP16,),
        (*_twice(INBETWEEN, 15, spare=False), *_twice(ANIMATE, 12, spare=False)),
    ),
    Mode(
        "lowvram, bf16",
        ("--lowvram", BF16),
        _twice(INBETWEEN, 15, spare=True),
        needs_card=True,  # the host takes either --cpu or --lowvram
    ),
    Mode(
        "no dynamic VRAM, bf16",
        ("--disable-dynamic-vram", BF16),
        _twice(INBETWEEN, 15, spare=True),
    ),
    Mode(
        "8 GB, bf16",
        (BF16,),
        _twice(INBETWEEN, 20, spare=True),
        leave=8 * GIGABYTE,
        needs_card=True,
    ),
)
