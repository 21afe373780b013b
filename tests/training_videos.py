"""Short videos that are drawn, and a training file for them, for tests of the command `train`."""

import json
from pathlib import Path

import numpy as np

from fcvg_core.standalone.media.writing import write_video

CONFIG = """\
output = "{output}"

[data]
manifest = "clips.jsonl"
cache = "cache"
width = 64
height = 64
frames = 3
versions = 2

[conditions]
matcher = "classic"
people = false

[training]
steps = 6
accumulate = 1
warmup = 2
unet_rate = 1e-4
controlnext_rate = 1e-3
ema = 0.9

[saving]
every = 2
log_every = 1

[validation]
every = 6
clips = 1
painted = 1
steps = 1

[machine]
device = "cpu"
"""


def write_clips(folder: Path, count: int = 6) -> Path:
    """Videos of 3 frames of 64 x 64 in which a rectangle moves, and the manifest of them."""
    rows = []
    for number in range(count):
        chance = np.random.RandomState(number)
        tiles = chance.randint(0, 255, (4, 4, 3)).astype(np.uint8)
        frames = np.tile(tiles.repeat(16, 0).repeat(16, 1), (3, 1, 1, 1))
        for i, frame in enumerate(frames):
            frame[20:36, 4 + 3 * i + number :][:, :20] = 255
            frame[26:30, 4 + 3 * i + number :][:, :20] = 0
        write_video(folder / f"clip{number}.mp4", frames, 7)
        rows.append(json.dumps({"video": f"clip{number}.mp4"}))
    manifest = folder / "clips.jsonl"
    manifest.write_text("\n".join(rows), encoding="utf-8")
    return manifest


def write_config(folder: Path, name: str, **replaced: str) -> Path:
    """A training file whose run goes into a folder of its name.

    Args:
        replaced: line of the file by its field.
    """
    text = CONFIG.format(output=name)
    for field, value in replaced.items():
        (line,) = (line for line in text.splitlines() if line.startswith(f"{field} ="))
        text = text.replace(line, f"{field} = {value}")
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path
