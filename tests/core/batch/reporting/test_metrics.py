"""The metrics of a batch, read as Prometheus reads them."""

import re

import pytest

from fcvg_core.batch.counts import Counts
from fcvg_core.batch.reporting.metrics import EVERY, MetricsFile, metrics_text
from fcvg_core.batch.reporting.progress import Pace
from fcvg_core.errors import UserError

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([a-zA-Z_]+)="([^"\\\n]*)"\})? (\S+)')


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def counts(done: int, failed: int = 0):
    """Of ten pairs; one more was done before."""
    left = 10 - done - failed
    return Counts(total=11, done=done, failed=failed, left=left, running=2, workers=2, found=1)


def samples(text: str) -> dict[str, float]:
    """Every sample; each metric has its HELP and TYPE lines just before it, once."""
    found, declared = {}, []
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("#"):
            kind, name = re.fullmatch(r"# (HELP|TYPE) (\w+) .+", line).groups()
            declared += [name] * (kind == "TYPE")
            continue
        name, _, label, value = SAMPLE.fullmatch(line).groups()
        assert declared[-1] == name
        found[f"{name}:{label}" if label else name] = float(value)
    assert len(set(declared)) == len(declared)
    return found


def test_all_samples():
    clock = Clock()
    pace = Pace(clock)
    clock.now = 60
    pace.note(4)
    found = samples(metrics_text(counts(3, 1), pace, running=True))
    assert found == {
        "fcvg_batch_pairs:done": 4,
        "fcvg_batch_pairs:failed": 1,
        "fcvg_batch_pairs:left": 6,
        "fcvg_batch_pairs_running": 2,
        "fcvg_batch_pairs_found_done": 1,
        "fcvg_batch_workers": 2,
        "fcvg_batch_pairs_per_hour": 240,
        "fcvg_batch_run_seconds": 60,
        "fcvg_batch_left_seconds": 90,
        "fcvg_batch_up": 1,
    }


def test_what_is_not_known_yet_is_left_out():
    found = samples(metrics_text(counts(0), Pace(Clock()), running=True))
    assert "fcvg_batch_pairs_per_hour" not in found and "fcvg_batch_left_seconds" not in found


def test_the_file_is_renewed_every_ten_seconds_and_at_the_end(tmp_path):
    clock, path = Clock(), tmp_path / "fcvg.prom"
    with MetricsFile(path, Pace(clock), clock=clock) as metrics:
        assert path.read_text() == ""
        seen = []
        for second in range(25):
            clock.now = second
            metrics(counts(second // 5))
            seen.append(samples(path.read_text())["fcvg_batch_pairs:done"])
    assert seen == [1] * 10 + [3] * 10 + [5] * 5
    found = samples(path.read_text())
    assert found["fcvg_batch_up"] == found["fcvg_batch_workers"] == 0
    assert [x.name for x in tmp_path.iterdir()] == ["fcvg.prom"]
    assert EVERY == 10


def test_a_folder_that_is_not_there_is_said_at_the_start(tmp_path):
    metrics = MetricsFile(tmp_path / "no" / "fcvg.prom", Pace(Clock()), clock=Clock())
    with pytest.raises(UserError, match="There is no file or folder"):
        metrics.__enter__()


def test_a_file_that_can_no_longer_be_written_ends_nothing(tmp_path, caplog):
    clock, folder = Clock(), tmp_path / "metrics"
    folder.mkdir()
    with MetricsFile(folder / "fcvg.prom", Pace(clock), clock=clock) as metrics:
        (folder / "fcvg.prom").unlink()
        folder.rmdir()
        for second in range(0, 60, 10):
            clock.now = second
            metrics(counts(1))
        folder.mkdir()
    assert [x.getMessage()[:32] for x in caplog.records] == ["The metrics are not up to date. "]
    assert samples((folder / "fcvg.prom").read_text())["fcvg_batch_pairs:done"] == 2
