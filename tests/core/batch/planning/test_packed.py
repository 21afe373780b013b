"""Packed tasks: they come out as they went in, and are small."""

from fcvg_core.batch.planning.packed import PackedTasks
from fcvg_core.batch.types import Task


def task_of(number: int, **more) -> Task:
    options = {f"option{each}": each for each in range(60)} | {"first": f"/pictures/{number}.png"}
    given = {"setup": "one", "seed": number, "inputs": {"first": f"{number:064x}"}} | more
    return Task(
        id=f"p{number}",
        name=f"p{number}-0",
        key=f"{number:064x}",
        mode="copy",
        module="m",
        options=options,
        **given,
    )


def test_come_out_as_they_went_in():
    tasks = [
        task_of(1, remote={"remote/a": "s3://a"}),
        task_of(2, setup="two", seed=None),
        task_of(3, inputs={}),
    ]
    packed = PackedTasks()
    for line, task in enumerate(tasks, 5):
        packed.add(task, line=line)
    assert len(packed) == 3
    assert list(packed.with_lines()) == [(5, tasks[0]), (7, tasks[2]), (6, tasks[1])]
    assert list(packed) == list(packed) == [tasks[0], tasks[2], tasks[1]]


def test_none():
    assert not list(PackedTasks()) and len(PackedTasks()) == 0


def test_are_small_with_any_number_of_setups():
    packed = PackedTasks()
    for number in range(200):
        packed.add(task_of(number, setup=f"s{number}"), line=number)
    assert sum(map(len, packed._packed)) < 200 * 200
    assert len(packed._likes) == 1
