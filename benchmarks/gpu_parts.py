"""The plan of the benchmark: modes of the server, the parts of each mode, and their times."""

from dataclasses import dataclass, replace
from math import inf

from gpu_graphs import ANIMATE, INBETWEEN, loader_graphs

BF16, FP16 = "--bf16-unet", "--fp16-unet"
GIGABYTE = 2**30


@dataclass(frozen=True)
class Part:
    """A check with its own name.

    Args:
        needs: seconds; the part is skipped if less time is left.
        limit: seconds after which the part is aborted.
        graph: name of a graph in workflows/api.
        loader: key of `loader_graphs`.
        again: run the graph a second time; the result must be the same.
        unet_dtype: weight_dtype of Load FCVG Model.
        spare: run the part only if enough time is left for all later parts.
    """

    name: str
    needs: float
    limit: float
    graph: str | None = None
    loader: str | None = None
    again: bool = False
    unet_dtype: str = "default"
    spare: bool = False


@dataclass(frozen=True)
class Mode:
    """A way to start the server, and the parts that run on it.

    Args:
        flags: command-line flags of the server.
        parts: the parts, in order.
        leave: bytes of GPU memory for the server; None: all.
        needs_card: whether the mode needs a GPU.
    """

    name: str
    flags: tuple[str, ...]
    parts: tuple[Part, ...]
    leave: int | None = None
    needs_card: bool = False


INPUTS, WEIGHTS = Part("inputs", 4, 30), Part("weights", 25, 120)


def start(mode: Mode) -> Part:
    """The part that starts a mode's server."""
    return Part(f"{mode.name}: start", 12, 90)


def plan(only: str | None, *, tiny: bool) -> list[Mode]:
    """The modes to run, in order, with the parts whose names contain `only`.

    With `tiny` (on a CPU), the modes that need a GPU are left out, and the parts have no time
    limits, because the limits are meant for a GPU. The limit for all parts together still holds.
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
        needs_card=True,  # the host accepts --cpu or --lowvram, but not both
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
