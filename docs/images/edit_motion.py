"""Takes the pictures of the walk-through of Edit Motion, with the sample keyframes.

python docs/images/edit_motion.py COMFYUI [FOLDER]: COMFYUI is a folder of ComfyUI 0.33 whose
packages the tests have installed; the pictures go into FOLDER, by default beside the help pages,
which show them.
"""

import io
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from comfy_server import ComfyServer  # noqa: E402
from editor import NODES_2, Editor, open_browser  # noqa: E402
from motion_canvas import NODE, MotionCanvas  # noqa: E402
from PIL import Image  # noqa: E402

from fcvg_core.standalone.demo.scene import draw_sample_pair  # noqa: E402

SIZE = (576, 1024)
QUALITY = 75
PICTURES = ROOT / "web" / "docs" / "images"
WIDE = f"() => {NODE}.setSize([1000, 640])"
PLACE = """() => {
    const box = document.querySelector(".fcvg-motion").getBoundingClientRect();
    return { x: box.x, y: box.y, width: box.width, height: box.height };
}"""


def take_pictures(host: Path, folder: Path) -> list[Path]:
    """The steps of the walk-through as JPEG files of less than 100 KB, in their order."""
    with tempfile.TemporaryDirectory() as base:
        models = Path(base, "models")
        models.mkdir()
        server = ComfyServer(host, models, models)
        for name, frame in zip(("first", "last"), draw_sample_pair(SIZE), strict=True):
            Image.fromarray(frame).save(models / "input" / f"{name}.png")
        with server, open_browser() as browser:
            canvas = MotionCanvas(Editor(browser, server, NODES_2))
            canvas.build()
            canvas.editor.set_widgets({"max_lines": 60, "min_length": 40})
            canvas.page.evaluate(WIDE)
            canvas.editor.queue()
            canvas.page.wait_for_timeout(2000)
            return [_save(canvas, folder / f"edit_motion_{name}.jpg") for name in _steps(canvas)]


def _steps(canvas: MotionCanvas):
    """Goes through the walk-through; gives the name of each step that is to be seen."""
    yield "found"
    canvas.page.keyboard.down("Control")
    canvas.drag("first", (640, 190), (980, 470))
    canvas.page.keyboard.up("Control")
    yield "selected"
    canvas.press("Delete", "Escape", "l")
    canvas.drag("first", (700, 322), (955, 322))
    canvas.drag("last", (828, 322), (828, 365))
    canvas.drag("last", (955, 365), (945, 385))
    yield "drawn"
    canvas.press("Escape", "p")
    canvas.drag("first", (848, 90), (816, 64))
    canvas.drag("first", (837, 81), (760, 190))
    canvas.page.locator(".fcvg-motion select").select_option("ease-in-out")
    yield "path"
    canvas.press("Escape", "h")
    canvas.drag("first", (20, 500), (1000, 500), (1000, 560), (20, 560), (20, 510))
    yield "held"
    canvas.press("Escape", "n", *"." * 12)
    yield "between"


def _save(canvas: MotionCanvas, path: Path) -> Path:
    """Save the canvas with its buttons as it is seen now."""
    canvas.page.wait_for_timeout(400)
    shown = canvas.page.screenshot(clip=canvas.page.evaluate(PLACE))
    Image.open(io.BytesIO(shown)).convert("RGB").save(path, quality=QUALITY, optimize=True)
    return path


if __name__ == "__main__":
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else PICTURES
    take_pictures(Path(sys.argv[1]).expanduser(), target)
