"""The help pages, which docs/help.py writes from the nodes' schemas and docs/help_texts.md.

That ComfyUI sees the same schemas is asserted in tests/nodes/test_server.py.
"""

import json
import sys

import pytest
from hosts import ROOT

sys.path.append(str(ROOT / "docs"))
import help as help_pages  # noqa: E402

TEXTS = """What stands before a chapter is for writers.

# Shared

## Download

Run it.

# Sources

## Paper

A paper.

# FCVG_Example

Why it is
there.

- One
  tip.
- Another tip.

## `width` `height`

Both or none.

## Download

## Source

Paper
"""


@pytest.fixture(scope="module")
def schemas() -> list[help_pages.Schema]:
    return help_pages.read_schemas()


@pytest.fixture
def example() -> help_pages.Schema:
    """A schema as a node declares it."""
    width = help_pages.Port(
        "INT", "width", {"default": 0, "min": 0, "max": 64, "tooltip": "From Crop & Resize."}
    )
    style = help_pages.Port(
        "COMBO", "style", {"default": "a", "options": ["a", "b"], "tooltip": "As in custom_times."}
    )
    mask = help_pages.Port("MASK", "mask", {"optional": True, "tooltip": "White is kept."})
    image = help_pages.Port("IMAGE", "image", {"tooltip": "In models/dwpose."})
    height = help_pages.Port("INT", "height", {"default": 0, "tooltip": "In pixels."})
    return help_pages.Schema(
        "FCVG_Example",
        "Example",
        "FCVG",
        "Before Create Video.",
        [width, height, style, mask],
        [image],
    )


def render(schema: help_pages.Schema, text: str = TEXTS) -> str:
    return help_pages.render_pages([schema], help_pages.read_texts(text))["FCVG_Example.md"]


def test_pages_are_of_these_schemas_and_texts(schemas):
    texts = help_pages.read_texts(help_pages.TEXTS.read_text(encoding="utf-8"))
    stale = help_pages.stale_pages(help_pages.render_pages(schemas, texts))
    assert not stale, f"stale: run make docs ({', '.join(stale)})"


def test_schemas_are_read_without_a_host(schemas):
    """The stand-ins give what a real host says: the snapshot of the host's own answer."""
    faces = json.loads((ROOT / "tests" / "nodes" / "object_info.json").read_text("utf-8"))
    assert {schema.node_id for schema in schemas} == set(faces)
    for schema in schemas:
        face = faces[schema.node_id]
        assert face["display_name"] == schema.display_name
        assert face["output_name"] == [port.name for port in schema.outputs]
        assert face["output"] == [port.kind for port in schema.outputs]
        inputs = {key: value for items in face["input"].values() for key, value in items.items()}
        assert inputs.keys() == {port.name for port in schema.inputs}
        for port in schema.inputs:
            kind, settings = inputs[port.name]
            assert kind == port.kind
            for key in settings.keys() & {"default", "min", "max", "tooltip"}:
                assert settings[key] == port.settings[key], (schema.node_id, port.name, key)


def test_the_host_is_left_as_it_was(monkeypatch):
    real = type(sys)("folder_paths")
    monkeypatch.setitem(sys.modules, "folder_paths", real)
    help_pages.read_schemas()
    assert sys.modules["folder_paths"] is real
    assert not [name for name in sys.modules if name.split(".")[0] == help_pages.PACK]


def test_page(example):
    assert render(example) == (
        "# Example\n\n"
        "Before *Create Video*.\n\n"
        "Why it is there.\n\n"
        "- One tip.\n- Another tip.\n\n"
        "## Inputs\n\n"
        "- `width` (INT, default 0, 0 to 64): From Crop & Resize. Both or none.\n"
        "- `height` (INT, default 0): In pixels. Both or none.\n"
        "- `style` (COMBO, default a): As in `custom_times`. One of: a, b.\n"
        "- `mask` (MASK, optional): White is kept.\n\n"
        "## Outputs\n\n"
        "- `image` (IMAGE): In `models/dwpose`.\n\n"
        "## Download\n\nRun it.\n\n"
        "Source: A paper.\n"
    )


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("From Load SVD (diffusers folder).", "From *Load SVD (diffusers folder)*."),
        ("Of svd_xt_1_1.safetensors.", "Of `svd_xt_1_1.safetensors`."),
        ("unet.safetensors or unet.bin", "`unet.safetensors` or `unet.bin`"),
        ("A model_index.json, 0.5 of it.", "A `model_index.json`, 0.5 of it."),
        ("Example is this node itself.", "Example is this node itself."),
    ],
)
def test_names_are_marked(example, text, marked):
    names = ["Example", "Load SVD (diffusers folder)"]
    assert help_pages.name_marker(example, names)(text) == marked


def test_choices_that_a_tooltip_explains_are_not_listed_again():
    choices = ["ease", "ease-in", "(no file found in models/x)"]
    text = "ease: gently. ease-in: slow at first; an ease of: its own."
    assert help_pages.mark_choices(text, choices) == (
        "**ease**: gently. **ease-in**: slow at first; an ease of: its own."
    )


def test_texts_without_a_partner(example):
    with pytest.raises(ValueError, match=r"without a partner: \['FCVG_Example', 'FCVG_Other'\]"):
        render(example, TEXTS.replace("# FCVG_Example", "# FCVG_Other"))
    with pytest.raises(ValueError, match="FCVG_Example has no input depth"):
        render(example, TEXTS.replace("`height`", "`depth`"))
    with pytest.raises(ValueError, match="FCVG_Example has no section Source that names one of"):
        render(example, TEXTS.replace("## Source\n", "## Sauce\n"))


@pytest.mark.parametrize("again", ["# FCVG_Example\n", "## Download\n"])
def test_texts_with_one_title(again):
    with pytest.raises(ValueError, match="is there twice"):
        help_pages.read_texts(f"{TEXTS}\n{again}")


def test_stale_pages_are_found_and_written(tmp_path):
    pages = {"same.md": "a\n", "changed.md": "b\n", "new.md": "c\n"}
    (tmp_path / "same.md").write_text("a\n")
    (tmp_path / "changed.md").write_text("old\n")
    (tmp_path / "gone.md").write_text("of no node\n")
    assert help_pages.stale_pages(pages, tmp_path) == ["changed.md", "gone.md", "new.md"]
    help_pages.write_pages(pages, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == pages
