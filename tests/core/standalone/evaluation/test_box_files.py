"""Boxes that were found against true ones: files, written videos, folders of both."""

from pathlib import Path

import numpy as np
import pytest

from fcvg_core.box_sets import BoxVideo
from fcvg_core.boxes import BoxTrack, BoxTracks
from fcvg_core.errors import UserError
from fcvg_core.standalone.evaluation.box_files import agreement_lines, compare_boxes
from fcvg_core.standalone.evaluation.smcd_files import write_official

TRUE = "0,0,40,20\n10,0,50,20\n0,0,0,0\n20,0,60,20\n"
# Equal, half of it, something where nothing is, nothing where something is.
FOUND = "0,0,40,20\n10,0,50,10\n1,1,9,9\n0,0,0,0\n"
EXPECTED = {"frames": 3, "average_overlap": 0.5, "success_50": 1 / 3, "success_75": 1 / 3}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_video(folder: Path, *boxes: str) -> Path:
    """A video of 100 x 50 pixels as an evaluation writes it, with objects in pixels."""
    tracks = [
        BoxTrack(
            f"thing {number}",
            np.array([row.split(",") for row in text.splitlines()], float) / [100, 50, 100, 50],
        )
        for number, text in enumerate(boxes)
    ]
    count = tracks[0].num_frames
    video = BoxVideo(
        folder.name, (Path("x.jpg"),) * count, (50, 100), BoxTracks(tracks, count), "", {}
    )
    frames = np.zeros((count, 50, 100, 3), np.uint8)
    write_official(folder, video, frames, frames, fps=8, dataset="youvis")
    return folder


def test_two_files(tmp_path) -> None:
    found, true = write(tmp_path / "found.txt", FOUND), write(tmp_path / "true.txt", TRUE)
    content = compare_boxes(found, true, form="xyxy")
    assert content["per_video"] == {"true.txt": pytest.approx(EXPECTED)}
    assert content["mean"]["average_overlap"] == pytest.approx(0.5)
    assert agreement_lines(content) == [
        "3 boxes in 1 video:",
        "  average overlap (AO): 0.5000",
        "  success rates: SR50 0.3333, SR75 0.3333",
    ]


@pytest.mark.parametrize("scale", [1, 0.125, 1e-3])
def test_half_of_the_area_is_no_success(tmp_path, scale) -> None:
    """In whole pixels, in parts of pixels, and in shares."""
    corners = np.random.default_rng(1).integers(1, 200, (60, 4))
    corners[:, 2:] = corners[:, :2] + 2 * corners[:, 2:]
    half = corners - [0, 0, 0, 1] * (corners[:, 3:] - corners[:, 1:2]) // 2
    paths = [tmp_path / "found.txt", tmp_path / "true.txt"]
    for path, boxes in zip(paths, (half, corners), strict=True):
        write(path, "".join(f"{','.join(map(str, row))}\n" for row in (boxes * scale).tolist()))
    mean = compare_boxes(*paths, form="xyxy")["mean"]
    assert mean["average_overlap"] == pytest.approx(0.5) and mean["success_50"] == 0


def test_width_and_height(tmp_path) -> None:
    found = write(tmp_path / "found.txt", "10,10,20,20\n10,10,20,20\n")
    true = write(tmp_path / "true.csv", "20 10 20 20\n10\t10\t20\t20\n")
    content = compare_boxes(found, true, form="xywh")
    assert content["mean"]["average_overlap"] == pytest.approx((1 / 3 + 1) / 2)


def test_a_file_and_a_video(tmp_path) -> None:
    """Pixels are those of the written pictures; shares need no size."""
    video = write_video(tmp_path / "video", TRUE)
    found = write(tmp_path / "found.txt", FOUND)
    assert compare_boxes(found, video, form="xyxy")["per_video"]["video"] == pytest.approx(EXPECTED)
    shares = write(tmp_path / "shares.txt", "0,0,.4,.4\n.1,0,.5,.2\n0,0,0,0\n0,0,0,0\n")
    content = compare_boxes(shares, video, form="xyxy")
    assert content["per_video"]["video"] == pytest.approx(EXPECTED)
    assert compare_boxes(video, video, form="xyxy")["mean"]["average_overlap"] == 1


def test_folders_of_videos(tmp_path, caplog) -> None:
    for name in ("a", "b", "c"):
        write_video(tmp_path / "true" / name, TRUE)
    write(tmp_path / "true" / "measures.json", "{}")
    write(tmp_path / "true" / "run.json", "{}")
    write(tmp_path / "found" / "a.txt", FOUND)
    write(tmp_path / "found" / "b" / "b_001.txt", TRUE)  # as GOT-10k's toolkit does
    with pytest.raises(UserError, match="lacks c of .*true; expected for each video a file"):
        compare_boxes(tmp_path / "found", tmp_path / "true", form="xyxy")
    write_video(tmp_path / "found" / "c", TRUE)
    for place in ("found", "true"):  # a window in which no object is
        write_video(tmp_path / place / "d", "0,0,0,0\n" * 4)
    content = compare_boxes(tmp_path / "found", tmp_path / "true", form="xyxy")
    assert list(content["per_video"]) == ["a", "b", "c"]
    assert "holds no box to compare with: it is left out" in caplog.text
    assert content["mean"]["average_overlap"] == pytest.approx(2.5 / 3)


def test_objects_by_label(tmp_path) -> None:
    one = write_video(tmp_path / "one", TRUE, FOUND)
    other = write_video(tmp_path / "other", TRUE, FOUND)
    path = other / "boxes.json"
    lines = path.read_text().splitlines()
    swapped = [lines[0], lines[2] + ",", lines[1].removesuffix(","), lines[3]]
    path.write_text("\n".join(swapped))
    assert compare_boxes(other, one, form="xyxy")["mean"]["average_overlap"] == 1


@pytest.mark.parametrize(
    ("found", "true", "message"),
    [
        ("1,1,2,2", TRUE, "found.txt holds 1 objects in 1 frames, and .*true.txt 1 .* in 4"),
        ("0,0,0,0", "0,0,0,0", "true.txt holds no box; expected one"),
        ("1,1,2", "1,1,2,2", "line 1 has 3 numbers"),
        ("1,nan,2,3", "1,1,2,2", "box 1 is 1,nan,2,3; expected four finite numbers"),
        ("9,1,2,3", "1,1,2,2", "box 1 is 9,1,2,3, which is reversed"),
        ("", "1,1,2,2", "found.txt is empty; expected a file of boxes"),
        ("words", "1,1,2,2", "line 1 is 'words'; expected numbers"),
    ],
)
def test_bad_files(tmp_path, found, true, message) -> None:
    paths = write(tmp_path / "found.txt", found), write(tmp_path / "true.txt", true)
    with pytest.raises(UserError, match=message):
        compare_boxes(*paths, form="xyxy")


def test_bad_paths(tmp_path) -> None:
    true = write(tmp_path / "true.txt", TRUE)
    with pytest.raises(UserError, match="There is no file or folder .*missing"):
        compare_boxes(tmp_path / "missing", true, form="xyxy")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="has no videos in .*empty"):
        compare_boxes(true, tmp_path / "empty", form="xyxy")
    (tmp_path / "video").mkdir()
    write(tmp_path / "video" / "box_0.txt", "0,0,2,2")
    with pytest.raises(UserError, match="holds no boxes in box_0.txt"):
        compare_boxes(*[tmp_path / "video"] * 2, form="xyxy")
    with pytest.raises(UserError, match="in pixels of a picture whose size is unknown"):
        compare_boxes(true, tmp_path / "video", form="xyxy")
