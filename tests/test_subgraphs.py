"""The blueprints: graphs that ComfyUI's editor offers as one node.

`tests/nodes/test_editor.py` inserts and runs them.
"""

import json

import pytest
from comfy_server import VERSION, WORKFLOWS
from hosts import ROOT

BLUEPRINTS = sorted((ROOT / "subgraphs").glob("*.json"))


@pytest.fixture(params=BLUEPRINTS, ids=[path.stem for path in BLUEPRINTS])
def blueprint(request) -> dict:
    # Some hosts open the file in the encoding of the machine.
    return json.loads(request.param.read_text(encoding="ascii"))


@pytest.fixture
def inside(blueprint) -> dict:
    """The graph behind the node."""
    (graph,) = blueprint["definitions"]["subgraphs"]
    return graph


def test_there_is_one():
    assert [path.stem for path in BLUEPRINTS] == ["Inbetween two frames"]


def test_it_is_one_node(blueprint, inside):
    """Its slots are those of the graph, and nothing is connected yet."""
    (node,) = blueprint["nodes"]
    assert (node["type"], node["title"]) == (inside["id"], inside["name"])
    assert inside["description"]
    for side, key in (("inputs", "link"), ("outputs", "links")):
        assert [slot["name"] for slot in node[side]] == [slot["name"] for slot in inside[side]]
        assert not any(slot[key] for slot in node[side])


def test_every_node_is_of_this_pack(inside):
    for node in inside["nodes"]:
        assert node["type"].startswith("FCVG_"), node["type"]
        assert (node["properties"]["cnr_id"], node["properties"]["ver"]) == ("fcvg", VERSION)


def test_every_link_joins_two_slots(inside):
    """Also the links to the slots of the node itself, whose ids are negative."""
    nodes = {node["id"]: (node["inputs"], node["outputs"]) for node in inside["nodes"]}
    nodes[inside["inputNode"]["id"]] = ([], inside["inputs"])
    nodes[inside["outputNode"]["id"]] = (inside["outputs"], [])
    for link in inside["links"]:
        start = nodes[link["origin_id"]][1][link["origin_slot"]]
        end = nodes[link["target_id"]][0][link["target_slot"]]
        assert link["id"] in (start["links"] if "links" in start else start["linkIds"])
        assert link["id"] in ([end["link"]] if "link" in end else end["linkIds"])
        assert start["type"] == end["type"] == link["type"]


def test_values_are_those_of_the_workflows(inside):
    """Names of models, sizes, steps: what a user fills in once."""
    saved = {}
    for name in ("fcvg_inbetween.json", "fcvg_simple.json"):
        for node in json.loads((WORKFLOWS / name).read_text(encoding="utf-8"))["nodes"]:
            saved[node["type"]] = node.get("widgets_values")
    for node in inside["nodes"]:
        assert node["widgets_values"] == saved[node["type"]], node["type"]
