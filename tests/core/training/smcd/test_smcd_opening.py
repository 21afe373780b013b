"""What is found and checked before weights are read."""

import shutil

import pytest
from box_set_cases import write_got10k

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.commands.smcd_train import read_spec
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.training.smcd.run import WORDS, open_training
from fcvg_core.training.trained_sets import open_for_training


@pytest.fixture
def opened(places, tmp_path):
    """What is opened by the arguments of a small run and further ones."""

    def open_with(*more: str, start=places.first_stage):
        words = places.arguments(tmp_path, "--tune-from", str(start), *more)
        return open_training(read_spec(parse_options(words)))

    return open_with


def names_of(opened) -> set[str]:
    """Names of what is trained."""
    holds = opened.trained[1].holds
    return {name for name, _ in opened.start.network.named_parameters() if holds(name)}


def test_both_sets(opened):
    found = opened()
    assert [video.name for video in found.videos] == ["GOT-10k_Train_000001", "00f88c4f0a"]
    assert found.trained[0] == "picture" and found.count_trained() > 0
    assert next(found.start.network.parameters()).is_meta  # no weights are read


def test_chosen_modules(opened):
    """Parts of names, as in the official code; factors and the visual encoder in any case."""
    found = opened("--trainable_modules", "proj_out", "time_embed", "--datasets", "youvis")
    names = names_of(found)
    kinds = ("proj_out", "time_embed", "cross_alpha", "visual_encoder.")
    assert all(any(kind in name for kind in kinds) for name in names)
    assert all(any(kind in name for name in names) for kind in kinds)
    found = opened("--modules", "nothing_like_it")
    network = found.start.network.to_empty(device="cpu")
    with pytest.raises(UserError, match=r"no parameters unet.*nothing_like_it"):
        open_for_training(network, found.trained[1])


def test_without_position_net(opened, places, tmp_path):
    folder = shutil.copytree(places.first_stage, tmp_path / "start")
    (folder / "pytorch_model_1.bin").unlink()
    found = opened(start=folder)
    assert found.trained[0] == "picture+boxes"
    positions = {
        f"position_net.{n}" for n, _ in found.start.network.position_net.named_parameters()
    }
    assert positions <= names_of(found)


class TestRefused:
    def test_a_folder_with_checkpoints(self, opened, tmp_path):
        (tmp_path / "checkpoint-5").mkdir()
        with pytest.raises(UserError, match="There are checkpoints in .*--resume latest"):
            opened()

    def test_labels_of_another_text_encoder(self, opened, tmp_path):
        write_got10k(tmp_path / "sets", split="train", wide=12)
        with pytest.raises(UserError, match="12 numbers for the label .*64: make .* smcd-prepare"):
            opened("--data", str(tmp_path / "sets"), "--datasets", "got10k")

    def test_missing_data(self, opened, tmp_path):
        with pytest.raises(UserError, match="no folder got-10k"):
            opened("--data", str(tmp_path))

    def test_too_long_windows(self, opened):
        with pytest.raises(UserError, match="no usable video.*at least 30 frames"):
            opened("--frames", "30")

    def test_another_text_encoder(self, opened, places, tmp_path):
        """Files of another kind are named; see also the tests of the encoders."""
        with pytest.raises(UserError, match="holds no CLIP text encoder"):
            opened("--text-encoder", str(places.modelscope / "VQGAN_autoencoder.pth"))


def test_words_name_options_of_the_command():
    from fcvg_core.standalone.cli.commands import smcd_train
    from fcvg_core.standalone.cli.option_parser import Parser

    parser = Parser(prog="smcd-train")
    smcd_train.add_arguments(parser)
    known = {name for action in parser._actions for name in action.option_strings}
    words = " ".join(vars(WORDS).values()).replace(",", " ").replace(".", " ").split()
    assert {word for word in words if word.startswith("--")} <= known
