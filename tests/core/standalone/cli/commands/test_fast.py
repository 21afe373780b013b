"""inbetween with fewer and cheaper passes, and with SVD alone: passes are counted as they run."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import fails, pictures
from diffusers import UNetSpatioTemporalConditionModel as Unet
from safetensors.torch import save_file

from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.standalone.spec import InbetweenSpec

TINY = ["--height", "64", "--width", "64", "--frames", "2"]
pytestmark = pytest.mark.usefixtures("models")


@pytest.fixture
def passes(monkeypatch) -> dict[str, int]:
    """The number of passes of the UNet: of whole passes, and of those that use kept features."""
    found = {"whole": 0, "reused": 0}
    forward = Unet.forward

    def counted(self, sample, *given, **more):
        found["whole" if len(self.down_blocks) > 1 else "reused"] += len(sample)
        return forward(self, sample, *given, **more)

    monkeypatch.setattr(Unet, "forward", counted)
    return found


def options_of(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())["options"]


def test_a_fast_run_and_the_same_again(pair, tmp_path, passes) -> None:
    """28 passes in both directions, half of them with kept features; run.json holds the values."""
    out = tmp_path / "out"
    assert main(["inbetween", *pair, *TINY, "-o", str(out), "--fast"]) == 0
    assert passes == {"whole": 14, "reused": 14}
    options = options_of(out)
    assert (options["steps"], options["schedule"], options["cache"]) == (10, "ays", 2)
    assert (options["guidance_from"], options["guidance_until"]) == (0.25, 0.49)
    assert "fast" not in options
    again = InbetweenSpec.from_options(
        vars(parse_options(["inbetween", "--run", f"{out}/run.json"]))
    )
    assert again.to_json() == options


def test_steps_that_are_forward_only_and_steps_without_guidance(pair, tmp_path, passes) -> None:
    """Of three steps two have one pass, and the last has one for each direction."""
    typed = ["--steps", "3", "--forward-share", "0.5", "--guidance-from", "1"]
    assert main(["inbetween", *pair, *TINY, "-o", str(tmp_path / "out"), *typed]) == 0
    assert passes == {"whole": 4, "reused": 0}


def test_svd_alone_and_the_same_again(
    pair, stand_ins, tmp_path, monkeypatch, capsys, caplog, passes
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "svd").symlink_to(stand_ins / "svd")
    monkeypatch.setenv("FCVG_MODELS", str(folder))
    assert "SVD alone paints too, without FCVG: add --sampler mpd." in all_said(capsys, pair)

    out = tmp_path / "out"
    arguments = [*pair, *TINY, "--sampler", "mpd", "--steps", "2", "--cache", "2"]
    caplog.set_level("INFO")
    assert main(["inbetween", *arguments, "-o", str(out)]) == 0
    assert "14 passes of the UNet (4 with kept features)" in caplog.text
    assert "mpd is an experiment" in caplog.text and passes == {"whole": 10, "reused": 4}
    assert "conditions" not in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["frames", "result.mp4", "run.json"]
    options = options_of(out)
    assert (options["sampler"], options["unet"], options["controlnext"]) == ("mpd", None, None)
    assert options["model"] == str(folder / "svd")
    assert main(["inbetween", "--run", str(out / "run.json")]) == 0
    again = tmp_path / "out_0001"
    assert np.array_equal(pictures(again / "frames"), pictures(out / "frames"))


def all_said(capsys, pair: list[str]) -> str:
    """What a run says that finds no models of FCVG."""
    assert main(["inbetween", *pair, *TINY]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            ["--steps", "2", "--cache", "3"],
            "interval of the cache is 3, but there are 2 steps: set it",
        ),
        (["--guidance-from", "0.5", "--guidance-until", "0.4"], "ends at 0.4 of the noise levels"),
        (["--sampler", "mpd", "--timing", "uniform"], "which would ignore timing: leave this"),
        (["--sampler", "mpd", "--conditions-only"], "which would ignore conditions_only"),
    ],
)
def test_settings_that_do_not_go_together(pair, tmp_path, capsys, typed, message) -> None:
    assert message in fails(capsys, *pair, *TINY, "-o", str(tmp_path / "out"), *typed)
    assert not (tmp_path / "out").exists()


def test_one_step_of_align_your_steps(pair, tmp_path, caplog) -> None:
    typed = ["--schedule", "ays", "--steps", "1", "--conditions-only"]
    assert main(["inbetween", *pair, *TINY, "-o", str(tmp_path / "out"), *typed]) == 0
    assert "Align Your Steps with 1 step takes all noise away" in caplog.text


def test_a_draft_without_its_decoder_and_with_another_model(
    pair, stand_ins, tmp_path, monkeypatch, capsys
) -> None:
    assert main(["inbetween", *pair, *TINY, "--draft"]) == 2
    said = capsys.readouterr().err
    assert "decoded by taesdv.pth, which is missing" in said and "SVD alone" not in said
    for path in stand_ins.iterdir():
        (tmp_path / path.name).symlink_to(path)
    save_file({"decoder.conv_in.weight": torch.zeros(1)}, tmp_path / "taesdv.safetensors")
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
    said = fails(capsys, *pair, *TINY, "--draft")
    assert "taesdv.safetensors is a VAE, but the temporal decoder TAESDV is needed" in said


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--cache", "0"), ("--cache", "101"), ("--cache", "1.5"), ("--guidance-from", "-0.1"),
        ("--guidance-until", "1.1"), ("--forward-share", "2"), ("--schedule", "linear"),
        ("--sampler", "heun"),
    ],
)  # fmt: skip
def test_values_out_of_bounds(pair, capsys, option, value) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["inbetween", *pair, option, value])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith(f"Error: argument {option}: expected ")
