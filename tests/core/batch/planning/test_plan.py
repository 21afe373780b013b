"""Plans: rows become tasks with content keys, and what OUT has already is left out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from plan_cases import MemoryStore, copy_mode

from fcvg_core.batch.manifest import read_manifest
from fcvg_core.batch.planning.hashes import Hashes
from fcvg_core.batch.planning.keys import in_shard, seed_of
from fcvg_core.batch.planning.plan import Plan, make_plan
from fcvg_core.batch.store.layout import HASHES
from fcvg_core.errors import UserError

ROOT = Path(__file__).parents[4]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def batch(tmp_path, store):
    """A function that plans rows; its pictures are a.png, b.png and c.png."""
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(b"picture " + name.encode())
        os.utime(tmp_path / f"{name}.png", (1000, 1000))

    def plan(*rows: dict, recipe: int = 1, settings=None, csv: str = "", **more) -> Plan:
        path = tmp_path / ("m.csv" if csv else "m.jsonl")
        path.write_text(csv or "".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        given = {"mode": "copy", "settings": settings or {}, "hashes": Hashes(store), **more}
        return make_plan(read_manifest(str(path)), copy_mode(recipe), store=store, **given)

    return plan


def do(store: MemoryStore, plan: Plan, recipe: int = 1) -> None:
    """Make the results of all tasks."""
    for task in plan.tasks:
        store.records[task.name] = {
            "mode": task.mode,
            "recipe": recipe,
            "options": json.loads(json.dumps(task.options)),
            "inputs": dict(task.inputs),
        }


def only(plan: Plan):
    (task,) = plan.tasks
    return task


def count(plan: Plan) -> tuple[int, ...]:
    """Tasks, done, failed before, faults."""
    return len(plan.tasks), plan.done, plan.failed_before, len(plan.faults)


ROW = {"id": "x", "first": "a.png", "steps": 10}


class TestTask:
    def test_holds_all_that_a_worker_needs(self, batch, tmp_path):
        task = only(batch({**ROW, "between": ["b.png", str(tmp_path / "c.png")], "seed": 3}))
        assert task.id == "x" and task.name == f"x-{task.key[:12]}" and len(task.key) == 64
        assert (task.mode, task.module, task.seed) == ("copy", "plan_cases", 3)
        assert task.options["first"] == str(tmp_path / "a.png")
        assert task.options["between"] == [str(tmp_path / "b.png"), str(tmp_path / "c.png")]
        assert task.inputs.keys() == {"first", "between0", "between1"} and not task.remote

    def test_csv_and_json_have_one_key(self, batch):
        cell = only(batch(csv="id,first,steps,scale,between\nx,a.png,10,2,b.png;c.png\n"))
        row = only(batch({**ROW, "scale": 2, "between": ["b.png", "c.png"]}))
        assert cell.key == row.key

    def test_the_key_follows_the_content(self, batch, tmp_path):
        first = only(batch(ROW))
        (tmp_path / "a.png").rename(tmp_path / "moved.png")
        assert only(batch({**ROW, "first": "moved.png"})).key == first.key
        (tmp_path / "moved.png").write_bytes(b"picture new")
        assert only(batch({**ROW, "first": "moved.png"})).key != first.key
        assert only(batch({**ROW, "first": "b.png"})).key != first.key

    def test_the_key_follows_options_and_recipe(self, batch):
        keys = {
            only(batch(ROW)).key,
            only(batch({**ROW, "steps": 11})).key,
            only(batch(ROW, recipe=2)).key,
        }
        assert len(keys) == 3
        assert only(batch({**ROW, "device": "cpu", "offload": True})).key in keys

    def test_files_that_are_not_read_need_not_be_there(self, batch):
        assert only(batch({**ROW, "unread": "no"})).key == only(batch(ROW)).key

    def test_settings_are_for_rows_that_say_nothing(self, batch):
        one, two = batch({"id": "x"}, {"id": "y", "steps": 3}, settings={"steps": "9"}).tasks
        assert (one.options["steps"], two.options["steps"]) == (9, 3)

    def test_drawn_seeds_stay(self, batch):
        for plan in (
            batch({"id": "x", "seed": -1}),
            batch(csv="id,seed\nx,-1\n"),
            batch({"id": "x"}, settings={"seed": "-7"}),
        ):
            assert only(plan).seed == seed_of("x")
        assert only(batch({"id": "x", "seed": 4}, settings={"seed": "-7"})).seed == 4

    def test_tasks_of_one_model_stand_together(self, batch):
        models = {"p": "a.png", "q": "b.png", "r": "a.png", "s": "b.png", "t": "a.png"}
        plan = batch(*({"id": own, "model": model} for own, model in models.items()))
        for _ in range(2):
            assert [task.id for task in plan.tasks] == ["p", "r", "t", "q", "s"]


class TestRemote:
    @pytest.fixture(autouse=True)
    def files(self, memory):
        memory.pipe({"/k/a.png": b"picture", "/k/m.jsonl": json.dumps(ROW).encode()})

    def test_a_path_stands_for_a_url(self, batch):
        task = only(batch({**ROW, "first": "memory://k/a.png", "prompt": "memory://k/a.png"}))
        assert task.remote == {task.options["first"]: "memory://k/a.png"}
        assert task.options["prompt"] == "memory://k/a.png"

    def test_a_url_in_a_text_is_no_input(self, batch):
        task = only(batch({**ROW, "prompt": "memory://k/none"}))
        assert not task.remote and task.options["prompt"] == "memory://k/none"

    def test_paths_of_a_remote_manifest_are_remote(self, store):
        manifest = read_manifest("memory://k/m.jsonl")
        plan = make_plan(
            manifest, copy_mode(), store=store, mode="copy", settings={}, hashes=Hashes(store)
        )
        assert list(only(plan).remote.values()) == ["memory://k/a.png"]

    def test_a_missing_one_is_a_fault_of_its_row(self, batch):
        plan = batch(ROW, {**ROW, "id": "y", "first": "memory://k/none"})
        assert count(plan) == (1, 0, 0, 1)
        assert plan.faults[0].message == "There is no file memory://k/none."


class TestFaults:
    def test_stop_no_other_row(self, batch, tmp_path):
        rows = (
            {**ROW, "id": "p", "first": "no.png", "between": ["no.png", "none.png"]},
            ROW,
            {**ROW, "id": "q", "steps": 0},
            {**ROW, "id": "r", "stepz": 1},
        )
        plan = batch(*rows)
        assert count(plan) == (1, 0, 0, 3) and plan.total == 4
        said = [(fault.id, fault.line, fault.message) for fault in plan.faults]
        assert said == [
            (
                "p",
                1,
                " ".join(f"There is no file {tmp_path / name}." for name in ("no.png", "none.png")),
            ),
            ("q", 3, "steps is 0: expected a whole number from 1 to 100."),
            ("r", 4, "copy has no option 'stepz'."),
        ]
        for fault in plan.faults:
            assert fault.name == f"{fault.id}-{fault.key[:12]}" and fault.mode == "copy"

    def test_a_folder_that_is_no_pair(self, tmp_path, store):
        (tmp_path / "pairs" / "x").mkdir(parents=True)
        (tmp_path / "pairs" / "x" / "first.png").touch()
        manifest = read_manifest(str(tmp_path / "pairs"))
        more = {"mode": "copy", "settings": {}, "hashes": Hashes(None)}
        (fault,) = make_plan(manifest, copy_mode(), store=store, **more).faults
        assert fault.message == "The folder x has no picture last.*: put it there."

    def test_settings_that_are_wrong(self, batch):
        with pytest.raises(UserError, match="--set: there is no option 'stepz' of copy: correct"):
            batch(ROW, settings={"stepz": "1"})
        with pytest.raises(UserError, match="--set: expected a whole number from 1 to 100, got 0"):
            batch(ROW, settings={"steps": "0"})


class TestWhatIsThere:
    def test_results_are_left_out(self, batch, store):
        rows = [{**ROW, "id": f"p{number}"} for number in range(4)]
        do(store, batch(*rows[:3]))
        plan = batch(*rows)
        assert count(plan) == (1, 3, 0, 0) and plan.total == 4 and only(plan).id == "p3"

    def test_failures_are_tried_again_on_demand(self, batch, store):
        store.files[f"failed/{only(batch(ROW)).name}.json"] = b"{}"
        assert count(batch(ROW)) == (0, 0, 1, 0)
        plan = batch(ROW, retry_failed=True)
        assert count(plan) == (1, 0, 0, 0) and not plan.outdated

    def test_failures_of_other_options_are_outdated(self, batch, store, tmp_path):
        """A picture that was missing is there now: the pair is done, and its failure is history."""
        fault = batch({**ROW, "first": "new.png"}).faults[0]
        store.files[f"failed/{fault.name}.json"] = b"{}"
        assert not batch({**ROW, "first": "new.png"}).outdated  # the same failure
        (tmp_path / "new.png").write_bytes(b"picture")
        plan = batch({**ROW, "first": "new.png"})
        assert count(plan) == (1, 0, 0, 0) and plan.outdated == [fault.name]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"steps": 25}, "  x: steps is 10 there and 25 here"),
            ({"first": "b.png"}, "  x: first holds something else here"),
            ({"between": ["b.png"]}, "  x: between is not given there"),
            ({"steps": 9, "scale": 2, "prompt": "p", "seed": 1}, "there and 2 here"),
            ({"prompt": "p" * 500}, "prompt is '' there and 'ppp"),
        ],
    )
    def test_results_of_other_options(self, batch, store, change, said):
        do(store, batch(ROW))
        plan = batch({**ROW, **change})
        assert said in plan.conflict and "give --changed" in plan.conflict
        assert all(len(line) < 400 for line in plan.conflict.splitlines())
        assert count(plan) == (1, 0, 0, 0)  # so that a dry run can look at it
        plan = batch({**ROW, **change}, changed=True)
        assert count(plan) == (1, 0, 0, 0) and not plan.conflict
        do(store, plan)
        assert count(batch(ROW)) == count(batch({**ROW, **change})) == (0, 1, 0, 0)

    def test_results_of_many_other_options(self, batch, store):
        rows = [{**ROW, "id": f"p{number}"} for number in range(8)]
        do(store, batch(*rows))
        plan = batch(*({**row, "steps": 11} for row in rows))
        head, *shown, remedy = plan.conflict.splitlines()
        assert head == "In OUT, 8 of these ids have results of other options or files:"
        assert len(shown) == 6 and shown[-1] == "  and 3 more"

    def test_results_of_another_mode(self, batch, store):
        do(store, batch(ROW))
        for record in store.records.values():
            record["mode"] = "preview"
        assert "x: mode is 'preview' there and 'copy' here" in batch({**ROW, "steps": 11}).conflict

    def test_results_of_more_files(self, batch, store):
        do(store, batch({**ROW, "between": ["b.png"]}))
        assert "x: between is not given here" in batch(ROW).conflict

    def test_results_of_another_recipe(self, batch, store):
        do(store, batch(ROW))
        assert "x: it was made by version 1 of copy, now 2" in batch(ROW, recipe=2).conflict

    def test_a_record_that_can_not_be_read(self, batch, store):
        store.records["X-0123456789ab"] = None
        assert "x: its record can't be read" in batch(ROW).conflict

    def test_an_id_of_other_case_is_the_same_on_some_disks(self, batch, store):
        do(store, batch({**ROW, "id": "X"}))
        assert "x: its key" in batch({**ROW, "steps": 10}).conflict


class TestShares:
    def test_are_the_whole(self, batch):
        rows = [{**ROW, "id": f"p{number}"} for number in range(30)]
        plans = [batch(*rows, shard=(number, 3)) for number in range(3)]
        ids = [task.id for plan in plans for task in plan.tasks]
        assert sorted(ids) == sorted(row["id"] for row in rows)
        assert [plan.total for plan in plans] == [len(plan.tasks) for plan in plans]
        assert all(in_shard(task.id, (1, 3)) for task in plans[1].tasks)


def test_hashes_are_kept(batch, store):
    batch(ROW)
    assert store.files[HASHES].count(b"\n") == 1
    batch(ROW)
    assert store.files[HASHES].count(b"\n") == 1


def test_nothing_heavy_is_imported():
    """A driver must stay small."""
    code = (
        "import sys\n"
        "from fcvg_core.batch.planning import check, inputs, plan\n"
        "print(sorted({'torch', 'numpy', 'fsspec', 'argparse', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
