"""The plan of the benchmark: its groups, the parts of each group, and their times."""

from dataclasses import dataclass, replace
from math import inf

from gpu_graphs import ANIMATE, INBETWEEN, loader_graphs
from gpu_ways import AYS, CACHE, FAST, INTERVAL

BF16, FP16 = "--bf16-unet", "--fp16-unet"
GIGABYTE = 2**30
SMALLEST = 3 * GIGABYTE  # too little for the graph
CHUNKS = (1, 2, 4, 8)  # frames that the VAE decodes at once


@dataclass(frozen=True)
class Part:
    """A check with its own name.

    Args:
        needs: seconds; the part is skipped if less time is left.
        limit: seconds after which the part is aborted.
        graph: name of a graph in workflows/api.
        loader: key of `loader_graphs`.
        again: run the graph a second time; the result must be the same.
        way: of `gpu_ways`, in which the graph is sampled.
        chunks: decode the frames of the graph in chunks of each of these sizes.
        unet_dtype: weight_dtype of Load FCVG Model.
        leave: bytes of GPU memory for the server, from this part on.
        advice: the memory is too small for the graph: its log has to say what would fit.
        call: method of a job's class.
        spare: run the part only if enough time is left for all later parts that are not spare. If
            a spare measurement takes too long, it is skipped instead of failed.
        needs_card: leave the part out on a CPU, where it takes minutes.
    """

    name: str
    needs: float
    limit: float
    graph: str | None = None
    loader: str | None = None
    again: bool = False
    way: str | None = None
    chunks: tuple[int, ...] = ()
    unet_dtype: str = "default"
    leave: int | None = None
    advice: bool = False
    call: str = ""
    spare: bool = False
    needs_card: bool = False


@dataclass(frozen=True)
class Mode:
    """A way to start the server, and the parts that run on it.

    Args:
        flags: command-line flags of the server.
        parts: the parts, in order.
        needs_card: whether the mode needs a GPU.
    """

    name: str
    flags: tuple[str, ...]
    parts: tuple[Part, ...]
    needs_card: bool = False


@dataclass(frozen=True)
class Job:
    """Measurements without a server, which run in a process of their own.

    Args:
        target: module and class of the measurements.
        parts: the parts, in order.
        needs_card: whether the job needs a GPU.
    """

    name: str
    target: str
    parts: tuple[Part, ...]
    needs_card: bool = False


INPUTS, WEIGHTS = Part("inputs", 4, 30), Part("weights", 25, 120)


def start(group: Mode | Job) -> Part:
    """The part that starts a group's process; it is spare if all parts of the group are."""
    spare = all(part.spare for part in group.parts)
    return Part(f"{group.name}: start", 12 if isinstance(group, Mode) else 8, 90, spare=spare)


def plan(only: list[str] | None, *, tiny: bool) -> list[Mode | Job]:
    """The groups to run, in order, with the parts whose names contain a text of `only`.

    With `tiny` (on a CPU), the groups that need a GPU are left out, and the parts have no time
    limits, because the limits are meant for a GPU. The limit for all parts together still holds.
    """
    found = []
    for group in GROUPS:
        if tiny and group.needs_card:
            continue
        parts = [replace(part, name=f"{group.name}: {part.name}") for part in group.parts]
        if tiny:
            parts = [replace(p, needs=0, limit=inf) for p in parts if not p.needs_card]
        chosen = tuple(
            part for part in parts if only is None or any(text in part.name for text in only)
        )
        if chosen:
            found.append(replace(group, parts=chosen))
    return found


def _twice(graph: str, seconds: float, **more) -> tuple[Part, Part]:
    return (
        Part(graph, seconds, 90, graph=graph, **more),
        Part(f"{graph} again", seconds * 0.7, 60, graph=graph, again=True, spare=True),
    )


def _way(way: str, seconds: float, **more) -> Part:
    """The graph sampled in less work."""
    return Part(way, seconds, 60, graph=INBETWEEN, way=way, **more)


# In the order of their value: what comes last is what a slow machine leaves out.
GROUPS = (
    Mode(
        "default, bf16",
        (BF16,),
        (
            Part(INBETWEEN, 14, 90, graph=INBETWEEN),
            Part(f"{INBETWEEN} again", 9, 60, graph=INBETWEEN, again=True),
            _way(FAST, 12),
            _way(CACHE, 13),
            _way(INTERVAL, 14),
            Part("decoding", 14, 60, graph=INBETWEEN, chunks=CHUNKS),
            *_twice(ANIMATE, 12),
            Part(
                f"{INBETWEEN} in fp8", 15, 60, graph=INBETWEEN, unet_dtype="fp8_e4m3fn", spare=True
            ),
            *(Part(f"load {name}", 2, 40, loader=name, spare=True) for name in loader_graphs()),
            _way(AYS, 18, spare=True),  # its steps cost what all steps cost
        ),
    ),
    Job(
        "headless",
        "gpu_headless:Headless",
        (
            Part("bf16", 14, 60, call="bf16"),
            Part("fast", 9, 60, call="fast"),
            Part("the reference's way", 30, 90, call="reference"),
            Part("the reference's way without TF32", 12, 60, call="reference_strict", spare=True),
            Part("fp16", 12, 60, call="fp16", needs_card=True),
        ),
    ),
    Job(
        "chip",
        "gpu_chip:Chip",
        (
            Part("matrix rate", 3, 30, call="matrix_rate"),
            Part("operations of a pass", 6, 40, call="count_pass"),
        ),
    ),
    Mode(
        "default, fp16",
        (FP16,),
        (*_twice(INBETWEEN, 14), *_twice(ANIMATE, 11, spare=True)),
    ),
    Mode(
        "little memory, bf16",
        (BF16,),
        (
            Part(f"{INBETWEEN} in 12 GB", 14, 60, graph=INBETWEEN, leave=12 * GIGABYTE),
            Part(f"{INBETWEEN} in 8 GB", 16, 60, graph=INBETWEEN, leave=8 * GIGABYTE),
            Part(f"{INBETWEEN} in 8 GB again", 14, 60, graph=INBETWEEN, again=True, spare=True),
            Part(f"{INBETWEEN} in 3 GB", 8, 25, graph=INBETWEEN, leave=SMALLEST, advice=True),
        ),
        needs_card=True,
    ),
    Job(
        "conditions",
        "gpu_conditions:Conditions",
        (
            Part("lines", 4, 30, call="lines"),
            Part("GlueStick", 5, 40, call="gluestick"),
            Part("poses", 4, 30, call="poses"),
            Part("DWPose", 5, 40, call="dwpose"),
        ),
    ),
    Mode(
        "lowvram, bf16",
        ("--lowvram", BF16),
        (Part(INBETWEEN, 15, 90, graph=INBETWEEN, spare=True),),
        needs_card=True,  # the host accepts --cpu or --lowvram, but not both
    ),
    Mode(
        "no dynamic VRAM, bf16",
        ("--disable-dynamic-vram", BF16),
        (Part(INBETWEEN, 15, 90, graph=INBETWEEN, spare=True),),
    ),
    Job(
        "kernels",
        "gpu_kernels:Kernels",
        (
            Part("profile of a pass", 9, 60, call="profile"),
            Part("attention", 8, 40, call="attention", spare=True),
            Part("layouts", 9, 40, call="layouts", spare=True),
            Part("compiled block", 20, 90, call="compile_block", spare=True),
            Part("compiled UNet", 45, 240, call="compile_unet", spare=True, needs_card=True),
        ),
    ),
)
