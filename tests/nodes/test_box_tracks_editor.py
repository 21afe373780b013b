"""The nodes of boxes in the editor: boxes drawn in its canvas, and a file that is uploaded."""

import json

import numpy as np
import pytest
from editor import NODES_2, Editor, has_nodes_2, open_browser

pytestmark = pytest.mark.seam
# Load Image -> Create Bounding Boxes -> Box Track -> Save Box Tracks, and Load Box Tracks beside.
GRAPH = """() => {
    const { graph, canvas } = window.app;
    const add = (type, x, values = {}) => {
        const node = window.LiteGraph.createNode(type);
        node.pos = [x, 100];
        graph.add(node);
        for (const [name, value] of Object.entries(values))
            node.widgets.find(widget => widget.name == name).value = value;
        return node;
    };
    const join = (from, slot, to, name) =>
        from.connect(slot, to, to.inputs.findIndex(input => input.name == name));
    const picture = add("LoadImage", 0, { image: "first.png" });
    const drawn = add("CreateBoundingBoxes", 400);
    const track = add("FCVG_BoxTrack", 900, { label: "balloon", num_frames: 3, box_number: 0 });
    const both = add("FCVG_CombineTracks", 1400);
    const saved = add("FCVG_SaveBoxTracks", 1800);
    const loaded = add("FCVG_LoadBoxTracks", 2200, { label: "house" });
    join(picture, 0, drawn, "background");
    join(picture, 0, track, "image");
    join(picture, 0, loaded, "image");
    join(drawn, 1, track, "first_box");
    join(track, 0, both, "boxes_1");
    join(loaded, 0, both, "boxes_2");
    join(both, 0, saved, "boxes");
    Object.assign(canvas.ds, { scale: 0.6, offset: [100, 100] });
    canvas.setDirty(true, true);
}"""
CANVAS = "[data-node-id] canvas"
STATE = """(count) => window.app.graph._nodes[1].widgets.find(
    widget => widget.name == "editor_state").value?.length == count"""
PRESS = """() => window.app.graph._nodes.find(node => node.type == "FCVG_LoadBoxTracks")
    .widgets.find(widget => widget.type == "button").callback()"""
CHOSEN = """(name) => window.app.graph._nodes.find(node => node.type == "FCVG_LoadBoxTracks")
    .widgets.find(widget => widget.name == "file").value == name"""
# Two boxes as shares of the picture, on the grid of 32 pixels to which the canvas rounds.
SHARES = ((1 / 8, 2 / 9, 3 / 8, 6 / 9), (4 / 8, 4 / 9, 7 / 8, 8 / 9))


def draw(editor: Editor, box: tuple[float, ...]) -> None:
    """Draw a box on the canvas of Create Bounding Boxes by mouse."""
    place = editor.page.locator(CANVAS).first.bounding_box()
    start, end = (
        (place["x"] + x * place["width"], place["y"] + y * place["height"])
        for x, y in (box[:2], box[2:])
    )
    editor.page.mouse.move(*start)
    editor.page.mouse.down()
    editor.page.mouse.move(*end, steps=4)
    editor.page.mouse.up()


def test_drawn_boxes_and_an_uploaded_file_reach_the_video(host, server, tmp_path):
    if not has_nodes_2(host):
        pytest.skip("needs an editor with Nodes 2.0, whose canvas draws boxes")
    path = tmp_path / "house.txt"
    path.write_text("0,0,64,72\n0,0,64,72\n0,0,64,72\n")
    with open_browser() as browser:
        editor = Editor(browser, server, NODES_2)
        editor.page.evaluate(GRAPH)
        editor.page.locator(CANVAS).first.wait_for()
        editor.page.wait_for_timeout(1000)  # until the canvas has the picture and its size
        for count, box in enumerate(SHARES, 1):
            draw(editor, box)
            editor.page.wait_for_function(STATE, arg=count)
        with editor.page.expect_file_chooser() as chooser:
            editor.page.evaluate(PRESS)
        chooser.value.set_files(str(path))
        editor.page.wait_for_function(CHOSEN, arg=path.name)
        history = editor.queue()
        assert "balloon in all 3 frames" in editor.wait_for_text("FCVG_BoxTrack")
        assert editor.played_frames(1) >= 1
    outputs = history["outputs"].values()
    ((file,),) = [output["files"] for output in outputs if "files" in output]
    saved = server.base / "output" / file["subfolder"] / file["filename"]
    balloon, house = json.loads(saved.read_text())["tracks"]
    middle = np.mean(SHARES, axis=0)
    assert np.allclose(balloon["boxes"], [SHARES[0], middle, SHARES[1]], atol=0.01)
    assert house["label"] == "house" and np.allclose(house["boxes"][2], [0, 0, 0.25, 0.5])
