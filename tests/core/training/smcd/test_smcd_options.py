"""Options of smcd-train: the official configuration, and what is refused."""

import subprocess
import sys

import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.commands import smcd_train
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.training.smcd.official_config import to_options
from fcvg_core.training.smcd.spec import OFFICIAL, SmcdTrainingSpec

CONFIG = """
pretrained_model_path: "./stable-diffusion-v1-4"
output_dir: "./outputs/gligen-model_scope"
root_path: "./modelscope/text-to-video"
train_data:
  name: object_tracking
  path: "./sets"
  datasets:
    - "youvis"
  n_sample_frames: 16
  width: 320
  height: 256
  split: "train"
  num_max_obj: 4
tracker:
  entity: use-name
learning_rate: 3e-5
train_batch_size: 2
max_train_steps: 1000
checkpointing_steps: 100
lr_warmup_steps: 7
trainable_modules:
  - "gate_attn.cross"
seed: 5
mixed_precision: fp16
use_8bit_adam: False
gradient_checkpointing: True
colour: red
"""


def spec_of(*words: str) -> SmcdTrainingSpec:
    options = parse_options(["smcd-train", *words])
    smcd_train.check_official(options)
    return smcd_train.read_spec(options)


def refuses(words: str, *typed: str) -> None:
    with pytest.raises(UserError, match=words):
        spec_of(*typed)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "stage2.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_the_command_of_the_official_readme(config, caplog):
    """What is typed wins over the file, and the file wins over the defaults."""
    found = spec_of(
        *("--config", str(config), "--train_batch_size", "4", "--output_dir", "mine"),
        *("--gradient_accumulation_steps", "4", "--train_grounding", "vanilla_cross_vision"),
        *("--use_img_free_guidance", "--cross_vision", "--cat_init", "--use_wandb"),
        *("--tune_from_ckpt_path", "stage1", "--val_batch_size", "2"),
    )
    expected = {
        "tune_from": "stage1", "output": "mine", "root_path": None, "data": "sets",
        "datasets": ("youvis",), "frames": 16, "width": 320, "height": 256, "objects": 4,
        "steps": 1000, "batch": 4, "accumulate": 4, "rate": 3e-5, "warmup": 0, "seed": 5,
        "modules": ("gate_attn.cross",), "drop_picture": True, "every": 100, "dtype": "auto",
    }  # fmt: skip
    options = found.options()
    assert {k: str(v) for k, v in options.items() if k in expected} == {
        k: str(v) for k, v in expected.items()
    }
    assert "no folder ./modelscope/text-to-video" in caplog.text and "colour" in caplog.text


def test_defaults_are_those_of_the_official_second_stage():
    options = SmcdTrainingSpec().options()
    official = {
        "learning_rate": 5e-5, "max_train_steps": 200_000, "checkpointing_steps": 10_000,
        "train_batch_size": 2, "gradient_accumulation_steps": 1, "lr_warmup_steps": 0,
        "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_weight_decay": 1e-2, "max_grad_norm": 1.0,
        "use_img_free_guidance": False, "n_sample_frames": 8, "num_max_obj": 8,
        "gradient_checkpointing": True, "scale_lr": False,
    }  # fmt: skip
    assert {name: options[OFFICIAL[name]] for name in official} == official
    assert (options["seed"], options["width"], options["height"]) == (33, 256, 256)


class TestRefused:
    def test_first_stage(self, tmp_path):
        said = "first stage of SMCD's training .* not supported.*official code can't run"
        refuses(said, "--train_grounding", "vanilla")
        with pytest.raises(UserError, match=said):
            to_options({"train_data": {"name": "gligen"}}, name="stage1.yaml")

    @pytest.mark.parametrize("name", smcd_train.REFUSED)
    def test_research_paths(self, name, capsys):
        with pytest.raises(SystemExit):
            spec_of(name)
        assert f"{name} is refused: {smcd_train.REFUSED[name]}" in capsys.readouterr().err

    def test_other_models(self):
        refuses("expected vanilla_cross_vision", "--train_grounding", "double")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"train_data": {"name": "webvid"}}, "train_data is of .webvid.; expected object_tr"),
            ({"train_data": 3}, "train_data is .*3.*expected a table"),
            ({"use_8bit_adam": True}, "use_8bit_adam is not supported"),
            ({"lr_scheduler": "cosine"}, "expected constant or constant_with_warmup"),
        ],
    )
    def test_configurations(self, content, words):
        with pytest.raises(UserError, match=words):
            to_options(content, name="a.yaml")

    def test_values_of_a_configuration(self, config):
        config.write_text("learning_rate: fast\n")
        refuses("stage2.yaml: rate is .fast.: expected a number", "--config", str(config))
        config.write_text("train_data: {datasets: [lasot]}\n")
        refuses("datasets is .*expected one or several", "--config", str(config))
        refuses("no file .*gone.yaml", "--config", "gone.yaml")

    def test_nothing_to_start_from(self, places, tmp_path, capsys):
        from fcvg_core.standalone.cli.main import main

        assert main(places.arguments(tmp_path)) == 2
        assert "Nothing to start from is named: give --tune-from" in capsys.readouterr().err


def test_a_folder_that_is_called_like_a_number():
    content = {"output_dir": "2024", "learning_rate": "5e-5"}
    assert to_options(content, name="a.yaml") == {"output": "2024", "rate": 5e-5}


def test_warmup_of_a_schedule_that_has_one():
    content = {"lr_scheduler": "constant_with_warmup", "lr_warmup_steps": 9}
    assert to_options(content, name="a.yaml") == {"warmup": 9}


def test_help_needs_no_torch():
    code = "import sys; from fcvg_core.standalone.cli.commands import smcd_train; "
    done = subprocess.run([sys.executable, "-c", f"{code}assert 'torch' not in sys.modules"])
    assert done.returncode == 0
