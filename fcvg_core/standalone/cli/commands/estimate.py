"""`estimate`: the memory and the time that a run needs, as a table for several cards."""

import argparse
from itertools import product

from ....bounds import SIZE, Bounds
from ....canvas import in_words
from ....choices import FAMILIES
from ....errors import UserError
from ....estimate import (
    BYTES,
    FITS,
    GB,
    NETWORKS,
    PASSES,
    REFERENCE_SECONDS,
    REFERENCE_STEPS,
    RESERVED,
    STREAMS,
    Estimate,
    Passes,
    Video,
    estimate,
    relative_cost,
    relative_run,
    span_lengths,
)
from ...spec import InbetweenSampling, InbetweenSpec, InbetweenVideo, Sampling
from ...spec.values import whole
from ..estimate_tables import TABLES
from ..option_groups import options_of
from ..option_rules import Rules
from ..sampling_options import PRESET, add_interval, add_savings, add_schedule

HELP = "the memory and the time that a run needs"
DESCRIPTION = (
    "Print how much memory a run needs on a card, whether it fits, how long a step and a run take, "
    "and how many passes of the UNet a run has. Without options the table has common sizes, "
    "lengths and number formats; an option leaves only its own value in the table. No model is "
    "needed."
)
EXAMPLES = (
    "estimate",
    "estimate --width 768 --height 448 --frames 50 --dtype fp8",
    "estimate --fast",
    "estimate --at 0,24,60",
)
RULES = Rules(presets={"fast": PRESET})
SIZES = ((576, 1024), (448, 768), (320, 512))  # (height, width)
VIDEOS = ((25, 25), (25, 14), (50, 25), (50, 50))  # frames, and frames of a window
DTYPES = ("bf16", "fp8")
CARDS = (8, 12, 16, 24)  # GB
WORDS = {FITS: "fits", STREAMS: "streamed"}
HEAD = (
    "size",
    "frames",
    "window",
    "weights",
    "GB",
    "GB streamed",
    *(f"{card} GB" for card in CARDS),
    "command line, GB",
    "time of a step",
    "passes",
    "time of a run",
)
NOTES = (
    "GB: memory of the card that a run in ComfyUI needs. GB streamed: the same if ComfyUI keeps "
    "the weights in main memory and copies them to the card when they are used, which is slower. "
    f"A card fits if {RESERVED / GB:g} GB is left for the driver, the desktop and ComfyUI; no: not "
    "even with streamed weights. Command line: what the command line needs, and in parentheses "
    "what it needs with --offload.",
    "Time of a step: a multiple of the time for 25 frames of 1024 x 576 in one window, by the "
    f"number of operations, with guidance and without a cache. That time is {REFERENCE_SECONDS:g} "
    "s on an NVIDIA H200.",
    "Passes: how often the UNet is computed in a run, for all windows; in parentheses the passes "
    "that use kept features. Time of a run: a multiple of the time for 25 frames of 1024 x 576 in "
    f"one window with {REFERENCE_STEPS} steps, by the number of operations.",
    "Measured: this time, and that 25 frames of 1024 x 576 in one window can be sampled with 8 GB. "
    "All other figures are computed.",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    for name, sides in zip(("--height", "--width"), zip(*SIZES, strict=True), strict=True):
        text = f"in pixels, a multiple of 64, for DropletVideo of 16 ({_listed(sides)})"
        parser.add_argument(
            name, type=whole(Bounds(SIZE.minimum, SIZE.maximum)), metavar="N", help=text
        )
    for name, part, text, column in (
        ("frames", InbetweenVideo, "frames of the video", 0),
        ("window", Sampling, "frames sampled at once", 1),
    ):
        parser.add_argument(
            f"--{name}",
            type=part.settings_by_key()[name].metadata["kind"],
            metavar="N",
            help=f"{text} ({_listed(sorted({video[column] for video in VIDEOS}))})",
        )
    options_of(InbetweenSpec, parser)(
        "--overlap",
        metavar="N",
        help="frames that neighbouring windows share; without --frames and --window, the table "
        "leaves out windows that are too short to share so many (%(default)s)",
    )
    options_of(InbetweenSpec, parser)(
        "--at",
        metavar="N,N,...",
        help="frames of more than two keyframes, such as 0,24,60: windows lie between neighbours",
    )
    _add_switches(parser)
    parser.add_argument(
        "--dtype",
        choices=tuple(BYTES),
        help=f"number format; fp8, in ComfyUI alone, is a format of weights ({_listed(DTYPES)})",
    )
    parser.add_argument(
        "--family",
        choices=FAMILIES,
        default=FAMILIES[0],
        help="whose model: FCVG's, which samples in both directions, ControlNeXt-SVD's, or "
        "DynamiCrafter's, DropletVideo's or SMCD's, which have tables of their own sizes and "
        "lengths (%(default)s)",
    )


def _add_switches(parser: argparse.ArgumentParser) -> None:
    """What changes the number of passes, or what a pass costs."""
    parser.add_argument(
        "--steps",
        type=Sampling.settings_by_key()["steps"].metadata["kind"],
        metavar="N",
        help=f"denoising steps of a run ({InbetweenSampling().steps}; DynamiCrafter, DropletVideo "
        f"and SMCD: {_listed(tuple({table.steps for table in TABLES.values()}))})",
    )
    for add in (add_schedule, add_interval, add_savings):
        add(InbetweenSampling, parser)


def prints_result(options: argparse.Namespace) -> bool:
    """The table is all that the command gives."""
    return True


def run(options: argparse.Namespace) -> None:
    """Print the table and what its columns mean."""
    for line in table(options):
        print(line)
    for note in NOTES:
        print(f"\n{note}")


def table(options: argparse.Namespace) -> list[str]:
    """The lines of the table, in Markdown.

    Raises:
        UserError: windows of a wanted length can't have the wanted overlap.
    """
    videos, rows, at = _videos(options), [HEAD, ("---",) * len(HEAD)], _keyframes(options)
    if options.overlap not in range(1, min(window for _, window in videos)):
        from ....sampling import check_windows  # needs torch, which a table does without

        for frames, window in videos:
            for span in span_lengths(frames, at):
                check_windows(span, window, options.overlap)
    dtypes = [options.dtype] if options.dtype else DTYPES
    networks, switched = NETWORKS[options.family], _switched_passes(options)
    kept = PASSES * networks.directions if options.cache > 1 else 0
    for size, (frames, window), dtype in product(_sizes(options), videos, dtypes):
        more = {"overlap": options.overlap, "kept": kept, "at": at}
        found = estimate(size, frames, window, dtype, networks=networks, **more)
        passes = switched or found.all_passes(_steps(options))
        more |= {"networks": networks.on_the_command_line, "at_once": PASSES}
        batched = estimate(size, frames, window, dtype, **more)
        command_line = "-" if dtype == "fp8" else f"{_gb(batched.together)} ({_gb(batched.whole)})"
        video = (in_words(size), str(frames), str(window), dtype)
        windows = Video(size, frames, window, options.overlap, at).num_windows
        rows.append((*video, *_figures(found, command_line, passes, windows)))
    return [f"| {' | '.join(row)} |" for row in rows]


def _steps(options: argparse.Namespace) -> int:
    """Steps of a run."""
    return options.steps or TABLES.get(options.family, InbetweenSampling()).steps


def _switched_passes(options: argparse.Namespace) -> Passes | None:
    """Passes of the UNet through a window with switches that change them; None without switches.

    Raises:
        UserError: a switch does not go with the family, or two of them do not go together.
    """
    sampling = InbetweenSampling(
        steps=_steps(options),
        schedule=options.schedule,
        guidance_from=options.guidance_from,
        guidance_until=options.guidance_until,
        cache_interval=options.cache,
    )
    if sampling == InbetweenSampling(steps=sampling.steps):  # without torch the table comes at once
        return None
    if table := TABLES.get(options.family):
        raise UserError(
            f"{table.name} has no --schedule, no interval of guidance, no --cache and no --fast: "
            "leave them out, or give another --family."
        )
    from ....sampling import check_cache_interval, check_guidance_interval
    from ...networks.levels import passes_of

    check_guidance_interval(sampling.guidance_from, sampling.guidance_until)
    check_cache_interval(sampling.cache_interval, sampling.steps)
    directions = NETWORKS[options.family].directions
    return passes_of(sampling.settings(num_frames=2, fps=1), directions=directions)


def _keyframes(options: argparse.Namespace) -> tuple[int, ...]:
    """Frames of more than two keyframes; none: the first and the last frame.

    Raises:
        UserError: no video has keyframes there, or the family paints between two alone.
    """
    if not options.at:
        return ()
    if options.family != FAMILIES[0]:
        raise UserError(f"{options.family} has no --at: leave it out, or give another --family.")
    from ....motion import check_keyframes  # needs torch, which a table does without

    return check_keyframes(options.at, max(options.at) + 1)


def _sizes(options: argparse.Namespace) -> list[tuple[int, int]]:
    """The sizes (height, width) of the table.

    Raises:
        UserError: the family can't have a side.
    """
    table = TABLES.get(options.family)
    allowed = table.size if table else SIZE
    for name, side in (("height", options.height), ("width", options.width)):
        if side is not None and side not in allowed:
            raise UserError(
                f"--{name} is {side}, but with {options.family} it must be a multiple of "
                f"{allowed.step}: use {' or '.join(map(str, allowed.around(side)))}."
            )
    if table:  # each size has a height and a width of its own
        sizes = {(options.height or h, options.width or w) for h, w in table.sizes}
        return sorted(sizes, key=lambda size: (size[0] * size[1], size), reverse=True)
    if options.width is None and options.height is None:
        return list(SIZES)
    default = InbetweenVideo()
    return [(options.height or default.height, options.width or default.width)]


def _videos(options: argparse.Namespace) -> list[tuple[int, int]]:
    """The lengths of the videos and of their windows in the table."""
    own = TABLES.get(options.family)
    videos = own.videos if own else VIDEOS
    at = _keyframes(options)
    if at and options.frames not in (None, at[-1] + 1):
        raise UserError(
            f"--frames is {options.frames}, but the last keyframe of --at is at frame {at[-1]}, "
            f"the last of {at[-1] + 1} frames: leave --frames out."
        )
    if options.frames is None and options.window is None and not at:
        return [
            (frames, window)
            for frames, window in videos
            if frames <= window or 1 <= options.overlap < window
        ]
    frames, window = videos[0]
    if own:  # samples all frames at once, unless ComfyUI is told to cut windows
        window = options.frames or frames
    return [(at[-1] + 1 if at else options.frames or frames, options.window or window)]


def _figures(found: Estimate, command_line: str, passes: Passes, windows: int) -> tuple[str, ...]:
    all_passes = f"{windows * (passes.whole + passes.shallow)}"
    return (
        _gb(found.whole),
        _gb(found.least),
        *(WORDS.get(found.fit(card * GB - RESERVED), "no") for card in CARDS),
        command_line,
        f"{relative_cost(found):.2f}",
        f"{all_passes} ({windows * passes.shallow})" if passes.shallow else all_passes,
        f"{relative_run(found, passes):.2f}",
    )


def _gb(count: int) -> str:
    return f"{count / GB:.1f}"


def _listed(values: tuple) -> str:
    return ", ".join(map(str, values))
