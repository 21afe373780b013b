"""What the editor's workflows need."""

import json

from comfy_server import WORKFLOWS

GRAPHS = [json.loads(path.read_text(encoding="utf-8")) for path in WORKFLOWS.glob("*.json")]
HOST = {"LoadImage", "CreateVideo", "SaveVideo", "MarkdownNote"}  # nodes that need no model


def test_the_preview_is_small_and_needs_this_pack_alone() -> None:
    """At most nine nodes, and none that loads a model."""
    graph = json.loads((WORKFLOWS / "fcvg_preview.json").read_text(encoding="utf-8"))
    types = [node["type"] for node in graph["nodes"]]
    assert len(types) <= 9
    pack = {"FCVG_VideoSettings", "FCVG_CropResize", "FCVG_MatchLines", "FCVG_PreviewMotion"}
    assert set(types) - HOST == pack


def test_drawn_boxes_have_the_size_of_any_picture() -> None:
    """A canvas takes the size of its background, so no other size may be saved for its boxes."""
    checked = 0
    for graph in GRAPHS:
        nodes = {node["id"]: node for node in graph["nodes"]}
        sources = {link[0]: nodes[link[1]] for link in graph["links"]}
        for node in graph["nodes"]:
            inputs = {x["name"]: sources[x["link"]] for x in node["inputs"] if x["link"]}
            canvas = inputs.get("first_box", {"type": None})
            if canvas["type"] != "CreateBoundingBoxes":
                continue
            background = next(x for x in canvas["inputs"] if x["name"] == "background")
            assert sources[background["link"]] == inputs["image"]
            widgets = [x["name"] for x in node["inputs"] if "widget" in x]
            values = dict(zip(widgets, node["widgets_values"], strict=True))
            assert (values["width"], values["height"]) == (0, 0)
            checked += 1
    assert checked
