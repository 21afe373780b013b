"""docs/batch.md: its commands, manifests, YAML, Python and sums are those of the code."""

import ast
import importlib
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fcvg_core.batch import types
from fcvg_core.batch.manifest import read_manifest
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.cli.options import parse_options

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
PROGRAM = "python -m fcvg_core batch "
NUMBERS = {"SLURM_ARRAY_TASK_ID": "63", "JOB_COMPLETION_INDEX": "7"}  # what a scheduler fills in
ENDS = ("||", "&&", "|", "&", ">", "2>&1", ";", "--wrap")  # of a command within a line


def blocks(language: str) -> list[str]:
    """Blocks of code of a language, in the order of the page."""
    return [text for found, text in BLOCKS if found == language]


def commands() -> list[list[str]]:
    """Arguments of every `batch` command in the blocks of the page."""
    joined = "\n".join(text for language, text in BLOCKS if language != "python")
    joined = joined.replace("\\\n", " ")
    for name, number in NUMBERS.items():
        joined = joined.replace(f"${name}", number)
    lines = [line for line in joined.splitlines() if PROGRAM in line]
    return [arguments_of(line.split(PROGRAM, 1)[1]) for line in lines]


def arguments_of(line: str) -> list[str]:
    """The arguments of one command, up to the end of it."""
    for quote in ("'", '"'):  # of a command that stands in quotes as a whole
        if line.count(quote) % 2:
            line = line[: line.rindex(quote)]
    words = shlex.split(line, comments=True)
    ends = [number for number, word in enumerate(words) if word in ENDS]
    return ["batch", *words[: min(ends, default=len(words))]]


def table(head: str) -> list[list[str]]:
    """Cells of the rows of the table whose first line begins with `head`."""
    rows = TEXT.split(f"\n{head}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


class TestCommands:
    def test_there_are_some_of_each_kind(self):
        words = {word for command in commands() for word in command}
        assert {"--dry-run", "--mode", "--ray", "--shard", "--max-failures"} <= words
        assert len(commands()) >= 10

    @pytest.mark.parametrize("arguments", commands(), ids=" ".join)
    def test_options_exist(self, arguments):
        assert parse_options(arguments).command == "batch"

    def test_the_table_has_every_option(self, capsys):
        with pytest.raises(SystemExit):
            main(["batch", "--help"])
        known = set(re.findall(r"(?<![\w-])--[a-z-]+", capsys.readouterr().out)) - {"--help"}
        said = set(re.findall(r"--[a-z-]+", " ".join(row[0] for row in table("| option |"))))
        assert said == known

    def test_every_option_of_the_page_exists(self):
        """Of any command of the program, or of a program that the page names."""
        others = {"--cpus-per-task", "--mem", "--time", "--array", "--gpus", "--requeue", "--wrap"}
        others |= {"--job-name", "--output", "--parsable", "--dependency", "--head", "--port"}
        others |= {"--address", "--disable-usage-stats", "--no-cache-dir", "--chown", "--generate"}
        others |= {"--run", "--help", "--fast"}
        said = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))
        known = set(re.findall(r"--[a-z-]+", " ".join(row[0] for row in table("| option |"))))
        assert said - known - others == set()


class TestManifests:
    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        """The pictures that the page's manifests name."""
        (tmp_path / "plates").mkdir()
        for number, name in enumerate(sorted(set(re.findall(r"plates/([\w.]+\.png)", TEXT)))):
            noise = np.random.RandomState(number).randint(0, 256, (64, 64, 3)).astype(np.uint8)
            Image.fromarray(noise).save(tmp_path / "plates" / name)
        return tmp_path

    def manifest(self, folder: Path, kind: str) -> Path:
        head = '{"id": "sh010", "first"' if kind == "jsonl" else "id,"
        text = next(text for text in blocks(kind) if text.startswith(head))
        path = folder / f"shots.{kind}"
        path.write_text(text, encoding="utf-8")
        return path

    @pytest.mark.parametrize("kind", ("jsonl", "csv"))
    def test_dry_run_finds_nothing_wrong(self, folder, kind, capsys):
        path = self.manifest(folder, kind)
        assert main(["batch", str(path), "-o", str(folder / "out"), "--dry-run"]) == 0
        assert not (folder / "out").exists()

    def test_all_rows_are_read(self, folder):
        assert [row.id for row in read_manifest(str(self.manifest(folder, "jsonl"))).rows] == [
            "sh010",
            "sh020",
            "sh030",
            "sh040 look",
        ]

    def test_tasks_of_a_manifest(self, folder, monkeypatch):
        self.manifest(folder, "jsonl")
        monkeypatch.chdir(folder)
        names = {"paint": lambda tasks, out, gpus: [task.id for task in tasks]}
        exec(blocks("python")[-1], names)  # noqa: S102 (code of this project)
        assert sorted(names["outcomes"]) == ["sh010", "sh020", "sh030", "sh040 look"]
        assert names["plan"].faults == []


def test_yaml_is_a_ray_job():
    yaml = pytest.importorskip("yaml")
    (text,) = blocks("yaml")
    job = yaml.safe_load(text)
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert PROGRAM in job["spec"]["entrypoint"]
    cluster = job["spec"]["rayClusterSpec"]
    pods = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for pod in (group["template"]["spec"] for group in pods):
        (container,) = pod["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            volume["name"] for volume in pod["volumes"]
        }
        assert container["resources"]["limits"] == container["resources"]["requests"]
    (image,) = {group["template"]["spec"]["containers"][0]["image"] for group in pods}
    assert f"ray:{cluster['rayVersion']}" in blocks("dockerfile")[0] and image


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize("text", [*blocks("sh"), *blocks("bash")])
def test_shell_is_well_formed(text):
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_shards_of_the_array_are_as_many_as_its_jobs():
    (script,) = blocks("bash")
    last, shards = re.search(r"--array=0-(\d+)", script), re.search(r"TASK_ID/(\d+)", script)
    assert int(last[1]) + 1 == int(shards[1])


@pytest.mark.parametrize("text", blocks("python"))
def test_python_imports_what_exists(text):
    """Ray's own names are not looked at: Ray may not be installed."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("fcvg_core"):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, name.name) for name in node.names)


def test_json_is_json():
    for text in blocks("json"):
        json.loads(text)
    for text in blocks("jsonl"):
        for line in text.splitlines():
            json.loads(line)


def test_states_of_the_ledger():
    said = {cell.strip("`") for cell, _ in table("| state in the ledger |")}
    known = {types.DONE, types.FAILED, types.LOST, types.UNUSABLE, types.HALTED}
    assert said == known | {"started", "given up"}


def test_sums_of_a_million_pairs():
    seconds = {
        "GPU, `inbetween`": r"\| command line, full \| [\d.]+ \| ([\d.]+)",
        "GPU, `inbetween --fast`": r"\| command line, `--fast` \| [\d.]+ \| ([\d.]+)",
    }
    rows = {row[0]: row for row in table("| what | for a pair |")}
    for name, pattern in seconds.items():
        took = float(re.search(pattern, PERFORMANCE)[1])
        _, each, some, many = rows[name]
        assert each == f"{took} s"
        assert some == f"{took * 10_000 / 3600:.0f} GPU hours"
        hours, days = took * 1e6 / 3600, took * 1e6 / 3600 / 8 / 24
        assert many == f"{hours:,.0f} GPU hours: {days:.0f} days of 8 cards"


def test_a_task_goes_through_json_as_the_page_does_it():
    task = types.Task("a", "a-1", "1", "preview", "module", {"fps": 7}, "setup", {"first": "x"})
    assert types.Task(**json.loads(json.dumps(vars(task)))) == task


def test_links_to_chapters():
    heads = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= anchors


def test_no_figure_is_missing():
    assert re.findall(r"\{\{.*?\}\}", TEXT) == []
