"""One page that shows all results of a batch: counts, failures with messages, a strip of each."""

import io
import re
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from hashlib import sha256
from html import escape
from itertools import chain, islice
from typing import Any, BinaryIO
from urllib.parse import quote

from ...files.writing import write_aside
from ...quoting import readable
from ..store.layout import REPORT, RESULTS, split_name
from ..store.records import failed_names, failed_path, parse_record
from ..types import DONE, FAILED, Store
from .progress import in_time
from .report_page import FOOT, HEAD, REST, SCRIPT, STYLE, TOOLS

STRIP = "strip.jpg"
MOST_STRIPS = 10_000  # a browser still opens a page with so many
MOST_ROWS = 100_000
LARGEST_STRIP = 100_000  # bytes
JPEG = b"\xff\xd8\xff"
PLAIN_ROWS = 200  # that are seen without the script
AT_ONCE = 64  # rows that are read together
READERS = 8  # threads; reading from a bucket is mostly waiting
TIMES = 400  # bytes kept free for times, which are known at the end


def write_report(store: Store, *, left: int, notes: Sequence[str] = ()) -> str:
    """Write report.html: one file without any other, from which no request goes out.

    The page has every result and every failure of the folder, failures first, 100,000 at most.
    Beyond 10,000 results a strip is linked instead of shown. Memory does not grow with the batch.

    Args:
        left: pairs that are neither done nor failed.
        notes: sentences that stand above the results: why the batch has stopped, for example.

    Returns:
        Path or URL of the page.

    Raises:
        UserError: the page can't be written.
    """
    folder = getattr(store, "folder", None)
    if folder is not None:
        with write_aside(folder / REPORT) as part, part.open("wb") as page:
            _write(page, store, left, notes)
        return str(folder / REPORT)
    with tempfile.TemporaryFile() as page:
        _write(page, store, left, notes)
        page.seek(0)
        store.write(REPORT, page.read())
    return f"{store.address}/{REPORT}"


def _write(page: BinaryIO, store: Store, left: int, notes: Sequence[str]) -> None:
    done = sorted(store.done(), key=_natural)
    finished = set(done)
    failed = sorted(failed_names(store) - finished, key=_natural)
    count = len(done) + len(failed)
    if count > MOST_ROWS:
        more = f"Only {MOST_ROWS:,} of {count:,} pairs are shown. runs.jsonl lists all of them."
        notes = [*notes, more]
    page.write(_head(store, len(done), len(failed), left))
    times_at = page.tell()
    page.write(b" " * TIMES)
    page.write(_filled(TOOLS, notes="".join(f'<p class="note">{_text(x)}</p>\n' for x in notes)))
    rows = islice(_rows(store, done, failed), MOST_ROWS)
    seconds = [0.0, 0]
    for place, (row, took) in enumerate(rows):
        if place == PLAIN_ROWS:
            page.write(REST.encode())
        page.write(row)
        seconds = [seconds[0] + took, seconds[1] + 1] if took else seconds
    if count <= PLAIN_ROWS:
        page.write(b"</ol>\n<template>\n")
    page.write(_filled(FOOT, script=SCRIPT))
    page.seek(times_at)
    page.write(_times(*seconds))


def _head(store: Store, done: int, failed: int, left: int) -> bytes:
    now = datetime.now(timezone.utc)
    return _filled(
        HEAD,
        subtitle=f"{_text(store.address)}, as of {_moment(now.isoformat())}",
        style=STYLE,
        style_mark=_mark(STYLE),
        script_mark=_mark(SCRIPT),
        done=f"{done:,}",
        failed=f"{failed:,}",
        left=f"{left:,}",
    )


def _times(seconds: float, count: int) -> bytes:
    if not count:
        return b""
    facts = {"mean time of a pair": _took(seconds / count), "time of all pairs": _took(seconds)}
    return "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts.items()).encode()


def _rows(
    store: Store, done: Sequence[str], failed: Sequence[str]
) -> Iterator[tuple[bytes, float]]:
    """The rows of all pairs, each with the seconds that its result took (0 for a failure)."""

    def read(job: tuple[str, str, bool]) -> tuple[bytes, float]:
        name, state, with_strip = job
        if state == FAILED:
            return _failed_row(name, parse_record(store.read(failed_path(name))) or {}), 0.0
        record = store.record(name) or {}
        strip = _strip(store, name) if with_strip else None
        return _done_row(name, record, strip), _number(record.get("seconds"))

    jobs = chain(
        ((name, FAILED, False) for name in failed),
        ((name, DONE, place < MOST_STRIPS) for place, name in enumerate(done)),
    )
    with ThreadPoolExecutor(READERS) as pool:
        while some := list(islice(jobs, AT_ONCE)):
            yield from pool.map(read, some)


def _strip(store: Store, name: str) -> bytes | None:
    content = store.read(f"{RESULTS}/{name}/{STRIP}")
    fits = content is not None and content.startswith(JPEG) and len(content) <= LARGEST_STRIP
    return content if fits else None


def _failed_row(name: str, record: dict[str, Any]) -> bytes:
    attempts = record.get("attempts")
    facts = (
        _took(record.get("seconds")),
        f"{attempts} attempts" if _number(attempts) > 1 else "",
        _worker(record),
        _moment(record.get("time")),
    )
    row = _opened(name, FAILED, record, record.get("time"), facts)
    row.write(f'<p class="error">{_text(record.get("error", "Its record is not readable."))}</p>')
    if record.get("traceback"):
        row.write("<details><summary>traceback</summary>")
        row.write(f"<pre>{_text(record['traceback'])}</pre></details>")
    row.write("</li>\n")
    return row.getvalue().encode()


def _done_row(name: str, record: dict[str, Any], strip: bytes | None) -> bytes:
    files = record.get("files")
    files = files if isinstance(files, dict) else {}
    folder = f"{RESULTS}/{quote(name)}/"
    video = next((x for x in files if isinstance(x, str) and x.endswith(".mp4")), "")
    seed = record.get("seed")
    facts = (
        _text(record.get("mode", "")),
        _took(record.get("seconds")),
        f"seed {_text(seed)}" if seed is not None else "",
        _worker(record),
        _moment(record.get("finished")),
        f'<a href="{folder}{quote(video)}">{_text(video)}</a>' if video else "",
        f'<a href="{folder}{STRIP}">{STRIP}</a>' if STRIP in files and not strip else "",
    )
    row = _opened(name, DONE, record, record.get("finished"), facts)
    options = record.get("options")
    prompt = options.get("prompt") if isinstance(options, dict) else None
    if prompt:
        row.write(f'<p class="prompt">{_text(prompt)}</p>')
    if strip:
        data = b64encode(strip).decode()
        alt = f"frames of {_text(_id(name, record))}"
        picture = f'<img alt="{alt}" decoding="async" src="data:image/jpeg;base64,{data}">'
        row.write(f'<a href="{folder}{quote(video)}">{picture}</a>')
    row.write("</li>\n")
    return row.getvalue().encode()


def _opened(
    name: str, state: str, record: dict[str, Any], time: Any, facts: Iterable[str]
) -> io.StringIO:
    """A row with its head and its facts; it is not closed yet."""
    row = io.StringIO()
    row.write(f'<li class="{state}" data-time="{_text(time or "")}"')
    row.write(f' data-seconds="{_number(record.get("seconds")):g}"><div class="head"><h2>')
    title = _text(_id(name, record))
    row.write(f'<a href="{RESULTS}/{quote(name)}/">{title}</a>' if state == DONE else title)
    row.write(f'</h2><span class="state">{state}</span></div>')
    row.write(f'<p class="facts">{" &middot; ".join(filter(None, facts))}</p>')
    return row


def _id(name: str, record: dict[str, Any]) -> str:
    return str(record.get("id") or split_name(name)[0])


def _worker(record: dict[str, Any]) -> str:
    return f"worker {_text(record['worker'])}" if record.get("worker") else ""


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _took(seconds: Any) -> str:
    seconds = _number(seconds)
    if not seconds:
        return ""
    return f"{seconds:.1f} s" if seconds < 60 else in_time(seconds)


def _moment(time: Any) -> str:
    """A time in ISO's form, as a reader likes it: "2026-05-01 14:03 UTC"."""
    try:
        moment = datetime.fromisoformat(str(time).replace("Z", "+00:00"))
    except ValueError:
        return ""
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _text(value: Any) -> str:
    """Text that is text in a page too, whatever it holds."""
    return escape(readable(str(value)))


def _filled(template: str, **texts: str) -> bytes:
    return template.format(**texts).encode()


def _mark(text: str) -> str:
    """How the rules of the page name the one script, or the one style, that they allow."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _natural(name: str) -> str:
    """Sorts numbers in names by their value."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(20), name)
