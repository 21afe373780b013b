"""SMCD over a data set: official files, measures, and an evaluation that goes on."""

import json
from pathlib import Path

import numpy as np
import pytest
from box_set_cases import BEAR, write_got10k, write_youvis
from PIL import Image

from fcvg_core.box_sets import BoxVideo, official_windows, open_box_set
from fcvg_core.boxes import parse_boxes
from fcvg_core.errors import UserError
from fcvg_core.standalone.evaluation.smcd import evaluate_smcd, read_window
from fcvg_core.standalone.evaluation.smcd_files import read_official

SIZE = (32, 64)
FRAMES = 8
OFFICIAL = {
    *("gt_video.gif", "pred_video.gif", "boxes_gt.gif", "boxes_pred.gif", "prompt.txt"),
    *("gt_img", "pred_img", "gt_box_img", "pred_box_img"),
    *(f"box_{i}.txt" for i in range(FRAMES)),
}


@pytest.fixture(scope="module")
def sets(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("dataset")
    write_got10k(root, {BEAR: 9, "GOT-10k_Val_000002": 8})
    write_youvis(root, {"one": 8})
    return root


def windows_of(sets: Path, dataset: str) -> list[BoxVideo]:
    split = {"got10k": "val", "youvis": "train"}[dataset]
    return list(official_windows(open_box_set(sets, dataset, split), FRAMES, 33))


def paint(window: BoxVideo, first: np.ndarray, number: int) -> np.ndarray:
    """The first frame, which becomes brighter."""
    return np.stack([np.maximum(first, 20 * i) for i in range(FRAMES)])


def refuse(window: BoxVideo, first: np.ndarray, number: int) -> np.ndarray:
    raise AssertionError(f"{window.name} is painted again")


def evaluate(sets: Path, folder: Path, dataset: str = "got10k", painter=paint, **more) -> dict:
    found = windows_of(sets, dataset)
    return evaluate_smcd(found, painter, folder, size=SIZE, fps=8, dataset=dataset, **more)


def similarity(frames: np.ndarray, truth: np.ndarray, prompt: str) -> dict[str, float]:
    return {"clip_frames": 0.5, "clip_first": float((frames[0] == truth[0]).mean())}


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def folder(sets, tmp_path_factory) -> Path:
    """The evaluations of both data sets."""
    folder = tmp_path_factory.mktemp("evaluation")
    evaluate(sets, folder)
    evaluate(sets, folder, "youvis")
    return folder


class TestOfficialFiles:
    def test_names(self, folder) -> None:
        for video in (BEAR, "GOT-10k_Val_000002", "one"):
            found = {path.name for path in (folder / video).iterdir()}
            assert found == OFFICIAL | {"boxes.json", "measures.json"}
        for name in ("gt_img", "pred_img", "gt_box_img", "pred_box_img"):
            pictures = {path.name for path in (folder / BEAR / name).iterdir()}
            assert pictures == {f"{name}_{i}.png" for i in range(FRAMES)}

    def test_frames(self, folder, sets) -> None:
        (window, *_) = windows_of(sets, "got10k")
        truth = read_window(window, SIZE)
        place = folder / BEAR
        assert np.array_equal(picture(place / "gt_img" / "gt_img_3.png"), truth[3])
        assert np.array_equal(picture(place / "pred_img" / "pred_img_0.png"), truth[0])
        drawn = picture(place / "pred_box_img" / "pred_box_img_0.png")
        assert 0 < (drawn != truth[0]).any(-1).mean() < 0.3  # a border alone
        with Image.open(place / "pred_video.gif") as video:
            assert video.size == SIZE[::-1] and video.n_frames == FRAMES
            assert video.info["duration"] in (120, 130)
        assert (place / "prompt.txt").read_text() == "A brown bear that is walking. "

    def test_boxes(self, folder, sets) -> None:
        (window, *_) = windows_of(sets, "got10k")
        (track,) = window.tracks.tracks
        text = (folder / BEAR / "box_2.txt").read_text()
        assert text == f"{','.join(map(str, track.boxes[2].tolist()))}\n"
        assert np.array_equal(np.float32(text.split(",")), track.boxes[2])

    def test_boxes_of_several_objects(self, folder) -> None:
        rows = (folder / "one" / "box_1.txt").read_text().splitlines()
        assert len(rows) == 8 and rows[1] == "0.0,0.0,1.0,1.0"  # absent, as officially
        assert rows[2:] == ["0.0,0.0,0.0,0.0"] * 6
        tracks = parse_boxes(json.loads((folder / "one" / "boxes.json").read_text()), name="")
        assert tracks.labels == ["airplane", "giant panda"]
        assert tracks.tracks[1].present.tolist() == [True, False, True] * 2 + [True, False]

    def test_they_are_read_without_our_own_file(self, folder, sets) -> None:
        place = folder / "one"
        own = read_official(place)
        (place / "boxes.json").unlink()
        found = read_official(place)
        assert len(found.tracks) == 2
        for one, other in zip(own.tracks, found.tracks, strict=True):
            assert np.array_equal(one.boxes, other.boxes)
            assert np.array_equal(one.present, other.present)

    def test_measures(self, folder) -> None:
        found = json.loads((folder / BEAR / "measures.json").read_text())
        assert found["measures"] == {"first_psnr": "Infinity", "first_ssim": 1.0}


class TestEvaluation:
    def test_measures(self, sets, tmp_path) -> None:
        seen = []
        content = evaluate(
            sets, tmp_path, similarity=similarity, progress=lambda *state: seen.append(state)
        )
        assert content["videos"] == 2 and content["dataset"] == "got10k"
        assert content["mean"] == {
            "first_psnr": np.inf, "first_ssim": 1.0, "clip_frames": 0.5, "clip_first": 1.0,
        }  # fmt: skip
        assert list(content["per_video"]) == [BEAR, "GOT-10k_Val_000002"]
        written = json.loads((tmp_path / "measures.json").read_text())
        assert written["mean"]["first_psnr"] == "Infinity" and "clip_text" not in written["units"]
        assert seen == [("videos", i, 2) for i in range(3)]

    def test_goes_on(self, sets, tmp_path) -> None:
        def stops(window: BoxVideo, first: np.ndarray, number: int) -> np.ndarray:
            if number:
                raise UserError("the card is gone")
            return paint(window, first, number)

        with pytest.raises(UserError, match="the card is gone"):
            evaluate(sets, tmp_path, painter=stops)
        assert not (tmp_path / "measures.json").exists()
        painted = []
        evaluate(
            sets,
            tmp_path,
            painter=lambda *given: painted.append(given[0].name) or paint(*given),
        )
        assert painted == ["GOT-10k_Val_000002"]
        # CLIP measures the pictures that are there.
        content = evaluate(sets, tmp_path, painter=refuse, similarity=similarity)
        assert content["mean"]["clip_first"] == 1

    @pytest.mark.parametrize("text", ["[]", '{"measures": {"first_psnr": "good"}}'])
    def test_measures_of_something_else(self, sets, tmp_path, text) -> None:
        (tmp_path / BEAR).mkdir()
        (tmp_path / BEAR / "measures.json").write_text(text)
        with pytest.raises(UserError, match="holds no measures of a video; .* remove the folder"):
            evaluate(sets, tmp_path)

    def test_frames_of_another_size(self, tmp_path) -> None:
        place = write_got10k(tmp_path)
        about = place / BEAR / "meta_info.ini"
        about.write_text(about.read_text().replace("(80, 48)", "(80, 80)"))
        with pytest.raises(UserError, match=f"annotation of {BEAR} holds boxes .* 80 x 80 pixels"):
            evaluate(tmp_path, tmp_path / "out")

    def test_a_damaged_frame(self, tmp_path) -> None:
        place = write_got10k(tmp_path, {BEAR: 8})
        (place / BEAR / "00000003.jpg").write_bytes(b"no picture")
        with pytest.raises(UserError, match=r"00000003.jpg .* can't be read as a picture"):
            evaluate(tmp_path, tmp_path / "out")
