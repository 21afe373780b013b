"""The smcd command: files of boxes of every kind, the official options, and what is wrong."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from clip_tokenizer import write_tokenizer
from command_line import pictures
from PIL import Image
from smcd_fakes import FakeSmcd, use_fake_smcd
from smcd_stand_ins import write_modelscope, write_smcd

from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.spec import SmcdSpec

SMALL = ["--height", "64", "--width", "64"]
SIZE = (90, 160)  # of the picture
BOX = np.array([16, 9, 80, 45]) / [160, 90, 160, 90]  # the first box, as shares
LINES = [f"{16 + i},9,{80 + i},45" for i in range(8)]

SIDES = {"height": 90, "width": 160}
ANNOTATIONS = {  # of YouTube-VIS
    "videos": [{"id": i, **SIDES, "file_names": [f"{i}/0", f"{i}/1"]} for i in (4, 5)],
    "annotations": [
        {"id": 1, "video_id": 5, "category_id": 2, "bboxes": [[16, 9, 64, 36], [23, 9, 64, 36]]}
    ],
    "categories": [{"id": 2, "name": "thing"}],
}


@pytest.fixture(autouse=True)
def log(caplog) -> None:
    caplog.set_level(logging.INFO)


@pytest.fixture
def model(monkeypatch, tmp_path) -> FakeSmcd:
    monkeypatch.chdir(tmp_path)
    for name in ("weights", "t2v", "vae.safetensors"):
        (tmp_path / name).mkdir()
    return use_fake_smcd(monkeypatch, tmp_path / "models")


@pytest.fixture
def data(tmp_path) -> Path:
    """A folder as the official program takes it."""
    folder = tmp_path / "data"
    folder.mkdir()
    levels = np.random.RandomState(0).randint(0, 256, (9, 16, 3)).astype(np.uint8)
    smooth = Image.fromarray(levels).resize(SIZE[::-1], Image.Resampling.BICUBIC)
    smooth.save(folder / "img.png")  # the colours of noise take seconds to be told apart for a GIF
    (folder / "bbox.txt").write_text("\n".join(LINES), "utf-8")
    return folder


def run(*arguments: str) -> None:
    assert main(["smcd", *map(str, arguments)]) == 0


def fails(capsys, *arguments: str) -> str:
    """The message of a command that fails."""
    try:
        assert main(["smcd", *map(str, arguments)]) == 2
    except SystemExit as stopped:
        assert stopped.code == 2
    printed = capsys.readouterr().err.strip()
    assert "Traceback" not in printed
    return printed.splitlines()[-1]


def read_run(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text("utf-8"))


def asked(model: FakeSmcd) -> dict[str, np.ndarray]:
    """The boxes of the last video, by the labels of its objects."""
    return {track.label: track.boxes for track in model.videos[-1][0].tracks.tracks}


class TestRuns:
    def test_the_official_command_line(self, model, data, tmp_path, capsys) -> None:
        (tmp_path / "info.yaml").write_text("root_path: /staging/t2v\nseed: 7\n", "utf-8")
        run(
            *("--config", "info.yaml", "--train_grounding", "vanilla_cross_vision", "--cat_init"),
            *("--cross_vision", "--trained_ckpt_path", "weights", "--video_length", "8"),
            *("--guidance_scale", "9", "--prompt", "a cat runs", "--input_data_path", data),
            *("--output_dir", "out"),
        )
        ((request, settings, seed),) = model.videos
        assert (settings.num_frames, settings.steps, settings.guidance, seed) == (8, 50, 9.0, 7)
        assert (settings.scene_guidance, settings.pad_to) == (1.0, 0)
        assert request.first.shape == (256, 256, 3) and request.prompt == "a cat runs"
        assert str(model.files.ckpt) == "weights" and model.files.vae is None
        ((label, boxes),) = asked(model).items()
        assert label == "a cat runs" and np.allclose(boxes[0], BOX)
        assert np.allclose(boxes[7] - boxes[0], [7 / 160, 0] * 2)
        out = tmp_path / "out"
        names = ["boxes_pred.gif", "cus_pred.gif", "frames", "pred_box_img", "prompt.txt"]
        assert sorted(x.name for x in out.iterdir()) == [*names, "result.mp4", "run.json"]
        assert (out / "prompt.txt").read_text("utf-8") == "a cat runs"
        frames = pictures(out / "frames")
        drawn = np.stack(
            [np.asarray(Image.open(out / f"pred_box_img/pred_box_img_{i}.png")) for i in range(8)]
        )
        left, top = np.round(BOX[:2] * 255).astype(int)
        assert (drawn != frames).any((1, 2, 3)).all() and np.array_equal(drawn[0, 0], frames[0, 0])
        assert (drawn[0, top, left] != frames[0, top, left]).any()
        with Image.open(out / "cus_pred.gif") as gif:
            assert (gif.n_frames, gif.info["duration"]) == (8, 120)
        printed = capsys.readouterr()
        assert "noise" in printed.out and "denoising: 100%" in printed.err

    def test_the_same_again(self, model, data, tmp_path, caplog) -> None:
        run(*SMALL, "--input-data-path", data, "--label", "dog", "--seed", "-1", "-o", "out")
        run("--run", "out/run.json")
        first, second = (tmp_path / name for name in ("out", "out_0001"))
        assert np.array_equal(pictures(second / "frames"), pictures(first / "frames"))
        first, second = map(read_run, (first, second))
        assert first == second and first["command"] == "smcd" and first["stand_ins"]
        spec = SmcdSpec.from_json(first["options"])
        assert first["options"] == spec.to_json() and spec.label == ("dog",)
        assert [Path(first["inputs"][key]["path"]).name for key in ("first", "boxes")] == [
            "img.png",
            "bbox.txt",
        ]
        one, two = model.videos
        assert one[1:] == two[1:] and "a word for it" not in caplog.text
        assert "Box tracks: 1 (dog in all 8 frames)" in caplog.text

    def test_options_replace_those_of_an_earlier_run(self, model, data, tmp_path) -> None:
        run(*SMALL, data / "img.png", "--boxes", f"cat={data / 'bbox.txt'}", "-o", "out")
        assert list(asked(model)) == ["cat"]
        earlier = ["--run", "out/run.json"]
        run(*earlier, "--input_data_path", data, "--prompt", "a dog", "--output_dir", "new")
        assert list(asked(model)) == ["a dog"] and (tmp_path / "new" / "cus_pred.gif").exists()
        run(*earlier, "--boxes", data / "bbox.txt", "--prompt", "a cow", "--ckpt", "weights")
        assert list(asked(model)) == ["a cow"] and str(model.files.ckpt) == "weights"

    def test_other_settings(self, model, data, tmp_path) -> None:
        run(
            *(*SMALL, "--input_data_path", data, "--prompt", "a", "--frames", "4", "--steps", "3"),
            *("--scene-guidance", "2", "--pad-to", "8", "--seed", "9", "--root-path", "t2v"),
            *("--keep-keyframes", "--negative-prompt", "dark", "--vae", "vae.safetensors"),
        )
        request, settings, seed = model.videos[0]
        assert (settings.num_frames, settings.steps, seed) == (4, 3, 9)
        assert (settings.scene_guidance, settings.pad_to) == (2.0, 8)
        assert request.negative_prompt == "dark" and request.tracks.num_frames == 4
        assert model.files.modelscope == Path("t2v")
        assert model.files.vae == Path("vae.safetensors")
        frames = pictures(tmp_path / "results" / "frames")
        assert np.array_equal(frames[0], request.first)


@pytest.mark.slow  # diffusers and transformers are imported, and all networks run twice
def test_real_networks(data, tmp_path, monkeypatch) -> None:
    """From the official files with the official options; the files that were found paint again."""
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "none"))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    weights, root = write_smcd(tmp_path), write_modelscope(tmp_path)
    tokenizer = write_tokenizer(tmp_path / "tokenizer")
    (tmp_path / "info.yaml").write_text(f"root_path: {root.as_posix()}\nseed: 33\n", "utf-8")
    run(
        *("--config", "info.yaml", "--train_grounding", "vanilla_cross_vision", "--cat_init"),
        *("--cross_vision", "--trained_ckpt_path", weights, "--video_length", "2"),
        *("--prompt", "dog", "--input_data_path", data, "--output_dir", "out"),
        *("--steps", "2", *SMALL, "--tokenizer", tokenizer, "--device", "cpu"),
    )
    noted = read_run(tmp_path / "out")["options"]
    assert (noted["ckpt"], noted["config"], noted["seed"]) == (str(weights), None, 33)
    assert Path(noted["vae"]).parent == Path(noted["text_encoder"]).parent == root
    run("--run", "out/run.json", "-o", "again")
    first, again = (pictures(tmp_path / x / "frames") for x in ("out", "again"))
    assert first.shape == (2, 64, 64, 3) and first.std() > 1 and np.array_equal(first, again)


class TestBoxes:
    def test_several_objects(self, model, data, tmp_path) -> None:
        (tmp_path / "keys.txt").write_text("0: 0,0,32,18\n7: 70,0,102,18\n", "utf-8")
        run(
            *(*SMALL, data / "img.png", "--boxes", f"dog={data / 'bbox.txt'}"),
            *("--boxes", "cat=keys.txt", "--prompt", "a dog and a cat"),
        )
        assert list(asked(model)) == ["dog", "cat"]
        moved = np.linspace(0, 70, 8) / 160
        assert np.allclose(asked(model)["cat"][:, 0], moved, atol=1e-6)
        files = ["--boxes", data / "bbox.txt", "--boxes", "keys.txt"]
        run(*SMALL, data / "img.png", *files, "--label", "dog", "--label", "cat")
        assert list(asked(model)) == ["dog", "cat"]
        run(*SMALL, data / "img.png", *files, "--label", "animal")
        assert [x.label for x in model.videos[-1][0].tracks.tracks] == ["animal", "animal"]

    @pytest.mark.parametrize(
        ("words", "labels"),
        [
            (["--boxes", "dog=FILE", "--boxes", "FILE"], ["dog", "a park"]),
            (
                ["--boxes", "FILE", "--boxes", "dog=FILE", "--boxes", "FILE"],
                ["a park", "dog", "a park"],
            ),
            (["--label", "cat", "--boxes", "FILE", "--boxes", "dog=FILE"], ["cat", "dog"]),
            (["--boxes", "dog=FILE", "--label", "cat", "--boxes", "FILE"], ["dog", "cat"]),
        ],
    )
    def test_labels_of_some_files(self, model, data, words, labels) -> None:
        words = [word.replace("FILE", str(data / "bbox.txt")) for word in words]
        run(*SMALL, data / "img.png", *words, "--prompt", "a park")
        assert [x.label for x in model.videos[-1][0].tracks.tracks] == labels

    def test_json(self, model, data, caplog) -> None:
        (data / "bbox.txt").unlink()
        track = {"label": "dog", "boxes": [[0, 0, 0.5, 0.5], None]}
        text = json.dumps({"version": 1, "frames": 2, "tracks": [track]})
        (data / "boxes.json").write_text(text, "utf-8")
        held = ["--input_data_path", data, "--fill", "held", "--frames", "4"]
        run(*SMALL, *held, "--label", "cat")
        assert np.array_equal(asked(model)["dog"][:, 2], [0.5, 0, 0, 0])
        assert "has labels of its own: the label cat is not used" in caplog.text

    @pytest.mark.parametrize(
        ("name", "text", "options"),
        [
            ("mot.txt", "1,1,16,9,64,36,1,-1,-1\n8,1,23,9,64,36,1,-1,-1\n", []),
            ("groundtruth.txt", "16,9,64,36\n23,9,64,36\n", []),
            ("a.txt", "16,9,64,36\n23,9,64,36\n", ["--box-file", "got-10k"]),
            ("b.txt", "16,9,64,36\n23,9,64,36\n", ["--form", "xywh"]),
            ("c.txt", "0.1,0.1,0.5,0.5\n0.2,0.1,0.6,0.5\n", ["--units", "0..1"]),
            ("instances.json", json.dumps(ANNOTATIONS), ["--video", "5"]),
        ],
    )
    def test_other_kinds(self, model, data, tmp_path, name, text, options) -> None:
        (tmp_path / name).write_text(text, "utf-8")
        run(*SMALL, data / "img.png", "--boxes", name, "--prompt", "thing", *options)
        boxes = asked(model)["thing"]
        assert boxes.shape == (8, 4) and np.allclose(boxes[0], BOX)

    def test_marks_and_separators(self, model, data) -> None:
        lines = [line.replace(",", ("\t", ", ", " ")[i % 3]) for i, line in enumerate(LINES)]
        for text in (
            "\ufeff" + "\r\n\r\n".join(lines) + "\r\n\n",
            "\n\n".join(f"{line}," for line in LINES),
        ):
            (data / "bbox.txt").write_bytes(text.encode())
            run(*SMALL, "--input_data_path", data, "--label", "dog")
            assert np.allclose(asked(model)["dog"][:, 0], (16 + np.arange(8)) / 160)

    def test_fewer_boxes_than_frames(self, model, data) -> None:
        (data / "bbox.txt").write_text("0,0,16,9\n70,0,86,9\n", "utf-8")
        command = [*SMALL, "--input_data_path", data, "--label", "dog"]
        run(*command)
        assert np.allclose(asked(model)["dog"][:, 0], np.linspace(0, 70, 8) / 160, atol=1e-6)
        run(*command, "--timing", "0,0,1")
        assert np.allclose(asked(model)["dog"][:4, 0], 0, atol=1e-6)
        run(*command, "--fill", "held")
        assert np.allclose(asked(model)["dog"][:, 0], [0] + [70 / 160] * 7)

    def test_boxes_that_leave_the_frame(self, model, data, caplog) -> None:
        (data / "bbox.txt").write_text("-16,9,80,45\n-90,0,-10,45\n" * 4, "utf-8")
        run(*SMALL, "--input_data_path", data, "--label", "dog")
        assert "4 of 8 boxes leave the frame and are clipped" in caplog.text
        assert "4 of 8 boxes lie outside of the frame" in caplog.text
        assert np.array_equal(asked(model)["dog"][:2, 0], [0, 0])
        assert not asked(model)["dog"][1].any()

    def test_the_boxes_go_with_the_picture(self, model, data) -> None:
        """Cropped to a square, the frame shows the columns 35 to 125 of 160."""
        run(*SMALL, "--input_data_path", data, "--label", "dog", "--fit", "crop")
        left, right = (np.array([35, 80]) - 35) / 90
        assert np.allclose(asked(model)["dog"][0], [left, 0.1, right, 0.5])
        run(*SMALL, "--input_data_path", data, "--label", "dog", "--fit", "pad")
        assert np.allclose(asked(model)["dog"][0, [0, 2]], BOX[[0, 2]], atol=0.01)
        assert not np.allclose(asked(model)["dog"][0, [1, 3]], BOX[[1, 3]], atol=0.05)

    def test_no_boxes(self, model, data, caplog) -> None:
        (data / "bbox.txt").unlink()
        run(*SMALL, "--input_data_path", data, "--prompt", "a dog", "--official-files")
        assert asked(model) == {} and model.videos[0][0].tracks.num_frames == 8
        assert "data has no bbox.txt and no boxes.json" in caplog.text
        assert "There are no boxes: no object steers the video" in caplog.text
        run(*SMALL, data / "img.png", "--prompt", "a dog", "-o", "other")
        assert asked(model) == {}


class TestFaults:
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ([], "A picture is needed"),
            (["--input_data_path", "gone"], "There is no folder gone"),
            (["--input_data_path", "models"], "models has no img.png"),
            (["gone.png"], "gone.png"),
            (["DATA"], "need a label: give --label"),
            (["DATA", "--label", "dog", "--label", "cat"], "Found 2 labels for 1 files of boxes"),
            (["IMAGE", "--label", "dog"], "The label 'dog' has no boxes: give a file"),
            (["IMAGE", "--label", "a", "--boxes", "b=x"], "b=x and an earlier --label name the"),
            (["DATA", "--label", "dog" * 99], "at most 200 characters"),
            (["IMAGE", "--boxes", "dog=gone.txt"], "There is no file gone.txt"),
            (["IMAGE", "--boxes", "dog=data"], "expected a file of boxes"),
            (["IMAGE", "--boxes", "dog=data/img.png"], "not text in UTF-8"),
            (["DATA", "--label", "dog", "--frames", "1"], "from 2 to 1024, got 1"),
            (["DATA", "--label", "dog", "--width", "100"], "take 64 or 128"),
            (["DATA", "--label", "dog", "--pad-to", "9"], "from 0 to 8, got 9"),
            (["DATA", "--label", "dog", "--timing", "slow"], "one of the timings"),
            (["DATA", "--label", "dog", "--root-path", "gone"], "There is no folder gone: correct"),
            (["DATA", "--control_net"], "refused: the released model has no such network"),
            (["DATA", "--train_grounding", "vanilla"], "expected vanilla_cross_vision"),
            (["DATA", "--output_dir", "a", "-o", "b"], "both given, but one would be ignored"),
            (["DATA", "--label", "dog", "--config", "BOXES"], "seed is 'x': expected a whole"),
            (["DATA", "--label", "dog", "--config", "IMAGE"], "can't be read as YAML"),
        ],
    )
    def test_before_the_model(self, model, data, tmp_path, capsys, words, message) -> None:
        (tmp_path / "bad.yaml").write_text("seed: x\n", "utf-8")
        names = {
            "DATA": ["--input_data_path", data],
            "IMAGE": [data / "img.png"],
            "BOXES": ["bad.yaml"],
        }
        words = [each for word in words for each in names.get(word, [word])]
        assert message in fails(capsys, *words)
        assert not model.checked

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("80,9,16,45", "box 3 is 80,9,16,45, which is reversed; expected xyxy"),
            ("16,9,16,45", "box 3 is 16,9,16,45, which has no area"),
            ("nan,9,16,45", "box 3 is nan,9,16,45; expected four finite numbers"),
            ("16,9,80", "line 3 has 3 numbers; expected four"),
            ("16,9,80,dog", "line 3 is '16,9,80,dog'; expected numbers"),
        ],
    )
    def test_wrong_boxes(self, model, data, capsys, line, message) -> None:
        (data / "bbox.txt").write_text("\n".join([*LINES[:2], line, *LINES[3:]]), "utf-8")
        said = fails(capsys, "--input_data_path", data, "--label", "dog")
        assert message in said and "bbox.txt" in said

    def test_shares_that_are_read_as_pixels(self, model, data, capsys) -> None:
        (data / "bbox.txt").write_text("0.1,0.1,0.5,0.5\n", "utf-8")
        said = fails(capsys, "--input_data_path", data, "--label", "dog")
        assert "expected pixels of 160 x 90 pixels" in said and "choose 0..1" in said

    def test_too_many_objects(self, model, data, capsys) -> None:
        files = ["--boxes", f"dog={data / 'bbox.txt'}"] * 9
        assert "9 box tracks, but SMCD takes 8 objects" in fails(capsys, data / "img.png", *files)
        assert not model.checked

    def test_annotations_of_another_size(self, model, data, capsys) -> None:
        row = {"label": "dog", "boxes": [[0, 0, 9, 9]]}
        found = {"version": 1, "frames": 1, "size": [100, 100], "tracks": [row]}
        (data / "boxes.json").write_text(json.dumps(found), "utf-8")
        said = fails(capsys, data / "img.png", "--boxes", data / "boxes.json")
        assert "boxes of frames of 100 x 100 pixels, but the frames have 160 x 90" in said

    def test_two_pictures(self, model, data, capsys) -> None:
        for name in ("img.jpg", "img.webp"):
            Image.new("RGB", (9, 9)).save(data / name)
        (data / "img.png").unlink()
        said = fails(capsys, "--input_data_path", data, "--label", "dog")
        assert "img.jpg, img.webp; expected a picture" in said


def test_batch(model, data, tmp_path) -> None:
    rows = [
        {"id": "official", "input_data_path": "data", "label": "dog"},
        {"id": "files", "first": "data/img.png", "boxes": ["data/bbox.txt"], "prompt": "a dog"},
    ]
    text = "".join(json.dumps(row | {"mode": "smcd"}) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(text, "utf-8")
    size = ["--set", "height=64", "--set", "width=64", "--set", "video_length=4"]
    assert main(["batch", "rows.jsonl", "-o", "all", *size, "--dry-run"]) == 0
    assert not model.checked
