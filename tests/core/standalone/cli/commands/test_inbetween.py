"""The inbetween command."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from command_line import SMALL, fails, pictures
from PIL import Image

from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.media.pictures import read_keyframes
from fcvg_core.standalone.spec import InbetweenSpec

ROOT = Path(__file__).parents[5]
pytestmark = pytest.mark.usefixtures("models")


class TestInbetween:
    def test_a_run_and_the_same_again(self, pair, stand_ins, tmp_path, capsys) -> None:
        out = tmp_path / "out"
        assert main(["inbetween", *pair, "-o", str(out), *SMALL, "--seed", "3"]) == 0
        printed = capsys.readouterr()
        assert str(out / "result.mp4") in printed.out and "noise" in printed.out
        assert all(
            f"{stage}: 100%" in printed.err
            for stage in ("loading", "conditions", "denoising", "decoding")
        )
        assert (out / "result.mp4").stat().st_size > 1000
        assert pictures(out / "condition").shape == (4, 64, 128, 3)
        frames = pictures(out / "frames")

        assert main(["inbetween", "--run", str(out / "run.json")]) == 0
        again = tmp_path / "out_0001"
        assert np.array_equal(pictures(again / "frames"), frames)
        first, second = (json.loads((x / "run.json").read_text()) for x in (out, again))
        assert first == second
        assert first["stand_ins"] and first["options"]["seed"] == 3
        assert first["options"]["color_seed"] == 0
        spec = InbetweenSpec.from_json(first["options"])
        assert first["options"]["version"] == 1 and first["options"] == spec.to_json()
        assert spec.first == Path(pair[0]) and spec.models.unet == stand_ins / "unet.safetensors"

        other = ["--run", str(out / "run.json"), "--seed", "4", "--keep-keyframes"]
        assert main(["inbetween", *other, "-o", str(tmp_path / "other")]) == 0
        conditions = pictures(out / "condition")
        assert np.array_equal(pictures(tmp_path / "other" / "condition"), conditions)
        changed = pictures(tmp_path / "other" / "frames")
        assert (changed[1:-1] != frames[1:-1]).any()
        keyframes = read_keyframes([*map(Path, pair)], (64, 128))
        assert np.array_equal(changed[0], keyframes[0])
        assert np.array_equal(changed[-1], keyframes[1])

    def test_names_of_the_reference(self, stand_ins, pair, tmp_path) -> None:
        arguments = [
            "inbetween",
            "--pretrained_model_name_or_path",
            str(stand_ins / "svd"),
            "--controlnext_path",
            str(stand_ins / "controlnext.safetensors"),
            "--unet_path",
            str(stand_ins / "unet.safetensors"),
            "--image1_path",
            pair[0],
            "--image2_path",
            pair[1],
            "--output_dir",
            str(tmp_path / "out"),
            "--control_weight",
            "0.5",
            "--num_inference_steps",
            "1",
            "--height",
            "64",
            "--width",
            "64",
            "--max_frame_num",
            "3",
            "--batch_frames",
            "2",
            "--overlap",
            "1",
            "--max_pts",
            "10",
            "--max_lines",
            "20",
            "--offload",
        ]
        assert main(arguments) == 0
        assert pictures(tmp_path / "out" / "frames").shape == (3, 64, 64, 3)

    def test_from_the_preview(self, pair, tmp_path) -> None:
        arguments = ["inbetween", *pair, *SMALL, "-o"]
        runs = {"plain": [], "whole": ["1"], "part": ["0.5"]}
        for name, share in runs.items():
            option = ["--from-preview", *share] if share else []
            assert main([*arguments, str(tmp_path / name), *option]) == 0
        plain, whole, part = (pictures(tmp_path / name / "frames") for name in runs)
        assert np.array_equal(plain, whole) and not np.array_equal(plain, part)
        run = tmp_path / "part" / "run.json"
        assert json.loads(run.read_text())["options"]["from_preview"] == 0.5
        assert main(["inbetween", "--run", str(run), "-o", str(tmp_path / "again")]) == 0
        assert np.array_equal(pictures(tmp_path / "again" / "frames"), part)

    def test_conditions_only(self, pair, tmp_path, monkeypatch, capsys) -> None:
        monkeypatch.delenv("FCVG_MODELS")
        arguments = ["inbetween", *pair, "-o", str(tmp_path / "out"), *SMALL]
        assert main([*arguments, "--conditions-only"]) == 0
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "condition",
            "run.json",
        ]
        assert str(tmp_path / "out" / "condition") in capsys.readouterr().out

    def test_colors_are_those_of_their_own_seed(self, pair, tmp_path) -> None:
        arguments = ["inbetween", *pair, *SMALL, "--conditions-only", "--matcher", "classic"]
        found = []
        for i, seeds in enumerate(([], ["--seed", "3"], ["--color-seed", "3"])):
            assert main([*arguments, *seeds, "-o", str(tmp_path / f"{i}")]) == 0
            found.append(pictures(tmp_path / f"{i}" / "condition"))
        assert found[0].any() and np.array_equal(found[0], found[1])
        assert not np.array_equal(found[0], found[2])
        run = json.loads((tmp_path / "2" / "run.json").read_text())["options"]
        assert (run["seed"], run["color_seed"]) == (0, 3)

    def test_changed_input_is_said(self, pair, tmp_path, caplog) -> None:
        picture = tmp_path / "first.png"
        Image.open(pair[0]).save(picture)
        arguments = [str(picture), pair[1], *SMALL, "--conditions-only"]
        assert main(["inbetween", *arguments, "-o", str(tmp_path / "out")]) == 0
        Image.new("RGB", (64, 64)).save(picture)
        assert main(["inbetween", "--run", str(tmp_path / "out" / "run.json")]) == 0
        assert f"{picture} is not the file of the earlier run" in caplog.text

    @pytest.mark.parametrize("key", ["first", "last", "matches", "poses", "unet", "model"])
    def test_file_of_an_earlier_run_that_is_gone(self, pair, tmp_path, capsys, key) -> None:
        gone = str(tmp_path / "old" / "place")
        options = {"first": pair[0], "last": pair[1], "height": 64, "width": 64}
        options[key] = [gone, gone] if key == "poses" else gone
        file = tmp_path / "run.json"
        file.write_text(json.dumps({"options": options, "inputs": {}}))
        message = fails(capsys, "--run", str(file), "-o", str(tmp_path / "out"))
        assert f"{file}: {key} is {gone}, which is not there any more" in message
        assert f"give {key.upper() if key in ('first', 'last') else f'--{key}'}." in message
        if key in ("unet", "model"):  # is not needed
            arguments = ["--run", str(file), "--conditions-only", "--frames", "2"]
            assert main(["inbetween", *arguments, "-o", str(tmp_path / "out")]) == 0
        assert fails(
            capsys,
            "--run",
            str(file),
            f"--{key}" if key not in ("first", "last") else f"--image{1 + (key == 'last')}_path",
            *(["typed"] * (2 if key == "poses" else 1)),
        ).count("typed")

    @pytest.mark.parametrize(
        ("command", "options"),
        [("inbetween", {}), ("inbetween", {"first": "a.png"}), ("animate", {"image": "a.png"})],
    )
    def test_earlier_run_without_files(self, tmp_path, capsys, command, options) -> None:
        file = tmp_path / "run.json"
        file.write_text(json.dumps({"options": options, "inputs": {}}))
        assert main([command, "--run", str(file), "-o", str(tmp_path / "out")]) == 2
        assert f"{file} does not name both." in capsys.readouterr().err

    def test_many_changed_inputs(self, pair, tmp_path, caplog) -> None:
        inputs = {str(i): {"path": f"/nowhere/{i}"} for i in range(1000)}
        options = {"first": pair[0], "last": pair[1], "height": 64, "width": 64, "frames": 2}
        file = tmp_path / "run.json"
        file.write_text(json.dumps({"options": options, "inputs": inputs}))
        arguments = ["--run", str(file), "--conditions-only", "-o", str(tmp_path / "out")]
        assert main(["inbetween", *arguments]) == 0
        assert "Neither are 980 more files." in caplog.text and len(caplog.messages) < 30


class TestBadInput:
    def test_one_frame_missing(self, pair, capsys) -> None:
        assert "Two pictures are needed" in fails(capsys, pair[0])
        message = fails(capsys, pair[0], "/no/such.png", *SMALL)
        assert message == "Error: There is no file /no/such.png."

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--frames", "30", "--overlap", "0"], "overlap by 1 to 24 frames, got an overlap"),
            (["--device", "quantum"], "There is no device 'quantum' here"),
            (["--unet", "/no/unet.safetensors"], "There is no file /no/unet.safetensors"),
            (["--model", "/no/svd"], "/no/svd is no folder"),
            (["--run", "/no/run.json"], "There is no file /no/run.json"),
        ],
    )
    def test_messages(self, pair, tmp_path, capsys, arguments, message) -> None:
        out = tmp_path / "out"
        assert message in fails(capsys, *pair, "-o", str(out), *SMALL, *arguments)
        assert not out.exists()

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--frames", "1"),
            ("--steps", "0"),
            ("--steps", "many"),
            ("--seed", "-1"),
            ("--color-seed", "4294967296"),
            ("--width", "1000"),
            ("--noise-injection-ratio", "1.5"),
            ("--max-guidance", "nan"),
            ("--dtype", "fp8"),
        ],
    )
    def test_options_out_of_bounds(self, pair, capsys, option, value) -> None:
        with pytest.raises(SystemExit) as stopped:
            main(["inbetween", *pair, option, value])
        assert stopped.value.code == 2
        (message,) = capsys.readouterr().err.splitlines()
        assert message.startswith(f"Error: argument {option}")

    def test_edited_run_is_checked(self, pair, tmp_path, capsys) -> None:
        run = {"options": {"first": pair[0], "last": pair[1], "steps": 0}, "inputs": {}}
        (tmp_path / "run.json").write_text(json.dumps(run))
        assert "steps is 0: expected a whole number from 1" in fails(
            capsys, "--run", str(tmp_path / "run.json")
        )

    def test_wrong_model_file(self, stand_ins, pair, tmp_path, capsys) -> None:
        (tmp_path / "unet.safetensors").write_text("404: not found")
        message = fails(
            capsys,
            *pair,
            "-o",
            str(tmp_path / "out"),
            *SMALL,
            "--unet",
            str(tmp_path / "unet.safetensors"),
        )
        assert "unet.safetensors (14 bytes) can't be read as model weights" in message

    def test_missing_package(self, pair, monkeypatch, capsys, caplog) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "diffusers" else find(name)
        )
        assert "diffusers is not installed" in (message := fails(capsys, *pair))
        assert "[standalone]" in message and "fcvg_core preview" in caplog.text

    def test_samples_replace_no_other_picture(self, tmp_path, capsys) -> None:
        Image.new("RGB", (9, 9)).save(tmp_path / "last.png")
        command = ["sample-frames", str(tmp_path), "--height", "64", "--width", "64"]
        assert main(command) == 2
        assert "last.png exists and is another picture" in capsys.readouterr().err
        (tmp_path / "last.png").unlink()
        assert main(command) == main(command) == 0
