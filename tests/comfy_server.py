"""Starts a real ComfyUI in its own process, and talks to its API like a client."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
from hosts import ROOT, frontend_folder
from PIL import Image
from wan_stand_ins import MADE_UP_TEXT

from fcvg_core.standalone.demo.scene import draw_sample_middle, draw_sample_pair
from fcvg_core.standalone.media.writing import write_video

WORKFLOWS = ROOT / "workflows"
RELEASES = ROOT / "tests" / "workflows"  # a folder for each
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)[1]


def _graphs_of_old_releases() -> list[Path]:
    """Each graph of a release before this one, under the first release that has just this graph."""
    found = {}
    for path in sorted(RELEASES.glob("**/*.json")):
        if path.relative_to(RELEASES).parts[0] != VERSION:
            found.setdefault(path.read_bytes(), path)
    return [*found.values()]


OLD_WORKFLOWS = _graphs_of_old_releases()
# Names of model files in the workflows, and in the workflows of every release.
MODELS = (
    ("svd", "diffusers/stable-video-diffusion-img2vid-xt-1-1"),
    ("unet.safetensors", "diffusion_models/fcvg_unet.safetensors"),
    ("controlnext.safetensors", "controlnext/fcvg_controlnext.safetensors"),
    ("unet.safetensors", "diffusion_models/controlnext-svd_v2-unet-fp16.safetensors"),
    ("controlnext.safetensors", "controlnext/controlnext-svd_v2-controlnet-fp16.safetensors"),
    ("checkpoint_GlueStick_MD.tar", "gluestick/checkpoint_GlueStick_MD.tar"),
    ("superpoint_v1.pth", "gluestick/superpoint_v1.pth"),
    ("yolox_l.onnx", "dwpose/yolox_l.onnx"),
    ("dw-ll_ucoco_384.onnx", "dwpose/dw-ll_ucoco_384.onnx"),
    ("taesdv.pth", "vae_approx/taesdv.pth"),
    *(
        (
            f"dynamicrafter_{variant}_v1/model.ckpt",
            f"checkpoints/dynamicrafter_{variant}_v1/model.ckpt",
        )
        for variant in ("512", "512_interp")
    ),
    (
        "dynamicrafter_512_interp_v1_unet.safetensors",
        "diffusion_models/dynamicrafter_512_interp_v1_unet.safetensors",
    ),
    ("DropletVideo-V1.0-weights", "diffusers/DropletVideo-V1.0-weights"),
    *(
        (name, name)
        for name in (
            "diffusion_models/dropletvideo_5b.safetensors",
            "vae/dropletvideo_vae.safetensors",
        )
    ),
    ("Animate-Your-Motion", "diffusion_models/smcd"),
    ("smcd.safetensors", "diffusion_models/smcd.safetensors"),
    (
        "modelscope-damo-text-to-video-synthesis/open_clip_pytorch_model.bin",
        "text_encoders/open_clip_pytorch_model.bin",
    ),
    (
        "modelscope-damo-text-to-video-synthesis/VQGAN_autoencoder.pth",
        "vae/VQGAN_autoencoder.pth",
    ),
    ("wan_vace.safetensors", "diffusion_models/wan2.1_vace_1.3B_fp16.safetensors"),
    ("wan_vae.safetensors", "vae/wan_2.1_vae.safetensors"),
    ("wan_text.safetensors", "text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors"),
)
# Nodes of hosts after 0.8, by the release that a graph was made with.
LATER_NODES = {"CreateBoundingBoxes": "0.33.0"}
# Nodes whose input `steps` is the number of sampling steps.
STEPPED = (
    "BasicScheduler",
    "KSampler",
    "FCVG_Sampler",
    "FCVG_AnimateSampler",
    "FCVG_DDIMSchedule",
    "FCVG_StoryShot",
    "FCVG_TrailingSchedule",
)
# Nodes whose width and height are those of a picture, not of the video.
PICTURE_SIZED = ("CreateBoundingBoxes", "FCVG_BoxTrack")
# The middle keyframe of a video of 7 frames.
SMALL_KEYFRAMES = {
    "FCVG_Keyframe": {"frame": 3},
    "FCVG_KeyframesFromBatch": {"frames": "0, 3, 6"},
}
DRIVING_FRAMES = 11
# Three windows for them and the picture's own pose.
DRIVING_WINDOWS = {"window": 6, "overlap": 2}


class ComfyServer:
    """`main.py --cpu` on a free port, with a base directory that holds only what a test needs."""

    def __init__(self, host: Path, base: Path, models: Path, *arguments: str):
        self.base = base
        self.log = base / "server.log"
        self.address = f"127.0.0.1:{_free_port()}"
        self.process = None
        self._host, self._arguments = host, arguments
        for source, target in MODELS:
            if (models / source).exists():
                _link(models / source, base / "models" / target)
        _link(ROOT, base / "custom_nodes" / "ComfyUI-FCVG")
        (base / "custom_nodes" / "made_up_text.py").write_text(MADE_UP_TEXT, encoding="utf-8")
        (base / "input").mkdir()
        first, last = draw_sample_pair((144, 256))
        pictures = {"first": first, "middle": draw_sample_middle((144, 256)), "last": last}
        for name, frame in pictures.items():
            Image.fromarray(frame).save(base / "input" / f"{name}.png")
        write_video(base / "input" / "driving.mp4", draw_driving_video(DRIVING_FRAMES), 15)
        # The graph of the editor has names that its user replaces.
        for name, chosen in (("first.png", "person.png"), ("driving.mp4", "dance.mp4")):
            shutil.copy(base / "input" / name, base / "input" / chosen)

    def __enter__(self) -> "ComfyServer":
        port = self.address.split(":")[1]
        command = [
            sys.executable,
            str(self._host / "main.py"),
            "--cpu",
            "--port",
            port,
            "--base-directory",
            str(self.base),
            "--database-url",
            "sqlite:///:memory:",
            "--disable-auto-launch",
            *self._arguments,
        ]
        env = {**os.environ, "PYTHONPATH": str(frontend_folder(self._host))}
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command, cwd=self.base, env=env, stdout=log, stderr=subprocess.STDOUT
            )
        self._wait_until(self._answers, 300, "to start")
        return self

    def __exit__(self, *error) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.base / "output", ignore_errors=True)

    def get(self, path: str):
        """JSON reply to a GET request."""
        return json.loads(self.read(path))

    def read(self, path: str) -> str:
        """Text reply to a GET request."""
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=30) as answer:
            return answer.read().decode("utf-8")

    def post(self, path: str, body: dict):
        """JSON reply to a POST request, also if the request is refused."""
        request = urllib.request.Request(
            f"http://{self.address}{path}", json.dumps(body).encode(), method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        return json.loads(text) if text else None

    def queue(self, prompt: dict) -> str:
        """Queue a graph in API format and return its id."""
        answer = self.post("/prompt", {"prompt": prompt})
        if "prompt_id" not in answer:
            raise AssertionError(f"The server refused the graph: {json.dumps(answer, indent=1)}")
        return answer["prompt_id"]

    def wait(self, prompt_id: str, seconds: float = 300) -> dict:
        """Wait until a graph has ended (also by an error) and return its history."""
        self._wait_until(lambda: prompt_id in self.get("/history"), seconds, "to finish a graph")
        return self.get("/history")[prompt_id]

    def wait_for_another(self, known: set[str], seconds: float = 60) -> str:
        """Wait for a graph that another client queues; returns the id of the first new graph."""
        found: list[str] = []

        def queued() -> bool:
            queue = self.get("/queue")
            jobs = [job[1] for job in queue["queue_running"] + queue["queue_pending"]]
            found[:] = [x for x in (*jobs, *self.get("/history")) if x not in known]
            return bool(found)

        self._wait_until(queued, seconds, "to take a graph of the editor")
        return found[0]

    def run(self, prompt: dict) -> dict:
        """Run a graph to its end and return its history."""
        return self.wait(self.queue(prompt))

    def written(self) -> str:
        """Output of the server so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _answers(self) -> bool:
        try:
            return bool(self.get("/system_stats"))
        except OSError:
            return False

    def _wait_until(self, met, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not met():
            if self.process.poll() is not None:
                raise AssertionError(
                    f"ComfyUI ended while it had {what}:\n{self.written()[-4000:]}"
                )
            if time.monotonic() > end:
                raise AssertionError(f"ComfyUI took too long {what}:\n{self.written()[-4000:]}")
            time.sleep(0.2)


def draw_driving_video(num_frames: int) -> np.ndarray:
    """Frames of a person who walks to the right and back: [T, 144, 96, 3] uint8."""
    frames = np.full((num_frames, 144, 96, 3), 90, np.uint8)
    for i, frame in enumerate(frames):
        x = int(48 + 25 * np.sin(2 * np.pi * i / num_frames))
        step = int(12 * np.sin(2 * np.pi * i / 12))
        for start, end in (
            ((x, 40), (x, 85)),
            ((x, 85), (x - step, 125)),
            ((x, 85), (x + step, 125)),
            ((x, 50), (x - step, 80)),
            ((x, 50), (x + step, 80)),
        ):
            cv2.line(frame, start, end, (220, 190, 160), 6)
        cv2.circle(frame, (x, 28), 11, (220, 190, 160), -1)
    return frames


def read_workflow(name: str) -> dict:
    """A graph of workflows/, as JSON."""
    return json.loads((WORKFLOWS / name).read_text(encoding="utf-8"))


def make_small(prompt: dict, *, num_frames: int = 5, steps: int = 2) -> dict:
    """The same graph at a size that is fast on a CPU: only numbers are changed.

    An animation, which is as long as its driving video, is sampled in several windows. Three
    keyframes have two spans of the shortest length.
    """
    if any(node["class_type"] in SMALL_KEYFRAMES for node in prompt.values()):
        num_frames = 7
    small = {"width": 128, "height": 64, "num_frames": num_frames, "select_every_nth": 1}
    for node in prompt.values():
        inputs = node["inputs"]
        if node["class_type"] in STEPPED:
            inputs["steps"] = steps
        if node["class_type"] in ("FCVG_GuideAnimation", "FCVG_AnimateSampler"):
            inputs.update(DRIVING_WINDOWS)
        inputs.update(SMALL_KEYFRAMES.get(node["class_type"], {}))
        kept = ("width", "height") if node["class_type"] in PICTURE_SIZED else ()
        numbers = {k: v for k, v in small.items() if isinstance(inputs.get(k), int)}
        inputs.update({k: v for k, v in numbers.items() if k not in kept})
    return prompt


def expected_frames(name: str) -> int:
    """How many frames the video of an API graph has, after `make_small`."""
    if name.startswith("controlnext"):  # the picture's own pose, and those of the driving video
        return 1 + DRIVING_FRAMES
    # A loop lacks its last frame, and one of three shots begins with the last frame of another.
    others = {
        "dynamicrafter_loop.json": 4,
        "dynamicrafter_story.json": 14,
        "fcvg_keyframes.json": 7,
        "fcvg_keyframes_batch.json": 7,
    }
    return others.get(name, 5)


def expected_video(name: str) -> tuple[int, int, int]:
    """Frames, width and height of the video of an API graph, after `make_small`."""
    videos = 4 if name == "dropletvideo_fps_sweep.json" else 1  # side by side
    return expected_frames(name), 128 * videos, 64


def frames_of(video: Path) -> tuple[int, int, int]:
    """Frames, width and height of a video file."""
    import av

    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    return len(frames), frames[0].width, frames[0].height


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source.resolve(), target_is_directory=source.is_dir())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
