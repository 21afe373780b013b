"""`python -m recipes.tiny OUTPUT`: makes a tiny model and says whether it may be shipped."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path


def main(given: Sequence[str] | None = None) -> int:
    """Run the recipe.

    Returns:
        The exit code: 0 if the model may be shipped, 1 if not, 2 for what the user can mend, 128
        and more after a signal.
    """
    options = _parser().parse_args(given)
    from fcvg_core.errors import UserError
    from fcvg_core.signals import Interrupted, signals_as_interrupts
    from fcvg_core.training.config import TrainingMachine

    from .plan import Plan, small_plan, spare_cores
    from .recipe import make_tiny_model

    workers = spare_cores() if options.workers is None else options.workers
    common = {
        "workers": workers,
        "seed": options.seed,
        "machine": TrainingMachine(device=options.device, dtype=options.dtype),
    }
    plan = small_plan(**common) if options.small else Plan(**common)
    if options.minutes:
        plan = replace(plan, seconds=60 * options.minutes)
    if options.clips:
        plan = replace(plan, clips=options.clips)
    try:
        with signals_as_interrupts(to_the_end=True):
            make_tiny_model(plan, options.output, _say)
    except Interrupted as stop:
        _say(f"{stop} There is no model yet.")
        return stop.exit_code
    except UserError as error:
        _say(f"error: {error}")
        return 2
    verdict = json.loads((options.output / "verdict.json").read_text(encoding="utf-8"))
    _say(f"{options.output / 'model'}: {verdict['bytes'] / 1e6:.1f} MB")
    for fault in verdict["faults"]:
        _say(f"may not be shipped: {fault}")
    return 0 if verdict["shipped"] else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _above(least: int, kind: type) -> Callable[[str], float]:
    """A reader of an option's number."""

    def number(text: str) -> float:
        if not least < kind(text) < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is not above {least}")
        return kind(text)

    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recipes.tiny", description=__doc__)
    parser.add_argument("output", type=Path, help="folder that is made")
    parser.add_argument("--small", action="store_true", help="minutes on a CPU, for a trial")
    parser.add_argument(
        "--minutes", type=_above(0, float), help="of the whole run (8; --small: no limit)"
    )
    parser.add_argument("--clips", type=_above(0, int), help="to draw at most")
    parser.add_argument(
        "--workers", type=_above(-1, int), help="processes that draw (all cores but 2)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")
    parser.add_argument("--dtype", default="auto", help="auto, bf16 or fp32")
    parser.add_argument("--seed", type=int, default=0, help="of all chance but the clips'")
    return parser


if __name__ == "__main__":
    sys.exit(main())
