"""Prints the result of each part and writes it to a file as a line of JSON."""

import json
from pathlib import Path

from gpu_table import format_table

OK, FAILED, SKIPPED = "ok", "failed", "skipped"


class Report:
    """Results of the parts, in the order in which they ended; an old file is overwritten."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", "utf-8")
        self._path = path
        self.parts: dict[str, list[str]] = {OK: [], FAILED: [], SKIPPED: []}
        self.machine: dict = {}
        self.records: list[dict] = []

    def head(self, **facts) -> None:
        """Print and write facts about the machine and the sizes."""
        print(", ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
        self.machine = facts
        self._append(facts)

    def add(self, part: str, status: str, *, seconds: float = 0.0, why: str = "", **facts) -> None:
        """Print and write the result of a part.

        Args:
            part: name of the part.
            status: OK, FAILED or SKIPPED.
            seconds: time that the part took.
            why: reason why the part failed or was skipped.
            facts: times (names end in _s), `vram` in bytes or None, its `estimate` in bytes, `log`
                (lines of the log).
        """
        self.parts[status].append(part)
        record = {"part": part, "status": status, "seconds": round(seconds, 2)}
        self.records.append({**record, **({"why": why} if why else {}), **facts})
        self._append(self.records[-1])
        if status == SKIPPED:
            print(f"skipped  {part}: {why}", flush=True)
            return
        print(f"{status:<8} {part:<50} {seconds:6.1f} s  {_figures(facts)}".rstrip())
        for line in why.splitlines() + [line for line in facts.get("log", []) if line not in why]:
            print(f"           {line}")
        print(end="", flush=True)

    def foot(self, table: dict) -> None:
        """Print the table, how many parts succeeded, failed and were skipped, and which failed.

        Args:
            table: from `make_table`; it is also written to gpu.json, with all results.
        """
        found = {"machine": self.machine, "table": table, "parts": self.records}
        self._path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        print("\n" + "\n".join(format_table(table)) + "\n")
        count = {status: len(parts) for status, parts in self.parts.items()}
        print(f"{count[OK]} parts succeeded, {count[FAILED]} failed, {count[SKIPPED]} were skipped")
        for part in self.parts[FAILED]:
            print(f"failed   {part}")
        print(end="", flush=True)

    def _append(self, record: dict) -> None:
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _figures(facts: dict) -> str:
    """Times and memory: "step 1.7 s, sampler 6.2 s, VRAM 11.20 GB, estimate 11.90 GB"."""
    figures = [
        f"{name[:-2]} {value:.2f} s"
        for name, value in facts.items()
        if name.endswith("_s") and isinstance(value, float)
    ]
    if "vram" in facts:
        vram = facts["vram"]
        figures.append("VRAM none" if vram is None else f"VRAM {vram / 2**30:.2f} GB")
    if "estimate" in facts:
        figures.append(f"estimate {facts['estimate'] / 2**30:.2f} GB")
    return ", ".join(figures)
