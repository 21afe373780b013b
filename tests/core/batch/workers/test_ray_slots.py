"""When a place for actors is given up, and what is not the fault of a task."""

from batch_cases import task

from fcvg_core.batch.workers.ray_slots import DEATHS, STARTS, Job, Slot, reason_of


def test_actors_that_die_before_they_start():
    slot = Slot(0, starts=STARTS - 1)
    assert not slot.died
    slot.starts += 1
    assert slot.died == STARTS


def test_actors_that_die_at_tasks():
    """More of them, because someone may kill actors; one task that kills each counts once."""
    slot = Slot(0)
    slot.deaths |= {f"task {number}" for number in range(DEATHS - 1)}
    slot.deaths.add("task 1")
    assert not slot.died and DEATHS > STARTS
    slot.deaths.add("another")
    assert slot.died == DEATHS


def test_a_node_that_is_lost_is_no_fault_of_the_task():
    lost = reason_of(RuntimeError("The actor died because its node has died. Node Id: 1"))
    assert Job(task(), 1).lost("worker", f"its worker died: {lost}").outside
    crashed = reason_of(RuntimeError("The actor's worker process has died."))
    assert not Job(task(), 1).lost("worker", f"its worker died: {crashed}").outside
