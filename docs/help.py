"""Write the help page of every node: web/docs/<node id>.md.

    python docs/help.py

Inputs, outputs, types, defaults, ranges and tooltips come from the schemas of the nodes, longer
texts from docs/help_texts.md, and the keys of Edit Motion from its own script. ComfyUI is not
needed: a schema is read through stand-ins for the modules that it imports. tests/test_help.py says
when a page is stale.
"""

import asyncio
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "web" / "docs"
TEXTS = ROOT / "docs" / "help_texts.md"
ACTIONS = ROOT / "web" / "js" / "motion" / "actions.js"
PACK = "fcvg_help"  # the name under which the pack is imported here
# Nodes of ComfyUI that a text may name; this pack's nodes are known from their schemas.
HOST_NODES = (
    "Apply ControlNet",
    "BasicScheduler",
    "Bounding Box",
    "CFGGuider",
    "CLIP Text Encode",
    "Create Bounding Boxes",
    "Create Video",
    "Curve Editor",
    "Generate Video Tracks",
    "Get Image Size",
    "Image Only Checkpoint Loader",
    "KSampler",
    "KSamplerSelect",
    "Load Checkpoint Image Only (img2vid model)",
    "Load CLIP",
    "Load CLIP Vision",
    "Load LoRA",
    "Load VAE",
    "RescaleCFG",
    "Run Real-Time Detection (RT-DETR)",
    "SamplerCustomAdvanced",
    "SDPose Keypoint Extractor",
    "VAE Decode",
    "VAE Decode (Tiled)",
    "VAE Encode",
    "WanMoveTrackToVideo",
    "WanMoveTracksFromCoords",
    "WanMoveVisualizeTracks",
    "WanTrackToVideo",
    "WanVaceToVideo",
)
# Words of a tooltip that are a name in code: models/dwpose, unet.safetensors, custom_times.
CODE = (
    r"models/\w+|[\w.-]*_[\w-]+(?:\.\w+)*(?:/\w+\.ckpt)?|[\w-]+\.(?:safetensors|bin|json|ckpt|txt)"
)
SHARED, SOURCES = "Shared", "Sources"  # the two chapters that belong to no node
KEYS = "Keys"  # the title of the section with the keys of Edit Motion


@dataclass(frozen=True)
class Port:
    """An input or output, as a schema declares it."""

    kind: str
    name: str
    settings: dict


@dataclass
class Schema:
    """Stands for io.Schema of the oldest supported host."""

    node_id: str
    display_name: str
    category: str
    description: str
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    is_output_node: bool = False


class Socket:
    """Stands for a type of ComfyUI, for example io.Image."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def Input(self, name: str, **settings) -> Port:  # noqa: N802 - ComfyUI's name
        return Port(self.kind, name, settings)

    def Output(self, display_name: str | None = None, **settings) -> Port:  # noqa: N802
        return Port(self.kind, display_name or self.kind, settings)


class Io(ModuleType):
    """Stands for comfy_api.latest.io: every type that is asked for is there."""

    Schema = Schema
    ComfyNode = type("ComfyNode", (), {})
    Custom = Socket

    def __getattr__(self, name: str) -> Socket:
        return Socket(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper())


def read_schemas() -> list[Schema]:
    """The schema of every node, in the order of the pack's list."""
    with _without_a_host():
        nodes = importlib.import_module(f"{PACK}.nodes")
        return [node.define_schema() for node in asyncio.run(nodes.FcvgExtension().get_node_list())]


@contextmanager
def _without_a_host() -> Iterator[None]:
    """The pack as an importable package, and stand-ins for what its schemas import of ComfyUI."""
    spec = importlib.util.spec_from_file_location(
        PACK, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    latest = ModuleType("comfy_api.latest")
    latest.io, latest.ui, latest.ComfyExtension = Io("io"), ModuleType("ui"), object
    folders = ModuleType("folder_paths")
    folders.get_filename_list = folders.get_folder_paths = lambda kind: []
    folders.get_input_directory = lambda: str(ROOT / "no such folder")
    samplers = ModuleType("comfy.samplers")
    samplers.SAMPLER_NAMES = samplers.SCHEDULER_NAMES = []
    comfy = ModuleType("comfy")
    comfy.samplers = samplers
    pack = importlib.util.module_from_spec(spec)
    stand_ins = (pack, latest, ModuleType("comfy_api"), folders, samplers, comfy)
    before = {module.__name__: sys.modules.get(module.__name__) for module in stand_ins}
    sys.modules.update({module.__name__: module for module in stand_ins})
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == PACK] + [*before]:
            sys.modules.pop(name, None)
        sys.modules.update({name: module for name, module in before.items() if module})


def read_texts(text: str) -> dict[str, dict[str, str]]:
    """Chapters (# a node id) of sections (## a title); the text before the sections has title "".

    The lines of a paragraph are joined.

    Raises:
        ValueError: a chapter, or a section of a chapter, is there twice.
    """
    chapters = {}
    for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        head, *sections = re.split(r"^## ", f"{part}\n", flags=re.MULTILINE)
        name, _, opening = head.partition("\n")
        chapter = {"": _joined(opening)}
        for title, _, body in (section.partition("\n") for section in sections):
            _add(chapter, title, _joined(body))
        _add(chapters, name, chapter)
    return chapters


def _add(texts: dict, title: str, text: str | dict[str, str]) -> None:
    """Add a text under its title; the second text of a title would hide the first."""
    if title in texts:
        raise ValueError(f"{title} is there twice.")
    texts[title] = text


def _joined(text: str) -> str:
    """Paragraphs and items of lists without the line breaks inside them; tables as they are."""
    return re.sub(r"(?<=\S)\n *(?=[^\s|-])", " ", text).strip()


def render_pages(schemas: list[Schema], texts: dict[str, dict[str, str]]) -> dict[str, str]:
    """The text of every page, by its file name.

    Raises:
        ValueError: a node has no chapter, a chapter has no node or no source, or a section explains
            an input that its node does not have.
    """
    chapters = {name: dict(sections) for name, sections in texts.items()}
    shared, sources = {**chapters.pop(SHARED), KEYS: key_table()}, chapters.pop(SOURCES)
    ids = {schema.node_id for schema in schemas}
    if chapters.keys() != ids:
        raise ValueError(f"Nodes or chapters without a partner: {sorted(chapters.keys() ^ ids)}.")
    display_names = [schema.display_name for schema in schemas]
    return {
        f"{schema.node_id}.md": _page(schema, chapters[schema.node_id], shared, sources, mark)
        for schema in schemas
        for mark in [name_marker(schema, display_names)]
    }


def key_table() -> str:
    """What the keys and the buttons of Edit Motion do, as the canvas itself says it."""
    row = r'^\s+\[(?:"([^"]*)", )?"([^"]+)", "([^"]+)"'  # a key may have no button
    actions = re.findall(row, ACTIONS.read_text("utf-8"), re.MULTILINE)
    rows = [f"| `{key}` | {button} | {text} |" for button, key, text in actions]
    return "\n".join(["| key | button | what it does |", "|---|---|---|", *rows])


def _page(schema: Schema, chapter: dict[str, str], shared: dict, sources: dict, mark) -> str:
    source = sources.get(chapter.pop("Source", ""))
    if not source:
        known = ", ".join(filter(None, sources))
        raise ValueError(f"{schema.node_id} has no section Source that names one of: {known}.")
    notes = {title: chapter.pop(title) for title in [*chapter] if title.startswith("`")}
    unknown = set(re.findall(r"`(\w+)`", " ".join(notes))) - {port.name for port in schema.inputs}
    if unknown:
        raise ValueError(f"{schema.node_id} has no input {', '.join(sorted(unknown))}.")
    parts = [f"# {schema.display_name}", mark(schema.description), chapter.pop("")]
    for title, ports in (("Inputs", schema.inputs), ("Outputs", schema.outputs)):
        own = notes if title == "Inputs" else {}
        if ports:
            parts += [f"## {title}", "\n".join(_line(port, own, mark) for port in ports)]
    for title, text in chapter.items():
        parts += [f"## {title}", text or shared[title]]
    return "\n\n".join([*filter(None, parts), f"Source: {source}"]) + "\n"


def _line(port: Port, notes: dict[str, str], mark) -> str:
    """An item of a list: name, type, default and range, then the tooltip and the notes."""
    settings = port.settings
    texts = [mark_choices(mark(settings["tooltip"]), settings.get("options", []))]
    texts += [text for title, text in notes.items() if f"`{port.name}`" in title]
    return f"- `{port.name}` ({', '.join(_facts(port))}): {' '.join(texts)}"


def _facts(port: Port) -> Iterator[str]:
    settings = port.settings
    yield port.kind
    if "default" in settings:
        code = "`" if port.kind == "STRING" else ""  # a text may have commas of its own
        yield f"default {code}{settings['default']}{code}"
    elif settings.get("optional"):
        yield "optional"
    if settings.get("max", 2**32) < 2**32 - 1:  # only seeds have a larger maximum
        yield f"{settings['min']} to {settings['max']}"


def mark_choices(text: str, choices: list[str]) -> str:
    """A tooltip: its choices in bold if it names all of them, otherwise followed by their list."""
    choices = [word for word in choices if not word.startswith("(")]  # "(no file found in ...)"
    words = "|".join(map(re.escape, sorted(choices, key=len, reverse=True)))
    if not choices or all(word in text for word in choices):
        return re.sub(rf"(?<![\w`-])({words})(?=:)", r"**\1**", text) if words else text
    return f"{text} One of: {', '.join(choices)}."


def name_marker(schema: Schema, display_names: list[str]):
    """A function that sets the names of other nodes in italics, and names in code as code."""
    others = {*display_names, *HOST_NODES} - {schema.display_name}
    names = "|".join(map(re.escape, sorted(others, key=len, reverse=True)))
    pattern = re.compile(rf"(?P<node>\b(?:{names})(?!\w))|(?P<code>(?<!\w)(?:{CODE}))")
    return lambda text: pattern.sub(
        lambda found: f"*{found[0]}*" if found["node"] else f"`{found[0]}`", text
    )


def stale_pages(pages: dict[str, str], folder: Path = PAGES) -> list[str]:
    """Names of files that differ from their page, are missing, or belong to no node."""
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in there.keys() | pages if there.get(name) != pages.get(name))


def write_pages(pages: dict[str, str], folder: Path = PAGES) -> None:
    """Write the pages that are stale, and remove pages of nodes that are gone."""
    for name in stale_pages(pages, folder):
        if name in pages:
            (folder / name).write_text(pages[name], encoding="utf-8", newline="\n")
        else:
            (folder / name).unlink()


if __name__ == "__main__":
    write_pages(render_pages(read_schemas(), read_texts(TEXTS.read_text(encoding="utf-8"))))
