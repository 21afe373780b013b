"""All tests: those without a host once, those in a real ComfyUI for every host that is found.

The newest host gets them all, in three suites, each older one those that are marked as a `seam`.
Suites run side by side, as many as there are cores, but two at most; each prints its whole output
when it has ended.
`--quick` leaves out what is marked as `slow` and asks the newest host alone; the registry's tools,
which are installed at the first whole run, it takes where they are.
`--coverage` runs the core's own suite alone, and prints the lines and branches of `fcvg_core` that
it did not reach; programs that its tests start are not measured. It takes half as long again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import registry_tools
from hosts import ROOT, clone_host, find_hosts, install_requirements, version

HOST_TESTS = "tests/nodes"
SIDE_BY_SIDE = min(2, os.cpu_count() or 1)
# Minutes on two cores that do nothing else. All tests, with three hosts and everything that CI
# sets, took 68.
BUDGET, QUICK_BUDGET = 72, 5
SLOWEST = 20
# Suites of the newest host, longest first, so that two cores have as much to do.
PARTS = (
    ("servers", "server and not sampling"),
    ("the rest", "not sampling and not server"),
    ("sampling", "sampling"),
)
printing = threading.Lock()


@dataclass
class Suite:
    """One run of pytest, and what came of it."""

    name: str
    arguments: list[str]
    host: Path | None = None
    code: int = 1
    seconds: float = 0.0
    cpu: float | None = None  # None where the system does not say it of one program
    measured: bool = False  # which lines and branches it reaches
    coverage: str = ""  # a table of what it did not reach
    tests: list[tuple[float, str]] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="in under five minutes")
    parser.add_argument("--coverage", action="store_true", help="what the core's suite reaches")
    chosen = parser.parse_args()
    sys.stdout.reconfigure(errors="replace")  # for terminals that do not know every letter
    if chosen.coverage:
        return measure()
    quick = chosen.quick
    hosts = find_hosts()
    reason = None if hosts else clone_host()
    hosts = hosts or find_hosts()
    for host in hosts[-1:] if quick else hosts:
        install_requirements(host)
    no_tools = None if quick else registry_tools.install()
    suites = plan(hosts, quick)
    begun = time.monotonic()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(run, suites))
    report(suites, time.monotonic() - begun, QUICK_BUDGET if quick else BUDGET)
    if not hosts:
        print(
            f"\nSKIPPED: {count_host_tests()} TESTS THAT NEED COMFYUI. NONE WAS FOUND AND "
            f"{reason.upper()}. SET COMFYUI_PATH TO ONE."
        )
    if no_tools:
        print(
            f"\nSKIPPED: WHAT THE REGISTRY'S TOOLS SAY OF THE PACK. THEY CAN'T BE INSTALLED: "
            f"{no_tools.upper()}"
        )
    return max(suite.code for suite in suites)


def measure() -> int:
    """The core's suite, and what it does not reach."""
    (core,) = plan([], quick=False)
    core.measured = True
    run(core)
    report([core], core.seconds, BUDGET)
    return core.code


def plan(hosts: list[Path], quick: bool) -> list[Suite]:
    """The suites, longest first: two cores are best filled so."""
    arguments = ["tests", f"--ignore={HOST_TESTS}", *(["-m", "not slow"] * quick)]
    core = Suite("core", arguments)
    if not hosts:
        return [core]
    *older, newest = hosts
    if quick:
        return [core, _in_host(newest, "its seam", "seam and not slow")]
    *long, short = (_in_host(newest, part, marks) for part, marks in PARTS)
    return [core, *long, *(_in_host(host, "its seam", "seam") for host in older), short]


def _in_host(host: Path, part: str, marks: str) -> Suite:
    """The tests of a host that have certain marks."""
    return Suite(f"ComfyUI {version(host)}, {part}", [HOST_TESTS, "-m", marks], host)


def run(suite: Suite) -> None:
    """Run one suite in a process of its own; print what it says when it has ended."""
    where = f" at {suite.host}" if suite.host else ""
    say(f"begun: {suite.name}{where}")
    with tempfile.TemporaryDirectory() as folder:
        result, reached = Path(folder) / "result.xml", Path(folder) / "coverage"
        measure = ["-m", "coverage", "run", f"--data-file={reached}"] * suite.measured
        command = [sys.executable, *measure, "-m", "pytest", "-q", "-ra", f"--junitxml={result}"]
        begun = time.monotonic()
        with open(Path(folder) / "output", "w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(
                [*command, *suite.arguments],
                cwd=ROOT,
                env=environment(suite.host),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            suite.code, suite.cpu = wait(process)
            suite.seconds = time.monotonic() - begun
            output.seek(0)
            say(f"\n=== {suite.name}{where}\n{output.read()}")
        suite.tests = durations(result, suite.name)
        suite.coverage = table(reached) if suite.measured else ""


def environment(host: Path | None) -> dict[str, str]:
    """Of a suite's process."""
    # The models are tiny: threads that wait for each other cost ten times what they save.
    env = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONIOENCODING": "utf-8"}
    env.pop("COMFYUI_PATH", None)
    return env if host is None else {**env, "COMFYUI_PATH": str(host)}


def wait(process: subprocess.Popen) -> tuple[int, float | None]:
    """Exit code of a process, and seconds of computing of it and its children."""
    if not hasattr(os, "wait4"):  # Windows
        return process.wait(), None
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def durations(result: Path, suite: str) -> list[tuple[float, str]]:
    """Seconds and name of every test, its fixtures included; none where pytest did not end."""
    if not result.exists():
        return []
    cases = ElementTree.parse(result).iter("testcase")
    return [
        (float(case.get("time")), f"{case.get('classname')}::{case.get('name')} ({suite})")
        for case in cases
    ]


def table(reached: Path) -> str:
    """The files of which not all lines and branches were reached; what coverage says otherwise."""
    command = [sys.executable, "-m", "coverage", "report", f"--data-file={reached}"]
    done = subprocess.run(command, cwd=ROOT, env=environment(None), capture_output=True, text=True)
    return done.stdout + done.stderr


def report(suites: list[Suite], seconds: float, budget: int) -> None:
    """The slowest tests, each suite's time, and whether all of it stayed within the budget."""
    print(f"\nThe {SLOWEST} slowest tests, in seconds:")
    for time_taken, name in sorted((x for s in suites for x in s.tests), reverse=True)[:SLOWEST]:
        print(f"{time_taken:8.1f}  {name}")
    print("\nsuite: tests, minutes, minutes of computing")
    for suite in suites:
        state = "" if suite.code == 0 else "   FAILED"
        print(
            f"  {suite.name}: {len(suite.tests)}, {minutes(suite.seconds)}, "
            f"{minutes(suite.cpu)}{state}"
        )
    print(f"All of it took {minutes(seconds)} minutes; the budget on two quiet cores is {budget}.")
    if seconds > 60 * budget:
        over = minutes(seconds - 60 * budget)
        print(f"\n*** OVER BUDGET BY {over} MINUTES: MAKE A SLOW TEST ABOVE FASTER. ***")
        computed = sum(suite.cpu or 0 for suite in suites) / SIDE_BY_SIDE
        if 0 < computed < 45 * budget:
            print(
                f"Perhaps the machine did something else: two cores had {minutes(computed)} "
                "minutes of work each."
            )
    for suite in suites:
        if suite.coverage:
            print(f"\nWhat the suite {suite.name} does not reach:\n{suite.coverage}")


def minutes(seconds: float | None) -> str:
    """2:05; a dash for what is not known."""
    return "-" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def say(text: str) -> None:
    """Print as one piece, though other suites run."""
    with printing:
        print(text, flush=True)


def count_host_tests() -> int:
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", HOST_TESTS]
    out = subprocess.run(
        command, cwd=ROOT, env=environment(None), capture_output=True, text=True
    ).stdout
    return sum("::" in line for line in out.splitlines())


if __name__ == "__main__":
    sys.exit(main())
