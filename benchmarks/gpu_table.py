"""The table at the end: speed of each run against the reference's way, aims, and losses."""

from gpu_losses import find_losses
from gpu_parts import ANIMATE, INBETWEEN

STEPS = 25  # of the run that all ways are compared with
GB = 2**30
NATIVE, HEADLESS = "ComfyUI", "without ComfyUI"
REFERENCE, STRICT = "headless: the reference's way", "headless: the reference's way without TF32"
NOTES = ("no_fp8", "no_kernels", "not_compiled", "advice", "outcome")
PROFILE = ("pass_s", "groups_s", "kernels", "no_kernels")
EXACT_AIM, FAST_AIM, SHARE_AIM = 6.0, 18.0, 0.55
SMALL = f"little memory, bf16: {INBETWEEN} in 8 GB"
PLAIN_BF16, PLAIN_FP16 = f"default, bf16: {INBETWEEN}", f"default, fp16: {INBETWEEN}"

# Name in the table -> part, and the number format that it computes in.
RUNS = {
    f"{NATIVE}, bf16": (PLAIN_BF16, "bf16"),
    f"{NATIVE}, fp16": (PLAIN_FP16, "fp16"),
    f"{NATIVE}, fp8 weights": (f"{PLAIN_BF16} in fp8", "bf16"),
    f"{NATIVE}, --lowvram": (f"lowvram, bf16: {INBETWEEN}", "bf16"),
    f"{NATIVE}, no dynamic VRAM": (f"no dynamic VRAM, bf16: {INBETWEEN}", "bf16"),
    f"{NATIVE}, 12 GB": (f"little memory, bf16: {INBETWEEN} in 12 GB", "bf16"),
    f"{NATIVE}, 8 GB": (SMALL, "bf16"),
    f"{NATIVE}, AYS 10 steps": ("default, bf16: AYS", "bf16"),
    f"{NATIVE}, AYS and interval": ("default, bf16: AYS and interval", "bf16"),
    f"{NATIVE}, AYS and SVD Cache": ("default, bf16: AYS and cache", "bf16"),
    f"{NATIVE}, fast": ("default, bf16: fast", "bf16"),
    f"{HEADLESS}, bf16": ("headless: bf16", "bf16"),
    f"{HEADLESS}, fp16": ("headless: fp16", "fp16"),
    f"{HEADLESS}, --fast": ("headless: fast", "bf16"),
    "the reference's way": (REFERENCE, "fp32"),
    "the reference's way, no TF32": (STRICT, "fp32"),
    f"ControlNeXt-SVD, {NATIVE}, bf16": (f"default, bf16: {ANIMATE}", "bf16"),
}


def make_table(records: list[dict], size) -> dict:
    """What the parts have found, side by side; what was not measured is left out.

    Args:
        records: of the report.
        size: `Size` of the videos.
    """
    parts = {record["part"]: record for record in records if record["status"] == "ok"}
    rates = parts.get("chip: matrix rate", {}).get("rates", {})
    runs = {}
    for name, (part, dtype) in RUNS.items():
        if "step_s" in (found := parts.get(part, {})):
            runs[name] = _row(part, parts, found, dtype, rates, size)
    for name, reference in (("ratio", REFERENCE), ("ratio_strict", STRICT)):
        base = parts.get(reference)
        for row in runs.values():
            if base is not None and not row["animates"]:
                row[name] = (STEPS * base["step_s"] + base["decode_s"]) / row["clip_s"]
    counted = parts.get("chip: operations of a pass", {})
    profile = parts.get("kernels: profile of a pass", {})
    return {
        "rates": rates,
        "pass": counted.get("operations"),
        "runs": runs,
        "aims": _aims(runs, parts),
        "losses": find_losses(profile, counted.get("kinds", {}), rates.get("bf16")),
        "profile": {key: profile[key] for key in PROFILE if key in profile},
        "notes": _notes(parts),
        "ways": _ways(parts),
        "attention": parts.get("kernels: attention", {}).get("attention_s", {}),
        "decoding": parts.get("default, bf16: decoding", {}).get("chunks_s", {}),
        "conditions": {
            name.removeprefix("conditions: "): _numbers(found)
            for name, found in parts.items()
            if name.startswith("conditions: ") and not name.endswith("start")
        },
    }


def _row(part: str, parts: dict, found: dict, dtype: str, rates: dict, size) -> dict:
    """A row of a run.

    Its clip has 25 steps, computed from the few that were measured, or the fewer steps of a way
    that was measured as a whole.
    """
    row = {
        "step_s": found["step_s"],
        "memory": found.get("vram") or found.get("reserved"),
        "animates": ANIMATE in part,
    }
    # A way saves its latents alone; decoding takes as long as after the plain way.
    decoding = found.get("decode_s") or parts.get(PLAIN_BF16, {}).get("decode_s") or 0.0
    if "passes" in found:  # a way that was measured as a whole
        row |= {name: found[name] for name in ("passes", "whole_passes")}
        return {**row, "clip_s": found["sampler_s"] + decoding}
    # A graph that runs again moves no weights, so the rest of its sampling is encoding alone.
    warm = parts.get(f"{part} again", found)
    step = row["step_s"] = min(warm["step_s"], found["step_s"])
    rest = max((warm.get("sampler_s") or 0.0) - warm["steps"] * step, 0.0)
    if dtype in rates:
        row["share"] = _operations(size, dtype, animates=row["animates"]) / step / rates[dtype]
    return {**row, "clip_s": STEPS * step + rest + decoding}


def _operations(size, dtype: str, *, animates: bool) -> float:
    """Operations of a step, with both halves of guidance."""
    from fcvg_core.estimate import CONTROLNEXT_SVD, FCVG, estimate

    networks = CONTROLNEXT_SVD if animates else FCVG
    pixels, frames = (size.height, size.width), size.num_frames
    found = estimate(pixels, frames, frames, dtype, overlap=0, networks=networks)
    return found.cost(found.all_passes(1))


def _aims(runs: dict, parts: dict) -> list[dict]:
    """What was wanted, and what was found; None where it was not measured."""
    aims = []
    for face, fast in ((NATIVE, "fast"), (HEADLESS, "--fast")):
        exact = runs.get(f"{face}, bf16", {})
        aims += [
            _aim(f"{face}: 25 steps, against the reference", EXACT_AIM, exact.get("ratio")),
            _aim(
                f"{face}: {fast}, against the reference",
                FAST_AIM,
                runs.get(f"{face}, {fast}", {}).get("ratio"),
            ),
            _aim(f"{face}: share of the matrix rate", SHARE_AIM, exact.get("share")),
        ]
    aims.append(_aim("the clip in 8 GB", 1.0, 1.0 if SMALL in parts else None))
    return aims


def _aim(what: str, wanted: float, found: float | None) -> dict:
    return {
        "aim": what,
        "wanted": wanted,
        "found": found,
        "met": None if found is None else found >= wanted,
    }


def _notes(parts: dict) -> list[str]:
    """What a part could not measure, and what a node said of too little memory."""
    found = []
    for name, part in parts.items():
        texts = {key: part[key] for key in NOTES if part.get(key)}
        texts |= {f"not here, {way}": why for way, why in part.get("not_here", {}).items()}
        found += [f"{name}: {key.replace('_', ' ')}: {text}" for key, text in texts.items()]
    return found


def _ways(parts: dict) -> dict[str, float]:
    """Seconds of a pass by how it is computed, and of a block."""
    found = {}
    for part, what in (("layouts", ""), ("compiled UNet", "UNet, "), ("compiled block", "block, ")):
        ways = parts.get(f"kernels: {part}", {}).get("ways_s", {})
        found |= {f"{what}{name}": seconds for name, seconds in ways.items()}
    return found


def _numbers(found: dict) -> dict:
    """What a part has found, without what all parts have."""
    return {key: x for key, x in found.items() if key not in ("part", "status", "seconds", "log")}


def format_table(table: dict) -> list[str]:
    """Lines of text, without those of what was not measured."""
    return [
        *_format_chip(table),
        *_format_runs(table["runs"]),
        *_format_aims(table["aims"]),
        *_format_profile(table),
        *_format_rest(table),
        *(f"note: {note}" for note in table["notes"]),
    ]


def _format_chip(table: dict) -> list[str]:
    rates = ", ".join(f"{name} {rate / 1e12:.3g}" for name, rate in table["rates"].items())
    lines = [f"Matrix rate in TFLOP a second: {rates}"] if rates else []
    if table["pass"]:
        lines.append(f"A pass of the UNet: {table['pass'] / 1e12:.3g} TFLOP")
    return lines


def _format_runs(runs: dict) -> list[str]:
    if not runs:
        return []
    heads = ("s a step", "s a clip", "x ref", "x no TF32", "share", "passes", "memory GB")
    lines = [f"{'run':<36}" + "".join(f"{head:>11}" for head in heads)]
    for name, row in runs.items():
        passes = f"{row['passes']}, {row['whole_passes']}" if "passes" in row else None
        memory = row["memory"] and row["memory"] / GB
        share = row.get("share") and f"{row['share']:.0%}"
        ratios = (row.get("ratio"), row.get("ratio_strict"))
        cells = (row["step_s"], row["clip_s"], *ratios, share, passes, memory)
        lines.append(f"{name:<36}" + "".join(f"{_cell(cell):>11}" for cell in cells))
    return [
        *lines,
        "s a clip: sampling and decoding. x ref: how many times as fast as the reference's way; "
        "passes: all of them, and those that are whole",
    ]


def _cell(value) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.2f}"


def _format_aims(aims: list[dict]) -> list[str]:
    words = {True: "met", False: "missed", None: "not measured"}
    return [
        f"aim {aim['wanted']:<5g} {aim['aim']:<62} {_cell(aim['found']):>6}  {words[aim['met']]}"
        for aim in aims
    ]


def _format_profile(table: dict) -> list[str]:
    profile = table["profile"]
    if not profile:
        return []
    groups = ", ".join(f"{n} {s * 1e3:.1f}" for n, s in profile["groups_s"].items())
    share = ""
    if table["pass"] and "bf16" in table["rates"]:
        rate = table["pass"] / profile["pass_s"] / table["rates"]["bf16"]
        share = f", {rate:.0%} of the matrix rate"
    head = f"A pass takes {profile['pass_s'] * 1e3:.1f} ms{share}"
    lines = [f"{head}; by operation, in ms: {groups}"]
    for kernel in profile["kernels"]:
        lines.append(
            f"  {kernel['seconds'] * 1e3:9.2f} ms {kernel['calls']:6d} x  {kernel['name']}"
        )
    for loss in table["losses"]:
        lines.append(f"loss: {loss['what']}, {loss['seconds'] * 1e3:.1f} ms of a pass")
    return lines


def _format_rest(table: dict) -> list[str]:
    lines = [f"pass, {name:<40} {s * 1e3:9.2f} ms" for name, s in table["ways"].items()]
    for way, layers in table["attention"].items():
        shown = ", ".join(f"{name} {s * 1e3:.2f}" for name, s in layers.items())
        lines.append(f"attention of a pass, {way}, in ms: {shown}")
    if table["decoding"]:
        shown = ", ".join(f"{chunk}: {s:.2f}" for chunk, s in table["decoding"].items())
        lines.append(f"decoding, seconds by frames in a chunk: {shown}")
    for name, found in table["conditions"].items():
        shown = ", ".join(f"{key} {_precise(value)}" for key, value in found.items())
        lines.append(f"{name}: {shown}")
    return lines


def _precise(value) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
