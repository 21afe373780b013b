"""Small data sets of videos with boxes, in the official layouts of GOT-10k and YouTube-VIS."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (48, 80)  # (height, width) of the frames in pixels
WIDE = 12  # numbers of an embedded label
BEAR = "GOT-10k_Val_000001"


def write_frames(folder: Path, count: int, *, size: tuple[int, int] = SIZE, seed: int = 0) -> None:
    """Frames 00000001.jpg, ... of smooth colours that differ from frame to frame."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(seed)
    for i in range(count):
        small = Image.fromarray(chance.integers(0, 256, (4, 5, 3), np.uint8))
        small.resize(size[::-1], Image.Resampling.BICUBIC).save(folder / f"{i + 1:08d}.jpg")


def embedded(label: str, wide: int = WIDE) -> list[list[float]]:
    """Numbers of a label, in the form that the official files have."""
    chance = np.random.default_rng(list(label.encode()))
    return [chance.normal(size=wide).astype(np.float32).tolist()]


def box_of(frame: int) -> list[float]:
    """x, y, width and height in pixels of an object that moves to the right, out of the frame."""
    return [5.5 + 6 * frame, 10, 20, 24]


def write_got10k(
    root: Path,
    videos: Mapping[str, int] = {BEAR: 10},
    *,
    split: str = "val",
    folder: str = "got-10k",
    wide: int = WIDE,
) -> Path:
    """GOT-10k with so many frames of each video; gives the folder of the split."""
    place = root / folder / split
    for number, (name, count) in enumerate(videos.items()):
        write_frames(place / name, count, seed=number)
        boxes = "".join(
            f"{x:.4f},{y:.4f},{w:.4f},{h:.4f}\n" for x, y, w, h in map(box_of, range(count))
        )
        (place / name / "groundtruth.txt").write_text(boxes)
        (place / name / "meta_info.ini").write_text(
            "[METAINFO]\nurl: https://youtu.be/x\nbegin: 00:00:29\nanno_fps: 10Hz\n"
            "object_class: brown bear\nmotion_class: walking\nmajor_class: bear\n"
            f"resolution: ({SIZE[1]}, {SIZE[0]})\n"
        )
    (place / "list.txt").write_text("\n".join(videos))
    labels = {label: embedded(label, wide) for label in ("brown bear", "person")}
    (root / folder / "obj_embedding.json").write_text(json.dumps(labels))
    return place


def write_youvis(
    root: Path,
    videos: Mapping[str, int] = {"00f88c4f0a": 9},
    *,
    split: str = "train",
    objects: int = 2,
    wide: int = WIDE,
) -> Path:
    """YouTube-VIS with so many frames of each video; gives the folder of the split.

    The second of the objects is absent in every third frame, from the second one on.
    """
    place = root / "youvis" / split
    for number, (name, count) in enumerate(videos.items()):
        write_frames(place / "JPEGImages" / name, count, seed=number)
    categories = [{"supercategory": "object", "id": 1, "name": "airplane"}]
    categories.append({"supercategory": "object", "id": 2, "name": "giant panda"})
    sides = {"height": SIZE[0], "width": SIZE[1]}
    rows = [
        {
            "id": number,
            **sides,
            "length": count,
            "file_names": [f"{name}/{i + 1:08d}.jpg" for i in range(count)],
        }
        for number, (name, count) in enumerate(videos.items(), 1)
    ]
    annotations = {
        name: [_annotation(number, i, count, sides) for i in range(objects)]
        for number, (name, count) in enumerate(videos.items(), 1)
    }
    listed = [row for rows in annotations.values() for row in rows]
    write_json(
        place / "instances.json",
        {"info": {}, "videos": rows, "categories": categories, "annotations": listed},
    )
    names = [category["name"] for category in categories]
    written: dict = {"category_embedding": {name: embedded(name, wide) for name in names}}
    write_json(place / "annotations_info_with_cat_emb.json", written | annotations)
    write_json(root / "youvis" / "caption.json", {name: f"the video {name}" for name in videos})
    return place


def write_json(path: Path, values: object) -> None:
    """Write values as JSON."""
    path.write_text(json.dumps(values))


def change_json(path: Path, **values: object) -> None:
    """Change values of a JSON file; None leaves a name out."""
    found = json.loads(path.read_text()) | values
    write_json(path, {name: value for name, value in found.items() if value is not None})


def _annotation(video: int, number: int, count: int, sides: Mapping[str, int]) -> dict:
    size = [*sides.values()]
    boxes: Sequence = [box_of(i) if not number or i % 3 != 1 else None for i in range(count)]
    return {
        "id": 10 * video + number,
        "video_id": video,
        "category_id": 1 + number % 2,
        "iscrowd": 0,
        "length": count,
        **sides,
        "bboxes": boxes,
        "segmentations": [box and {"counts": [1, 2, 3], "size": size} for box in boxes],
    }
