"""Pictures of whole graphs: screenshots of the editor of a running ComfyUI.

What the models would paint is left out: the nodes that show painted frames are empty. All else is
real, in a small size: the lines, the control frames and the preview of the motion. The drawn person
is found without DWPose.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from person import draw_person, jumping_jack
from PIL import Image

from fcvg_core.standalone.media.writing import write_video

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))
from comfy_server import ComfyServer  # noqa: E402  the tests start a ComfyUI and open its editor
from dynamicrafter_stand_ins import write_for_workflows  # noqa: E402
from editor import CLASSIC, Editor, open_browser  # noqa: E402
from stand_ins import write_stand_ins  # noqa: E402

MARGIN = 12  # units of the graph around all that is drawn
SCALE = 0.7  # size of a unit of the graph in pixels; the editor hides texts below 0.57
PORTRAIT = (768, 512)
LIFTS = 0.15 + 0.85 * np.sin(np.linspace(0, np.pi, 12)) ** 2  # of the arms, in every frame
NEVER, ALWAYS = 2, 0  # modes of a node
# A small video, whose lines can be seen in a small picture. The widgets then get their values back.
SMALL = {"width": 512, "height": 320, "num_frames": 9, "line_width": 3}
PERSON = {"image": "person.png", "file": "dance.mp4"}
# The graphs: whether a model paints what their video shows, widgets of the run (None: a run would
# show nothing without a model), other widgets.
GRAPHS = {
    "fcvg_inbetween": (True, SMALL, {}),
    "fcvg_preview": (False, SMALL, {}),
    "controlnext_svd_animate": (True, {"pose_width": 3.0}, PERSON),
    "dynamicrafter_interpolate": (True, None, {}),
}
MODE = """([types, mode]) => window.app.graph._nodes
    .filter(node => types.includes(node.type)).forEach(node => { node.mode = mode; })"""
# Load GlueStick would name folders of this machine.
UNUSED, PAINTED = ["FCVG_LoadGlueStick"], ["SaveVideo"]
# Set widgets by name; what they were comes out: [node id, name, value] each.
SET = """(values) => window.app.graph._nodes.flatMap(node => (node.widgets || [])
    .filter(widget => widget.name in values)
    .map(widget => {
        const before = [node.id, widget.name, widget.value];
        widget.value = values[widget.name];
        widget.callback?.(widget.value);  // a picture is loaded
        return before;
    }))"""
RESTORE = """(saved) => saved.forEach(([id, name, value]) => {
    window.app.graph.getNodeById(id).widgets.find(x => x.name == name).value = value;
})"""
# Everything that stands on the canvas: [left, top, right, bottom].
BOUNDS = """() => {
    const graph = window.app.graph, title = window.LiteGraph.NODE_TITLE_HEIGHT;
    const boxes = [
        ...graph._nodes.map(({ pos, size }) => [pos[0], pos[1] - title, ...size]),
        ...graph._groups.map(({ pos, size }) => [...pos, ...size]),
    ];
    return [Math.min(...boxes.map(box => box[0])), Math.min(...boxes.map(box => box[1])),
            Math.max(...boxes.map(box => box[0] + box[2])),
            Math.max(...boxes.map(box => box[1] + box[3] + title))];
}"""
MOVE = """([left, top, scale]) => {
    const view = window.app.canvas.ds;
    view.scale = scale;
    view.offset = [-left, -top];
    window.app.canvas.deselectAll();
    window.app.canvas.show_info = false;
    window.app.canvas.setDirty(true, true);
}"""
# The editor's bars lie over the canvas.
ALONE = """() => {
    for (const box of document.querySelectorAll("body *"))
        if (!box.contains(document.querySelector("canvas#graph-canvas")) && box.id != "graph-canvas"
            && !box.closest(".dom-widget") && !box.querySelector(".dom-widget"))
            box.style.visibility = "hidden";
}"""


def photograph_graphs(host: Path) -> dict[str, Image.Image]:
    """A picture of each graph of GRAPHS, by its name, run as far as no model is needed.

    Args:
        host: a folder of ComfyUI.
    """
    with tempfile.TemporaryDirectory() as folder:
        models, base = Path(folder, "models"), Path(folder, "comfy")
        write_stand_ins(models)
        write_for_workflows(models)
        for network, name in (("det_two", "yolox_l"), ("pose_a", "dw-ll_ucoco_384")):
            shutil.copy(
                ROOT / "tests" / "golden" / "dwpose" / f"{network}.onnx", models / f"{name}.onnx"
            )
        base.mkdir()
        server = ComfyServer(host, base, models)
        write_inputs(base)
        with server, open_browser() as browser:
            return {
                name: photograph(Editor(browser, server, CLASSIC), name, *how)
                for name, how in GRAPHS.items()
            }


def write_inputs(base: Path) -> None:
    """Pictures and a video for the graphs, and the pack that knows the joints of the person."""
    joints = [jumping_jack(lift) for lift in LIFTS]
    video = np.stack([draw_person(points, PORTRAIT) for points in joints])
    (base / "input" / "dance.mp4").unlink()  # what the server of the tests has in its place
    write_video(base / "input" / "dance.mp4", video, 15)
    Image.fromarray(video[0]).save(base / "input" / "person.png")
    pack = base / "custom_nodes" / "drawn_people"
    pack.mkdir()
    shutil.copy(ROOT / "docs" / "images" / "drawn_people.py", pack / "__init__.py")
    np.save(pack / "joints.npy", np.stack(joints))


def photograph(
    editor: Editor, name: str, painted: bool, values: dict | None, shown: dict
) -> Image.Image:
    """The graph of a workflow after a run, without the editor around it.

    Args:
        editor: newly opened; its bars are gone afterwards.
        painted: whether a model paints what the graph's video shows; then the video is not made.
        values: widgets of the run, by their names; None: the graph is not run.
        shown: widgets of the run that stay as they are in the picture.
    """
    editor.open_template(f"{name}.json")
    editor.page.evaluate(SET, shown)
    if values is not None:
        run(editor, name, UNUSED + (PAINTED if painted else []), values)
    left, top, right, bottom = editor.page.evaluate(BOUNDS)
    width, height = (round(SCALE * (x + 2 * MARGIN)) for x in (right - left, bottom - top))
    editor.page.set_viewport_size({"width": width, "height": height})
    editor.page.evaluate(MOVE, [left - MARGIN, top - MARGIN, SCALE])
    editor.page.evaluate(ALONE)
    editor.page.wait_for_timeout(3000)  # the editor loads the pictures of its nodes
    with Image.open(io.BytesIO(editor.page.screenshot())) as taken:
        return taken.convert("RGB")


def run(editor: Editor, name: str, left_out: list[str], values: dict) -> None:
    """Run a graph without some types of nodes, and with widgets that get their values back."""
    saved = editor.page.evaluate(SET, values)
    editor.page.evaluate(MODE, [left_out, NEVER])
    done = editor.queue()["status"]
    if done["status_str"] != "success":
        raise RuntimeError(f"{name} does not run: {done['messages']}")
    editor.page.evaluate(MODE, [left_out, ALWAYS])
    editor.page.evaluate(RESTORE, saved)
