"""Who may import whom, and how code reads: asserted from the syntax tree."""

import ast
import functools
import re
import sys

import pytest
from hosts import ROOT

sys.path.append(str(ROOT / "docs"))
from rooms import imports  # noqa: E402  the picture of the rooms is drawn from the same arrows

SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("fcvg_core", "nodes")
    for path in (ROOT / folder).rglob("*.py")
) + ["__init__.py"]
CORE = [name for name in SOURCES if name.startswith("fcvg_core/")]
NODES = [name for name in SOURCES if name.startswith("nodes/")]
# The rooms of the core, and those that each may import: besides itself, and the modules that
# stand in no room. A room stands below what uses it.
ALL = "all"
ARROWS = {
    "lines": (),
    "pose": (),
    "paths": (),
    "boxes": ("lines", "pose"),
    "box_sets": ("files", "boxes"),
    "motion": ("lines", "paths", "pose"),
    "control": ("lines", "motion", "paths", "pose"),
    "warp": ("lines", "motion", "paths", "pose"),
    "video": (),
    "measures": (),
    "sampling": (),
    "models": (),
    "files": (),
    "catalogue": ("files",),
    "standalone/spec": (),
    "standalone/media": ("files", "boxes", "lines", "pose", "video"),
    "standalone/networks": ("boxes", "files", "catalogue", "models", "sampling"),
    "standalone/control": (
        "files",
        "catalogue",
        "control",
        "lines",
        "motion",
        "paths",
        "pose",
        "standalone/spec",
    ),
    "standalone/demo": (),
    "standalone/evaluation": (
        "files",
        "catalogue",
        "measures",
        "boxes",
        "box_sets",
        "standalone/media",
    ),
    # The modules that stand in no room of the face: what a Python program uses.
    "standalone": (
        "boxes",
        "files",
        "catalogue",
        "control",
        "motion",
        "paths",
        "pose",
        "sampling",
        "models",
        "video",
        "warp",
        "standalone/spec",
        "standalone/media",
        "standalone/networks",
        "standalone/control",
    ),
    "batch": (
        "files",
        "standalone",
        "standalone/demo",
        "standalone/media",
        "standalone/spec",
    ),
    "training": (
        "boxes",
        "box_sets",
        "files",
        "catalogue",
        "control",
        "lines",
        "measures",
        "models",
        "motion",
        "pose",
        "sampling",
        "standalone",
        "standalone/control",
        "standalone/demo",
        "standalone/evaluation",
        "standalone/media",
        "standalone/networks",
        "standalone/spec",
    ),
    "standalone/cli": ALL,
}
LIGHT = {"bounds", "choices"}  # modules of the core that nodes import at once
# Tables of families without torch.
LIGHT_TABLES = (
    "fcvg_core.models.dropletvideo",
    "fcvg_core.models.dynamicrafter.variants",
)
LIGHT_HOST = ("host.folders", "host.page")  # modules of host/ that nodes import at once
# The rooms that open files.
OPENING = ("files", "catalogue", "box_sets", "standalone/", "batch", "training")
MAX_LINES = 300
MAX_NETWORK_LINES = 400
MAX_FUNCTION = 50
# Networks and tables, which read as one.
LONG = ("fcvg_core/models/controlnext/network.py", "fcvg_core/models/svd/keys.py")
# A list of inputs with their tooltips.
TABLES = ("define_schema",)
SURVIVES = ("fcvg_core/batch/workers/worker.py",)  # whatever one task of thousands raises
PRINTS = ("fcvg_core/standalone/cli/main.py", "fcvg_core/standalone/cli/commands/")


@functools.cache
def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@functools.cache
def tree(name: str) -> ast.Module:
    return ast.parse(text(name))


def calls(name: str) -> set[str]:
    """Names of the functions and methods that a file calls."""
    return {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute))
    }


def none(found) -> None:
    """Fail with every offender, a line each."""
    found = sorted(found)
    assert not found, "\n".join(found)


def room(path: str) -> str | None:
    """The room of the core that a path lies in; the longest that fits."""
    parts = path.removesuffix(".py").split("/")
    if parts[0] != "fcvg_core":
        return None
    names = ("/".join(parts[1:end]) for end in range(len(parts), 1, -1))
    return next((name for name in names if name in ARROWS), None)


def may_import(one: str | None, other: str | None) -> bool:
    """Whether an arrow goes from a room to another one."""
    allowed = ARROWS.get(one, ())
    return other in (None, one) or allowed == ALL or other in allowed


class TestCore:
    def test_never_imports_a_host(self):
        hosts = ("comfy", "comfy_api", "nodes", "folder_paths")
        none(
            f"{name} imports {module}"
            for name in CORE
            for module in imports(name)
            if module.split("/")[0] in hosts
        )

    def test_rooms_import_what_stands_below_them(self):
        none(
            f"{name} imports {module}"
            for name in CORE
            for module in imports(name)
            if not name.endswith("__main__.py") and not may_import(room(name), room(module))
        )

    def test_the_command_line_alone_knows_argparse(self):
        none(
            name
            for name in SOURCES
            if "argparse" in imports(name) and not name.startswith("fcvg_core/standalone/cli/")
        )

    def test_bounds_and_choices_load_nothing(self):
        assert imports("fcvg_core/bounds.py") == {"dataclasses", "dataclasses/dataclass"}
        assert not imports("fcvg_core/choices.py")
        assert not imports("fcvg_core/__init__.py")

    def test_few_rooms_open_files(self):
        opening = {"open", "safe_open", "load_file", "read_text", "imread", "imwrite"}
        none(
            f"{name} calls {called}"
            for name in CORE
            if not (room(name) or "").startswith(OPENING)
            for called in calls(name) & opening
        )


class TestNodes:
    def test_never_imports_diffusers_or_the_standalone_face(self):
        foreign = ("diffusers", "accelerate", "transformers")
        rooms = ("standalone", "training")
        none(
            f"{name} imports {module}"
            for name in NODES
            for module in imports(name)
            if module.split("/")[0] in foreign or (room(module) or "").startswith(rooms)
        )

    def test_own_code_is_imported_relatively(self):
        none(
            f"{name} imports {node.module}"
            for name in NODES
            for node in ast.walk(tree(name))
            if isinstance(node, ast.ImportFrom)
            and not node.level
            and node.module.split(".")[0] in ("nodes", "fcvg_core")
        )

    def test_host_does_not_know_the_nodes(self):
        none(
            f"{name} imports {module}"
            for name in NODES
            if name.startswith("nodes/host/")
            for module in imports(name)
            if re.match(r"nodes/(?!host)\w", module)
        )

    def test_core_is_imported_when_it_is_used(self):
        """The pack is imported at every start of ComfyUI: core and host/ may come at first use.

        Widgets need bounds, choices and tables of models at once; these modules load no torch.
        """
        found = []
        for name in NODES:
            if name.startswith("nodes/host/"):
                continue
            for node in tree(name).body:
                module = getattr(node, "module", None) or ""
                early = "fcvg_core" in module or module.startswith("host.")
                if module == "fcvg_core" and {alias.name for alias in node.names} <= LIGHT:
                    continue
                if module in LIGHT_TABLES:
                    continue
                if isinstance(node, ast.ImportFrom) and early and module not in LIGHT_HOST:
                    found.append(f"{name} imports {module} at its top")
        none(found)


class TestEveryFile:
    def test_is_short(self):
        lines = {name: text(name).count("\n") - lines_of_tables(name) for name in SOURCES}
        none(
            f"{name}: {count} lines"
            for name, count in lines.items()
            if count > (MAX_NETWORK_LINES if name in LONG else MAX_LINES)
        )

    def test_functions_are_short(self):
        none(
            f"{name}: {node.name}"
            for name in SOURCES
            for node in ast.walk(tree(name))
            if isinstance(node, ast.FunctionDef)
            and node.name not in TABLES
            and node.end_lineno - node.lineno >= MAX_FUNCTION
        )

    def test_is_plain_ascii(self):
        none(name for name in SOURCES if not text(name).isascii())

    def test_says_what_it_is(self):
        none(name for name in SOURCES if not ast.get_docstring(tree(name)))

    def test_public_code_is_explained(self):
        none(
            f"{name}: {node.name}"
            for name in SOURCES
            for node in _public(tree(name).body)
            if not ast.get_docstring(node)
        )

    def test_prints_nothing_and_catches_what_it_expects(self):
        none(
            f"{name}:{node.lineno} {fault}"
            for name in SOURCES
            for node in ast.walk(tree(name))
            if (fault := _fault(node, name))
        )

    def test_there_are_files(self):
        """A rule about files that are not found holds always."""
        assert len(CORE) > 50 and len(NODES) > 20 and set(CORE + NODES) < set(SOURCES)


def lines_of_tables(name: str) -> int:
    """Lines of the tables of a file, which may be as long as they are."""
    return sum(
        node.end_lineno - node.lineno
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef) and node.name in TABLES
    )


def _fault(node: ast.AST, name: str) -> str | None:
    """What a call or a handler of exceptions does that it must not."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in ("eval", "exec"):
            return f"calls {node.func.id}"
        if node.func.id == "print" and not name.startswith(PRINTS):
            return "prints"
    if isinstance(node, ast.ExceptHandler):
        broad = isinstance(node.type, ast.Name) and node.type.id == "Exception"
        raises = any(isinstance(x, ast.Raise) for x in ast.walk(node))
        if node.type is None or (broad and not raises and name not in SURVIVES):
            return "catches whatever comes"
    return None


def _public(body: list[ast.stmt]) -> list[ast.stmt]:
    """Functions, classes and methods that others may call; a node's schema describes it."""
    found = []
    for node in body:
        public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"
        if (
            not public
            or node.name == "forward"
            or (isinstance(node, ast.ClassDef) and _is_node(node))
        ):
            continue
        found += [node, *(_public(node.body) if isinstance(node, ast.ClassDef) else [])]
    return found


def _is_node(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Attribute) and base.attr == "ComfyNode" for base in node.bases)


def test_requirements_are_the_packages_dependencies():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.replace('"', "'") for line in lines if line and not line.startswith("#")]
    tomllib = pytest.importorskip("tomllib")  # Python 3.11
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dependencies"] == wanted
    assert not any("<" in line or "==" in line.split(";")[0] for line in wanted)
