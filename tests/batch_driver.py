"""A driver in a process of its own, for tests that kill it: python batch_driver.py OUT JSON."""

import json
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(folder: str, settings: str) -> None:
    """Do tasks of `batch_work` with local processes; prints the summary.

    Args:
        folder: OUT.
        settings: JSON: `count` of tasks, `workers`, `ends_after` of the leases, `limits`, and
            `options` of all tasks.
    """
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from batch_cases import run, tasks

    from fcvg_core.batch.driver.drivers import driver_name
    from fcvg_core.batch.workers.local_engine import LocalEngine
    from fcvg_core.signals import signals_as_interrupts

    logging.basicConfig(level=logging.INFO)
    wanted = json.loads(settings)
    driver = driver_name()
    given = tasks(wanted["count"], **wanted.get("options", {}))
    with signals_as_interrupts():
        engine = LocalEngine(folder, workers=wanted["workers"], devices=[], owner=driver)
        summary = run(
            given,
            folder,
            engine,
            driver=driver,
            ends_after=wanted.get("ends_after", 60.0),
            **wanted.get("limits", {}),
        )
    print(summary)


if __name__ == "__main__":
    main(*sys.argv[1:])
