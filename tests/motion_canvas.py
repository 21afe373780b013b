"""Drives the canvas of Edit Motion in a browser like a person: with mouse, keys and fingers.

Places are in pixels of the keyframes.
"""

import json

from editor import SOON, Editor

# Pictures -> Match Lines -> Edit Motion -> Draw Inbetween Lines -> the saved frames.
BUILD = """() => {
    const { graph } = window.app;
    const add = (type, x, y, values = {}) => {
        const node = window.LiteGraph.createNode(type);
        node.pos = [x, y];
        graph.add(node);
        for (const [name, value] of Object.entries(values))
            node.widgets.find(widget => widget.name == name).value = value;
        return node;
    };
    const join = (from, output, to, input) => from.connect(
        output, to, to.inputs.findIndex(slot => slot.name == input));
    const [first, last] = ["first", "last"].map((name, i) =>
        add("LoadImage", -700, 400 * i, { image: `${name}.png` }));
    const match = add("FCVG_MatchLines", -350, 0);
    const edit = add("FCVG_EditMotion", 0, 0);
    const draw = add("FCVG_DrawLines", 1000, 0, { num_frames: 5, line_width: 3 });
    const save = add("SaveImage", 1400, 0);
    for (const node of [match, edit]) {
        join(first, 0, node, "first_frame");
        join(last, 0, node, "last_frame");
    }
    join(match, 0, edit, "line_matches");
    join(edit, 1, draw, "line_matches");
    join(draw, 0, save, "images");
    const { changeTracker } = window.app.extensionManager.workflow.activeWorkflow;
    changeTracker[changeTracker.captureCanvasState ? "captureCanvasState" : "checkState"]();
}"""
NODE = 'window.app.graph._nodes.find(node => node.type == "FCVG_EditMotion")'
# At full size, with room for the whole node.
LOOK = f"""() => {{
    const {{ canvas }} = window.app;
    canvas.ds.scale = 1;
    canvas.ds.offset = [-{NODE}.pos[0] + 150, -{NODE}.pos[1] + 120];
    canvas.setDirty(true, true);
}}"""
PLACE = f"""([which, x, y]) => {{
    const {{ view, canvas }} = {NODE}.fcvgMotion;
    const panel = view.panels().find(one => one.which == which || one.which == "both");
    const box = canvas.getBoundingClientRect();
    const [left, top] = panel.toScreen([x, y]);
    return [box.x + left * box.width / canvas.clientWidth,
            box.y + top * box.height / canvas.clientHeight];
}}"""
STATE = f'() => {NODE}.widgets.find(widget => widget.name == "state").value'
SET = f'text => {{ {NODE}.widgets.find(widget => widget.name == "state").value = text; }}'
LINES = f"() => {NODE}.fcvgMotion.motion.lines"
STATUS = f"() => {NODE}.fcvgMotion.status.textContent"
SELECTED = f"() => [...{NODE}.fcvgMotion.selection.lines]"
CHANGES = """() => {
    const { changeTracker } = window.app.extensionManager.workflow.activeWorkflow;
    return changeTracker.undoQueue.length;
}"""
# An app whose only input is the canvas.
APP = """() => {
    const graph = window.app.graph.serialize();
    const id = type => String(graph.nodes.find(node => node.type == type).id);
    graph.extra.linearData = {
        inputs: [[id("FCVG_EditMotion"), "editor"]], outputs: [id("SaveImage")] };
    return graph;
}"""
TURN_APP = """() =>
    window.app.extensionManager.command.execute("Comfy.ToggleLinear")"""
FOUND = f"payload => {NODE}.onExecuted({{ fcvg_motion: [payload] }})"
# How often the canvas drew all rows, and how often it drew at all, since it was counted first.
COUNT = f"""() => {{
    const {{ view }} = {NODE}.fcvgMotion;
    const count = {{ whole: 0, draws: 0 }};
    const {{ paint, draw }} = view;
    view.paint = function (...values) {{ count.whole += values[2]; paint.apply(this, values); }};
    view.draw = function () {{ count.draws += 1; draw.call(this); }};
    window.fcvgCount = count;
}}"""


class MotionCanvas:
    """The canvas of the only Edit Motion in a graph of the editor."""

    def __init__(self, editor: Editor):
        self.editor, self.page = editor, editor.page

    def build(self) -> None:
        """A graph that finds, edits and draws lines of both sample pictures."""
        self.editor.open_graph({"nodes": [], "links": [], "version": 0.4})
        self.page.evaluate(BUILD)
        self.look()

    def look(self) -> None:
        """Look at the node closely enough to touch it."""
        self.page.evaluate(LOOK)
        self.page.wait_for_function(
            f"() => {NODE}?.fcvgMotion?.canvas.clientHeight > 100", timeout=SOON
        )
        self.page.wait_for_timeout(300)

    def open_app(self) -> None:
        """The graph as an app that shows the canvas, in App mode."""
        self.editor.open_graph(self.page.evaluate(APP))
        self.page.evaluate(TURN_APP)
        skip = self.page.get_by_role("button", name="Skip")
        item = self.page.locator("[data-testid=app-mode-widget-item] .fcvg-motion")
        skip.or_(item).first.wait_for(timeout=SOON)
        if skip.count():  # the tour of somebody's first app
            skip.click()
        item.wait_for(timeout=SOON)
        self.page.wait_for_timeout(500)

    def leave_app(self) -> None:
        """Back to the graph."""
        self.page.evaluate(TURN_APP)
        self.look()

    def place(self, which: str, x: float, y: float) -> tuple[float, float]:
        """Where a point of a keyframe is in the window."""
        return tuple(self.page.evaluate(PLACE, [which, x, y]))

    def drag(self, which: str, *way: tuple[float, float]) -> None:
        """Drag with the mouse along points of a keyframe."""
        places = [self.place(which, *point) for point in way]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()

    def click(self, which: str, *point: float) -> None:
        self.page.mouse.click(*self.place(which, *point))

    def press(self, *keys: str) -> None:
        """Press keys while the canvas has the focus."""
        self.page.evaluate(f"() => {NODE}.fcvgMotion.canvas.focus()")
        for key in keys:
            self.page.keyboard.press(key)
        self.page.wait_for_timeout(200)  # the host's own undo comes a moment later

    def touch(self, *ways: list[tuple[float, float]], which: str = "first") -> None:
        """Drag with one finger for each way; the ways have the same number of points."""
        session = self.page.context.new_cdp_session(self.page)
        for at, points in enumerate(zip(*ways, strict=True)):
            places = [self.place(which, *point) for point in points]
            session.send(
                "Input.dispatchTouchEvent",
                {
                    "type": "touchMove" if at else "touchStart",
                    "touchPoints": [
                        {"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)
                    ],
                },
            )
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        session.detach()

    def widen(self, width: float) -> None:
        """Give the node another width, in units of the graph."""
        self.page.evaluate(f"width => {NODE}.setSize([width, {NODE}.size[1]])", width)
        self.page.wait_for_timeout(500)

    def find(self, payload: dict) -> None:
        """Show what a run has found, without a run."""
        self.page.evaluate(FOUND, payload)

    @property
    def state(self) -> str:
        """What is saved with the graph."""
        return self.page.evaluate(STATE)

    @state.setter
    def state(self, text: str) -> None:
        self.page.evaluate(SET, text)

    @property
    def edits(self) -> list[dict]:
        """The edits of lines in the state."""
        return json.loads(self.state).get("matches", []) if self.state else []

    @property
    def lines(self) -> list[dict]:
        """The lines that the canvas shows."""
        return self.page.evaluate(LINES)

    @property
    def status(self) -> str:
        """What the canvas says in words."""
        return self.page.evaluate(STATUS)

    @property
    def selected(self) -> list[int]:
        """The ids of the selected lines."""
        return self.page.evaluate(SELECTED)

    @property
    def height(self) -> float:
        """The height of the canvas, in units of the graph."""
        return self.page.evaluate(f"() => {NODE}.fcvgMotion.canvas.clientHeight")

    @property
    def changes(self) -> int:
        """How many changes of the graph the editor's own undo knows."""
        return self.page.evaluate(CHANGES)
