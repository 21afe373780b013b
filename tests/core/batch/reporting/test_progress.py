"""Progress of a batch, with a clock that the tests turn."""

import pytest

from fcvg_core.batch.counts import Counts
from fcvg_core.batch.reporting.progress import EVERY, Pace, ProgressDisplay, describe, in_time


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def counts(done: int = 0, failed: int = 0, *, total: int = 10, workers: int = 2):
    left = total - done - failed
    return Counts(
        total=total, done=done, failed=failed, left=left, running=1, workers=workers, found=0
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TestPace:
    def test_there_is_none_before_the_first_pair(self, clock):
        pace = Pace(clock)
        clock.now += 100
        pace.note(0)
        assert pace.per_hour is None and pace.seconds_for(5) is None
        assert pace.seconds == 100

    def test_pairs_an_hour(self, clock):
        pace = Pace(clock)
        for ended in range(1, 11):
            clock.now += 36
            pace.note(ended)
        assert pace.per_hour == pytest.approx(100)
        assert pace.seconds_for(50) == pytest.approx(1800)

    def test_follows_a_change(self, clock):
        """Slow pairs of hours ago do not count any more."""
        pace = Pace(clock)
        for ended in range(1, 101):
            clock.now += 100
            pace.note(ended)
        for ended in range(101, 1101):
            clock.now += 1
            pace.note(ended)
        assert pace.per_hour == pytest.approx(3600, rel=0.02)

    def test_long_pairs_have_a_pace_too(self, clock):
        pace = Pace(clock)
        for ended in range(1, 30):
            clock.now += 7200
            pace.note(ended)
        assert pace.per_hour == pytest.approx(0.5)

    def test_keeps_little(self, clock):
        pace = Pace(clock)
        for ended in range(1, 50_001):
            clock.now += 0.05
            pace.note(ended)
        assert len(pace._samples) < 200
        assert pace.per_hour == pytest.approx(72_000, rel=0.02)


class TestDescribe:
    def test_before_the_first_pair(self, clock):
        assert describe(counts(), Pace(clock)) == "0 done, 0 failed, 10 left"

    def test_all_that_is_asked(self, clock):
        pace = Pace(clock)
        clock.now += 120
        pace.note(4)
        assert describe(counts(3, 1), pace) == (
            "3 done, 1 failed, 6 left; about 3 min left; 60 pairs an hour a worker, 2 workers"
        )

    def test_what_was_done_before_counts_as_done(self, clock):
        pace = Pace(clock)
        clock.now += 60
        pace.note(1)
        found = Counts(total=10, done=1, failed=0, left=2, running=1, workers=1, found=4)
        assert describe(found, pace) == (
            "5 done, 3 failed, 2 left; about 2 min left; 60 pairs an hour a worker, 1 worker"
        )

    def test_at_the_end_no_time_is_left(self, clock):
        pace = Pace(clock)
        clock.now += 3600
        pace.note(10)
        said = describe(counts(10, workers=1), pace)
        assert said == "10 done, 0 failed, 0 left; 10 pairs an hour a worker, 1 worker"

    def test_many_pairs(self, clock):
        pace = Pace(clock)
        clock.now += 36
        pace.note(100)
        said = describe(counts(12_345, total=1_000_000), pace)
        assert said.startswith("12,345 done, 0 failed, 987,655 left; about 4 d 3 h left; 5,000")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3569, "59 min"),
        (3571, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (86_399, "1 d 0 h"),
        (190_000, "2 d 5 h"),
    ],
)
def test_in_time(seconds, said):
    assert in_time(seconds) == said


class TestDisplay:
    def test_a_line_a_minute_and_one_at_the_end(self, clock, capsys):
        with ProgressDisplay(Pace(clock), clock=clock) as display:
            for second in range(1, 151):
                clock.now += 1
                display(counts(second // 50))
        lines = capsys.readouterr().err.splitlines()
        assert [line.split(",")[0] for line in lines] == ["1 done", "2 done", "3 done"]
        assert EVERY == 60

    def test_says_nothing_of_nothing(self, clock, capsys):
        with ProgressDisplay(Pace(clock), clock=clock):
            pass
        assert capsys.readouterr().err == ""

    def test_says_how_far_it_was_after_an_error(self, clock, capsys):
        with pytest.raises(KeyboardInterrupt), ProgressDisplay(Pace(clock), clock=clock) as display:
            display(counts(2))
            raise KeyboardInterrupt
        assert capsys.readouterr().err == "2 done, 0 failed, 8 left\n"

    def test_a_terminal_gets_a_bar(self, clock, capsys, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        with ProgressDisplay(Pace(clock), clock=clock) as display:
            display(counts(5))
        printed = capsys.readouterr().err
        assert " 50%|" in printed and "5 done, 0 failed, 5 left" in printed
