"""Line matches that are saved in the output folder and loaded from the input folder."""

import json

import pytest
import torch
from editor import CLASSIC, NODES_2, Editor, has_nodes_2, open_browser

pytestmark = pytest.mark.seam
FILE = """{"version": 1, "size": [96, 64], "matches": [
{"id": 7, "first": [[5, 8], [40, 8]], "last": [[9, 8], [44, 8]]}
]}
"""
PRESS = """() => {
    const [node] = window.app.graph._nodes;
    node.widgets.find(widget => widget.type == "button").callback();
}"""
CHOSEN = """(name) => {
    const { value, options } = window.app.graph._nodes[0].widgets.find(x => x.name == "file");
    return value == name && options.values.includes(name);
}"""
# Drops a file on the title of the only node.
DROP = """([name, text]) => {
    const [node] = window.app.graph._nodes;
    const { canvas, ds: { scale, offset } } = window.app.canvas;
    const corner = canvas.getBoundingClientRect();
    const x = corner.left + (node.pos[0] + 20 + offset[0]) * scale;
    const y = corner.top + (node.pos[1] + 10 + offset[1]) * scale;
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], name, { type: "application/json" }));
    const event = { dataTransfer, bubbles: true, cancelable: true, clientX: x, clientY: y };
    // In the classic style a tooltip may lie over the canvas.
    const target = window.LiteGraph.vueNodesMode ? document.elementFromPoint(x, y) : canvas;
    for (const type of ["dragenter", "dragover", "drop"])
        target.dispatchEvent(new DragEvent(type, event));
}"""
SAVE = """() => {
    const { graph } = window.app, [load] = graph._nodes;
    const save = window.LiteGraph.createNode("FCVG_SaveLineMatches");
    graph.add(save);
    load.connect(0, save, 0);
}"""


@pytest.fixture
def folders(host, tmp_path, monkeypatch):
    """A folder with the host's folders `input` and `output`."""
    import folder_paths

    for name in ("input", "output"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


@pytest.fixture
def save(node_classes):
    return node_classes["FCVG_SaveLineMatches"]


@pytest.fixture
def open_matches(node_classes):
    return node_classes["FCVG_LoadLineMatches"]


class TestSaveAndLoad:
    def test_comes_back_as_it_was(self, folders, save, open_matches, load, caplog):
        caplog.set_level("INFO")
        lines = torch.rand(2, 3, 2, 2, generator=torch.Generator().manual_seed(0)) * 90
        ids = torch.tensor([4, 7, 5])
        matches = load("fcvg_core.lines").LineMatches(*lines, size=(64, 96), ids=ids)
        saved = save.execute(matches, "shots/lines")
        assert saved.args == (matches,)
        (file,) = saved.ui["files"]
        assert file == {"filename": "lines_00001_.json", "subfolder": "shots", "type": "output"}
        assert "Saved as output/shots/lines_00001_.json." in caplog.text
        (found,) = open_matches.execute("shots/lines_00001_.json [output]").args
        assert torch.equal(found.lines0, lines[0]) and torch.equal(found.ids, ids)
        assert "3 lines match, in " in caplog.text
        assert "Only 3 lines steer the video, which is few. Add matches to the file" in caplog.text
        assert "Size of the frames: 96 x 64." in caplog.text

    def test_file_that_is_none(self, folders, open_matches):
        (folders / "input" / "x.json").write_text(json.dumps({"version": 3, "matches": []}))
        with pytest.raises(ValueError, match=r"x\.json holds .* version 3, .* update ComfyUI-FCVG"):
            open_matches.execute("x.json")
        (folders / "input" / "y.json").write_text('{"nodes": [], "links": []}')
        with pytest.raises(ValueError, match=r"y\.json does not hold line matches"):
            open_matches.execute("y.json")


class TestLoad:
    def test_the_list_and_its_check(self, folders, open_matches):
        (folders / "input" / "x.json").write_text("{}")
        (files,) = open_matches.define_schema().inputs
        assert files.options == ["x.json"]
        assert open_matches.validate_inputs("x.json") is True
        assert open_matches.validate_inputs() is True  # another node gives the name
        assert "upload one" in open_matches.validate_inputs("../x.json")

    def test_runs_again_if_the_file_is_replaced(self, folders, open_matches):
        path = folders / "input" / "x.json"
        path.write_text("{}")
        first = open_matches.fingerprint_inputs("x.json")
        path.write_text("{ }")
        assert open_matches.fingerprint_inputs("x.json") != first
        assert open_matches.fingerprint_inputs() == ""


@pytest.mark.parametrize("style", [CLASSIC, NODES_2])
class TestUpload:
    def test_by_the_button_and_by_dropping(self, host, server, tmp_path, style):
        if style == NODES_2 and not has_nodes_2(host):
            pytest.skip("needs an editor with Nodes 2.0")
        path = tmp_path / f"{style}.json"
        path.write_text(FILE)
        with open_browser() as browser:
            editor = Editor(browser, server, style)
            editor.insert("Load Line Matches")
            with editor.page.expect_file_chooser() as chooser:
                editor.page.evaluate(PRESS)
            chooser.value.set_files(str(path))
            editor.page.wait_for_function(CHOSEN, arg=path.name)
            editor.page.evaluate(DROP, [f"dropped {style}.json", FILE.replace("7", "9")])
            editor.page.wait_for_function(CHOSEN, arg=f"dropped {style}.json")
            editor.page.evaluate(SAVE)
            history = editor.queue()
        outputs = history["outputs"].values()
        ((file,),) = [output["files"] for output in outputs if "files" in output]
        saved = server.base / "output" / file["subfolder"] / file["filename"]
        assert json.loads(saved.read_text())["matches"][0]["id"] == 9
