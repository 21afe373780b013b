"""Leases: one driver does a task, dead drivers are found out, and stopped ones come back."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from hosts import ROOT
from lease_cases import Clock, publish

from fcvg_core.batch.driver import drivers
from fcvg_core.batch.driver.leases import TIDYING, Leases, clean_partial, open_leases
from fcvg_core.batch.store import open_store
from fcvg_core.errors import UserError

NAME = "a-000000000000"
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart by /proc")


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


@pytest.fixture
def clock():
    return Clock()


def elsewhere(store, driver, count=1, **values):
    """A heartbeat of a driver on another machine."""
    store.write(f"drivers/{driver}", json.dumps({"count": count, **values}).encode())


def claim_of(store, driver, name=NAME):
    """The first claim of a name, made by a driver of another machine."""
    assert store.create(f"claims/{name}.0", json.dumps({"driver": driver, "claim": 1}).encode())


def pass_time(clock, leases, seconds, step=10):
    """Let time pass, in which a driver looks at the others at every beat."""
    for _ in range(0, seconds, step):
        clock.now += step
        leases._heartbeat.beat()
        leases._drivers.look()


class TestLeases:
    def test_one_driver_takes_a_task(self, store):
        one, two = Leases(store, "one"), Leases(store, "two")
        assert one.take(NAME) and one.take(NAME) and not two.take(NAME)
        assert one.held == {NAME} and two.held == set()
        assert two.waiting_for(NAME) == "one"
        one.release(NAME)
        assert one.held == set() and two.waiting_for(NAME) == ""
        assert two.take(NAME)
        two.close()
        assert store.names("claims") == [] and store.names("drivers") == []

    def test_names_that_end_alike_are_told_apart(self, store):
        one, two = Leases(store, "one"), Leases(store, "two")
        assert one.take("a.0") and two.take("a") and one.claimed() == {"a", "a.0"}

    def test_a_dead_driver_is_found_out(self, store, clock):
        elsewhere(store, "dead")
        claim_of(store, "dead")
        own = Leases(store, "own", clock=clock)
        assert not own.take(NAME)
        pass_time(clock, own, 50)
        assert not own.take(NAME)
        pass_time(clock, own, 10)
        assert own.take(NAME) and own.still_held(NAME)
        own.release(NAME)
        assert store.names("claims") == []

    def test_a_living_driver_is_left_alone(self, store, clock):
        elsewhere(store, "other", 1)
        claim_of(store, "other")
        own = Leases(store, "own", clock=clock)
        for count in range(2, 20):
            assert not own.take(NAME)
            pass_time(clock, own, 50)
            elsewhere(store, "other", count)
        assert not own.take(NAME)

    def test_a_driver_without_a_heartbeat_gets_time(self, store, clock):
        claim_of(store, "nobody")
        own = Leases(store, "own", clock=clock)
        assert not own.take(NAME)
        pass_time(clock, own, 60)
        assert own.take(NAME)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"driver": 1}', b'{"driver": "../x"}'])
    def test_a_damaged_claim_ends(self, store, clock, content):
        store.create(f"claims/{NAME}.0", content)
        own = Leases(store, "own", clock=clock)
        assert not own.take(NAME)
        pass_time(clock, own, 60)
        assert own.take(NAME)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"ends_after": "x", "process": 3}'])
    def test_a_damaged_heartbeat_stands_still(self, store, clock, content):
        store.write("drivers/dead", content)
        claim_of(store, "dead")
        own = Leases(store, "own", clock=clock)
        assert not own.take(NAME)
        pass_time(clock, own, 60)
        assert own.take(NAME)

    def test_a_driver_that_beats_slowly_gets_its_time(self, store, clock):
        elsewhere(store, "slow", ends_after=600)
        claim_of(store, "slow")
        own = Leases(store, "own", clock=clock, ends_after=6)
        assert not own.take(NAME)
        pass_time(clock, own, 599, step=1)
        assert not own.take(NAME)
        pass_time(clock, own, 2, step=1)
        assert own.take(NAME)

    def test_clocks_that_differ_do_no_harm(self, store):
        """Two machines whose clocks differ by days, of which one runs at half speed."""
        fast, slow = Clock(1e6), Clock(-5e5)
        one, two = Leases(store, "one", clock=fast), Leases(store, "two", clock=slow)
        elsewhere(store, "one", 0)
        elsewhere(store, "two", 0)
        assert one.take(NAME) and two.take("b")
        for count in range(1, 100):
            fast.now, slow.now = fast.now + 10, slow.now + 5
            elsewhere(store, "one", count)
            elsewhere(store, "two", count)
            for leases in (one, two):
                leases._drivers.look()
            assert not two.take(NAME) and not one.take("b")

    def test_time_for_which_an_observer_slept_itself_does_not_count(self, store, clock):
        """Both drivers are stopped together, and the observer wakes up first."""
        elsewhere(store, "other")
        claim_of(store, "other")
        own = Leases(store, "own", clock=clock)
        assert not own.take(NAME)
        clock.now += 3600
        assert not own.take(NAME)
        elsewhere(store, "other", 2)
        assert not own.take(NAME)


class TestTakingOver:
    def dead(self, store, clock, *names):
        """Observers that know that a driver is dead."""
        elsewhere(store, "dead")
        claim_of(store, "dead")
        found = [Leases(store, name, clock=clock) for name in names]
        for leases in found:
            leases.is_dead("dead")
        for _ in range(6):
            clock.now += 10
            for leases in found:
                assert leases._heartbeat.beat() is None
                leases._drivers.look()
        assert all(leases.is_dead("dead") for leases in found)
        return found

    def test_one_of_two_observers_wins(self, store, clock):
        one, two = self.dead(store, clock, "one", "two")
        assert one.take(NAME) and not two.take(NAME)
        one.release(NAME)
        assert two.take(NAME) and len(store.names("claims")) == 1

    def test_one_of_many_observers_wins_the_race(self, store, clock):
        names = [f"d{number}" for number in range(8)]
        for attempt in range(10):
            found = self.dead(store, clock, *names)
            start, won = threading.Barrier(len(found)), []

            def race(leases, start=start, won=won):
                start.wait()
                if leases.take(NAME):
                    won.append(leases)

            threads = [threading.Thread(target=race, args=(leases,)) for leases in found]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(won) == 1, attempt
            won[0].release(NAME)
            assert store.names("claims") == []

    def test_a_successor_that_comes_too_late_is_given_up(self, store, clock):
        """An observer that slept between its look and its step, while others ended the task."""
        late, other, third = self.dead(store, clock, "late", "other", "third")
        create = store.create

        def sleepy(path, content):
            if not path.endswith(".0"):
                store.create = create
                assert other.take(NAME)
                other.release(NAME)
                assert third.take(NAME)
            return create(path, content)

        store.create = sleepy
        assert not late.take(NAME) and third.still_held(NAME)
        assert store.names("claims") == [f"{NAME}.0"]

    def test_the_dead_one_wakes_up_just_before_it_lets_its_task_go(self, store, clock):
        """It looks whether it still has the task; then another driver takes the task over."""
        dead, other, third = (Leases(store, name, clock=clock) for name in ("dead", "b", "c"))
        assert dead.take(NAME)
        remove = store.remove

        def taken_over(path):
            store.remove = remove
            other.is_dead = {"dead"}.__contains__  # it asked before the beat
            assert other.take(NAME)
            remove(path)

        store.remove = taken_over
        dead.release(NAME)
        assert third.take(NAME)
        assert third.still_held(NAME) and not other.still_held(NAME), "one of them notes the end"
        other.release(NAME)
        assert third.still_held(NAME)
        third.release(NAME)
        clean_partial(store, third)
        assert store.names("claims") == []

    def test_a_chain_of_dead_drivers(self, store, clock):
        (one,) = self.dead(store, clock, "one")
        assert one.take(NAME)
        store.remove("drivers/dead")  # another driver has tidied up
        two = Leases(store, "two", clock=clock)
        assert not two.take(NAME), "one is seen for the first time"
        for _ in range(6):
            clock.now += 10
            two._drivers.look()
        assert two.take(NAME) and two.waiting_for(NAME) == "two"
        assert len(store.names("claims")) == 3
        two.release(NAME)
        assert store.names("claims") == []

    def test_a_repeated_request_is_understood(self, store):
        """A bucket's answer is lost, the request is repeated, and the object is there already."""
        create = store.create
        store.create = lambda path, content: create(path, content) and False
        own = Leases(store, "own")
        assert own.take(NAME)

    def test_a_claim_that_is_released_at_this_moment(self, store):
        store.create = lambda path, content: False
        assert not Leases(store, "own").take(NAME)


class TestADriverThatSlept:
    def asleep(self, store, clock):
        """A driver that was stopped, and another one that took its task over."""
        sleeper, other = Leases(store, "sleeper", clock=clock), Leases(store, "other", clock=clock)
        elsewhere(store, "sleeper")
        assert sleeper.take(NAME) and not other.take(NAME)
        pass_time(clock, other, 60)
        return sleeper, other

    def test_notices_that_its_task_was_taken_over(self, store, clock):
        sleeper, other = self.asleep(store, clock)
        assert other.take(NAME)
        assert not sleeper.still_held(NAME)
        sleeper.release(NAME)
        assert other.still_held(NAME) and sleeper.held == set()

    def test_notices_that_its_task_was_ended(self, store, clock):
        sleeper, other = self.asleep(store, clock)
        assert other.take(NAME)
        other.release(NAME)
        assert not sleeper.still_held(NAME)
        assert sleeper.take(NAME) and sleeper.still_held(NAME)

    def test_goes_on_if_nobody_came(self, store, clock):
        sleeper, other = self.asleep(store, clock)
        assert sleeper.still_held(NAME), "it beats at once"
        assert not other.take(NAME) and other.waiting_for(NAME) == "sleeper"

    def test_asks_a_bucket_only_if_it_slept(self, store, clock, monkeypatch):
        monkeypatch.setattr(store, "appends", False, raising=False)
        sleeper, other = Leases(store, "sleeper", clock=clock), Leases(store, "other", clock=clock)
        assert sleeper.take(NAME) and not other.take(NAME)
        asked = []
        read = store.read
        monkeypatch.setattr(store, "read", lambda name: asked.append(name) or read(name))
        assert sleeper.still_held(NAME) and asked == []
        pass_time(clock, other, 60)
        assert other.take(NAME)
        asked.clear()
        sleeper._heartbeat.beat()  # its thread wakes up first
        assert not sleeper.still_held(NAME) and asked

    def test_slept_while_it_took_a_task_of_a_bucket(self, store, clock, monkeypatch):
        monkeypatch.setattr(store, "appends", False, raising=False)
        sleeper, other = Leases(store, "sleeper", clock=clock), Leases(store, "other", clock=clock)
        create = store.create

        def sleepy(path, content):
            made = create(path, content)
            store.create = create
            assert not other.take(NAME)
            pass_time(clock, other, 60)
            assert other.take(NAME)
            sleeper._heartbeat.beat()  # its thread wakes up first
            return made

        store.create = sleepy
        sleeper.take(NAME)
        assert not sleeper.still_held(NAME) and other.still_held(NAME)

    def test_holds_nothing_if_it_cant_beat(self, store, clock):
        sleeper, _ = self.asleep(store, clock)

        def full(name, content):
            raise UserError("The disk is full.")

        store.write = full
        assert not sleeper.still_held(NAME)


class TestHeartbeat:
    def test_beats_until_it_is_closed(self, store):
        own = Leases(store, "own", ends_after=0.06)
        counts = []
        wait = threading.Event()
        own._heartbeat._each_beat = lambda: (
            counts.append(json.loads(store.read("drivers/own"))["count"]),
            len(counts) > 3 and wait.set(),
        )
        own.start()
        assert wait.wait(20) and counts == sorted(set(counts))
        own.close()
        assert store.names("drivers") == []

    def test_survives_a_full_disk_and_says_so_once(self, store, caplog):
        own = Leases(store, "own", ends_after=0.06)
        write, wait, fails = store.write, threading.Event(), []

        def full(name, content):
            fails.append(name)
            if len(fails) > 3:
                store.write = write
            raise UserError("The disk is full.")

        own.start()
        own._heartbeat._each_beat = wait.set
        store.write = full
        wait.clear()
        assert wait.wait(20)
        own.close()
        assert caplog.text.count("The heartbeat of this driver can't be written.") == 1

    def test_a_store_that_is_lost_at_the_end_is_told(self, store, caplog):
        own = Leases(store, "own", ends_after=600)
        own.start()
        assert own.take(NAME)

        def lost(name):
            raise UserError("The store is lost.")

        store.remove = lost
        own.close()
        assert "This driver could not sign off. The store is lost." in caplog.text
        del store.remove
        other = Leases(store, "other", ends_after=600)
        assert not other.take(NAME), "the process of the lost driver is this one"

    def test_a_disk_that_is_full_at_the_start_is_told(self, store):
        def full(name, content):
            raise UserError("The disk is full.")

        store.write = full
        with pytest.raises(UserError, match="is full"):
            Leases(store, "own").start()

    def test_names_of_drivers_differ(self):
        names = {drivers.driver_name() for _ in range(20)}
        assert len(names) == 20 and not any("/" in name or name[0] == "." for name in names)


# A driver that takes a task and tells so; then it waits, or ends without a word.
DRIVER = """
import os, sys, time
from fcvg_core.batch.driver.leases import Leases
from fcvg_core.batch.store import open_store
leases = Leases(open_store(sys.argv[1]), sys.argv[2], ends_after=float(sys.argv[3]))
leases.start()
assert leases.take(sys.argv[4])
print("taken", flush=True)
while sys.stdin.readline():
    print(leases.still_held(sys.argv[4]), flush=True)
"""


@pytest.fixture
def start(tmp_path):
    """Starts drivers in processes; they are killed at the end."""
    started = []

    def driver(name, ends_after, task=NAME):
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(tmp_path), name, str(ends_after), task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        started.append(process)
        assert process.stdout.readline() == "taken\n"
        return process

    yield driver
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


class TestProcesses:
    @linux
    @pytest.mark.parametrize("wait", [True, False], ids=["ended", "zombie"])
    def test_a_killed_process_of_this_machine_is_dead_at_once(self, store, start, wait):
        process = start("other", 600)
        own = Leases(store, "own", ends_after=600)
        assert not own.take(NAME)
        process.kill()
        if wait:
            process.wait()
        else:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert own.take(NAME)

    @linux
    def test_a_stopped_process_comes_back(self, store, start):
        process = start("sleeper", 0.6)
        own = Leases(store, "own", ends_after=0.6)
        own.start()
        assert not own.take(NAME)
        os.kill(process.pid, signal.SIGSTOP)
        waited = threading.Event()
        for _ in range(600):
            if own.take(NAME):
                break
            waited.wait(0.05)
        assert own.still_held(NAME)
        os.kill(process.pid, signal.SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "False\n"
        own.close()
        assert store.names("claims") == []

    @linux
    def test_a_number_that_another_process_has_now_is_dead(self):
        here = drivers.this_process()
        assert not drivers.is_gone(here)
        assert drivers.is_gone({**here, "born": here["born"] - 1})
        assert drivers.is_gone({**here, "pid": 2**22 + 1})
        assert not drivers.is_gone({**here, "boot": "another"})
        assert not drivers.is_gone({**here, "space": "another"})
        assert not drivers.is_gone({**here, "pid": True})
        assert not drivers.is_gone({**here, "pid": 2**70})
        assert not drivers.is_gone(None)

    def test_a_system_that_hides_processes(self, monkeypatch):
        here = drivers.this_process()

        def hidden(path):
            raise PermissionError(13, "hidden")

        monkeypatch.setattr(drivers.os, "readlink", hidden)
        assert drivers.this_process() is None and not drivers.is_gone(here)


class TestCleaning:
    def test_what_a_dead_driver_left_goes(self, store, clock):
        elsewhere(store, "dead")
        elsewhere(store, "other")
        claim_of(store, "dead")
        claim_of(store, "other", "b")
        store.create(f"claims/{NAME}.0123456789abcdef", b'{"driver": "dead"}')
        for driver in ("dead", "other", "ended"):
            store.create(f"claims/gone.{len(driver):016}", json.dumps({"driver": driver}).encode())
        for owner in ("dead", "other", "ended", "own"):
            (store.workspace(owner, NAME) / "half.mp4").write_bytes(b"1")
        own = Leases(store, "own", clock=clock)
        clean_partial(store, own)
        assert sorted(store.owners()) == ["dead", "other", "own"]
        own.is_dead("dead")
        for count in range(6):
            clock.now += 10
            elsewhere(store, "other", count + 2)
            own._drivers.look()
        assert own.take("mine")
        clean_partial(store, own)
        assert sorted(store.owners()) == ["other", "own"]
        assert sorted(store.names("drivers")) == ["other", "own"]
        assert sorted(store.names("claims")) == ["b.0", "mine.0"]

    def test_one_driver_at_a_time(self, store):
        (store.workspace("ended", NAME) / "half.mp4").write_bytes(b"1")
        own, other = Leases(store, "own"), Leases(store, "other")
        other.start()
        assert other.take(TIDYING)
        clean_partial(store, own)
        assert store.owners() == ["ended"]
        other.close()
        clean_partial(store, own)
        assert store.owners() == [] and store.names("claims") == []

    def test_a_claim_that_goes_and_comes_back_meanwhile_stays(self, store, monkeypatch):
        assert store.create("claims/b.0", b"new")
        read = store.read
        monkeypatch.setattr(store, "read", lambda name: None if "/b." in name else read(name))
        clean_partial(store, Leases(store, "own"))
        assert store.names("claims") == ["b.0"]

    def test_results_stay(self, store):
        publish(store, NAME)
        clean_partial(store, Leases(store, "own"))
        assert store.done() == {NAME} and not (store.folder / ".partial").exists()


class TestAStoreThatCantTellTwoDriversApart:
    @pytest.fixture
    def store(self, store, monkeypatch):
        monkeypatch.setattr(store, "exclusive", False, raising=False)
        return store

    def test_takes_one_driver(self, store, clock):
        leases = open_leases(store, "own", clock=clock)
        assert leases.take(NAME)
        leases.close()

    def test_refuses_a_second_one(self, store, clock):
        elsewhere(store, "other", 1)
        counts = iter(range(2, 99))

        def sleep(seconds):
            clock.now += seconds
            elsewhere(store, "other", next(counts))

        with pytest.raises(UserError, match=r"The driver other works on .* with --shard"):
            open_leases(store, "own", clock=clock, sleep=sleep)
        assert store.names("drivers") == ["other"]

    def test_takes_parts(self, store, clock):
        elsewhere(store, "other", 1)
        open_leases(store, "own", alone=True, clock=clock).close()

    def test_waits_until_a_dead_one_is_known_to_be_dead(self, store, clock):
        elsewhere(store, "dead", 1)
        slept = []

        def sleep(seconds):
            slept.append(seconds)
            clock.now += seconds

        open_leases(store, "own", clock=clock, sleep=sleep).close()
        assert sum(slept) == 60
