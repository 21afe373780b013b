"""What web/js/ adds to the editor: texts on nodes, colours, sample pictures, red loaders."""

import io
import json
import re
import time
from pathlib import Path

import pytest
from comfy_server import WORKFLOWS
from editor import CLASSIC, overlapping
from hosts import ROOT
from PIL import Image

SMALL = {"width": 128, "height": 64, "num_frames": 5, "steps": 2}
MATCH, CROP, PREVIEW = "FCVG_MatchLines", "FCVG_CropResize", "FCVG_PreviewMotion"
GUIDER, SAMPLER = "FCVG_GuideInbetween", "FCVG_Sampler"
SAMPLES = ("fcvg_first.jpg", "fcvg_middle.jpg", "fcvg_last.jpg")
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
    """The smallest template, with the first and the last sample picture."""
    text = (WORKFLOWS / "fcvg_preview.json").read_text(encoding="utf-8")
    for old, new in zip(("first.png", "last.png"), SAMPLES[::2], strict=True):
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


# Frames of a film: each fills the picture with a colour that no node has.
FILM = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "pink": (255, 0, 255)}
YELLOW = {"yellow": (255, 255, 0)}  # the host's still
# What the page hears while a graph runs: the number of frames of each film, and every still.
LISTEN = """() => {
    const { api } = window.comfyAPI.api;
    window.fcvgHeard = { films: [], stills: 0 };
    api.addEventListener("fcvg.preview", ({ detail }) =>
        window.fcvgHeard.films.push(detail.frames.length));
    api.addEventListener("b_preview_with_metadata", () => window.fcvgHeard.stills++);
}"""
HEARD = "() => window.fcvgHeard"
PREVIEWS = """method => window.app.ui.settings.setSettingValue(
    "Comfy.Execution.PreviewMethod", method)"""


def picture(color: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (256, 144), color).save(file, "JPEG", quality=95)
    return file.getvalue()


class TestMovingPreview:
    def watch(self, editor, node: str, *, seconds: float = 15) -> set[str]:
        """All colours that a node has shown, until no more can come; never two at once."""
        seen, end = set(), time.monotonic() + seconds
        while time.monotonic() < end and seen != FILM.keys():
            now = editor.colors_on(node, FILM | YELLOW)
            assert len(now) < 2
            seen |= now
        return seen

    def start(self, editor, node_id: str) -> None:
        editor.send_film(node_id, [picture(color) for color in FILM.values()], 4)
        editor.send_still(node_id, picture(YELLOW["yellow"]))

    def test_the_still_moves(self, editor):
        """It is the only picture, and the middle frame stays when the run has ended."""
        editor.open_template("fcvg_simple.json")
        node_id = next(x["id"] for x in editor.nodes() if x["type"] == SAMPLER)
        self.start(editor, node_id)
        assert self.watch(editor, SAMPLER) == FILM.keys()
        saved = editor.page.evaluate(SAVED)
        editor.send_still(node_id, picture(YELLOW["yellow"]))  # the next step: the film goes on
        assert self.watch(editor, SAMPLER) == FILM.keys()
        editor.keep_screenshot("moving-preview")
        editor.send_film(node_id, [], 4)
        editor.page.wait_for_timeout(1000)
        for _ in range(5):
            assert editor.colors_on(SAMPLER, FILM | YELLOW) == {"blue"}
            editor.page.wait_for_timeout(200)
        assert editor.page.evaluate(SAVED) == saved
        none(overlapping(editor.boxes()))

    def test_inside_a_subgraph(self, editor):
        """Outside too, in the style in which a subgraph shows the stills of its nodes."""
        editor.insert("Inbetween two frames")
        (outer,) = editor.nodes()
        inner = editor.page.evaluate(
            f"() => String(window.app.graph._nodes[0].subgraph._nodes.find("
            f"node => node.type == {json.dumps(SAMPLER)}).id)"
        )
        place = f"{outer['id']}:{inner}"
        editor.send_still(place, picture(YELLOW["yellow"]))
        editor.page.wait_for_timeout(500)
        shows_stills = editor.colors_on(outer["id"], YELLOW) == YELLOW.keys()
        self.start(editor, place)
        if shows_stills:
            assert self.watch(editor, outer["id"]) == FILM.keys()
        editor.enter()
        editor.page.wait_for_timeout(500)
        assert self.watch(editor, SAMPLER) == FILM.keys()
        editor.keep_screenshot(f"moving-preview-{shows_stills}")
        editor.send_film(place, [], 4)

    def test_nothing_moves_without_a_still(self, editors):
        editor = editors(CLASSIC)
        editor.open_template("fcvg_simple.json")
        node_id = next(x["id"] for x in editor.nodes() if x["type"] == SAMPLER)
        editor.send_film(node_id, [picture(color) for color in FILM.values()], 4)
        editor.page.wait_for_timeout(500)
        assert not editor.colors_on(SAMPLER, FILM | YELLOW)
        editor.send_film(node_id, [], 4)

    def test_a_run_and_an_interrupted_run(self, editors, server):
        """What the page gets from the pack; the second run would last much longer."""
        editor = editors(CLASSIC)
        editor.open_template("fcvg_simple.json")
        editor.page.evaluate(PREVIEWS, "latent2rgb")
        editor.page.evaluate(LISTEN)
        editor.run({**SMALL, "steps": 8})
        heard = editor.page.evaluate(HEARD)
        assert heard["films"][0] == SMALL["num_frames"] and heard["films"][-1] == 0
        assert heard["stills"] > 8
        known = set(server.get("/history"))
        editor.set_widgets({**SMALL, "steps": 1000, "seed": 1})
        editor.page.evaluate("() => window.app.queuePrompt(0, 1)")
        films = len(heard["films"])
        editor.page.wait_for_function(f"({HEARD})().films.length > {films}", timeout=60_000)
        server.post("/interrupt", {})
        history = server.wait(server.wait_for_another(known))
        assert history["status"]["status_str"] == "error"
        editor.page.wait_for_timeout(1000)
        heard = editor.page.evaluate(HEARD)
        assert heard["films"][-1] == 0
        editor.page.wait_for_timeout(500)
        assert editor.page.evaluate(HEARD) == heard  # nothing moves any more

    def test_nothing_is_sent_if_the_host_shows_no_preview(self, editors):
        editor = editors(CLASSIC)
        editor.open_template("fcvg_simple.json")
        editor.page.evaluate(PREVIEWS, "none")
        editor.page.evaluate(LISTEN)
        editor.run({**SMALL, "seed": 2})
        assert editor.page.evaluate(HEARD) == {"films": [], "stills": 0}
        editor.page.evaluate(PREVIEWS, "default")


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
        assert sorted(types) == sorted(re.findall(r"^  (\w+): \"#", colors, re.M))


class TestSamples:
    def test_the_first_run_of_a_newcomer(self, editor, server):
        """Nothing is in the input folder, and the preview plays."""
        for name in SAMPLES:
            (server.base / "input" / name).unlink(missing_ok=True)
        editor.open_graph(preview_graph())
        assert not editor.page.locator("[data-testid=error-overlay]").count()
        assert not (server.base / "input" / SAMPLES[1]).exists()  # the graph does not name it
        for name in SAMPLES[::2]:
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
        assert len(list(Path(server.base / "input").glob("fcvg_*"))) == len(SAMPLES)

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
