"""What a validation measures and writes, on a task that needs no network."""

import json

import numpy as np
import pytest
import torch
from evaluation_cases import moving_square, without_packages
from PIL import Image
from torch import nn

from fcvg_core.errors import UserError
from fcvg_core.measures import psnr
from fcvg_core.training.config import Validation
from fcvg_core.training.task import Painted
from fcvg_core.training.validation import LEVELS, validate

SETTINGS = Validation(every=10, clips=2, painted=1)


class Held:
    """Held-out clips whose losses and frames are made up; it notes what it was asked for."""

    def __init__(self, *names: str, frames: int = 5, size: int = 64, loss: float = 1.0):
        self.names, self.frames, self.size, self.loss = names, frames, size, loss
        self.asked: list[tuple[int, float, int]] = []
        self.modes: set[bool] = set()

    def held_out(self):
        return self.names

    def loss_at(self, network, index, level, seed):
        self.asked.append((index, level, seed))
        self.modes.add(network.training)
        assert not torch.is_grad_enabled()
        return self.loss * level + index

    def paint(self, index):
        truth = moving_square(self.frames)[:, : self.size, : self.size]
        control = np.zeros_like(truth) if index == 0 else None
        return Painted(self.names[index], truth, control, np.roll(truth, 3, 2))


@pytest.fixture(autouse=True)
def _without_packages(monkeypatch) -> None:
    without_packages(monkeypatch)


@pytest.fixture
def network() -> nn.Module:
    return nn.Linear(1, 1).train()


def test_losses_and_pictures(network, tmp_path):
    task = Held("a dance", "b", "c")
    found = validate(task, network, SETTINGS, tmp_path / "validation", 500)
    folder = tmp_path / "validation" / "step-000500"
    assert sorted(path.name for path in folder.iterdir()) == ["a dance.jpg", "measures.json"]
    with Image.open(folder / "a dance.jpg") as picture:
        assert picture.format == "JPEG"
        assert picture.height == 3 * 192 + 2 * 4  # truth, control, result
    content = json.loads((folder / "measures.json").read_text())
    assert content["loss"] == found["loss"]
    assert found["loss"] == pytest.approx({f"{x:g}": x + 0.5 for x in LEVELS})
    truth = moving_square(5)[:, :64, :64]
    expected = psnr(truth, np.roll(truth, 3, 2))
    (row,) = content["painted"]["results"]
    assert row["clips"][0]["per_frame"]["psnr"] == pytest.approx(expected, abs=1e-6)
    assert found["psnr"] == row["mean"]["psnr"] == pytest.approx(expected[1:-1].mean(), abs=1e-6)


def test_the_noise_of_a_clip_is_the_same_each_time(network, tmp_path):
    task = Held("a", "b")
    validate(task, network, SETTINGS, tmp_path, 1)
    first = list(task.asked)
    validate(task, network, SETTINGS, tmp_path, 2)
    assert task.asked == 2 * first and len(first) == 2 * len(LEVELS)
    assert {(index, seed) for index, _, seed in first} == {(0, 0), (1, 1)}
    assert task.modes == {False} and network.training  # as it was


def test_a_loss_that_is_no_number_is_null(network, tmp_path):
    found = validate(Held("a", loss=float("nan")), network, SETTINGS, tmp_path, 1)
    assert set(found["loss"].values()) == {None}
    assert json.loads((tmp_path / "step-000001" / "measures.json").read_text())["loss"]["2"] is None


@pytest.mark.parametrize(
    "task", [Held(), Held("two", frames=2), Held("tiny", size=16)], ids=["none", "two", "tiny"]
)
def test_nothing_that_can_be_measured(network, tmp_path, task):
    found = validate(task, network, SETTINGS, tmp_path, 1)
    folder = tmp_path / "step-000001"
    assert list(found) == ["loss"]
    assert json.loads((folder / "measures.json").read_text())["painted"] is None
    assert len(list(folder.glob("*.jpg"))) == len(task.names)


def test_a_clip_without_control_has_two_rows(network, tmp_path):
    validate(Held("a", "b"), network, Validation(clips=0, painted=2), tmp_path, 1)
    heights = [Image.open(tmp_path / "step-000001" / f"{name}.jpg").height for name in "ab"]
    assert heights[1] < heights[0]


def test_missing_packages_are_named_once(network, tmp_path, caplog):
    for step in (1, 2):
        validate(Held("a"), network, SETTINGS, tmp_path, step)
    assert caplog.text.count("LPIPS is left out") <= 1


def test_a_place_that_can_not_be_written(network, tmp_path):
    (tmp_path / "validation").write_text("a file")
    with pytest.raises(UserError, match="validation"):
        validate(Held("a"), network, SETTINGS, tmp_path / "validation", 1)
