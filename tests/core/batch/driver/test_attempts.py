"""When a task whose worker was lost is tried again."""

from batch_cases import task

from fcvg_core.batch.driver.attempts import MOST_FORGIVEN, Attempts
from fcvg_core.batch.types import FAILED, LOST, Outcome

DIED = "its worker died (signal 9)"


def lose(attempts: Attempts, lost, *, outside: bool = False) -> bool:
    return attempts.lose(lost, Outcome(lost.name, LOST, "worker", 2.0, DIED, outside=outside))


class TestAttempts:
    def test_a_task_of_a_proven_setup_is_tried_again_at_once(self):
        attempts, one, other = Attempts(2), task("one"), task("other")
        attempts.ended(other)
        assert lose(attempts, one)
        assert attempts.is_lost(one.name) and attempts.number(one.name) == 2
        assert attempts.next_soon() == one and attempts.next_soon() is None
        assert not attempts.take_doomed()

    def test_before_a_setup_is_proven_other_tasks_are_tried_first(self):
        attempts, one = Attempts(2), task("one")
        assert lose(attempts, one)
        assert attempts.next_soon() is None
        assert attempts.next_late() == one and attempts.next_late() is None

    def test_a_task_that_was_lost_too_often_has_failed_at_the_end(self):
        attempts, one = Attempts(1), task("one")
        attempts.ended(task("other"))
        lose(attempts, one)
        attempts.next_soon()
        lose(attempts, one)
        assert attempts.next_soon() is None and attempts.next_late() is None
        [(doomed, times, outcome)] = attempts.take_doomed()
        assert (doomed, times, outcome.state) == (one, 2, FAILED)
        assert outcome.error == (
            f"It was given up after its worker was lost 2 times. The last time: {DIED}"
        )
        assert not attempts.is_lost(one.name) and not attempts.take_doomed()

    def test_losses_that_others_survive_allow_more_attempts(self):
        attempts, one, other = Attempts(1), task("one"), task("other")
        attempts.ended(task("first"))
        for _ in range(2):
            lose(attempts, one)
        assert attempts.next_soon() == one
        assert attempts.next_late() is None
        lose(attempts, other)
        assert attempts.next_soon() == other
        attempts.ended(other)  # so something else than the task ends workers
        assert attempts.next_late() == one

    def test_what_is_forgiven_has_an_end(self):
        attempts, one = Attempts(1), task("one")
        attempts.ended(task("first"))
        for number in range(2 * MOST_FORGIVEN):
            other = task(f"t{number}")
            lose(attempts, other)
            assert attempts.next_soon() == other
            attempts.ended(other)
        for _ in range(1 + MOST_FORGIVEN):
            lose(attempts, one)
            assert attempts.next_soon() == one
        lose(attempts, one)
        assert attempts.next_soon() is None and attempts.next_late() is None

    def test_a_setup_of_which_every_task_is_lost_is_given_up(self):
        attempts = Attempts(2)
        assert [lose(attempts, task(f"t{i}")) for i in range(10)] == [True] * 9 + [False]

    def test_all_workers_lost_at_once_do_not_blame_the_models(self):
        attempts = Attempts(2)
        for workers in (1, 8, 3):  # those of a cluster come and go
            attempts.note_workers(workers)
        assert all(lose(attempts, task(f"t{i}")) for i in range(31))

    def test_one_task_lost_often_does_not_blame_the_models(self):
        attempts, one = Attempts(9), task("one")
        assert all(lose(attempts, one) for _ in range(9))

    def test_kills_from_outside_say_little_of_a_task(self):
        attempts, one = Attempts(2), task("one")
        attempts.ended(task("other"))
        tries = 0
        while True:
            lose(attempts, one, outside=True)
            tries += 1
            if attempts.next_soon() is None:
                break
        assert 20 <= tries <= 21  # but they have an end
        [(_, times, outcome)] = attempts.take_doomed()
        assert times == tries and f"lost {tries} times" in outcome.error

    def test_kills_from_outside_say_little_of_models(self):
        attempts = Attempts(2)
        kept = [lose(attempts, task(f"t{i}"), outside=True) for i in range(210)]
        assert kept[:195] == [True] * 195 and not kept[-1]  # but it has an end
