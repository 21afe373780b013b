"""Whole graphs in a real ComfyUI, through its API."""

import json
import time
from pathlib import Path

import pytest
from comfy_server import (
    LATER_NODES,
    OLD_WORKFLOWS,
    RELEASES,
    VERSION,
    WORKFLOWS,
    expected_video,
    frames_of,
    make_small,
    read_workflow,
)
from PIL import Image

from fcvg_core.catalogue.families import list_files

SNAPSHOT = Path(__file__).parent / "object_info.json"
API_WORKFLOWS = sorted(path.name for path in (WORKFLOWS / "api").glob("*.json"))
RELEASED = [str(p.relative_to(RELEASES)) for p in OLD_WORKFLOWS if p.parent.name == "api"]
# On older hosts: one graph a family, and the graphs of the first release.
FAMILIES = (
    "fcvg_simple.json",
    "controlnext_svd_simple.json",
    "dynamicrafter_animate.json",
    "dropletvideo_i2v.json",
    "smcd_boxes.json",
)
FIRST_RELEASE = "0.1.0"
FCVG_WORKFLOWS = [name for name in API_WORKFLOWS if name.startswith("fcvg")]
# Lists that depend on the files and samplers of a machine, not on this pack.
LISTS = {
    "file",
    "folder",
    "unet_name",
    "ckpt_name",
    "controlnext_name",
    "model_name",
    "vae_name",
    "clip_name",
    "gluestick_name",
    "superpoint_name",
    "boxes_name",
    "points_name",
    "sampler_name",
    "scheduler",
}
# Nodes whose models the editor may download.
LOADERS = ("FCVG_LoadModel", "FCVG_LoadControlNeXt", "FCVG_LoadDynamiCrafter")
# Nodes that need files of the user's, which no graph of the pack can name.
USER_FILES = {
    f"FCVG_{x}{y}" for x in ("Save", "Load") for y in ("LineMatches", "Poses", "BoxTracks")
}
# Of an input, what hosts after 0.8 alone say: the snapshot is one for all hosts.
NEWER = {"advanced"}


def seam(names: list[str], kept) -> list:
    """Parameters of which some are also run on older hosts."""
    marks = {True: [pytest.mark.seam], False: []}
    return [pytest.param(name, marks=marks[bool(kept(name))]) for name in names]


@pytest.fixture(scope="module")
def faces(server) -> dict:
    """What the host says of this pack's nodes."""
    found = {k: v for k, v in server.get("/object_info").items() if k.startswith("FCVG_")}
    for node in found.values():  # what the host itself gives to output nodes
        node["input"].pop("hidden", None)
        node["input_order"].pop("hidden", None)
    return found


def face(node: dict) -> dict:
    """The part of a node's description that graphs and their authors rely on."""
    inputs = {
        kind: {name: [value[0], _without_lists(name, value[1])] for name, value in items.items()}
        for kind, items in node["input"].items()
    }
    keys = ("display_name", "category", "output", "output_name", "output_node", "input_order")
    return {"input": inputs, **{key: node[key] for key in keys}}


def _without_lists(name: str, settings: dict) -> dict:
    return {
        k: v
        for k, v in settings.items()
        if k not in NEWER and not (name in LISTS and k in ("options", "default"))
    }


@pytest.mark.seam
class TestObjectInfo:
    def test_the_pack_loads_without_a_complaint(self, server):
        log = server.written()
        assert "IMPORT FAILED" not in log
        assert "Cannot import" not in log

    def test_faces_are_those_under_version_control(self, faces):
        """A difference is a decision: ids never change, widgets are only appended.

        To accept one, delete object_info.json and run the test again.
        """
        found = {name: face(node) for name, node in sorted(faces.items())}
        if not SNAPSHOT.exists():
            SNAPSHOT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
            pytest.fail("object_info.json was written: look at it and commit it")
        assert found == json.loads(SNAPSHOT.read_text("utf-8"))

    def test_every_input_and_output_is_explained(self, faces):
        for name, node in faces.items():
            assert node["description"], name
            for inputs in node["input"].values():
                for key, value in inputs.items():
                    assert value[-1].get("tooltip"), f"{name}.{key}"
            assert all(node["output_tooltips"]), name

    def test_what_newer_hosts_offer_is_used(self, faces):
        """Other words for the search, results that stay, rarely changed widgets folded away."""
        if "has_intermediate_output" not in faces["FCVG_MatchLines"]:
            pytest.skip("needs a newer host")
        for name, node in faces.items():
            assert node["search_aliases"], name
            assert node["has_intermediate_output"], name
        inputs = [items for node in faces.values() for items in node["input"].values()]
        folded = {key for items in inputs for key in items if items[key][1].get("advanced")}
        assert {"detector", "augmentation", "pose_width"} <= folded
        # What the workflows' notes and the README's first steps speak of stays in sight.
        assert not folded & {
            "width",
            "height",
            "num_frames",
            "window",
            "steps",
            "smoothing",
            "max_lines",
            "outliers",
            "frames_per_chunk",
        }


@pytest.mark.seam
class TestHelp:
    """What the help button of a node shows."""

    def test_every_page_is_served_and_names_all(self, server, faces):
        for name, node in faces.items():
            page = server.read(f"/extensions/ComfyUI-FCVG/docs/{name}.md")
            assert page.startswith(f"# {node['display_name']}\n"), name
            inputs = [key for items in node["input"].values() for key in items]
            for key in (*inputs, *node["output_name"]):
                assert f"\n- `{key}` (" in page, (name, key)
            for part in ("## Example", "Source: "):
                assert part in page, name

    def test_no_page_of_a_node_that_is_gone(self, faces):
        pages = (WORKFLOWS.parent / "web" / "docs").glob("*.md")
        assert {page.stem for page in pages} == set(faces)


class TestWorkflows:
    @pytest.mark.parametrize("name", seam(API_WORKFLOWS, lambda name: name in FAMILIES))
    def test_runs_to_a_finished_video(self, server, name):
        history = server.run(make_small(read_workflow(f"api/{name}")))
        assert history["status"]["status_str"] == "success", history["status"]
        files = [
            item
            for output in history["outputs"].values()
            for items in output.values()
            if isinstance(items, list)
            for item in items
            if isinstance(item, dict) and item.get("filename", "").endswith(".mp4")
        ]
        assert files
        video = server.base / "output" / files[0]["subfolder"] / files[0]["filename"]
        assert frames_of(video) == expected_video(name)

    @pytest.mark.parametrize(
        "name", seam(RELEASED, lambda name: name.startswith(f"{FIRST_RELEASE}/"))
    )
    def test_what_was_released_runs(self, server, name):
        """Graphs that people have saved keep working."""
        prompt = json.loads((RELEASES / name).read_text(encoding="utf-8"))
        assert server.run(make_small(prompt))["status"]["status_str"] == "success"

    def test_every_release_is_kept(self):
        """A workflow that differs from its version's, and a version without, need a new release."""
        for path in WORKFLOWS.glob("**/*.json"):
            kept = RELEASES / VERSION / path.relative_to(WORKFLOWS)
            assert kept.read_bytes() == path.read_bytes(), kept

    @pytest.mark.parametrize("name", [x for x in FCVG_WORKFLOWS if x != "fcvg_preview.json"])
    def test_runs_in_windows(self, server, name):
        prompt = make_small(read_workflow(f"api/{name}"), num_frames=7, steps=2)
        for node in prompt.values():
            if "window" in node["inputs"]:
                node["inputs"].update(window=4, overlap=2)
        assert server.run(prompt)["status"]["status_str"] == "success"

    def test_gluestick_is_used_where_its_files_are(self, server):
        prompt = make_small(read_workflow("api/fcvg_inbetween.json"), steps=1)
        prompt["5"]["inputs"]["max_lines"] = 37  # nothing that the host has cached
        before = len(server.written())
        assert server.run(prompt)["status"]["status_str"] == "success"
        assert "lines match, by GlueStick" in server.written()[before:]
        del prompt["5"]["inputs"]["gluestick"]
        before = len(server.written())
        assert server.run(prompt)["status"]["status_str"] == "success"
        assert "lines match, by SIFT" in server.written()[before:]

    def test_people_are_found_where_dwpose_is(self, server):
        prompt = make_small(read_workflow("api/fcvg_inbetween.json"), steps=1)
        for node in ("26", "27"):
            prompt[node]["inputs"]["if_nobody"] = "whole frame"  # nothing that the host has cached
        before = len(server.written())
        assert server.run(prompt)["status"]["status_str"] == "success"
        assert server.written()[before:].count("Poses of 2 people.") == 2
        assert "Poses are detected on: CPU." in server.written()
        del prompt["27"]["inputs"]["dwpose"]
        before = len(server.written())
        assert server.run(prompt)["status"]["status_str"] == "success"
        assert "No poses are detected" in server.written()[before:]

    def test_nodes_show_what_they_found(self, server):
        """The pictures stand on the nodes themselves, whether or not a preview is connected."""
        prompt = make_small(read_workflow("api/fcvg_inbetween.json"), steps=1)
        for node in prompt.values():  # a size of which the host has cached nothing
            if "width" in node["inputs"]:
                node["inputs"]["width"] = 192
        outputs = server.run(prompt)["outputs"]
        for node in ("5", "23", "26", "27"):
            assert prompt[node]["class_type"].startswith("FCVG_")
            for image in outputs[node]["images"]:
                assert (server.base / "temp" / image["subfolder"] / image["filename"]).exists()

    @pytest.mark.seam
    def test_a_graph_may_end_in_the_preview(self, server):
        """Without a node that saves; the second run takes everything from the cache."""
        prompt = make_small(read_workflow("api/fcvg_preview.json"))
        ending = {key: prompt[key] for key in "123459"}
        ending["5"]["inputs"]["fps"] = 11.0  # nothing that the host has cached
        first, second = server.run(ending), server.run(ending)
        (image,) = first["outputs"]["5"]["images"]
        assert (server.base / "temp" / image["subfolder"] / image["filename"]).exists()
        messages = dict(second["status"]["messages"])
        assert set(messages["execution_cached"]["nodes"]) == set(ending)

    def test_every_node_is_in_one(self, faces):
        used = {
            node["class_type"]
            for name in API_WORKFLOWS
            for node in read_workflow(f"api/{name}").values()
        }
        assert set(faces) == used & set(faces) | USER_FILES

    @pytest.mark.parametrize("name", sorted(path.name for path in WORKFLOWS.glob("*.json")))
    def test_editor_graph_is_the_api_graph(self, name):
        graph = read_workflow(name)
        found = sorted(node["type"] for node in graph["nodes"] if node["type"] != "MarkdownNote")
        assert found == sorted(node["class_type"] for node in read_workflow(f"api/{name}").values())

    @pytest.mark.parametrize("name", sorted(path.stem for path in WORKFLOWS.glob("*.json")))
    def test_template_browser(self, server, name):
        """It lists the workflow, and its picture is beside it."""
        assert name in server.get("/api/workflow_templates")["ComfyUI-FCVG"]
        picture = WORKFLOWS / f"{name}.jpg"
        assert Image.open(picture).width >= 400 and picture.stat().st_size < 100_000

    @pytest.mark.parametrize("name", sorted(path.name for path in WORKFLOWS.glob("*.json")))
    def test_every_node_says_where_it_is_from(self, name):
        for node in read_workflow(name)["nodes"]:
            if node["type"] != "MarkdownNote":
                own = node["type"].startswith("FCVG_")
                assert node["properties"]["cnr_id"] == ("fcvg" if own else "comfy-core")
                version = VERSION if own else LATER_NODES.get(node["type"], "0.3.64")
                assert node["properties"]["ver"] == version, node["type"]

    @pytest.mark.parametrize("name", sorted(path.name for path in WORKFLOWS.glob("*.json")))
    def test_commands_in_notes_can_be_read(self, name):
        """Nodes 2.0 writes `code` in blue on blue, and cuts the lines of a block."""
        for node in read_workflow(name)["nodes"]:
            if node["type"] == "MarkdownNote":
                assert "`" not in node["widgets_values"][0], node["title"]

    @pytest.mark.parametrize("name", sorted(path.name for path in WORKFLOWS.glob("*.json")))
    def test_models_that_the_editor_can_download(self, server, name):
        """Its dialog takes files from hubs that it knows, into folders of the host's."""
        kinds = {kind["name"] for kind in server.get("/experiment/models")}
        offered = {download.url for file in list_files() for download in file.downloads}
        for node in read_workflow(name)["nodes"]:
            if node["type"] in LOADERS:
                for model in node["properties"].get("models", []):
                    assert model["url"] in offered and model["directory"] in kinds
                    assert model["url"].startswith("https://huggingface.co/")
                    # The files of DynamiCrafter have one name, each in a folder of its own.
                    assert model["url"].endswith("/" + model["name"].rpartition("/")[2])
                    assert model["name"].endswith((".safetensors", "_v1/model.ckpt"))
                    assert model["name"] == node["widgets_values"][0]
                # FCVG's authors offer theirs on Google Drive alone.
                assert bool(node["properties"].get("models")) != name.startswith("fcvg")


@pytest.mark.seam
class TestInterrupt:
    def test_the_next_prompt_runs(self, server):
        prompt = make_small(read_workflow("api/fcvg_simple.json"), steps=1000)
        prompt_id = server.queue(prompt)
        wait_for_sampling(server)
        begun = time.monotonic()
        server.post("/interrupt", {})
        history = server.wait(prompt_id, 60)
        assert time.monotonic() - begun < 30
        assert any(kind == "execution_interrupted" for kind, _ in history["status"]["messages"])
        after = make_small(read_workflow("api/fcvg_simple.json"), steps=1)
        assert server.run(after)["status"]["status_str"] == "success"


class TestBadInput:
    @pytest.mark.parametrize(
        ("node", "values", "message"),
        [
            ("FCVG_Sampler", {"num_frames": 6}, "has 6 frames but there are 5 control frames"),
            ("FCVG_Sampler", {"window": 3, "overlap": 3}, "overlap by 1 to 2 frames"),
            ("FCVG_Sampler", {"width": 72}, "4096, got 72: use 64 or 128."),
            ("FCVG_Sampler", {"controlnext": None}, "belong together"),
            ("FCVG_LoadSVD", {"folder": "nowhere"}, "'nowhere'"),
            ("FCVG_LoadModel", {"unet_name": "x.safetensors"}, "in a terminal, or put"),
            (
                "FCVG_LoadModel",
                {"unet_name": "../../x"},
                "fcvg_unet.safetensors (FCVG's UNet, from",
            ),
            ("FCVG_LoadControlNeXt", {"controlnext_name": "x"}, "models/controlnext"),
            ("FCVG_LoadControlNeXt", {"controlnext_name": "x"}, "models --get"),
            ("FCVG_DrawLines", {"timing": "custom", "custom_times": "0, 2"}, "got '0, 2'"),
            ("FCVG_LoadSVD", {"folder": "../.."}, "'../..'"),
        ],
    )
    def test_message_reaches_the_user(self, server, node, values, message):
        prompt = make_small(read_workflow("api/fcvg_simple.json"))
        for part in prompt.values():
            if part["class_type"] == node:
                part["inputs"].update(values)
                part["inputs"] = {k: v for k, v in part["inputs"].items() if v is not None}
        assert message in refusal(server, prompt)

    def test_an_older_graph_without_timing(self, server):
        prompt = make_small(read_workflow("api/fcvg_simple.json"), steps=1)
        for name in ("timing", "custom_times"):
            del prompt["6"]["inputs"][name]
        assert server.run(prompt)["status"]["status_str"] == "success"

    def test_a_missing_keyframe(self, server):
        prompt = make_small(read_workflow("api/fcvg_simple.json"))
        for part in prompt.values():
            part["inputs"].pop("last_frame", None)
        assert "last_frame" in refusal(server, prompt)

    def test_unet_that_was_not_loaded(self, server):
        """The host blocks what hangs on it, and tells listening clients why."""
        prompt = make_small(read_workflow("api/fcvg_simple.json"))
        prompt["10"]["inputs"]["model"] = ["7", 0]
        assert "13" not in server.run(prompt)["outputs"]  # which saves the video


def refusal(server, prompt: dict) -> str:
    """All that the server says of a graph that it refuses or that fails."""
    answer = server.post("/prompt", {"prompt": prompt})
    if "prompt_id" not in answer:
        return json.dumps(answer)
    history = server.wait(answer["prompt_id"])
    assert history["status"]["status_str"] == "error"
    return json.dumps(history["status"]["messages"])


def wait_for_sampling(server) -> None:
    """Until the progress bar of a run has moved."""
    end = time.monotonic() + 120
    before = len(server.written())
    while "it/s" not in server.written()[before:] and "s/it" not in server.written()[before:]:
        assert time.monotonic() < end, server.written()[-2000:]
        time.sleep(0.1)
