"""Edit Motion in a real browser: drawn, dragged, undone, saved, opened again and run."""

import json
from pathlib import Path

import numpy as np
import pytest
from editor import CLASSIC, has_nodes_2
from motion_canvas import COUNT, MotionCanvas
from PIL import Image

NEWER = '{"version": 3, "size": [256, 144]}'
NOT_RUN = "Run the node"


@pytest.fixture
def canvas(editor) -> MotionCanvas:
    """The canvas in a new graph, in each style of nodes."""
    canvas = MotionCanvas(editor)
    canvas.build()
    return canvas


@pytest.fixture
def run(canvas, server):
    """Runs the graph; returns its saved frames [T, H, W, 3]."""

    def get() -> np.ndarray:
        history = canvas.editor.queue()
        assert history["status"]["status_str"] == "success", json.dumps(history["status"])[-2000:]
        canvas.page.wait_for_timeout(500)  # until the editor shows the result
        (images,) = (x["images"] for x in history["outputs"].values() if is_saved(x))
        files = [Path(server.base, "output", x["subfolder"], x["filename"]) for x in images]
        return np.stack([np.asarray(Image.open(file)) for file in files])

    return get


def is_saved(output: dict) -> bool:
    return output.get("images", [{}])[0].get("type") == "output"


def lines(count: int) -> dict:
    """What a run could have found: horizontal lines in rows, without pictures."""
    rows = []
    for i in range(count):
        x, y = 30.0 + 16 * (i % 60), 30.0 + 10 * (i // 60)
        ends = [[x, y], [x + 12, y]]
        rows.append({"id": i, "first": ends, "last": ends, "score": 1.0})
    none = {"matches": {}, "people": {}}
    return {
        "size": [1024, 576],
        "pictures": {"first": None, "last": None},
        "matches": rows,
        "people": [],
        "paths": [],
        "assigned": none,
        "stale": {"matches": [], "people": []},
    }


class TestWork:
    @pytest.mark.seam
    def test_draw_drag_undo_save_open_and_run(self, canvas, run):
        """The frames change where a line was drawn, and nowhere else."""
        assert NOT_RUN in canvas.status
        canvas.editor.select("FCVG_EditMotion")
        canvas.press("Delete", "l")  # the graph's Delete would remove the node
        canvas.drag("first", (20, 100), (60, 110))
        assert canvas.state == ""
        before = run()
        assert NOT_RUN not in canvas.status and len(canvas.lines) > 5

        canvas.press("l")
        canvas.drag("first", (20, 100), (60, 110))
        canvas.drag("last", (40, 105), (40, 130))
        (drawn,) = canvas.edits
        assert np.allclose(drawn["first"], [[20, 100], [60, 110]], atol=0.5)
        assert np.allclose(drawn["last"], [[20, 125], [60, 135]], atol=0.5)
        canvas.press("Control+z")
        assert np.allclose(canvas.edits[0]["last"], [[20, 100], [60, 110]], atol=0.5)
        canvas.press("Control+y")
        assert canvas.edits == [drawn]

        saved = canvas.state
        canvas.editor.reload()
        canvas.look()
        assert canvas.state == saved and len(canvas.lines) == 1 and NOT_RUN in canvas.status
        after = run()
        assert len(canvas.lines) > 5
        changed = np.abs(after[0].astype(int) - before[0]).max(-1) > 60
        rows, columns = np.nonzero(changed)
        assert 40 <= changed.sum() < 400
        assert rows.min() > 94 and rows.max() < 117 and columns.min() > 14 and columns.max() < 67

    def test_a_drag_is_one_change_of_the_graph(self, canvas):
        canvas.find(lines(5))
        canvas.page.wait_for_timeout(300)
        before = canvas.changes
        canvas.drag("first", (30, 30), (60, 90), (80, 100))
        canvas.page.wait_for_timeout(500)
        assert canvas.changes == before + 1
        canvas.press("Delete")
        canvas.page.wait_for_timeout(300)
        assert canvas.changes == before + 2 and len(canvas.edits) == 1
        assert canvas.edits[0]["edit"] == "deleted"

    def test_the_editor_undoes_it_too(self, canvas):
        """While the canvas has no focus. The node is then made anew, and asks for a run again."""
        canvas.find(lines(2))
        canvas.press("l")
        canvas.drag("first", (200, 100), (300, 110))
        canvas.page.wait_for_timeout(300)
        canvas.editor.press_beside("Control+z")
        canvas.look()
        assert canvas.state == "" and canvas.lines == []
        canvas.find(lines(2))
        canvas.press("l")
        canvas.drag("first", (400, 100), (500, 110))
        assert len(canvas.edits) == 1


class TestSelect:
    def test_a_box_then_delete_then_restore(self, canvas):
        canvas.find(lines(120))
        canvas.drag("first", (10, 10), (75, 45))
        assert canvas.selected == [0, 1, 2, 60, 61, 62]
        canvas.press("Delete")
        assert {row["edit"] for row in canvas.edits} == {"deleted"} and len(canvas.edits) == 6
        canvas.press("b")
        assert canvas.state == ""

    def test_shift_adds_and_takes_away(self, canvas):
        canvas.find(lines(5))
        canvas.click("last", 36, 30)
        canvas.page.keyboard.down("Shift")
        canvas.click("last", 84, 30)
        assert canvas.selected == [0, 3]
        canvas.click("last", 36, 30)
        canvas.page.keyboard.up("Shift")
        assert canvas.selected == [3]


class TestPath:
    def test_it_may_end_in_the_other_keyframe(self, canvas):
        canvas.find(lines(5))
        canvas.press("p")
        canvas.page.mouse.move(*canvas.place("first", 200, 60))
        canvas.page.mouse.down()
        canvas.page.mouse.move(*canvas.place("last", 150, 90), steps=4)
        canvas.page.mouse.up()
        (path,) = json.loads(canvas.state)["paths"]
        assert np.allclose([path["points"][0], path["points"][-1]], [[200, 60], [150, 90]], atol=1)


class TestTouch:
    def test_one_finger_moves_and_two_zoom_as_the_wheel_does(self, canvas):
        canvas.find(lines(3))
        canvas.touch([(42, 30), (60, 60), (120, 160)])
        assert np.allclose(canvas.edits[0]["first"][1], [120, 160], atol=2)
        a, b = (canvas.place("first", x, 480) for x in (400, 600))
        canvas.touch([(400, 480), (300, 480)], [(600, 480), (700, 480)])
        c, d = (canvas.place("first", x, 480) for x in (400, 600))
        assert d[0] - c[0] > 1.5 * (b[0] - a[0]) and len(canvas.edits) == 1
        canvas.press("f")
        scale = canvas.editor.scale()
        canvas.page.mouse.move(*canvas.place("first", 512, 288))
        canvas.page.mouse.wheel(0, -400)
        canvas.page.wait_for_timeout(200)
        c, d = (canvas.place("first", x, 480) for x in (400, 600))
        assert d[0] - c[0] > 2 * (b[0] - a[0]) and canvas.editor.scale() == scale
        height = canvas.height
        canvas.widen(2000)
        assert canvas.height < height + 50  # the buttons need a row less


class TestFound:
    def test_what_is_stale_or_lost_is_named(self, canvas):
        ends = [[100.0, 100.0], [200.0, 100.0]]
        row = {"id": 7, "first": ends, "last": ends, "edit": "moved"}
        row["found"] = {"first": [[9, 9], [9, 8]], "last": [[9, 9], [9, 8]]}
        canvas.state = json.dumps({"version": 2, "size": [1024, 576], "matches": [row]})
        lost = {"filename": "lost.jpg", "subfolder": "", "type": "temp"}
        found = lines(2) | {"pictures": {"first": lost, "last": None}}
        canvas.find(found | {"stale": {"matches": [7], "people": []}})
        canvas.page.wait_for_timeout(500)
        assert "lines: 3 (no longer found, not used: 7)" in canvas.status
        assert "picture of the first keyframe is gone" in canvas.status
        canvas.press("Control+a", "k")
        assert json.loads(canvas.state)["matches"][0]["locked"] and "not used" not in canvas.status


class TestBadStates:
    def test_it_is_named_and_stays(self, canvas):
        bad = {NEWER: "version 3", "{]": "does not hold", '{"version": 2}': "size"}
        for text, said in bad.items():
            canvas.state = text
            assert said in canvas.status
            canvas.press("l")
            canvas.drag("first", (20, 100), (60, 110))
            canvas.find(lines(3))
            assert canvas.state == text and said in canvas.status
        canvas.state = ""
        assert len(canvas.lines) == 3


class TestTabs:
    def test_each_graph_has_its_own_state(self, canvas, run):
        """The other graph has a node with the same id."""
        run()
        found = len(canvas.lines)
        canvas.press("l")
        canvas.drag("first", (20, 100), (60, 110))
        name, state = canvas.editor.name(), canvas.state
        canvas.page.wait_for_timeout(500)  # until the editor has noticed the change
        canvas.build()
        assert canvas.state == "" and canvas.lines == [] and NOT_RUN in canvas.status
        canvas.editor.turn_to(name)
        canvas.look()
        assert canvas.state == state and len(canvas.lines) == found + 1


class TestAppMode:
    def test_the_canvas_is_an_input_of_an_app(self, editors, host):
        if not has_nodes_2(host):
            pytest.skip("needs an editor with App mode")
        canvas = MotionCanvas(editors(CLASSIC))
        canvas.build()
        canvas.open_app()
        canvas.find(lines(3))
        canvas.press("l")
        canvas.drag("first", (400, 300), (600, 400))
        (drawn,) = canvas.edits
        assert drawn["edit"] == "drawn"
        canvas.leave_app()
        assert canvas.edits == [drawn]
        canvas.drag("last", (500, 350), (500, 450))
        assert canvas.edits != [drawn]


class TestMany:
    def test_3000_lines_are_drawn_once_for_a_drag(self, canvas):
        """All that does not move is drawn when the drag begins, and when it has ended."""
        canvas.find(lines(3000))
        canvas.page.wait_for_timeout(300)
        canvas.page.evaluate(COUNT)
        canvas.drag("first", (30, 30), *((30 + i, 30 + 8 * i) for i in range(1, 11)))
        canvas.page.wait_for_timeout(300)
        count = canvas.page.evaluate("() => window.fcvgCount")
        assert count["draws"] >= 10 and count["whole"] <= 4
        assert len(canvas.edits) == 1
