"""What web/js/ adds to the editor: texts on nodes, colours, sample pictures, red loaders."""

import json
import re
from pathlib import Path

import pytest
from comfy_server import WORKFLOWS
from editor import CLASSIC, overlapping
from hosts import ROOT
from PIL import Image

SMALL = {"width": 128, "height": 64, "num_frames": 5, "steps": 2}
MATCH, CROP, PREVIEW = "FCVG_MatchLines", "FCVG_CropResize", "FCVG_PreviewMotion"
GUIDER = "FCVG_GuideInbetween"
SAMPLES = ("fcvg_first.jpg", "fcvg_last.jpg")
COLORS = """() => ["FCVG_LINE_MATCHES", "POSE_KEYPOINT"].map(type => [
    window.app.canvas.default_connection_color_byType[type],
    window.LGraphCanvas.link_type_colors[type],
    getComputedStyle(document.body).getPropertyValue(`--color-datatype-${type}`)])"""
LINES, POSES = "#c6e03f", "#f06292"
# As the editor loads a palette: nothing for every type, then what the palette names.
LOAD_PALETTE = """(named) => {
    for (const colors of [window.app.canvas.default_connection_color_byType,
                          window.LGraphCanvas.link_type_colors])
        Object.assign(colors, { FCVG_LINE_MATCHES: "", POSE_KEYPOINT: "" }, named);
}"""
RED = """() => window.app.graph._nodes.filter(
    node => node.strokeStyles.fcvgMissing?.call(node)).map(node => node.type)"""
NODE = "window.app.graph.getNodeById(4)"  # Match Lines of fcvg_preview
SAVED = """() => JSON.stringify(window.app.graph.serialize().nodes.map(x => x.widgets_values))"""


def preview_graph() -> dict:
    """The smallest template, with the sample pictures."""
    text = (WORKFLOWS / "fcvg_preview.json").read_text(encoding="utf-8")
    for old, new in zip(("first.png", "last.png"), SAMPLES, strict=True):
        text = text.replace(f'"{old}"', f'"{new}"')
    return json.loads(text)


class TestTexts:
    @pytest.mark.seam
    def test_a_node_says_what_it_has_found(self, editor):
        editor.open_template("fcvg_preview.json")
        editor.run(SMALL)
        said = editor.wait_for_text(MATCH)
        assert re.search(r"\d+ .*match", said)
        editor.run({})  # everything comes from the cache
        assert editor.wait_for_text(MATCH) == said
        none(overlapping(editor.boxes()))

    def test_it_stays_when_the_user_looks_at_another_graph(self, editors):
        editor = editors(CLASSIC)
        editor.open_template("fcvg_preview.json")
        editor.run(SMALL)
        said, name = editor.wait_for_text(MATCH), editor.name()
        editor.open_template("fcvg_simple.json")
        assert editor.texts() == {}
        editor.turn_to(name)
        assert editor.wait_for_text(MATCH) == said

    def test_it_comes_back_after_the_page_is_loaded_again(self, editors):
        """With the next run, although everything comes from the cache."""
        editor = editors(CLASSIC)
        editor.open_template("fcvg_preview.json")
        editor.run(SMALL)
        said = editor.wait_for_text(MATCH)
        editor.reload()
        editor.run({})
        assert editor.wait_for_text(MATCH) == said

    def test_it_goes_when_there_is_nothing_to_say(self, editor, server):
        """A picture of the right size is not cropped."""
        Image.new("RGB", (128, 64)).save(server.base / "input" / "small.png")
        editor.open_template("fcvg_preview.json")
        editor.run({**SMALL, "width": 64})
        editor.wait_for_text(CROP)
        editor.run({**SMALL, "image": "small.png"})
        editor.page.wait_for_function(
            f"() => !window.app.graph._nodes.some(node => node.type == {json.dumps(CROP)}"
            " && node.widgets.some(widget => widget.name == '$$fcvg-text'))"
        )

    def test_what_a_guider_says_during_sampling_stays(self, editors):
        """ComfyUI sends the guider's result again from its cache after a run with another seed."""
        editor = editors(CLASSIC)
        editor.open_template("fcvg_inbetween.json")
        for seed in (1, 2):
            editor.run({**SMALL, "noise_seed": seed})
            editor.page.wait_for_timeout(1000)
            assert editor.wait_for_text(GUIDER).splitlines()[-1].startswith("2 steps in ")

    def test_steps_of_an_all_in_one_node(self, editors):
        editor = editors(CLASSIC)
        editor.open_template("fcvg_simple.json")
        editor.run(SMALL)
        editor.page.wait_for_timeout(1000)
        assert editor.wait_for_text("FCVG_Sampler").splitlines()[-1].startswith("2 steps in ")

    def test_the_wheel_zooms_over_it(self, editor):
        editor.open_template("fcvg_preview.json")
        editor.tell("4", "Said.")
        scale = editor.scale()
        editor.page.hover(".fcvg-text")
        editor.page.mouse.wheel(0, -200)
        editor.page.wait_for_function(f"() => window.app.canvas.ds.scale > {scale}", timeout=20_000)

    def test_a_long_text_wraps_and_can_be_scrolled(self, editor):
        """Neither does it stick out of its node, nor is it saved in the graph.

        The room that is left over on the node belongs to the picture.
        """
        editor.open_template("fcvg_preview.json")
        editor.run(SMALL)
        editor.wait_for_text(MATCH)
        saved = editor.page.evaluate(SAVED)
        word = "incomprehensibly"
        editor.tell("4", *[f"{i}. {' '.join([word] * 5)}" for i in range(9)])
        box = f"{NODE}.widgets.find(widget => widget.name == '$$fcvg-text').element"
        assert editor.page.evaluate(f"{box}.offsetHeight") <= 100
        assert editor.page.evaluate(f"{box}.scrollHeight > {box}.offsetHeight + 50")
        assert editor.page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth")
        for node in editor.nodes():
            if node["type"] == MATCH and not editor.page.evaluate("LiteGraph.vueNodesMode"):
                assert node["size"][1] >= node["needed"][1]
        assert editor.page.evaluate(SAVED) == saved

    @pytest.mark.parametrize(
        "graph, node", [("dynamicrafter_animate.json", "6"), ("dynamicrafter_story.json", "7")]
    )
    def test_a_long_text_takes_the_room_that_its_node_has(self, editor, graph, node):
        """And gives it back when the text is short again; prompts of several lines give way."""
        editor.open_template(graph)
        before = [box[1:] for box in editor.boxes()]
        lines = [f"{i}. {' '.join(['incomprehensibly'] * 5)}" for i in range(3)]
        box = "document.querySelector('.fcvg-text')"
        for said in (lines, ["Short."]):
            editor.tell(node, *said)
            editor.keep_screenshot(f"room-{node}-{len(said)}")
            assert editor.page.evaluate(f"{box}.scrollHeight <= {box}.clientHeight")
            for found, place in zip(editor.boxes(), before, strict=True):
                assert found[1:] == pytest.approx(place, abs=1)
        assert editor.page.evaluate(f"{box}.offsetHeight") < 30

    def test_what_is_said_of_each_entry_of_a_list_is_shown_once(self, editors):
        editor = editors(CLASSIC)
        editor.open_template("fcvg_preview.json")
        editor.tell("4", "Found.", "Cropped.", "Found.")
        assert editor.texts()[MATCH] == "Found.\nCropped."

    def test_inside_a_subgraph(self, editor):
        """From outside only its warnings are seen."""
        editor.insert("Inbetween two frames")
        (outer,) = editor.nodes()
        inner = editor.page.evaluate(
            f"() => String(window.app.graph._nodes[0].subgraph._nodes.find("
            f"node => node.type == {json.dumps(MATCH)}).id)"
        )
        place = f"{outer['id']}:{inner}"
        editor.tell(place, "Found.", "\N{WARNING SIGN} Few.")
        assert list(editor.texts().values()) == ["\N{WARNING SIGN} Few."]
        editor.enter()
        editor.page.wait_for_timeout(500)
        assert editor.texts() == {MATCH: "Found.\n\N{WARNING SIGN} Few."}
        editor.tell(place, "Found.")
        editor.page.evaluate("() => window.app.canvas.setGraph(window.app.graph)")
        editor.page.wait_for_timeout(500)
        assert editor.texts() == {}


class TestColors:
    @pytest.mark.seam
    def test_wires_of_this_pack_have_their_own(self, editor):
        assert editor.page.evaluate(COLORS) == [[LINES] * 3, [POSES] * 3]

    def test_a_palette_of_the_user_comes_first(self, editor):
        editor.page.evaluate(LOAD_PALETTE, {"POSE_KEYPOINT": "#123456"})
        assert editor.page.evaluate(COLORS) == [[LINES] * 3, ["#123456", "#123456", POSES]]
        editor.page.evaluate(LOAD_PALETTE, {})
        assert editor.page.evaluate(COLORS) == [[LINES] * 3, [POSES] * 3]

    def test_every_type_has_one(self):
        sockets = (ROOT / "nodes" / "sockets.py").read_text(encoding="utf-8")
        colors = (ROOT / "web" / "js" / "colors.js").read_text(encoding="utf-8")
        types = re.findall(r'io\.Custom\("(\w+)"\)', sockets)
        assert sorted(types) == sorted(re.findall(r"^ {4}(\w+): \"#", colors, re.M))


class TestSamples:
    def test_the_first_run_of_a_newcomer(self, editor, server):
        """Nothing is in the input folder, and the preview plays."""
        for name in SAMPLES:
            (server.base / "input" / name).unlink(missing_ok=True)
        editor.open_graph(preview_graph())
        assert not editor.page.locator("[data-testid=error-overlay]").count()
        for name in SAMPLES:
            brought = (server.base / "input" / name).read_bytes()
            assert brought == (ROOT / "web" / "samples" / name).read_bytes()
        assert editor.run(SMALL)["status"]["status_str"] == "success"
        assert editor.played_frames(enough=3) == 3

    def test_a_file_of_the_user_stays(self, editors, server):
        paths = [server.base / "input" / name for name in SAMPLES]
        for path in paths:
            Image.new("RGB", (64, 64), "green").save(path)
        before = [path.read_bytes() for path in paths]
        editors(CLASSIC).open_graph(preview_graph())
        assert [path.read_bytes() for path in paths] == before
        assert len(list(Path(server.base / "input").glob("fcvg_*"))) == 2

    def test_other_graphs_bring_nothing(self, editors, server):
        for name in SAMPLES:
            (server.base / "input" / name).unlink(missing_ok=True)
        graph = preview_graph()
        graph["nodes"] = [node for node in graph["nodes"] if node["type"] != "LoadImage"]
        graph["links"] = []
        editors(CLASSIC).open_graph(graph)
        assert not list(Path(server.base / "input").glob("fcvg_*"))


class TestMissing:
    def test_a_loader_without_its_file_is_red(self, editors):
        editor = editors(CLASSIC)
        editor.open_template("fcvg_inbetween.json")
        assert editor.page.evaluate(RED) == []
        editor.page.evaluate(
            """() => window.app.graph._nodes.find(node => node.type == "FCVG_LoadSVD")
                .widgets.find(widget => widget.name == "folder").value = "absent" """
        )
        assert editor.page.evaluate(RED) == ["FCVG_LoadSVD"]


def none(found: list[str]) -> None:
    """Fail with every line."""
    assert not found, "\n".join(found)
