"""The animate command."""

import contextlib
import json
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_people import drawn_walker
from PIL import Image
from sounds import click_times, clicks, sound_of, write_sounding
from videos import noise

from fcvg_core.control import fit_control_frames
from fcvg_core.errors import UserError
from fcvg_core.files import claim
from fcvg_core.standalone import animate, driving_source, run_models
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.media.video import read_video
from fcvg_core.standalone.media.writing import write_video
from fcvg_core.standalone.networks import pipeline

ROOT = Path(__file__).parents[5]
SMALL = ["--height", "128", "--width", "64", "--steps", "1", "--window", "4", "--overlap", "2"]


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    """A driving video with sound of 9 frames at 30 a second."""
    path = tmp_path_factory.mktemp("video") / "driving.mp4"
    sound = clicks([0.1, 0.25, 0.5], seconds=1, rate=44100)
    return write_sounding(path, noise(9, 90, 160), 30, sound)


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "person.png"
    Image.fromarray(np.random.RandomState(1).randint(0, 256, (200, 120, 3)).astype(np.uint8)).save(
        path
    )
    return path


@pytest.fixture
def files(stand_ins, own_golden) -> list[str]:
    """Options of all stand-ins; these find one person in any picture."""
    dwpose = own_golden / "dwpose"
    return [
        "--model",
        str(stand_ins / "svd"),
        "--unet_path",
        str(stand_ins / "unet.safetensors"),
        "--controlnext_path",
        str(stand_ins / "controlnext.safetensors"),
        "--dwpose-det",
        str(dwpose / "det_one.onnx"),
        "--dwpose-pose",
        str(dwpose / "pose_a.onnx"),
    ]


@pytest.fixture(scope="module")
def drawn_video(tmp_path_factory) -> Path:
    """A video of drawn poses with sound, 9 frames at 10 a second."""
    path = tmp_path_factory.mktemp("drawn") / "pose.mp4"
    sound = clicks([0.1, 0.5], seconds=1, rate=44100)
    return write_sounding(path, drawn_walker(9, (768, 512)), 10, sound)


def controlnext_v1():
    """A ControlNeXt of version 1 that fits the stand-ins."""
    import torch
    from stand_ins import UNET

    from fcvg_core.models.controlnext import V1, ControlNeXt

    torch.manual_seed(0)
    return ControlNeXt(replace(V1, out_channels=UNET["block_out_channels"][-1]))


def frames_of(path: Path) -> tuple[np.ndarray, float]:
    frames, fps = read_video(path, stride=1, max_frames=None)
    return np.stack(list(frames)), fps


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean of the levels by which two videos differ; x264 is not the same to the bit each time."""
    return float(np.abs(first.astype(int) - second).mean())


class TestAnimate:
    def test_a_run_and_the_same_again(self, picture, video, files, tmp_path, capsys) -> None:
        out = tmp_path / "out"
        assert main(["animate", str(picture), str(video), "-o", str(out), *files, *SMALL]) == 0
        printed = capsys.readouterr()
        assert str(out / "result.mp4") in printed.out and "noise" in printed.out
        assert all(
            f"{stage}: 100%" in printed.err
            for stage in ("loading", "poses", "denoising", "decoding")
        )
        frames, fps = frames_of(out / "result.mp4")
        # Every other frame of nine, and the picture's own pose before them.
        assert frames.shape == (6, 128, 64, 3) and fps == 15
        for name in ("result.mp4", "side_by_side.mp4"):
            # The sound begins with the second frame; it is cut where the frames end.
            heard = click_times(sound_of(out / name))
            assert heard == pytest.approx([0.1 + 1 / 15, 0.25 + 1 / 15], abs=0.002)
        compared, _ = frames_of(out / "side_by_side.mp4")
        assert compared.shape == (6, 128, 3 * 64, 3)
        conditions = sorted((out / "condition").iterdir())
        assert len(conditions) == 6 and all(np.array(Image.open(p)).any() for p in conditions)
        assert main(["animate", "--run", str(out / "run.json")]) == 0
        again, _ = frames_of(tmp_path / "out_0001" / "result.mp4")
        assert difference(again, frames) < 3
        other = ["animate", "--run", str(out / "run.json"), "--seed", "1"]
        assert main([*other, "-o", str(tmp_path / "other")]) == 0
        assert difference(frames_of(tmp_path / "other" / "result.mp4")[0], frames) > 6
        saved = json.loads((out / "run.json").read_text())
        assert saved["stand_ins"] and saved["options"]["video"] == str(video)

    def test_the_video_is_closed_on_an_error(
        self, picture, video, files, tmp_path, monkeypatch, capsys
    ) -> None:
        opened = []

        def read(*given, **more):
            frames, fps = read_video(*given, **more)
            opened.append(frames)
            return frames, fps

        def fail(frames, *given, **more):
            next(frames)
            raise UserError("this frame is bad")

        monkeypatch.setattr(driving_source, "read_video", read)
        monkeypatch.setattr(animate, "draw_driving_poses", fail)
        command = ["animate", str(picture), str(video), "-o", str(tmp_path / "out"), *files]
        assert main([*command, *SMALL, "--conditions-only"]) == 2
        assert "this frame is bad" in capsys.readouterr().err
        assert opened and all(list(frames) == [] for frames in opened)

    def test_names_of_the_reference(self, picture, video, files, tmp_path) -> None:
        command = [
            "animate",
            *files,
            "--ref_image_path",
            str(picture),
            "--validation_control_video_path",
            str(video),
            "--output_dir",
            str(tmp_path / "out"),
            "--max_frame_num",
            "4",
            "--batch_frames",
            "3",
            "--overlap",
            "1",
            "--sample_stride",
            "1",
            "--guidance_scale",
            "1.5",
            "--no-audio",
            "--height",
            "64",
            "--width",
            "64",
            "--num_inference_steps",
            "1",
        ]
        assert main(command) == 0
        frames, fps = frames_of(tmp_path / "out" / "result.mp4")
        assert len(frames) == 4 and fps == 30
        assert sound_of(tmp_path / "out" / "result.mp4") is None
        saved = json.loads((tmp_path / "out" / "run.json").read_text())["options"]
        assert saved["min_guidance"] == saved["max_guidance"] == 1.5

    def test_drawn_control_frames(self, picture, video, files, tmp_path) -> None:
        """What one run has drawn is taken back by another; it needs no DWPose."""
        first = ["animate", str(picture), str(video), *files, *SMALL]
        assert main([*first, "-o", str(tmp_path / "a")]) == 0
        second = [
            "animate",
            str(picture),
            *files[:6],
            *SMALL,
            "--fps",
            "15",
            "--validation_control_images_folder",
            str(tmp_path / "a" / "condition"),
        ]
        assert main([*second, "-o", str(tmp_path / "b")]) == 0
        frames, again = (frames_of(tmp_path / x / "result.mp4")[0] for x in "ab")
        assert difference(frames, again) < 3

    def test_conditions_only(self, picture, video, files, tmp_path, caplog) -> None:
        caplog.set_level("INFO")
        command = ["animate", str(picture), str(video), "-o", str(tmp_path / "out"), *files[6:]]
        more = ["--height", "128", "--width", "64", "--fit", "pad", "--anchor", "top"]
        assert main([*command, "--conditions-only", *more]) == 0
        said = "120 x 200 -> 64 x 128: 21 black pixels are added at the bottom."
        assert f"{picture}: {said}" in caplog.messages
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "condition",
            "run.json",
        ]

    def test_drawn_control_frames_are_thinned_and_fitted(
        self, picture, drawn_video, tmp_path
    ) -> None:
        """A video of them needs no DWPose; its frames lie in the result as the picture does."""
        command = ["animate", str(picture), "--control-frames", str(drawn_video), "--stride", "4"]
        out = tmp_path / "out"
        fit = ["--fit", "pad", "--anchor", "bottom"]
        assert main([*command, *SMALL, *fit, "--conditions-only", "-o", str(out)]) == 0
        drawn = fit_control_frames(frames_of(drawn_video)[0][::4], (128, 64), "pad", "bottom")
        for i, frame in enumerate(drawn):
            assert np.array_equal(np.array(Image.open(out / "condition" / f"{i:02d}.png")), frame)
        assert len(os.listdir(out / "condition")) == 3

    def test_people_are_looked_for_in_a_drawn_video(
        self, picture, drawn_video, files, tmp_path, capsys, caplog
    ) -> None:
        caplog.set_level(logging.INFO)
        command = ["animate", str(picture), str(drawn_video), *files[6:], *SMALL]
        out = tmp_path / "out"
        assert main([*command, "--no-drawn", "--conditions-only", "-o", str(out)]) == 0
        assert "poses: 100%" in capsys.readouterr().err and "drawn poses" not in caplog.text
        assert len(os.listdir(out / "condition")) == 6  # the picture's own, and every second of 9

    def test_readme_of_version_1(
        self, picture, drawn_video, stand_ins, tmp_path, monkeypatch, caplog
    ) -> None:
        """The command of the official README, in a folder as it asks for; small, and one step."""
        import torch
        from safetensors.torch import load_file

        caplog.set_level(logging.INFO)
        monkeypatch.chdir(tmp_path)
        svd = Path("stabilityai", "stable-video-diffusion-img2vid-xt-1-1")
        shutil.copytree(stand_ins / "svd", svd)
        for folder in ("examples/pose", "examples/ref_imgs", "pretrained"):
            Path(folder).mkdir(parents=True)
        shutil.copy(drawn_video, "examples/pose/pose.mp4")
        shutil.copy(picture, "examples/ref_imgs/tiktok.png")
        torch.save(load_file(stand_ins / "unet.safetensors"), "pretrained/unet_fp16.bin")
        torch.save(controlnext_v1().state_dict(), "pretrained/controlnet.bin")
        readme = """
          --pretrained_model_name_or_path stabilityai/stable-video-diffusion-img2vid-xt-1-1
          --validation_control_video_path examples/pose/pose.mp4
          --output_dir outputs/tiktok
          --controlnext_path pretrained/controlnet.bin
          --unet_path pretrained/unet_fp16.bin
          --ref_image_path examples/ref_imgs/tiktok.png
        """
        small = ["--height", "128", "--width", "64", "--num_inference_steps", "1"]
        assert main(["animate", *readme.split(), *small]) == 0
        assert "pose.mp4 shows drawn poses: its frames are the control frames" in caplog.text
        frames, fps = frames_of(Path("outputs/tiktok/result.mp4"))
        assert len(frames) == 9 and fps == 10  # as pose.mp4 has
        heard = sound_of(Path("outputs/tiktok/result.mp4"))
        assert click_times(heard) == pytest.approx([0.1, 0.5], abs=0.002)

    def test_version_1(self, picture, video, files, stand_ins, tmp_path) -> None:
        """Another ControlNeXt, told by its keys."""
        import torch

        torch.save(controlnext_v1().state_dict(), tmp_path / "controlnet.bin")
        given = [*files]
        given[5] = str(tmp_path / "controlnet.bin")
        command = ["animate", str(picture), str(video), *SMALL]
        for name, options in (("v1", given), ("v2", files)):
            assert main([*command, *options, "-o", str(tmp_path / name)]) == 0
        first, second = (frames_of(tmp_path / x / "result.mp4")[0] for x in ("v1", "v2"))
        assert first.shape == second.shape and difference(first, second) > 3


class TestBadInput:
    def fails(self, capsys, *arguments: str) -> str:
        assert main(["animate", *map(str, arguments)]) == 2
        printed = capsys.readouterr().err.strip()
        assert "Traceback" not in printed
        return printed.splitlines()[-1]

    def test_what_is_missing(self, picture, video, files, capsys, tmp_path) -> None:
        needed = "A picture and either a driving video or control frames are needed"
        assert needed in self.fails(capsys, picture)
        message = self.fails(capsys, picture, video, "--control-frames", tmp_path)
        assert "VIDEO and --control-frames are both given" in message
        assert "There is no file" in self.fails(capsys, tmp_path / "no.png", video, *files)
        assert "There is no file" in self.fails(capsys, picture, tmp_path / "no.mp4", *files)
        assert "DWPose needs two files" in self.fails(capsys, picture, video, *files[:6])

    def test_nobody(self, picture, video, files, own_golden, capsys, tmp_path) -> None:
        files[7] = str(own_golden / "dwpose" / "det_none.onnx")
        message = self.fails(capsys, picture, video, *files, *SMALL, "-o", tmp_path / "out")
        assert "Nobody is found in the 5 frames of the driving video" in message
        assert not (tmp_path / "out").exists()

    def test_unreadable_video(self, picture, files, capsys, tmp_path) -> None:
        (tmp_path / "a.mp4").write_bytes(b"no video")
        assert "can't be read as a video" in self.fails(
            capsys, picture, tmp_path / "a.mp4", *files, *SMALL
        )

    def test_windows_that_do_not_overlap(self, picture, video, files, capsys) -> None:
        wrong = ["--frames", "9", "--window", "4", "--overlap", "4"]
        assert "overlap by 1 to 3" in self.fails(capsys, picture, video, *files, *wrong)

    @pytest.mark.parametrize("option", ["--stride", "--frames"])
    def test_zero(self, picture, video, option, capsys) -> None:
        with pytest.raises(SystemExit):
            main(["animate", str(picture), str(video), option, "0"])
        assert "expected a whole number from" in capsys.readouterr().err

    def test_one_frame_drives_two(self, picture, files, tmp_path) -> None:
        write_video(tmp_path / "a.mp4", np.zeros((1, 64, 64, 3), np.uint8), 24)
        command = ["animate", str(picture), str(tmp_path / "a.mp4"), *files, *SMALL]
        assert main([*command, "-o", str(tmp_path / "out")]) == 0
        assert len(frames_of(tmp_path / "out" / "result.mp4")[0]) == 2

    def test_controlnext_of_another_unet(self, picture, video, files, tmp_path, capsys) -> None:
        import torch

        from fcvg_core.models.controlnext import V1, ControlNeXt

        network = ControlNeXt(replace(V1, out_channels=96))
        torch.save(network.state_dict(), tmp_path / "controlnet.bin")
        files[5] = str(tmp_path / "controlnet.bin")
        message = self.fails(capsys, picture, video, *files, *SMALL, "-o", tmp_path / "out")
        assert "ControlNeXt v1 gives 96 channels" in message and "different models" in message


unix = pytest.mark.skipif(os.name == "nt", reason="needs signals of Unix")


@unix
class TestSignals:
    """Of the system, sent to this very process while a command runs."""

    def ended_by(self, name: str, *command: str) -> int:
        """Exit code of animate; while it runs, a signal that is not caught would end the tests."""
        number = getattr(signal, name)
        before = signal.signal(number, signal.SIG_DFL)
        try:
            return main(["animate", *command])
        finally:
            signal.signal(number, before)

    @pytest.fixture
    def command(self, picture, video, files, tmp_path) -> list[str]:
        return [str(picture), str(video), "-o", str(tmp_path / "a" / "out"), *files, *SMALL]

    @pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
    def test_while_frames_are_decoded(self, command, monkeypatch, tmp_path, name, code) -> None:
        """Both videos can be played, and hold every frame that was painted."""
        decode = pipeline.VideoPipeline.decode

        def stopped(self, *arguments):
            for i, frame in enumerate(decode(self, *arguments)):
                if i == 3:
                    os.kill(os.getpid(), getattr(signal, name))
                yield frame

        monkeypatch.setattr(pipeline.VideoPipeline, "decode", stopped)
        assert self.ended_by(name, *command) == code
        out = tmp_path / "a" / "out"
        for video in ("result.mp4", "side_by_side.mp4"):
            assert len(frames_of(out / video)[0]) == 3
        made = ["condition", "result.mp4", "run.json", "side_by_side.mp4"]
        assert sorted(os.listdir(out)) == made

    def test_before_the_first_file(self, command, monkeypatch, tmp_path, capsys) -> None:
        def stop(*given, **more):
            os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(animate, "draw_driving_poses", stop)
        assert self.ended_by("SIGTERM", *command) == 143
        assert "Interrupted by SIGTERM." in capsys.readouterr().err
        assert not (tmp_path / "a").exists()

    def test_while_models_are_loaded(self, command, monkeypatch, tmp_path) -> None:
        """The poses were found, and stay."""

        def stop(*given):
            os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(run_models.RunModels, "load", stop)
        assert self.ended_by("SIGTERM", *command) == 143
        assert sorted(os.listdir(tmp_path / "a" / "out")) == ["condition", "run.json"]


@unix
@pytest.mark.slow
def test_a_run_in_a_closed_terminal(picture, video, files, tmp_path) -> None:
    """Nobody reads any more, all streams are closed, and then SIGHUP comes twice."""
    out = tmp_path / "out"
    more = ["--frames", "120", "--stride", "1", "--height", "64", "--width", "64", "--steps", "1"]
    (tmp_path / "control").mkdir()
    for i in range(120):
        shutil.copy(picture, tmp_path / "control" / f"{i}.png")
    control = ["--control-frames", str(tmp_path / "control")]
    command = [sys.executable, "-m", "fcvg_core", "animate", str(picture), *control, "-o", str(out)]
    shell = f"exec {shlex.join([*command, *files[:6], *more])} <&- >&- 2>&-"
    started = subprocess.Popen(["/bin/sh", "-c", shell], cwd=ROOT)
    deadline = time.monotonic() + 120
    while not (out / "result.mp4").is_file() or (out / "result.mp4").stat().st_size < 5000:
        assert started.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    for _ in range(2):
        started.send_signal(signal.SIGHUP)
        time.sleep(0.05)
    assert started.wait(60) == 129
    names = ("result.mp4", "side_by_side.mp4")
    frames, compared = (len(frames_of(out / name)[0]) for name in names)
    assert 2 < frames == compared < 120


def test_disk_that_fills_while_frames_are_written(
    picture, stand_ins, files, small_disk, monkeypatch, capsys
) -> None:
    """The message names the folder; what there is room for is there."""
    disk = small_disk(900_000)
    (disk / "control").mkdir()
    for i in range(3):
        Image.new("RGB", (64, 64), (i, 9, 9)).save(disk / "control" / f"{i}.png")
    release = claim.Claim.release

    def fill(self, kept=0):
        release(self, kept)
        with (disk / "other").open("wb", buffering=0) as other, contextlib.suppress(OSError):
            while other.write(bytes(4096)):
                pass

    monkeypatch.setattr(claim.Claim, "release", fill)
    command = [
        "animate",
        str(picture),
        "--control-frames",
        str(disk / "control"),
        *files[:6],
        "--frames",
        "3",
        "--height",
        "64",
        "--width",
        "64",
        "--steps",
        "1",
    ]
    assert main([*command, "-o", str(disk / "out")]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert f"The disk of {disk / 'out'}" in message and "is full" in message
    assert len(os.listdir(disk / "out" / "condition")) == 3


def test_wrong_models_are_told_before_poses_are_looked_for(
    picture, video, files, stand_ins, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(animate, "draw_driving_poses", lambda *a, **b: pytest.fail("too early"))
    svd = shutil.copytree(stand_ins / "svd", tmp_path / "svd")
    (svd / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    (tmp_path / "empty.safetensors").touch()
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(picture, folder / "a.png")
    for option, value, message in (
        ("--unet", stand_ins / "svd", "a folder, a pipe or a device"),
        ("--unet", tmp_path / "empty.safetensors", "(0 bytes) can't be read as model weights"),
        ("--controlnext", stand_ins / "unet.safetensors", "but a ControlNeXt v2 or v1"),
        ("--model", svd, "the download of SVD is incomplete"),
        ("--model", folder, "has no model_index.json"),
    ):
        given = [*files]
        given[("--model", "--unet", "--controlnext").index(option) * 2 + 1] = str(value)
        command = ["animate", str(picture), str(video), *given, *SMALL]
        assert main([*command, "-o", str(tmp_path / "out")]) == 2
        assert message in capsys.readouterr().err and not (tmp_path / "out").exists()
    command = ["animate", str(picture), "--control-frames", str(folder), *files[:6], *SMALL]
    assert main([*command, "-o", str(tmp_path / "out")]) == 2
    assert "at least 2 frames, but" in capsys.readouterr().err
