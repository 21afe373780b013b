"""The files that SMCD's training and evaluation need beside a data set, in their official form.

    got-10k/obj_embedding.json                      {object: [[1024 numbers]]}
    youvis/SPLIT/annotations_info.json              {video: its annotations}
    youvis/SPLIT/annotations_info_with_cat_emb.json the same, after {"category_embedding":
                                                    {category: [[1024 numbers]]}}

Source: Mingxiao-Li/Animate-Your-Motion preprocess_data.py.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ..boxes import read_categories
from ..boxes.youvis import YOUVIS_FORM
from ..choices import GOT10K, YOUVIS
from ..errors import UserError
from ..files.json_file import read_json
from ..files.writing import write_aside
from ..progress import Progress, silent
from . import got10k, youvis
from .layout import MAX_JSON, find_set

Embed = Callable[[Sequence[str]], Sequence[Tensor]]  # labels -> [D] float32 of each
LISTED = "annotations_info.json"
SPLITS = {GOT10K: ("train", "val"), YOUVIS: ("train",)}  # that are prepared unless others are named


def prepare_set(
    root: Path,
    dataset: str,
    embed: Embed,
    *,
    splits: Sequence[str] = (),
    progress: Progress = silent,
) -> list[Path]:
    """Write the files that a data set lacks; nothing is overwritten.

    Args:
        root: as for `open_box_set`.
        dataset: got10k or youvis.
        embed: gives the embedded labels.
        splits: folders of the data set; none: those of SPLITS.
        progress: is told how many labels are embedded.

    Returns:
        The written files.

    Raises:
        UserError: a folder or a file is missing or has another form, or the file of embeddings
            exists already.
    """
    prepare = {GOT10K: prepare_got10k, YOUVIS: prepare_youvis}[dataset]

    def embed_all(labels: Iterable[str]) -> dict[str, list[list[float]]]:
        labels, found = list(dict.fromkeys(labels)), {}
        for done, label in enumerate(labels, 1):
            found[label] = [embed([label])[0].tolist()]
            progress("embedding labels", done, len(labels))
        return found

    return prepare(root, splits or SPLITS[dataset], embed_all)


def prepare_got10k(root: Path, splits: Sequence[str], embed_all: Callable) -> list[Path]:
    """Write the embedded label of every object in some splits, of which one has to be there."""
    folder = find_set(root, got10k.FOLDERS)
    target = folder / got10k.EMBEDDINGS
    _refuse_existing(target)
    there = [folder / split for split in splits if (folder / split).is_dir()]
    if not there:
        raise UserError(
            f"{folder} has no folder {' or '.join(splits)}; expected a folder with a folder for "
            "each video. Check --split, or download the data set again."
        )
    videos = [video for split in there for video in sorted(split.iterdir()) if _is_video(video)]
    labels = [got10k.read_about(video / got10k.ABOUT)["object_class"] for video in videos]
    if not labels:
        raise UserError(
            f"{' or '.join(map(str, there))} holds no videos; expected a folder for each, with "
            f"{got10k.ABOUT}."
        )
    _write_values(target, embed_all(labels).items())
    return [target]


def prepare_youvis(root: Path, splits: Sequence[str], embed_all: Callable) -> list[Path]:
    """Write the annotations of each video in some splits, without and with embedded categories."""
    folder = find_set(root, youvis.FOLDERS)
    for split in splits:
        _refuse_existing(folder / split / youvis.ANNOTATIONS)
    written = []
    for split in splits:
        path = folder / split / youvis.INSTANCES
        found = read_json(path, expected=YOUVIS_FORM, most=MAX_JSON)
        categories = read_categories(found, name=str(path))
        grouped = youvis.group_annotations(found, name=str(path))
        listed = {video: rows for video, rows in grouped.items() if rows}
        tables = {
            LISTED: listed,
            youvis.ANNOTATIONS: {youvis.EMBEDDINGS: embed_all(categories.values()), **listed},
        }
        for name, values in tables.items():
            target = path.with_name(name)
            if not target.exists():  # that of an earlier run, which was interrupted, stays
                _write_values(target, values.items())
                written.append(target)
    return written


def _is_video(path: Path) -> bool:
    """Whether a path is the folder of a video, as the official code looks for them."""
    return path.is_dir() and not path.name.startswith(".") and "txt" not in path.name


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise UserError(f"{path} exists already and is not changed: move it away first.")


def _write_values(path: Path, values: Iterable[tuple[str, Any]]) -> None:
    """Write a dictionary as JSON, value by value: annotations hold millions of numbers."""
    with write_aside(path) as part, open(part, "w", encoding="utf-8") as opened:
        before = "{"
        for key, value in values:
            opened.write(f"{before}{json.dumps(key)}: {json.dumps(value)}")
            before = ", "
        opened.write("}")
