"""The dynamicrafter command."""

import json
import logging
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from clip_cases import FakeModels, use_fake_models
from clip_tokenizer import write_tokenizer
from command_line import pictures
from dynamicrafter_stand_ins import write_dynamicrafter
from PIL import Image
from safetensors.torch import save_file

from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.spec import DynamiCrafterSpec

SMALL = ["--height", "64", "--width", "128"]


@pytest.fixture
def models(monkeypatch, tmp_path) -> FakeModels:
    return use_fake_models(monkeypatch, tmp_path / "models")


@pytest.fixture
def files(tmp_path) -> list[str]:
    """Three pictures of the size of a video."""
    paths = [str(tmp_path / f"{name}.png") for name in "abc"]
    for i, path in enumerate(paths):
        noise = np.random.RandomState(i).randint(0, 256, (64, 128, 3)).astype(np.uint8)
        Image.fromarray(noise).save(path)
    return paths


def run(*arguments: str) -> None:
    assert main(["dynamicrafter", *arguments]) == 0


def fails(capsys, *arguments: str) -> str:
    """The message of a command that fails."""
    try:
        assert main(["dynamicrafter", *arguments]) == 2
    except SystemExit as stopped:
        assert stopped.code == 2
    printed = capsys.readouterr().err.strip()
    assert "Traceback" not in printed
    return printed.splitlines()[-1]


class TestAnimation:
    def test_a_run_and_the_same_again(self, models, files, tmp_path, capsys) -> None:
        out = tmp_path / "out"
        run(files[0], "--prompt", "a boat", *SMALL, "--seed", "3", "-o", str(out))
        printed = capsys.readouterr()
        assert str(out / "result.mp4") in printed.out and "noise" in printed.out
        assert "denoising: 100%" in printed.err and "loading: 100%" in printed.err
        assert sorted(path.name for path in out.iterdir()) == ["frames", "result.mp4", "run.json"]
        frames = pictures(out / "frames")
        assert frames.shape == (16, 64, 128, 3)
        run("--run", str(out / "run.json"))
        again = tmp_path / "out_0001"
        assert np.array_equal(pictures(again / "frames"), frames)
        first, second = (json.loads((x / "run.json").read_text()) for x in (out, again))
        assert first == second and first["command"] == "dynamicrafter" and first["stand_ins"]
        spec = DynamiCrafterSpec.from_json(first["options"])
        assert first["options"] == spec.to_json() and spec.prompt == ("a boat",)
        assert spec.images == (Path(files[0]),) and spec.models.variant == "512"
        one, two = models.clips
        assert one.settings == two.settings and one.seed == two.seed == 3

    def test_parts_that_were_found_are_noted(self, models, files, tmp_path) -> None:
        """A pruned checkpoint lacks them; the same run again takes them from the same files."""
        found = {"vae": tmp_path / "vae.safetensors", "tokenizer": tmp_path / "tokenizer"}
        found["vae"].write_bytes(b"vae")
        found["tokenizer"].mkdir()
        models.found = found
        run(files[0], *SMALL, "-o", str(tmp_path / "out"))
        noted = json.loads((tmp_path / "out" / "run.json").read_text())
        for part, path in found.items():
            assert noted["options"][part] == noted["inputs"][part]["path"] == str(path)
        assert noted["options"]["text_encoder"] is None
        run("--run", str(tmp_path / "out" / "run.json"))
        assert models.files[-1].vae == found["vae"]

    def test_defaults_are_those_of_the_model(self, models, tmp_path) -> None:
        plain = str(tmp_path / "plain.png")
        Image.new("RGB", (30, 20)).save(plain)
        wanted = {
            "256": ((256, 256), 3, "uniform", 0.0),
            "512": ((320, 512), 24, "uniform_trailing", 0.7),
            "1024": ((576, 1024), 10, "uniform_trailing", 0.7),
        }
        for word, (size, rate, spacing, rescale) in wanted.items():
            run(plain, "--model", word, "-o", str(tmp_path / word))
            asked = models.clips[-1]
            assert asked.variant == word and asked.request.first.shape == (*size, 3)
            found = asked.settings
            assert (found.rate, found.spacing, found.rescale) == (rate, spacing, rescale)
            assert (found.steps, found.eta, found.guidance) == (50, 1.0, 7.5)
            assert (found.num_frames, found.image_guidance) == (16, None)
        assert (asked.request.prompt, asked.request.mode) == ("", "animate")

    def test_options_replace_those_of_an_earlier_run(self, models, files, tmp_path) -> None:
        out = tmp_path / "out"
        run(files[0], *SMALL, "--fs", "20", "--rescale", "0.5", "-o", str(out))
        other = ["--run", str(out / "run.json"), "--fs", "15", "--prompt", "new"]
        run(files[1], *other, "-o", str(tmp_path / "other"))
        before, after = models.clips
        assert (before.settings.rate, after.settings.rate) == (20, 15)
        assert after.settings.rescale == 0.5 and after.request.prompt == "new"
        assert not np.array_equal(before.request.first, after.request.first)

    def test_several_samples(self, models, files, tmp_path, capsys) -> None:
        out = tmp_path / "out"
        run(files[0], *SMALL, "--n-samples", "3", "--seed", str(2**64 - 1), "-o", str(out))
        assert [asked.seed for asked in models.clips] == [2**64 - 1, 0, 1]
        assert models.loaded == ["512"]
        names = [f"result_{i:04d}" for i in (1, 2, 3)]
        assert sorted(path.name for path in (out / "frames").iterdir()) == names
        assert all((out / f"{name}.mp4").stat().st_size > 1000 for name in names)
        assert capsys.readouterr().err.count("pixels") <= 1  # nothing is said for each sample

    def test_a_trained_model(self, models, files, tmp_path, capsys, monkeypatch) -> None:
        monkeypatch.setattr(models, "are_stand_ins", False)
        run(files[0], *SMALL, "-o", str(tmp_path / "out"))
        printed = capsys.readouterr()
        assert "noise" not in printed.out and "STAND-IN" not in printed.err
        assert not json.loads((tmp_path / "out" / "run.json").read_text())["stand_ins"]

    def test_a_seed_is_drawn(self, models, files, tmp_path) -> None:
        for name in "ab":
            run(files[0], *SMALL, "--seed", "-1", "-o", str(tmp_path / name))
        found = [json.loads((tmp_path / x / "run.json").read_text())["options"] for x in "ab"]
        seeds = [options["seed"] for options in found]
        assert seeds == [asked.seed for asked in models.clips]
        assert seeds[0] != seeds[1] and min(seeds) >= 0

    def test_the_picture_is_kept(self, models, files, tmp_path) -> None:
        """The fake model rolls each frame, so the timing shows which frames are taken."""
        run(files[0], *SMALL, "--keep-keyframes", "--timing", "0,0,1", "-o", str(tmp_path / "out"))
        frames = pictures(tmp_path / "out" / "frames")
        first = np.asarray(Image.open(files[0]))
        assert len(frames) == 16 and np.array_equal(frames[0], first)
        assert np.array_equal(frames[7], first) and np.array_equal(
            frames[15], np.roll(first, 15, axis=1)
        )

    def test_what_the_image_encoder_sees(self, models, files, tmp_path) -> None:
        for words in ("as-the-video", "whole"):
            size = ["--height", "64", "--width", "64"]
            run(files[0], *size, "--clip-picture", words, "-o", str(tmp_path / words))
        fitted, whole = (asked.request.clip_picture for asked in models.clips)
        assert fitted is None and whole.shape == (64, 128, 3)


class TestBetweenPictures:
    def test_pairs_are_joined(self, models, files, tmp_path) -> None:
        run(*files, *SMALL, "--prompt", "one", "--prompt", "two", "-o", str(tmp_path / "out"))
        frames = pictures(tmp_path / "out" / "frames")
        given = [np.asarray(Image.open(path)) for path in files]
        assert len(frames) == 31 and models.loaded == ["512_interp"]
        for number, picture in zip((0, 15, 30), given, strict=True):
            equal = [np.array_equal(frame, picture) for frame in frames]
            assert equal.index(True) == number and equal.count(True) == 1
        assert [asked.request.prompt for asked in models.clips] == ["one", "two"]
        assert {asked.request.mode for asked in models.clips} == {"interpolate"}
        assert models.clips[0].settings.rate == 5

    def test_one_prompt_for_all(self, models, files, tmp_path) -> None:
        run(*files, *SMALL, "--prompt", "one", "-o", str(tmp_path / "out"))
        assert [asked.request.prompt for asked in models.clips] == ["one", "one"]

    def test_a_loop(self, models, files, tmp_path) -> None:
        run(files[0], *SMALL, "--loop", "-o", str(tmp_path / "out"))
        assert len(pictures(tmp_path / "out" / "frames")) == 15
        (asked,) = models.clips
        assert asked.request.mode == "loop" and asked.variant == "512_interp"
        assert asked.settings.num_frames == 16

    @pytest.mark.parametrize("with_config", [False, True])
    @pytest.mark.parametrize(
        ("name", "count", "variant"),
        [
            ("mine.ckpt", 1, "512"),
            ("mine.ckpt", 2, "512_interp"),
            ("my_512.ckpt", 1, "512"),
            ("interp_of_mine.ckpt", 1, "512_interp"),
        ],
    )
    def test_the_name_tells_one_from_the_other(
        self, models, files, tmp_path, name, count, variant, with_config
    ) -> None:
        """The tensors of both have the same names and shapes, and they have one configuration."""
        path, config = tmp_path / name, tmp_path / "a.yaml"
        path.write_bytes(b"PK")
        config.write_text(f"model:\n  params:\n    {CONFIGS['512']}\n")
        more = ["--config", str(config)] if with_config else []
        arguments = [*files[:count], *SMALL, "--checkpoint", str(path), *more]
        run(*arguments, "-o", str(tmp_path / "out"))
        assert models.clips[-1].variant == variant

    def test_a_plain_file_between_two_pictures(self, models, files, tmp_path, capsys) -> None:
        (tmp_path / "my_512.ckpt").write_bytes(b"PK")
        arguments = [*files[:2], "--checkpoint", str(tmp_path / "my_512.ckpt")]
        assert "this is the file, add --model 512_interp." in fails(capsys, *arguments)
        run(*arguments, *SMALL, "--model", "512_interp", "-o", str(tmp_path / "out"))


class TestOtherCommands:
    def test_evaluate_and_preview_take_the_result(self, models, files, tmp_path, capsys) -> None:
        for name in ("one", "two"):
            run(*files[:2], *SMALL, "-o", str(tmp_path / name))
        capsys.readouterr()
        assert main(["evaluate", str(tmp_path / "one"), str(tmp_path / "two"), "--json"]) == 0
        measured = json.loads(capsys.readouterr().out)
        assert '"ssim": 1.0' in json.dumps(measured)
        ends = [str(tmp_path / "one" / "frames" / f"{i}.png") for i in ("00", "15")]
        command = ["preview", *ends, *SMALL, "--frames", "3", "-o", str(tmp_path / "look")]
        assert main(command) == 0 and len(pictures(tmp_path / "look" / "frames")) == 3

    def test_evaluate_takes_several_videos(self, models, files, tmp_path, capsys) -> None:
        for name in ("one", "two"):
            run(files[0], *SMALL, "--n-samples", "2", "-o", str(tmp_path / name))
        assert main(["evaluate", str(tmp_path / "one"), str(tmp_path / "two")]) == 0


# The lines of the official scripts/run.sh and scripts/run_application.sh, with the values that
# their variables have.
TRAILING = "--timestep_spacing 'uniform_trailing' --guidance_rescale 0.7 --perframe_ae"
LINE = (
    "--seed {seed} --ckpt_path checkpoints/dynamicrafter_{name}_v1/model.ckpt --config "
    "configs/inference_{config}_v1.0.yaml --savedir results/{name}_seed{seed} --n_samples 1 --bs 1 "
    "--height {height} --width {width} --unconditional_guidance_scale 7.5 --ddim_steps 50 "
    "--ddim_eta 1.0 --prompt_dir prompts/{prompts}/ --text_input --video_length 16 "
    "--frame_stride {fs} {more}"
)
NAMES = ("name", "config", "seed", "height", "width", "prompts", "fs", "more")
ROWS = (
    ("256", "256", 123, 256, 256, "256", 3, ""),
    ("512", "512", 123, 320, 512, "512", 24, TRAILING),
    ("1024", "1024", 123, 576, 1024, "1024", 10, TRAILING),
    ("512_interp", "512", 12306, 320, 512, "512_interp", 5, f"{TRAILING} --interp"),
    ("512_interp", "512", 234, 320, 512, "512_loop", 5, f"{TRAILING} --loop"),
)
OFFICIAL = {row[5]: dict(zip(NAMES, row, strict=True)) for row in ROWS}
CONFIGS = {
    "256": "unet_config: {params: {default_fs: 3}}",
    "512": "parameterization: v\n    base_scale: 0.7\n    unet_config: {params: {default_fs: 24}}",
    "1024": "parameterization: v\n    base_scale: 0.3\n    unet_config: {params: {default_fs: 10}}",
}


@pytest.fixture
def official(tmp_path, monkeypatch) -> Path:
    """A folder as the official program works in: configurations, prompts and checkpoints."""
    home = tmp_path / "official"
    (home / "configs").mkdir(parents=True)
    for word, params in CONFIGS.items():
        text = f"model:\n  target: x\n  params:\n    {params}\n"
        (home / "configs" / f"inference_{word}_v1.0.yaml").write_text(text)
    for name in ("256", "512", "1024", "512_interp", "512_loop"):
        folder = home / "prompts" / name
        folder.mkdir(parents=True)
        (folder / "test_prompts.txt").write_text("  first prompt \n\nsecond prompt\n\n")
        for i in range(4 if name == "512_interp" else 2):
            Image.new("RGB", (64, 40), (50 * i, 90, 20)).save(folder / f"picture{i}.png")
    (home / "checkpoints").symlink_to(tmp_path / "models")
    monkeypatch.chdir(home)
    return home


class TestOfficialCommandLine:
    @pytest.mark.parametrize("name", OFFICIAL)
    def test_lines_of_the_official_scripts(self, models, official, name) -> None:
        values = OFFICIAL[name]
        run(*shlex.split(LINE.format(**values)))
        out = official / "results" / f"{values['name']}_seed{values['seed']}"
        stems = ["picture0", "picture2" if name == "512_interp" else "picture1"]
        videos = [f"{stem}_sample0.mp4" for stem in stems]
        assert sorted(path.name for path in out.glob("*.mp4")) == videos
        assert [x.request.prompt for x in models.clips] == ["first prompt", "second prompt"]
        length = 15 if name == "512_loop" else 16
        assert len(pictures(out / "frames" / "picture0_sample0")) == length
        asked = models.clips[-1]
        assert asked.variant == str(values["name"]) and asked.seed == values["seed"]
        found = asked.settings
        trailing = name != "256"
        assert (found.spacing, found.rescale, found.decode_chunk, found.rate) == (
            ("uniform_trailing", 0.7, 1) if trailing else ("uniform", 0.0, 2)
        ) + (values["fs"],)

    def test_a_folder_of_prompts_again(self, models, official, caplog) -> None:
        run("--prompt_dir", "prompts/512_interp", "--interp", "--text_input", *SMALL, "-o", "out")
        (official / "prompts" / "512_interp" / "picture3.png").unlink()
        Image.new("RGB", (64, 40)).save(official / "prompts" / "512_interp" / "picture4.png")
        text = official / "prompts" / "512_interp" / "test_prompts.txt"
        text.write_text("one\ntwo")
        run("--run", "out/run.json")
        prompts = [x.request.prompt for x in models.clips]
        assert prompts == ["first prompt", "second prompt", "one", "two"]
        assert f"{text} is not the file of the earlier run any more" in caplog.text
        inputs = json.loads(Path("out/run.json").read_text())["inputs"]
        assert [Path(inputs[f"prompt_dir{i}"]["path"]).name for i in (0, 1, 4)] == [
            "512_interp",
            "picture0.png",
            "picture3.png",
        ]

    def test_a_prompt_for_a_folder_of_prompts(self, models, official, capsys) -> None:
        run("--prompt_dir", "prompts/512", "--text_input", *SMALL, "-o", "out")
        message = fails(capsys, "--run", "out/run.json", "--prompt", "a")
        assert "--prompt_dir has pictures and prompts of its own: leave IMAGE and --pr" in message

    def test_every_other_option(self, models, official) -> None:
        line = (
            "--prompt_dir prompts/512 --n_samples 2 --multiple_cond_cfg --cfg_img 3 --perframe_ae"
        )
        line += " --negative_prompt --savedir out --height 64 --width 64 --timestep_spacing quad"
        run(*shlex.split(line))
        assert len(models.clips) == 4 and {x.request.prompt for x in models.clips} == {""}
        asked = models.clips[1]
        assert asked.settings.image_guidance == 3 and asked.settings.spacing == "quad"
        assert asked.request.negative_prompt == "" and asked.seed == 124
        names = [f"picture{i}_sample{k}.mp4" for i in (0, 1) for k in (0, 1)]
        assert sorted(path.name for path in Path("out").glob("*.mp4")) == names

    def test_both_guide_with_the_same_strength(self, models, files, tmp_path) -> None:
        line = ["--multiple_cond_cfg", "--guidance", "4", "--negative_prompt", "blur"]
        run(files[0], *SMALL, *line, "-o", str(tmp_path / "out"))
        (asked,) = models.clips
        assert asked.settings.image_guidance == asked.settings.guidance == 4
        assert asked.request.negative_prompt == "blur"

    def test_prompts_are_not_used_without_text_input(self, models, official, caplog) -> None:
        run("--prompt_dir", "prompts/512", *SMALL, "-o", "out")
        assert "The prompts of prompts/512 are not used: give --text_input." in caplog.text

    @pytest.mark.parametrize(
        ("arguments", "names"),
        [
            (["--ckpt_path", "a", "--checkpoint", "b"], ("--ckpt_path", "--checkpoint")),
            (["--savedir", "a", "-o", "b"], ("--savedir", "--output")),
            (["--perframe_ae", "--decode-chunk", "4"], ("--perframe_ae", "--decode-chunk")),
            (["--ddim_steps", "4", "--steps", "5"], ("--ddim_steps", "--steps")),
            (["--video_length", "4", "--frames", "5"], ("--video_length", "--frames")),
            (["--frame_stride", "4", "--fs", "5"], ("--frame_stride", "--fs")),
            (["--prompt_dir", "a", "b.png"], ("IMAGE", "--prompt_dir")),
            (["--prompt_dir", "a", "--prompt", "b"], ("--prompt", "--prompt_dir")),
            (["--loop", "--interp"], ("--loop", "--interp")),
            (["--bs", "2"], ("--bs", "--n-samples")),
        ],
    )
    def test_contradictions_name_both(self, models, capsys, arguments, names) -> None:
        message = fails(capsys, *arguments)
        assert all(name in message for name in names)

    def test_a_config_of_another_model(self, models, official, files, capsys) -> None:
        config = "configs/inference_1024_v1.0.yaml"
        message = fails(capsys, files[0], "--config", config, "--model", "512")
        assert f"--model is 512, but --config {config} is of the model 1024" in message
        for more in ([], ["--model", "1024"]):
            run(files[0], "--config", config, *more, *SMALL, "-o", "out")
            assert models.clips[-1].variant == "1024"

    @pytest.mark.parametrize("text", [None, "a: [1, 2]\n", "model: {params: {base_scale: 7}}\n"])
    def test_a_config_that_says_nothing(self, models, files, tmp_path, caplog, text) -> None:
        config = tmp_path / "my.yaml"
        if text:
            config.write_text(text)
        run(files[0], "--config", str(config), *SMALL, "-o", str(tmp_path / "out"))
        assert f"{config}" in caplog.text and "--config is ignored" in caplog.text
        assert models.clips[-1].variant == "512"


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--height", "100"], "expected a multiple of 64 from 64 to 4096, got 100: take 64 or"),
            (["--fs", "0"], "expected a whole number from 1 to 1000, got 0"),
            (["--fs", "-1"], "expected a whole number from 1 to 1000, got -1"),
            (["--frames", "1"], "expected a whole number from 2 to 1024, got 1"),
            (["--interp"], "Two or more pictures are needed"),
            (
                ["--prompt", "a", "--prompt", "b"],
                "There are 2 prompts for 1 clips: give one",
            ),
            (["--checkpoint", "/no/model.ckpt"], "There is no file /no/model.ckpt"),
        ],
    )
    def test_messages(self, files, tmp_path, capsys, arguments, message) -> None:
        out = tmp_path / "out"
        assert message in fails(capsys, files[0], *arguments, "-o", str(out))
        assert not out.exists()

    def test_numbers_of_pictures(self, models, files, capsys) -> None:
        assert "A picture is needed" in fails(capsys)
        message = fails(capsys, *files, "--loop")
        assert message.endswith("got 3. To go from picture to picture, leave --loop out.")
        message = fails(capsys, *files, *["--prompt", "a"] * 3)
        assert "There are 3 prompts for 2 clips" in message

    def test_a_model_that_does_not_interpolate(self, models, files, tmp_path, capsys) -> None:
        message = fails(capsys, *files[:2], "--model", "256", "-o", str(tmp_path / "out"))
        assert "DynamiCrafter (256 x 256) can't interpolate" in message
        assert "dynamicrafter_512_interp_v1/model.ckpt" in message

    def test_more_than_the_disk_holds(self, models, files, tmp_path, capsys) -> None:
        """50 TB: the room is reserved before a model is loaded."""
        out, huge = tmp_path / "out", ["--height", "4096", "--width", "4096", "--frames", "1024"]
        message = fails(capsys, files[0], *huge, "--n-samples", "1000", "-o", str(out))
        assert "choose a folder on another disk" in message
        assert not models.loaded and not out.exists()

    def test_a_missing_picture(self, models, capsys) -> None:
        assert fails(capsys, "/no/a.png") == "Error: There is no file /no/a.png."

    def test_another_number_of_frames(self, models, files, tmp_path, caplog) -> None:
        caplog.set_level(logging.INFO)
        run(files[0], *SMALL, "--frames", "20", "-o", str(tmp_path / "out"))
        assert "was trained with 16 frames, but the video has 20" in caplog.text
        assert len(pictures(tmp_path / "out" / "frames")) == 20

    @pytest.mark.parametrize("size", [(1, 1), (8000, 50)])
    def test_pictures_of_any_size_and_kind(self, models, tmp_path, size) -> None:
        path = tmp_path / "picture.png"
        Image.new("RGBA", size, (9, 8, 7, 100)).save(path)
        run(str(path), *SMALL, "-o", str(tmp_path / "out"))
        assert (pictures(tmp_path / "out" / "frames") == (9, 8, 7)).all()


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Path:
    """Tiny checkpoints with random values, and a tiny tokenizer."""
    folder = tmp_path_factory.mktemp("models")
    write_tokenizer(folder / "clip-vit-large-patch14")
    for word in ("256", "512_interp"):
        write_dynamicrafter(folder, word, fmt=".safetensors")
    return folder


class TestRealModels:
    """With networks that run, and with files that are no model."""

    TINY = ("--height", "64", "--width", "64", "--frames", "2", "--steps", "1", "--device", "cpu")

    def test_a_prompt_that_is_too_long(self, real, files, tmp_path, monkeypatch, caplog) -> None:
        monkeypatch.setenv("FCVG_MODELS", str(real))
        run(*files[:2], *self.TINY, "--prompt", "x" * 80, "-o", str(tmp_path / "out"))
        assert "The prompt has 80 tokens, but the model takes 75" in caplog.text
        saved = json.loads((tmp_path / "out" / "run.json").read_text())["options"]
        assert saved["model"] == "512_interp"
        assert pictures(tmp_path / "out" / "frames").shape == (2, 64, 64, 3)
        assert "STAND-IN" in caplog.text

    def test_a_256_file_between_two_pictures(self, real, files, tmp_path, capsys) -> None:
        path = str(real / "dynamicrafter_256_v1" / "model.safetensors")
        tokenizer = ["--tokenizer", str(real / "clip-vit-large-patch14")]
        message = fails(capsys, *files[:2], *self.TINY, "--checkpoint", path, *tokenizer)
        assert "(256 x 256) can't interpolate: load the file of DynamiCrafter 512 Interp" in message

    @pytest.mark.parametrize(
        ("names", "kind"),
        [
            (
                ["model.diffusion_model.input_blocks.1.0.in_layers.0.weight"],
                "a UNet without temporal layers (SD 1.5, 2 or XL)",
            ),
            (
                [
                    "model.diffusion_model.label_emb.0.0.weight",
                    "model.diffusion_model.input_blocks.1.0.time_stack.in_layers.0.weight",
                ],
                "an SVD UNet",
            ),
        ],
    )
    def test_a_checkpoint_of_another_model(self, files, tmp_path, capsys, names, kind) -> None:
        path = tmp_path / "other.safetensors"
        save_file({name: torch.zeros(2) for name in names}, path)
        message = fails(capsys, files[0], *self.TINY, "--checkpoint", str(path))
        assert f"{path.name} is {kind}, but a checkpoint or a UNet of DynamiCrafter is" in message

    def test_a_checkpoint_that_is_cut_off(self, real, files, tmp_path, capsys) -> None:
        path = tmp_path / "cut.safetensors"
        whole = (real / "dynamicrafter_256_v1" / "model.safetensors").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        message = fails(capsys, files[0], *self.TINY, "--checkpoint", str(path))
        assert str(path) in message and "incomplete" in message
