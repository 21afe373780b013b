"""The options of the command `batch`."""

import argparse
import re

from ...bounds import Bounds
from ..spec.values import PATH, ValueKind, whole
from .option_parser import Gather

WORKERS = Bounds(1, 4096)
RETRIES = Bounds(0, 100)
FAILURES = Bounds(1, 10**9)
LEASE = Bounds(5, 86_400)  # seconds; a driver writes its heartbeat six times in this time
MOST_SHARDS = 100_000
ANY_RAY = False  # --ray without an address; a text would be checked as one


def add_batch_options(parser: argparse.ArgumentParser, modes: tuple[str, ...]) -> None:
    """All options of the command.

    Args:
        modes: commands that can do a row of a manifest.
    """
    _add_files(parser.add_argument_group("files"), modes)
    _add_workers(parser.add_argument_group("workers"))
    _add_failures(parser.add_argument_group("failures and earlier runs"))
    _add_reports(parser.add_argument_group("reports"))


def _add_files(group: argparse._ArgumentGroup, modes: tuple[str, ...]) -> None:
    group.add_argument(
        "manifest",
        type=_TEXT,
        nargs="?",  # `batch --ray MANIFEST` has none: see `missing_manifest`
        metavar="MANIFEST",
        help="JSON lines or CSV with a row for each pair: id, first and last (or keyframes), and "
        "any option of the row's mode; or a folder of pairs, NAME/first.png and NAME/last.png; or "
        "a URL",
    )
    group.add_argument(
        "-o",
        "--output",
        type=_TEXT,
        required=True,
        metavar="OUT",
        help="folder or URL of the results: a new one, or that of an earlier run, which goes on",
    )
    group.add_argument(
        "--mode",
        choices=modes,
        default="inbetween",
        help="command that does the rows that name no mode (%(default)s)",
    )
    group.add_argument(
        "--set",
        action=Gather,
        default=[],
        type=_SETTING,
        metavar="NAME=VALUE",
        help="an option of all rows that do not have it, such as --set steps=10; it may come "
        "several times",
    )
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="only open every input and check every option; print all that is wrong",
    )


def _add_workers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers",
        type=whole(WORKERS),
        metavar="N",
        help="processes that do pairs; by default one a GPU, or one on a CPU",
    )
    group.add_argument(
        "--ray",
        nargs="?",
        const=ANY_RAY,
        type=_TEXT,
        metavar="ADDRESS",
        help="let Ray's actors do the pairs, on the cluster at ADDRESS (HOST:PORT); without an "
        "address RAY_ADDRESS, or the cluster that this machine belongs to, or this machine alone. "
        "Write it after MANIFEST",
    )
    group.add_argument(
        "--shard",
        type=_SHARD,
        metavar="I/N",
        help="do only the I-th of N parts, I from 1 to N or from 0 to N-1: for schedulers that "
        "start N processes",
    )
    group.add_argument(
        "--lease",
        type=whole(LEASE),
        default=60,
        metavar="SECONDS",
        help="how long another run on OUT may give no sign of life before this one does its pairs "
        "(%(default)s)",
    )


def _add_failures(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--retries",
        type=whole(RETRIES),
        default=2,
        metavar="N",
        help="how often a pair is tried again after a fault of the machine (%(default)s)",
    )
    group.add_argument(
        "--max-failures",
        type=whole(FAILURES),
        metavar="N",
        help="stop when N pairs have failed; by default the others are done",
    )
    group.add_argument(
        "--retry-failed",
        action="store_true",
        help="try the pairs again that failed in an earlier run",
    )
    group.add_argument(
        "--changed",
        action="store_true",
        help="make pairs whose options or inputs have changed since an earlier run again, beside "
        "the earlier results",
    )


def _add_reports(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--metrics",
        type=PATH,
        metavar="FILE",
        help="write counts and pace to this file every ten seconds, for Prometheus",
    )
    group.add_argument(
        "--no-report", action="store_true", help="do not write report.html at the end"
    )


def missing_manifest(ray: str | bool | None) -> str:
    """The message if no manifest is given.

    Args:
        ray: the address of --ray.
    """
    taken = f" ({ray} is the address of --ray: write --ray last)" if ray else ""
    return f"A manifest is needed{taken}: python -m fcvg_core batch MANIFEST -o OUT"


def _text(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError(text)
    return text


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        raise ValueError(text)
    return name, value


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    part, parts = map(int, found.groups()) if found else (1, 0)
    if not 1 <= parts <= MOST_SHARDS or part > parts:
        raise ValueError(text)
    return part % parts, parts


_TEXT = ValueKind("a path or a URL", _text)
_SETTING = ValueKind("NAME=VALUE, such as steps=10", _setting)
_SHARD = ValueKind(f"I/N, such as 3/8, with N from 1 to {MOST_SHARDS}", _shard)
