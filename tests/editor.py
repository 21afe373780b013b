"""Drives ComfyUI's editor in a browser like a person: with clicks.

Sizes and places are in the graph's own units, in which the editor saves them.
"""

import io
import json
import re
import shutil
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from comfy_server import WORKFLOWS, ComfyServer
from hosts import ROOT, frontend_version
from PIL import Image

ARTIFACTS = ROOT / "tests" / "artifacts"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Settings with which the browser asks for nothing from the internet.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# A common window size; the graphs are laid out for it.
WINDOW = {"width": 1920, "height": 1080}
CLASSIC, NODES_2 = "classic", "nodes2"
# Earlier editors have Nodes 2.0 as a preview, which changed from release to release.
FIRST_WITH_NODES_2 = (1, 49)
START = 180_000  # milliseconds, playwright's unit
SOON = 60_000
DIALOG = ".p-dialog-mask, [data-testid=dialog-overlay]"

NODES = """() => window.app.graph._nodes.map(node => ({
    id: String(node.id), type: node.type, errors: !!node.has_errors,
    known: !!window.LiteGraph.registered_node_types[node.type],
    size: [...node.size], needed: [...node.computeSize()],
    text: document.querySelector(`[data-node-id="${node.id}"]`)?.innerText,
    widgets: (node.widgets || []).map(w => ({
        name: w.name, value: w.value, options: w.options && w.options.values,
        folded: [w, w.options || {}].some(x => x.hidden || x.advanced),
    })),
}))"""
BOXES = """() => window.app.graph._nodes.map(node => {
    if (window.LiteGraph.vueNodesMode) {
        const { scale } = window.app.canvas.ds;
        const box = document.querySelector(`[data-node-id="${node.id}"]`).getBoundingClientRect();
        return [node.title, box.x / scale, box.y / scale, box.width / scale, box.height / scale];
    }
    const title = window.LiteGraph.NODE_TITLE_HEIGHT;
    return [node.title, node.pos[0], node.pos[1] - title, node.size[0], node.size[1] + title];
})"""
# Ends of every link, with the points that the user has put between them.
LINKS = """() => {
    const graph = window.app.graph;
    const links = graph.links instanceof Map ? graph.links.values() : Object.values(graph.links);
    return [...links].map(link => {
        const from = graph.getNodeById(link.origin_id), to = graph.getNodeById(link.target_id);
        const between = [];
        for (let point = graph.reroutes?.get(link.parentId); point;
             point = graph.reroutes.get(point.parentId))
            between.unshift([...point.pos]);
        return [`${from.title} -> ${to.title}`, [
            [...from.getConnectionPos(false, link.origin_slot)], ...between,
            [...to.getConnectionPos(true, link.target_slot)]]];
    });
}"""
# Position of a group's title in the editor: 4 units to the right, in a line of 1.4 font sizes.
TITLES = """() => window.app.graph._groups.map(group => {
    const pen = document.createElement("canvas").getContext("2d");
    const size = group.font_size || 24;
    pen.font = `${size}px Arial`;
    return [group.title, group.pos[0] + 4, group.pos[1], pen.measureText(group.title).width,
            1.4 * size];
})"""
# True when no node has moved during three checks.
SETTLED = """(count) => {
    const graph = window.app.graph;
    const drawn = [...document.querySelectorAll("[data-node-id]")].map(x => x.offsetHeight);
    const now = JSON.stringify([window.app.canvas.ds.scale, drawn,
                                graph._nodes.map(node => [node.id, ...node.pos, ...node.size])]);
    window.fcvgLooks = now === window.fcvgSeen ? window.fcvgLooks + 1 : 0;
    window.fcvgSeen = now;
    const wanted = window.LiteGraph.vueNodesMode ? drawn.length : count;
    return graph._nodes.length === count && wanted >= count && window.fcvgLooks >= 3;
}"""
SET = """(values) => {
    for (const node of window.app.graph._nodes)
        for (const { name } of node.widgets || [])
            if (name in values && (name != "steps" || node.type != "FCVG_InjectNoise"))
                node.widgets.find(widget => widget.name == name).value = values[name];
}"""
VIDEO_SHOWS = """() => [...document.querySelectorAll("video")].some(x => x.videoWidth > 0)"""
# The node that plays frames on itself, and where its picture is in the window.
PLAYED = """() => {
    const shown = [...document.querySelectorAll("img[src*=fcvg_preview]")].at(-1);
    if (!shown || !shown.complete || !shown.naturalWidth) return null;
    const { x, y, width, height } = shown.getBoundingClientRect();
    return width * height > 0 ? { x, y, width, height } : null;
}"""
# Left, top, right and bottom of a node and of the picture that it plays, in the window.
PLACES = """(type) => {
    const { graph, canvas: { canvas, ds: { scale, offset } } } = window.app;
    const place = (thing) => {
        const { left, top, right, bottom } = thing.getBoundingClientRect();
        return [left, top, right, bottom];
    };
    const node = graph._nodes.find(node => node.type == type);
    const picture = place([...document.querySelectorAll("img[src*=fcvg_preview]")].at(-1));
    if (window.LiteGraph.vueNodesMode)
        return [place(document.querySelector(`[data-node-id="${node.id}"]`)), picture];
    const start = place(canvas).slice(0, 2).map((x, i) => x + (node.pos[i] + offset[i]) * scale);
    return [[...start, ...start.map((x, i) => x + node.size[i] * scale)], picture];
}"""
# Where a node of the graph that is looked at is in the window.
NODE_PLACE = """(type) => {
    const { graph, canvas, ds: { scale, offset } } = window.app.canvas;
    const node = graph._nodes.find(node => node.type == type || node.id == type);
    if (window.LiteGraph.vueNodesMode) {
        const { x, y, width, height } =
            document.querySelector(`[data-node-id="${node.id}"]`).getBoundingClientRect();
        return { x, y, width, height };
    }
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = node.pos.map((place, i) => (place + offset[i]) * scale);
    const [width, height] = node.size.map(side => side * scale);
    return { x: left + x, y: top + y, width, height };
}"""
# Two pictures for the only node of a graph, and a video of its frames.
SURROUND = """() => {
    const graph = window.app.graph, middle = graph._nodes[0];
    const add = (type, x, widget, value) => {
        const node = window.LiteGraph.createNode(type);
        node.pos = [middle.pos[0] + x, middle.pos[1]];
        graph.add(node);
        if (widget) node.widgets.find(w => w.name == widget).value = value;
        return node;
    };
    const at = (node, name) => node.inputs.findIndex(input => input.name == name);
    ["first", "last"].forEach((name, i) =>
        add("LoadImage", 300 * i - 700, "image", `${name}.png`)
            .connect(0, middle, at(middle, `${name}_frame`)));
    const video = add("CreateVideo", 400), saved = add("SaveVideo", 700);
    middle.connect(0, video, at(video, "images"));
    video.connect(0, saved, at(saved, "video"));
}"""
# What the pack's nodes say, in the graph that is looked at, if it can be seen.
TEXTS = """() => Object.fromEntries(window.app.canvas.graph._nodes.flatMap(node =>
    (node.widgets || []).filter(w => w.name == "$$fcvg-text" && w.element.offsetHeight)
        .map(w => [node.type, w.element.innerText])))"""
# The event by which the pack speaks while a graph runs.
TELL = """([node, lines]) => window.comfyAPI.api.api.dispatchEvent(
    new CustomEvent("fcvg.text", { detail: { node, lines } }))"""
# The events by which the pack sends a film, and ComfyUI a still, of a node that samples.
FILM = """([node, frames, fps]) => window.comfyAPI.api.api.dispatchEvent(
    new CustomEvent("fcvg.preview", { detail: { node, frames, fps } }))"""
STILL = """([nodeId, picture]) => {
    const bytes = Uint8Array.from(atob(picture), letter => letter.charCodeAt(0));
    const blob = new Blob([bytes], { type: "image/jpeg" });
    const detail = { blob, nodeId, displayNodeId: nodeId, realNodeId: nodeId,
                     parentNodeId: nodeId, jobId: "job", promptId: "job" };
    window.comfyAPI.api.api.dispatchEvent(
        new CustomEvent("b_preview_with_metadata", { detail }));
    window.app.canvas.setDirty(true, true);
}"""
NAME = "() => window.app.extensionManager.workflow.activeWorkflow.filename"
ENTER = """() => {
    const node = window.app.graph._nodes.find(node => node.subgraph);
    window.app.canvas.openSubgraph(node.subgraph, node);
}"""
SELECT = """(type) => { window.app.canvas.deselectAll(); window.app.canvas.selectNode(
    window.app.graph._nodes.find(node => node.type == type)); }"""


def has_nodes_2(host: Path) -> bool:
    """Whether a host's editor has the final form of Nodes 2.0."""
    return frontend_version(host) >= FIRST_WITH_NODES_2


@contextmanager
def open_browser(args: tuple[str, ...] = QUIET):
    """A browser of this machine; the test is skipped if there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=program, args=list(args))
        yield browser
        browser.close()


class Editor:
    """The editor of a running ComfyUI in one of its two styles of nodes."""

    def __init__(self, browser, server: ComfyServer, style: str):
        self._server = server
        # The template browser opens by itself at somebody's first start, as the last thing.
        server.post("/settings/Comfy.TutorialCompleted", False)
        server.post("/settings/Comfy.VueNodes.Enabled", style == NODES_2)
        self.page = browser.new_page(viewport=WINDOW)
        # The host's own templates are a package of 80 MB; without their list none can be opened.
        self.page.route("**/templates/index.json", lambda route: route.fulfill(json=[]))
        self.page.goto(f"http://{server.address}/", wait_until="domcontentloaded")
        self.page.wait_for_selector(DIALOG, timeout=START)
        self.close_dialog()

    def close_dialog(self) -> None:
        """Click beside the template browser, because not every version reacts to the Escape key."""
        end = time.monotonic() + SOON / 1000
        while self.page.locator(DIALOG).count():
            assert time.monotonic() < end, "The editor's dialog does not close."
            self.page.mouse.click(WINDOW["width"] / 2, WINDOW["height"] - 5)
            self.page.wait_for_timeout(200)  # one that is still opening does not hear it

    def open_template(self, name: str) -> None:
        """Open a graph of workflows/ through the template browser."""
        self.page.click(".templates-tab-button", timeout=SOON)
        card = self.page.locator(f"[data-testid=template-workflow-{name.removesuffix('.json')}]")
        pack = self.page.get_by_text("ComfyUI-FCVG", exact=True)
        card.or_(pack).first.wait_for(timeout=SOON)
        if not card.count():  # newer editors list the packs under Extensions
            pack.first.click()
        self.page.mouse.move(WINDOW["width"] / 2, WINDOW["height"] / 2)
        end = time.monotonic() + SOON / 1000
        while not card.count() and time.monotonic() < end:  # 0.3.64 draws the cards that it shows
            self.page.mouse.wheel(0, 400)
            self.page.wait_for_timeout(200)
        card.first.click(timeout=SOON)
        self.page.wait_for_selector(DIALOG, state="detached", timeout=SOON)
        self._settle(json.loads((WORKFLOWS / name).read_text(encoding="utf-8")))

    def open_graph(self, graph: dict) -> None:
        """Open any graph, as if its file were dropped on the editor."""
        self.page.evaluate("graph => window.app.loadGraphData(graph)", graph)
        self._settle(graph)

    def nodes(self) -> list[dict]:
        """All nodes of the editor with their widgets."""
        return self.page.evaluate(NODES)

    def nodes_when(self, ready: Callable[[list[dict]], bool]) -> list[dict]:
        """All nodes as soon as they are as they should be; as they are after a minute otherwise."""
        end = time.monotonic() + SOON / 1000
        while not ready(nodes := self.nodes()) and time.monotonic() < end:
            self.page.wait_for_timeout(200)
        return nodes

    def boxes(self) -> list[tuple]:
        """(title, x, y, width, height) of every drawn node, including its title bar."""
        return self.page.evaluate(BOXES)

    def links(self) -> list[tuple[str, list]]:
        """(name, points) of every link, from its output through its reroutes to its input."""
        return self.page.evaluate(LINKS)

    def titles(self) -> list[tuple]:
        """(title, x, y, width, height) of the text of every group's title."""
        return self.page.evaluate(TITLES)

    def scale(self) -> float:
        """Zoom factor of the graph."""
        return self.page.evaluate("() => window.app.canvas.ds.scale")

    def select(self, node_type: str) -> None:
        self.page.evaluate(SELECT, node_type)

    def texts(self) -> dict[str, str]:
        """What the pack says on the nodes that are seen, by the type of the node."""
        return self.page.evaluate(TEXTS)

    def wait_for_text(self, node_type: str) -> str:
        """What the pack says on a node, as soon as it says something."""
        found = f"() => ({TEXTS})()[{json.dumps(node_type)}]"
        return self.page.wait_for_function(found, timeout=SOON).json_value()

    def tell(self, node_id: str, *lines: str) -> None:
        """Say something on a node as the pack does while a graph runs."""
        self.page.evaluate(TELL, [node_id, lines])
        self.page.wait_for_timeout(300)  # the browser measures a text after it has drawn the text

    def send_film(self, node_id: str, frames: list[bytes], fps: float) -> None:
        """Send the frames of a film as the pack does while a node samples; none: its end."""
        texts = [b64encode(frame).decode() for frame in frames]
        self.page.evaluate(FILM, [node_id, texts, fps])

    def send_still(self, node_id: str, picture: bytes) -> None:
        """Send a still as ComfyUI does after a step of a node that samples."""
        self.page.evaluate(STILL, [node_id, b64encode(picture).decode()])

    def colors_on(self, node: str, colors: dict[str, tuple[int, int, int]]) -> set[str]:
        """Names of the colours that fill a part of a node, which is given by its type or its id."""
        file = self.page.screenshot(clip=self.page.evaluate(NODE_PLACE, node))
        shown = np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)
        shares = {
            name: (np.abs(shown - color).max(-1) < 30).mean() for name, color in colors.items()
        }
        return {name for name, share in shares.items() if share > 0.01}

    def enter(self) -> None:
        """Look into the only subgraph."""
        self.page.evaluate(ENTER)

    def name(self) -> str:
        """What the graph that is looked at is called in its tab."""
        return self.page.evaluate(NAME)

    def turn_to(self, name: str) -> None:
        """Look at another graph that is open."""
        whole = re.compile(rf"^{re.escape(name)}\W*$")
        self.page.locator(".workflow-tab", has_text=whole).click(timeout=SOON)

    def reload(self) -> None:
        """Load the page again, which opens the same graph."""
        count = len(self.nodes())
        self.page.wait_for_timeout(2000)  # until then the editor may not have saved the last change
        self.page.reload(wait_until="domcontentloaded")
        self.page.wait_for_function(
            "count => window.app?.canvas && window.app.graph?._nodes.length == count",
            arg=count,
            timeout=START,
        )

    def missing_models(self) -> str:
        """Text of the editor about models that a graph needs and that are missing."""
        panel = "[data-testid=error-overlay-see-errors]"
        self.page.wait_for_selector(f"{panel}, .p-dialog", timeout=SOON)
        if not self.page.locator(panel).count():  # older editors open a dialog
            said = self.page.inner_text(".p-dialog")
            self.close_dialog()
            return said
        self.page.click(panel)
        return self.page.inner_text("[data-testid=error-group-missing-model]", timeout=SOON)

    def run(self, values: dict) -> dict:
        """Set widgets by name, run the graph, wait for its video, and return the history."""
        self.set_widgets(values)
        history = self.queue()
        if history["status"]["status_str"] == "success":
            self.page.wait_for_function(VIDEO_SHOWS, timeout=SOON)
        return history

    def set_widgets(self, values: dict) -> None:
        """Set widgets of all nodes by name."""
        self.page.evaluate(SET, values)

    def queue(self) -> dict:
        """Run the graph as it is, and return the history."""
        known = set(self._server.get("/history"))
        self.page.evaluate("() => window.app.queuePrompt(0, 1)")
        return self._server.wait(self._server.wait_for_another(known))

    def press_beside(self, key: str) -> None:
        """Press a key of the editor itself, with the focus on the empty graph."""
        self.page.mouse.click(WINDOW["width"] - 300, WINDOW["height"] - 200)
        self.page.keyboard.press(key)
        self.page.wait_for_timeout(1000)

    def run_to(self, node_type: str) -> dict:
        """Select a node, run what it needs with the button over it, and return the history."""
        known = set(self._server.get("/history"))
        self.select(node_type)
        self.page.click("button[aria-label*='selected output nodes']", timeout=SOON)
        return self._server.wait(self._server.wait_for_another(known))

    def insert(self, name: str) -> None:
        """Put a node or a blueprint into an empty graph, through the search dialog."""
        self._type_into_search(name)
        self.page.get_by_text(name, exact=True).first.wait_for(timeout=SOON)
        self.page.keyboard.press("Enter")
        self.page.wait_for_function("() => window.app.graph._nodes.length == 1", timeout=SOON)
        end = time.monotonic() + SOON / 1000
        while self.page.evaluate("() => !!window.app.graph._nodes[0].flags.ghost"):
            assert time.monotonic() < end, f"{name} cannot be placed."
            self.page.mouse.click(WINDOW["width"] / 2, WINDOW["height"] / 2)  # until it is placed
            self.page.wait_for_timeout(200)

    def search(self, words: str, wanted: str) -> None:
        """Wait until the search dialog lists what is wanted for these words, and close it."""
        self._type_into_search(words)
        found = self.page.locator("[data-testid=result-item]", has_text=wanted)
        found.first.wait_for(timeout=SOON)
        self.page.keyboard.press("Escape")

    def surround(self) -> None:
        """Give the only node two pictures, and make a video of its frames."""
        self.page.evaluate(SURROUND)

    def played_frames(self, enough: int, seconds: float = 30) -> int:
        """How many different pictures the node has shown that plays frames on itself.

        It is watched until it has shown enough, or as long as the seconds last.
        """
        self.page.wait_for_function(PLAYED, timeout=SOON)
        seen, end = set(), time.monotonic() + seconds
        while len(seen) < enough and time.monotonic() < end:
            seen.add(self.page.screenshot(clip=self.page.evaluate(PLAYED)))
        return len(seen)

    def played_places(self, node_type: str) -> list[list[float]]:
        """(left, top, right, bottom) of a node, then of the picture on it, in the window."""
        return self.page.evaluate(PLACES, node_type)

    @contextmanager
    def held_back(self, files: str):
        """Files whose address has such a part reach the browser when the block has ended."""
        pattern, waiting = re.compile(files), []
        self.page.route(pattern, lambda route: waiting.append(route))
        yield
        self.page.unroute(pattern)
        assert waiting, f"The browser did not ask for {files}."
        for route in waiting:
            route.continue_()

    def keep_screenshot(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=str(ARTIFACTS / f"{name.replace('/', '_')}.png"))

    def _type_into_search(self, words: str) -> None:
        """Open the search dialog over an empty graph."""
        self.page.bring_to_front()  # of two open pages only this one has the focus
        self.open_graph({"nodes": [], "links": [], "version": 0.4})
        end = time.monotonic() + SOON / 1000
        while not self.page.locator("input:focus").count():
            assert time.monotonic() < end, "The search dialog does not open."
            # A busy editor takes the clicks for two single ones. The open dialog takes no harm.
            self.page.mouse.dblclick(WINDOW["width"] / 2, WINDOW["height"] / 2)
            self.page.wait_for_timeout(2000)
        self.page.keyboard.type(words)

    def _settle(self, graph: dict) -> None:
        count = len(graph["nodes"])
        self.page.wait_for_function(SETTLED, arg=count, polling=100, timeout=SOON)


def overlapping(boxes: list[tuple]) -> list[str]:
    """Pairs of overlapping boxes, with the size of the overlap; up to 0.5 is rounding."""
    found = []
    for i, (title, x, y, width, height) in enumerate(boxes):
        for other, other_x, other_y, other_width, other_height in boxes[:i]:
            across = min(x + width, other_x + other_width) - max(x, other_x)
            down = min(y + height, other_y + other_height) - max(y, other_y)
            if across > 0.5 and down > 0.5:
                found.append(f"{title} and {other} overlap by {across:.0f} x {down:.0f}")
    return found


def crossing(links: list[tuple[str, list]], titles: list[tuple]) -> list[str]:
    """Links that cross the text of a group's title."""
    found = []
    for name, points in links:
        drawn = [point for ends in zip(points, points[1:], strict=False) for point in spline(*ends)]
        for title, left, top, width, height in titles:
            if any(left < x < left + width and top < y < top + height for x, y in drawn):
                found.append(f"{name} across {title!r}")
    return found


def spline(start: list[float], end: list[float], count: int = 200) -> list[tuple[float, float]]:
    """Points of a drawn link: it leaves its output to the right and enters its input from left."""
    (x0, y0), (x1, y1) = start, end
    reach = 0.25 * ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    points = []
    for i in range(count + 1):
        t = i / count
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        points.append(
            (a * x0 + b * (x0 + reach) + c * (x1 - reach) + d * x1, (a + b) * y0 + (c + d) * y1)
        )
    return points
