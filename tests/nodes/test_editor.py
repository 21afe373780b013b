"""The workflows in a real browser: opened as a person would, run, and looked at."""

import json
import shutil

import pytest
from comfy_server import OLD_WORKFLOWS, RELEASES, WORKFLOWS
from hosts import ROOT

ARTIFACTS = ROOT / "tests" / "artifacts"
GRAPHS = [
    *sorted(path.name for path in WORKFLOWS.glob("*.json")),
    *(str(path.relative_to(RELEASES)) for path in OLD_WORKFLOWS if path.parent.name != "api"),
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SMALL = {"width": 128, "height": 64, "num_frames": 5, "steps": 2}
SECONDS = 180_000  # in milliseconds

GRAPH = """(graph) => window.app.loadGraphData(graph)"""
NODES = """() => window.app.graph._nodes.map(node => ({
    id: node.id, type: node.type, errors: !!node.has_errors,
    known: !!window.LiteGraph.registered_node_types[node.type],
    size: [...node.size], needed: [...node.computeSize()],
    widgets: (node.widgets || []).map(w => ({
        name: w.name, value: w.value, options: w.options && w.options.values,
    })),
}))"""
SHRINK = """(small) => {
    for (const node of window.app.graph._nodes)
        for (const widget of node.widgets || [])
            if (widget.name in small && (widget.name != "steps" || node.type != "FCVG_InjectNoise"))
                widget.value = small[widget.name];
}"""
SHOWN = """() => window.app.graph._nodes.some(node =>
    node.type == "SaveVideo" && (node.videoContainer || node.imgs || []).length !== 0)"""


@pytest.fixture(scope="module")
def page(server):
    """The editor of a running ComfyUI in a browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as tools:
        opened = tools.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        page = opened.new_page(viewport={"width": 2400, "height": 1300})
        # The host's own templates are a package of 80 MB; without their list none can be opened.
        page.route("**/templates/index.json", lambda route: route.fulfill(json=[]))
        page.goto(f"http://{server.address}/", wait_until="domcontentloaded")
        page.wait_for_function("window.app && window.app.graph && window.app.extensionManager",
                               timeout=SECONDS)  # fmt: skip
        page.wait_for_timeout(4000)  # extensions are set up after that
        yield page
        opened.close()


def read(name: str) -> dict:
    """One of GRAPHS: of today, or of a release."""
    path = RELEASES / name if "/" in name else WORKFLOWS / name
    return json.loads(path.read_text(encoding="utf-8"))


def opened(page, name: str) -> list[dict]:
    """The nodes of a workflow once it is loaded, today's by clicks in the template browser."""
    if "/" in name:
        page.evaluate(GRAPH, read(name))
    else:
        card = page.locator(f"[data-testid=template-workflow-{name.removesuffix('.json')}]")
        if not card.count():  # at the very first start it is open already
            page.click(".templates-tab-button")
        card.first.click(timeout=20_000)
        page.wait_for_selector(".p-dialog-mask", state="detached")
    page.wait_for_timeout(1500)
    return page.evaluate(NODES)


@pytest.mark.parametrize("name", GRAPHS)
class TestWorkflow:
    def test_no_node_is_missing_and_no_widget_is_wrong(self, page, name):
        saved = {node["id"]: node for node in read(name)["nodes"]}
        nodes = opened(page, name)
        assert {node["id"] for node in nodes} == set(saved)
        for node in nodes:
            assert node["known"] and not node["errors"], node["type"]
            values = [widget["value"] for widget in node["widgets"]]
            expected = saved[node["id"]].get("widgets_values") or []
            # The editor has a button or two more, such as the one for uploads.
            for value, wanted in zip(values, expected, strict=False):
                assert value == wanted, (node["type"], values, expected)
            for widget in node["widgets"]:
                if isinstance(widget["options"], list) and node["type"].startswith("FCVG_"):
                    assert widget["value"] in widget["options"], (node["type"], widget["name"])

    def test_every_node_has_room(self, page, name):
        """No widget sticks out of its node, and no node lies on another."""
        boxes = {}
        for node in opened(page, name):
            width, height = node["size"]
            assert height >= node["needed"][1] - 1, (node["type"], node["size"], node["needed"])
            boxes[node["id"]] = (width, height)
        placed = [(node["pos"], boxes[node["id"]]) for node in read(name)["nodes"]]
        for i, ((x, y), (width, height)) in enumerate(placed):
            for (other_x, other_y), (other_width, other_height) in placed[:i]:
                apart = (
                    x >= other_x + other_width or other_x >= x + width
                    or y - 30 >= other_y + other_height or other_y - 30 >= y + height
                )  # fmt: skip
                assert apart, (name, (x, y, width, height), (other_x, other_y, other_width))

    def test_runs_until_the_video_shows(self, server, page, name):
        opened(page, name)
        page.evaluate(SHRINK, SMALL)
        before = set(server.get("/history"))
        page.evaluate("() => window.app.queuePrompt(0, 1)")
        page.wait_for_timeout(500)
        queue = server.get("/queue")
        (job,) = queue["queue_running"] + queue["queue_pending"]
        status = server.wait(job[1])["status"]
        assert job[1] not in before
        assert status["status_str"] == "success", json.dumps(status)[-2000:]
        page.wait_for_function(SHOWN, timeout=20_000)
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=str(ARTIFACTS / f"{name.replace('/', '_')}.png"))


class TestHelp:
    def test_the_button_shows_the_page(self, page):
        """The one over a selected node, which stands for an i."""
        opened(page, "fcvg_inbetween.json")
        page.evaluate("""() => window.app.canvas.selectNode(
            window.app.graph._nodes.find(node => node.type == "FCVG_MatchLines"))""")
        page.click("[data-testid=info-button]", timeout=20_000)
        page.wait_for_function(
            """() => document.body.innerText.includes("Finds line segments in both keyframes")""",
            timeout=20_000,
        )


class TestMissingModels:
    def test_the_editor_offers_to_download_them(self, page):
        """Of what the hubs have as .safetensors."""
        graph = read("controlnext_svd_animate.json")
        for node in graph["nodes"]:
            for model in node["properties"].get("models", []):
                model["name"] = f"absent-{model['name']}"
                model["url"] = f"{model['url'].rpartition('/')[0]}/{model['name']}"
                node["widgets_values"][0] = model["name"]
        page.evaluate(GRAPH, graph)
        page.wait_for_selector(".p-dialog", timeout=20_000)
        said = page.inner_text(".p-dialog")
        for folder, name in (("diffusion_models", "unet"), ("controlnext", "controlnet")):
            assert f"{folder} / absent-controlnext-svd_v2-{name}-fp16.safetensors" in said
        page.keyboard.press("Escape")
