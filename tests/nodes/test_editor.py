"""The workflows in a real browser: opened as a person would, run, and looked at.

Today's graphs are looked at in both styles of nodes, those of earlier releases in the classic one.
"""

import json

import pytest
from comfy_server import DRIVING_WINDOWS, OLD_WORKFLOWS, RELEASES, WORKFLOWS
from editor import CLASSIC, NODES_2, Editor, crossing, overlapping

TODAY = sorted(path.name for path in WORKFLOWS.glob("*.json"))
OLD = [str(path.relative_to(RELEASES)) for path in OLD_WORKFLOWS if path.parent.name != "api"]
SMALL = {"width": 128, "height": 64, "num_frames": 5, "steps": 2, **DRIVING_WINDOWS}
SMALL_KEYFRAMES = {**SMALL, "num_frames": 7, "frame": 3}
# The editor hides text below 57 %.
READABLE = 0.575
BLUEPRINT = "Inbetween two frames"
# Old hosts open and run one graph.
SMOKE = "fcvg_inbetween.json"


def cases():
    """Style and graph: each is opened once for all tests that look at it.

    The styles take turns: what a graph has computed in one is in the host's cache for the other.
    """
    pairs = [(style, name) for name in TODAY for style in (CLASSIC, NODES_2)]
    for style, name in [*pairs, *((CLASSIC, name) for name in OLD)]:
        marks = [pytest.mark.seam] if (style, name) == (CLASSIC, SMOKE) else []
        yield pytest.param((style, name), id=f"{style}-{name}", marks=marks)


@pytest.fixture(scope="module", params=cases())
def opened(request, editors) -> tuple[Editor, str, str]:
    """An editor with a graph in it; the style, and the graph's name."""
    style, name = request.param
    editor = editors(style)
    if name in TODAY:
        editor.open_template(name)
    else:
        editor.open_graph(read(name))
    return editor, style, name


def read(name: str) -> dict:
    """A graph of today, or of a release."""
    folder = WORKFLOWS if name in TODAY else RELEASES
    return json.loads((folder / name).read_text(encoding="utf-8"))


def of_today(name: str) -> None:
    """A graph that was released stays as it is."""
    if name not in TODAY:
        pytest.skip("is asked of today's graphs")


def unnamed(nodes: list[dict]) -> list[tuple[str, str]]:
    """Widgets of the pack's nodes whose names Nodes 2.0 does not show, but should."""
    # Nodes 2.0 shows an icon and a canvas in the places of these names.
    nameless = ("control_after_generate", "editor")
    return [
        (node["type"], widget["name"])
        for node in nodes
        if node["type"].startswith("FCVG_")
        for widget in node["widgets"]
        if not widget["folded"] and widget["name"] not in nameless
        if widget["name"] not in node["text"]
    ]


def none(found: list[str]) -> None:
    """Fail with every line."""
    assert not found, "\n".join(found)


class TestWorkflow:
    def test_no_node_is_missing_and_no_widget_is_wrong(self, opened):
        editor, style, name = opened
        saved = {str(node["id"]): node for node in read(name)["nodes"]}
        nodes = editor.nodes()
        assert {node["id"] for node in nodes} == set(saved)
        for node in nodes:
            assert node["known"] and not node["errors"], node["type"]
            values = [widget["value"] for widget in node["widgets"]]
            expected = saved[node["id"]].get("widgets_values") or []
            # The editor has a button or two more, and hosts append widgets.
            for value, wanted in zip(values, expected, strict=False):
                assert value == wanted, (node["type"], values, expected)
            for widget in node["widgets"] if node["type"].startswith("FCVG_") else ():
                if isinstance(widget["options"], list):
                    assert widget["value"] in widget["options"], (node["type"], widget["name"])
        # Nodes 2.0 may draw the widgets of a node a moment after the node.
        if style == NODES_2:
            assert not unnamed(editor.nodes_when(lambda nodes: not unnamed(nodes)))

    def test_every_node_has_room(self, opened):
        """No widget sticks out of its node, and no node lies on another of today's graphs."""
        editor, style, name = opened
        for node in editor.nodes():
            # In Nodes 2.0 the browser gives a node the height that it needs.
            assert style == NODES_2 or node["size"][1] >= node["needed"][1] - 1, node["type"]
        if name in TODAY:  # in an old graph a node may have grown by inputs of a newer release
            none(overlapping(editor.boxes()))

    def test_opens_readable(self, opened):
        editor, _, name = opened
        of_today(name)
        assert editor.scale() >= READABLE

    def test_titles_of_groups_can_be_read(self, opened):
        """No link runs across one."""
        editor, _, name = opened
        of_today(name)
        none(crossing(editor.links(), editor.titles()))

    def test_runs_until_the_video_shows(self, opened):
        editor, style, name = opened
        status = editor.run(SMALL_KEYFRAMES if "keyframes" in name else SMALL)["status"]
        assert status["status_str"] == "success", json.dumps(status)[-2000:]
        editor.keep_screenshot(f"{style}-{name}")
        if name in TODAY:  # with pictures and the video on its nodes
            none(overlapping(editor.boxes()))


class TestPreview:
    """The node that plays the motion on itself."""

    @pytest.mark.seam
    def test_it_moves(self, editor):
        editor.open_template("fcvg_preview.json")
        assert editor.run(SMALL)["status"]["status_str"] == "success"
        assert editor.played_frames(enough=3) == 3
        none(overlapping(editor.boxes()))

    @pytest.mark.seam
    def test_it_still_moves_when_nothing_is_run_again(self, editor):
        """The frames come from the host's cache."""
        editor.open_template("fcvg_preview.json")
        for _ in range(2):
            history = editor.run(SMALL)
        assert {"4", "5"} <= set(dict(history["status"]["messages"])["execution_cached"]["nodes"])
        assert editor.played_frames(enough=3) == 3

    @pytest.mark.seam
    def test_it_lies_in_its_node_if_it_loads_last(self, editor):
        """After a run from the cache the picture may come when nothing else is drawn any more."""
        editor.open_template("fcvg_preview.json")
        with editor.held_back(r"fcvg_preview\w*[.]webp"):
            assert editor.run(SMALL)["status"]["status_str"] == "success"
        assert editor.played_frames(enough=3) == 3
        node, picture = editor.played_places("FCVG_PreviewMotion")
        assert node[0] < picture[0] < picture[2] < node[2], (node, picture)
        assert node[1] < picture[1] < picture[3] < node[3], (node, picture)


class TestUpperRow:
    def test_it_runs_alone(self, editor):
        """With the triangle over Preview Motion, as the note says."""
        editor.open_template("fcvg_inbetween.json")
        editor.set_widgets(SMALL)
        done = editor.run_to("FCVG_PreviewMotion")
        assert done["status"]["status_str"] == "success", json.dumps(done["status"])[-2000:]
        _, _, nodes, _, targets, *_ = done["prompt"]
        assert {nodes[node]["class_type"] for node in targets} == {"FCVG_PreviewMotion"}
        # Nodes that an earlier run has left in the cache are among the outputs too.
        types = {nodes[node]["class_type"] for node in done["outputs"]}
        assert {"FCVG_PreviewMotion", "FCVG_MatchLines"} <= types and "SaveVideo" not in types


class TestSearch:
    @pytest.mark.parametrize(
        "words, wanted",
        [
            ("morph", "Preview Motion"),
            ("animate picture", "DynamiCrafter Conditioning"),
            ("prompt video", "DynamiCrafter Conditioning"),
            ("i2v", "Story Shot"),
            ("dynamicrafter", "Trim Loop"),
        ],
    )
    def test_words_that_people_know(self, editors, words, wanted):
        editors(CLASSIC).search(words, wanted)


class TestBlueprint:
    def test_it_is_found_and_runs(self, editor, server):
        """One node in the place of the whole graph; its widgets reach the nodes inside."""
        found = [entry["name"] for entry in server.get("/global_subgraphs").values()]
        assert BLUEPRINT in found
        editor.insert(BLUEPRINT)
        editor.surround()
        outputs = editor.run({**SMALL, "seed": 5})
        assert outputs["status"]["status_str"] == "success", json.dumps(outputs["status"])[-2000:]
        sent = [node["inputs"] for node in outputs["prompt"][2].values()]
        for name in ("width", "height", "num_frames", "steps"):
            assert {node[name] for node in sent if name in node} == {SMALL[name]}
        assert 5 in [node.get("seed") for node in sent]


class TestHelp:
    def test_the_button_shows_the_page(self, editor):
        """The one over a selected node, which stands for an i."""
        editor.open_template("fcvg_inbetween.json")
        editor.select("FCVG_MatchLines")
        editor.page.click("[data-testid=info-button]", timeout=20_000)
        editor.page.wait_for_function(
            """() => document.body.innerText.includes("Finds line segments in both keyframes")""",
            timeout=20_000,
        )


class TestMissingModels:
    @pytest.mark.parametrize(
        ("name", "folders"),
        [
            ("controlnext_svd_animate.json", {"diffusion_models", "controlnext"}),
            ("dynamicrafter_animate.json", {"checkpoints"}),
        ],
    )
    def test_the_editor_offers_to_download_them(self, editor, name, folders):
        """Of what the hubs have."""
        graph = read(name)
        absent = []
        for node in graph["nodes"]:
            for model in node["properties"].get("models", []):
                model["name"] = f"absent-{model['name']}"
                model["url"] = f"{model['url'].rpartition('/')[0]}/{model['name']}"
                node["widgets_values"][0] = model["name"]
                absent.append(model)
        editor.open_graph(graph)
        said = editor.missing_models()
        assert {model["directory"] for model in absent} == folders
        assert all(model["directory"] in said and model["name"] in said for model in absent)


class TestLayout:
    """The rules by which the graphs above are judged, on boxes that can be seen by eye."""

    def test_overlapping(self):
        boxes = [("a", 0, 0, 10, 10), ("b", 10, 0, 10, 10), ("c", 8, 5, 4, 2)]
        assert overlapping(boxes) == ["c and a overlap by 2 x 2", "c and b overlap by 2 x 2"]

    def test_crossing(self):
        titles = [("t", 100, 100, 50, 20)]
        links = [
            ("through", [[0, 110], [300, 110]]),
            ("over", [[0, 90], [300, 90]]),
            ("around", [[0, 110], [50, 50], [300, 50]]),
        ]
        assert crossing(links, titles) == ["through across 't'"]
