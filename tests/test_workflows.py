"""What the editor's workflows need."""

import json

from comfy_server import WORKFLOWS

HOST = {"LoadImage", "CreateVideo", "SaveVideo", "MarkdownNote"}  # nodes that need no model


def test_the_preview_is_small_and_needs_this_pack_alone() -> None:
    """At most nine nodes, and none that loads a model."""
    graph = json.loads((WORKFLOWS / "fcvg_preview.json").read_text(encoding="utf-8"))
    types = [node["type"] for node in graph["nodes"]]
    assert len(types) <= 9
    pack = {"FCVG_VideoSettings", "FCVG_CropResize", "FCVG_MatchLines", "FCVG_PreviewMotion"}
    assert set(types) - HOST == pack
