"""The files beside the data sets: their official form, and what is wrong with a data set."""

import json
from pathlib import Path

import pytest
import torch
from box_set_cases import BEAR, change_json, embedded, write_got10k, write_youvis

from fcvg_core.box_sets import open_box_set
from fcvg_core.box_sets.preparing import LISTED, prepare_set
from fcvg_core.choices import GOT10K, YOUVIS
from fcvg_core.errors import UserError

EMBEDDINGS, ANNOTATIONS = "obj_embedding.json", "annotations_info_with_cat_emb.json"


def embed(labels: list[str]) -> list[torch.Tensor]:
    return [torch.tensor(embedded(label)[0]) for label in labels]


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def bare_got10k(root: Path, **more) -> Path:
    """GOT-10k as it is downloaded; gives its folder."""
    folder = write_got10k(root, **more).parent
    (folder / EMBEDDINGS).unlink()
    return folder


def bare_youvis(root: Path, **more) -> Path:
    """YouTube-VIS as it is downloaded; gives the folder of the split."""
    folder = write_youvis(root, **more)
    (folder / ANNOTATIONS).unlink()
    return folder


@pytest.mark.parametrize("name", ["got-10k", "got10k"])
def test_got10k(tmp_path: Path, name: str) -> None:
    folder = bare_got10k(tmp_path, folder=name)
    told = []
    written = prepare_set(
        tmp_path, GOT10K, embed, progress=lambda stage, done, total: told.append((done, total))
    )
    assert written == [folder / EMBEDDINGS] and told == [(1, 1)]
    text = written[0].read_text(encoding="utf-8")
    assert text == json.dumps({"brown bear": embedded("brown bear")})  # as json.dump writes it
    (video,) = open_box_set(tmp_path, GOT10K, "val")
    assert video.name == BEAR and [*video.embeddings] == ["brown bear"]


def test_got10k_takes_both_splits(tmp_path: Path) -> None:
    folder = bare_got10k(tmp_path, videos={BEAR: 1}, split="train")
    about = folder / "train" / BEAR / "meta_info.ini"
    bare_got10k(tmp_path, videos={"a": 1, "b": 1, "list_txt": 1}, split="val")
    about.write_text(about.read_text().replace("brown bear", "zebra"))
    (folder / "val" / "list_txt" / "meta_info.ini").unlink()  # not a video: its name has "txt"
    prepare_set(folder, GOT10K, embed)
    assert [*read(folder / EMBEDDINGS)] == ["zebra", "brown bear"]


def test_youvis(tmp_path: Path) -> None:
    folder = write_youvis(tmp_path, videos={"00f88c4f0a": 9, "0a49f5265b": 8})
    official = (folder / ANNOTATIONS).read_text()
    (folder / ANNOTATIONS).unlink()
    listed, whole = prepare_set(tmp_path, YOUVIS, embed)
    assert (listed, whole) == (folder / LISTED, folder / ANNOTATIONS)
    # Outlines too, and in the same order.
    assert whole.read_text(encoding="utf-8") == official
    assert read(listed) == {
        name: rows for name, rows in read(whole).items() if name != "category_embedding"
    }
    assert len(open_box_set(tmp_path, YOUVIS, "train")) == 2


def test_ids_of_videos_are_no_places(tmp_path: Path) -> None:
    """The official code takes video 7 for the seventh of the list."""
    folder = bare_youvis(tmp_path, videos={"b": 1, "a": 1}, objects=1)
    found = read(folder / "instances.json")
    numbers = {1: 7, 2: 5}
    for row in found["videos"]:
        row["id"] = numbers[row["id"]]
    for row in found["annotations"]:
        row["video_id"] = numbers[row["video_id"]]
    change_json(folder / "instances.json", **found)
    prepare_set(tmp_path, YOUVIS, embed)
    ids = {name: rows[0]["video_id"] for name, rows in read(folder / LISTED).items()}
    assert ids == {"b": 7, "a": 5}


@pytest.mark.parametrize("dataset", [GOT10K, YOUVIS])
def test_nothing_is_overwritten(tmp_path: Path, dataset: str) -> None:
    write_got10k(tmp_path)
    write_youvis(tmp_path)
    before = {x: x.read_bytes() for x in tmp_path.rglob("*.json")}
    with pytest.raises(UserError, match="exists already and is not changed: move it away first"):
        prepare_set(tmp_path, dataset, embed)
    assert {x: x.read_bytes() for x in tmp_path.rglob("*.json")} == before


def test_goes_on_after_an_interruption(tmp_path: Path) -> None:
    folder = bare_youvis(tmp_path)
    (folder / LISTED).write_text("{}")
    assert prepare_set(tmp_path, YOUVIS, embed) == [folder / ANNOTATIONS]
    assert (folder / LISTED).read_text() == "{}"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"videos": 5}, "videos is 5"),
        ({"annotations": [3]}, r"annotations is \[3\]"),
        ({"annotations": [{"id": 4, "video_id": 9}]}, "annotation 4 is of video 9, which is not"),
        ({"videos": [{"id": 1, "file_names": []}]}, r"file_names of video 1 is \[\]"),
        ({"categories": None}, "categories"),
    ],
)
def test_annotations_of_another_form(tmp_path: Path, changed: dict, words: str) -> None:
    folder = bare_youvis(tmp_path)
    change_json(folder / "instances.json", **changed)
    with pytest.raises(UserError, match=words):
        prepare_set(tmp_path, YOUVIS, embed)
    assert not (folder / LISTED).exists() and not (folder / ANNOTATIONS).exists()


def test_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no folder got-10k or got10k"):
        prepare_set(tmp_path, GOT10K, embed)
    folder = bare_got10k(tmp_path)
    with pytest.raises(UserError, match="has no folder test; .* Check --split"):
        prepare_set(tmp_path, GOT10K, embed, splits=["test"])
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match="empty holds no videos"):
        prepare_set(tmp_path, GOT10K, embed, splits=["empty"])
    (folder / "val" / BEAR / "meta_info.ini").unlink()
    with pytest.raises(UserError, match=r"meta_info\.ini"):
        prepare_set(tmp_path, GOT10K, embed)
    split = bare_youvis(tmp_path)
    (split / "instances.json").write_text("{")
    with pytest.raises(UserError, match="is not JSON"):
        prepare_set(tmp_path, YOUVIS, embed)
    (split / "instances.json").unlink()
    with pytest.raises(UserError, match=r"instances\.json"):
        prepare_set(tmp_path, YOUVIS, embed)
