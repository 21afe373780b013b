"""Who may import whom, and how code reads: asserted from the syntax tree."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("fcvg_core", "nodes")
    for path in (ROOT / folder).rglob("*.py")
) + ["__init__.py"]
ROOMS = ("lines", "pose", "sampling", "models", "standalone")
MAX_LINES = 300
MAX_NETWORK_LINES = 400
MAX_FUNCTION = 50
# Networks and tables, which read as one.
LONG = ("fcvg_core/models/fcvg/controlnext.py", "fcvg_core/models/fcvg/keys.py")
# Sees the lengths of `define_schema`: a list of inputs with their tooltips is a table.
TABLES = ("define_schema",)
PRINTS = ("fcvg_core/standalone/cli.py", "fcvg_core/standalone/commands/")


def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def imports(name: str) -> set[str]:
    """Every module that a file imports, its own package's ones as paths from the root."""
    package = name.split("/")[:-1]
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name.replace(".", "/") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = "/".join([*base, *(node.module or "").split(".")]).strip("/")
            found |= {module, *(f"{module}/{alias.name}" for alias in node.names)}
    return found


def room(path: str) -> str | None:
    """The room of the core that a path lies in."""
    parts = path.split("/")
    return parts[1] if parts[0] == "fcvg_core" and len(parts) > 1 and parts[1] in ROOMS else None


@pytest.mark.parametrize("name", [name for name in SOURCES if name.startswith("fcvg_core/")])
class TestCore:
    def test_never_imports_a_host(self, name):
        for module in imports(name):
            assert module.split("/")[0] not in ("comfy", "comfy_api", "nodes", "folder_paths")

    def test_rooms_do_not_know_each_other(self, name):
        own = room(name)
        if own == "standalone" or own is None:
            return
        others = {room(module) for module in imports(name)} - {None, own}
        assert not others

    def test_nothing_imports_the_standalone_face(self, name):
        if room(name) != "standalone" and not name.endswith("__main__.py"):
            assert not any(room(module) == "standalone" for module in imports(name))

    def test_only_the_standalone_face_opens_files(self, name):
        calls = {
            node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            for node in ast.walk(tree(name))
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute))
        }
        if room(name) != "standalone":
            assert not calls & {"open", "safe_open", "load_file", "read_text", "imread", "imwrite"}


@pytest.mark.parametrize("name", [name for name in SOURCES if name.startswith("nodes/")])
class TestNodes:
    def test_never_imports_diffusers_or_the_standalone_face(self, name):
        for module in imports(name):
            assert module.split("/")[0] not in ("diffusers", "accelerate", "transformers")
            assert room(module) != "standalone"

    def test_own_code_is_imported_relatively(self, name):
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module.split(".")[0] not in ("nodes", "fcvg_core")

    def test_host_does_not_know_the_nodes(self, name):
        if name.startswith("nodes/host/"):
            for module in imports(name):
                assert not re.match(r"nodes/(?!host)\w", module)

    def test_core_is_imported_when_it_is_used(self, name):
        """The pack is imported at every start of ComfyUI: core and host/ may come at first use."""
        if name.startswith("nodes/host/"):
            return
        top = [node for node in tree(name).body if isinstance(node, (ast.Import, ast.ImportFrom))]
        for node in top:
            module = getattr(node, "module", None) or ""
            assert "fcvg_core" not in module
            assert not module.startswith("host.") or module == "host.folders"


@pytest.mark.parametrize("name", SOURCES)
class TestEveryFile:
    def test_is_short(self, name):
        lines = (ROOT / name).read_text(encoding="utf-8").count("\n")
        assert lines <= (MAX_NETWORK_LINES if name in LONG else MAX_LINES)

    def test_functions_are_short(self, name):
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.FunctionDef) and node.name not in TABLES:
                assert node.end_lineno - node.lineno < MAX_FUNCTION, node.name

    def test_is_plain_ascii(self, name):
        assert (ROOT / name).read_bytes().isascii()

    def test_says_what_it_is(self, name):
        assert ast.get_docstring(tree(name))

    def test_public_code_is_explained(self, name):
        for node in _public(tree(name).body):
            assert ast.get_docstring(node), node.name

    def test_prints_nothing_and_catches_what_it_expects(self, name):
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "print" or name.startswith(PRINTS)
                assert node.func.id not in ("eval", "exec")
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None
                broad = isinstance(node.type, ast.Name) and node.type.id == "Exception"
                assert not broad or any(isinstance(x, ast.Raise) for x in ast.walk(node))


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
