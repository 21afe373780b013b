"""What SECURITY.md says of the code, asserted from the syntax tree and from a run."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from stand_ins import write_stand_ins
from test_architecture import NODES, ROOT, SOURCES, calls, imports, none, tree

from fcvg_core.standalone.demo.scene import draw_sample_pair

NETWORK = {
    "socket",
    "ssl",
    "http",
    "ftplib",
    "smtplib",
    "xmlrpc",
    "urllib",
    "requests",
    "httpx",
    "aiohttp",
    "websocket",
    "websockets",
    "huggingface_hub",
    "gdown",
}
HARMLESS = "urllib/parse"
DOWNLOADS = {"fcvg_core/catalogue/download.py"}
# Files of `batch` that ask for the name of this machine, and one that knocks at the address of a
# Ray cluster that the user names.
HOST_NAMES = {"fcvg_core/batch/workers/local_engine.py", "fcvg_core/batch/workers/ray_worker.py"}
KNOCKS = {"fcvg_core/batch/workers/ray_start.py"}
# Packages that open connections, where the user names an address -> the files that import them.
REACHES = {
    "ray": {"fcvg_core/batch/ray_engine.py"},
    "fsspec": {"fcvg_core/batch/store/connecting.py", "fcvg_core/batch/store/remote.py"},
}
PROGRAMS = {"subprocess", "multiprocessing", "pty", "ctypes", "marshal", "runpy", "code", "pip"}
# Files of `batch` that start this program again, or this Python: as workers, to count GPUs, to ask
# whether a Ray cluster answers.
SELF = {
    "fcvg_core/batch/planning/check.py",
    "fcvg_core/batch/workers/local_engine.py",
    "fcvg_core/batch/workers/local_process.py",
    "fcvg_core/batch/workers/ray_start.py",
}
STARTS = {"system", "popen", "fork", "startfile", "posix_spawn", "execv", "execve", "spawnv"}
WRITES = {
    "write_text",
    "write_bytes",
    "mkdir",
    "makedirs",
    "unlink",
    "rename",
    "rmtree",
    "rmdir",
    "save_file",
    "imwrite",
    "copy2",
    "copyfile",
    "copytree",
    "symlink",
    "symlink_to",
    "touch",
}
# The files of these names import by name: commands of their own, packages of a list, and modules
# of commands that the driver of a batch names.
IMPORTS = {
    "fcvg_core/standalone/cli/commands/__init__.py",
    "fcvg_core/catalogue/diagnosis.py",
    "fcvg_core/batch/planning/check.py",
    "fcvg_core/batch/planning/drafts.py",
    "fcvg_core/batch/workers/worker.py",
}
# Numbers that go to both sides: of a camera's move.
SIGNED = {"pan_x", "pan_y", "rotate", "tilt_x", "tilt_y"}
FACES = json.loads((ROOT / "tests" / "nodes" / "object_info.json").read_text(encoding="utf-8"))


def called_of(module: str, name: str) -> list[ast.Call]:
    """Calls of `module.something(...)` in a file."""
    return [
        node
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and getattr(node.func.value, "id", "") == module
    ]


def node_inputs():
    """Name, kind and settings of every input of every node."""
    for node in FACES.values():
        for items in node["input"].values():
            yield from ((name, *value) for name, value in items.items())


class TestExecutesNothing:
    def test_weights_are_read_as_weights_only(self):
        found = [
            (name, call)
            for name in SOURCES
            for call in called_of("torch", name)
            if call.func.attr == "load"
        ]
        assert found
        for name, call in found:
            given = {word.arg: word.value for word in call.keywords}
            assert getattr(given.get("weights_only"), "value", None) is True, name

    def test_numpy_reads_no_objects(self):
        none(
            f"{name} names {word.arg}"
            for name in SOURCES
            for node in ast.walk(tree(name))
            if isinstance(node, ast.Call)
            for word in node.keywords
            if word.arg in ("allow_pickle", "trust_remote_code")
        )

    def test_pickle_is_known_by_its_exception_alone(self):
        users = [name for name in SOURCES if "pickle" in imports(name)]
        none(
            f"{name}: pickle.{node.attr}"
            for name in users
            for node in ast.walk(tree(name))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "pickle"
            and node.attr != "UnpicklingError"
        )

    def test_no_program_is_started(self):
        none(
            f"{name} imports {module}"
            for name in SOURCES
            for module in imports(name)
            if module.split("/")[0] in PROGRAMS
            and not (name in SELF and module.split("/")[0] in ("multiprocessing", "subprocess"))
        )
        none(
            f"{name} calls os.{call.func.attr}"
            for name in SOURCES
            for call in called_of("os", name)
            if call.func.attr in STARTS
        )

    def test_a_batch_starts_this_python_alone(self):
        for name in SELF:
            commands = {
                ast.unparse(node.targets[0]): node.value
                for node in ast.walk(tree(name))
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)
            }
            for call in called_of("subprocess", name):
                command = commands[ast.unparse(call.args[0])]
                assert ast.unparse(command.elts[0]) == "sys.executable", name

    def test_modules_are_imported_by_name_where_the_names_are_ours(self):
        assert {name for name in SOURCES if called_of("importlib", name)} == IMPORTS

    def test_yaml_is_read_as_data(self):
        found = {(name, call.func.attr) for name in SOURCES for call in called_of("yaml", name)}
        assert {function for _, function in found} == {"safe_load"}


class TestNetwork:
    def test_one_file_knows_of_it(self):
        users = {
            name
            for name in SOURCES
            for module in imports(name)
            if module.split("/")[0] in NETWORK
            and not module.startswith("urllib")
            or module.startswith("urllib/")
            and not module.startswith(HARMLESS)
        }
        assert users == DOWNLOADS | HOST_NAMES | KNOCKS
        used = {call.func.attr for name in HOST_NAMES for call in called_of("socket", name)}
        assert used == {"gethostname"}

    def test_packages_that_reach_out_are_imported_where_the_user_names_an_address(self):
        for package, files in REACHES.items():
            found = {
                name
                for name in SOURCES
                if package in {module.split("/")[0] for module in imports(name)}
            }
            assert found == files, package

    def test_nodes_do_not_import_that_file(self):
        none(
            f"{name} imports {module}"
            for name in NODES
            for module in imports(name)
            if "download" in module
        )


class TestNodes:
    def test_write_and_open_nothing(self):
        """Files are opened by the core and by the host's readers."""
        none(f"{name} calls {call}" for name in NODES for call in calls(name) & {*WRITES, "open"})

    def test_take_no_path(self):
        """Files are chosen from the host's lists.

        Of the texts, four are read as numbers, two as JSON, and one is where the host saves files:
        see tests/nodes/test_user_files.py. One names a video inside of a file. The other texts are
        prompts, or the label of a box.
        """
        texts = {name for name, kind, _ in node_inputs() if kind == "STRING"}
        numbers, jsons = {"custom_times", "frames", "ids", "key_boxes"}, {"state", "splines"}
        prompts = {"prompt", "negative", "negative_prompt", "label"}
        assert texts == {"filename_prefix", "video", *prompts, *numbers, *jsons}
        named = {name for name, kind, _ in node_inputs() if name.endswith(("_name", "folder"))}
        assert {"folder", "unet_name", "superpoint_name", "boxes_name"} <= named
        assert all(kind == "COMBO" for name, kind, _ in node_inputs() if name in named)

    def test_every_number_has_bounds(self):
        numbers = [
            (name, settings) for name, kind, settings in node_inputs() if kind in ("INT", "FLOAT")
        ]
        assert len(numbers) > 50
        for name, settings in numbers:
            assert settings["max"] < (2**64 if "seed" in name else 20_000), name
            assert settings["min"] >= (-360 if name in SIGNED else 0), name


# Forbids a program to reach for a server or another program, and says that it has tried.
WATCH = """
import runpy, sys
EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
          "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork")
def watch(event, values):
    if event in EVENTS:
        print("TRIED", event, values, file=sys.stderr)
        raise OSError("not in this test")
sys.addaudithook(watch)
runpy.run_module("fcvg_core", run_name="__main__")
"""


def watched(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """A command of the command line, run to its end."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "FCVG_MODELS": str(folder / "models")}
    env.pop("COMFYUI_PATH", None)
    return subprocess.run(
        [sys.executable, "-c", WATCH, *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


class TestCommandLine:
    @pytest.mark.slow
    def test_a_run_reaches_for_nothing(self, tmp_path):
        write_stand_ins(tmp_path / "models")
        for name, frame in zip(("first", "last"), draw_sample_pair((64, 128)), strict=True):
            Image.fromarray(frame).save(tmp_path / f"{name}.png")
        done = watched(
            tmp_path,
            "inbetween",
            "first.png",
            "last.png",
            "-o",
            "result",
            "--width",
            "128",
            "--height",
            "64",
            "--frames",
            "3",
            "--steps",
            "1",
        )
        assert done.returncode == 0 and "TRIED" not in done.stderr, done.stderr
        assert (tmp_path / "result" / "result.mp4").exists()

    def test_the_list_of_models_does_not_either(self, tmp_path):
        done = watched(tmp_path, "models")
        assert "huggingface.co" in done.stdout and "TRIED" not in done.stderr, done.stderr

    def test_a_download_would_be_seen(self, tmp_path):
        done = watched(tmp_path, "models", "--get", "--mode", "animate")
        assert "TRIED socket." in done.stderr, done.stderr
