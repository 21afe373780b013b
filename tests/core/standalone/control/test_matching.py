"""Which matcher is chosen, and what is said where its files are missing."""

import logging

import numpy as np
import pytest
import torch

from fcvg_core.catalogue.comfyui import known_folders
from fcvg_core.lines import ClassicLineMatcher, GlueStickLineMatcher
from fcvg_core.lines.gluestick import Config
from fcvg_core.lines.gluestick_keys import gluestick_shapes, superpoint_shapes
from fcvg_core.standalone.control.matching import open_matcher
from fcvg_core.standalone.spec import MatcherChoice

SIZE = (64, 96)


def choose(**given):
    choice = MatcherChoice(**{"max_lines": 5, "max_pts": 10, **given})
    return open_matcher(choice, known_folders(), device=torch.device("cpu"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The two official files, with values that mean nothing."""
    folder = tmp_path_factory.mktemp("gluestick")
    shapes = gluestick_shapes(Config())
    weights = {f"matcher.module.{key}": torch.zeros(shape) for key, shape in shapes.items()}
    torch.save({"model": weights, "epoch": 3}, folder / "checkpoint_GlueStick_MD.tar")
    points = {key: torch.zeros(shape) for key, shape in superpoint_shapes().items()}
    torch.save(points, folder / "superpoint_v1.pth")
    return folder


def test_classic_where_there_are_no_files(monkeypatch, caplog):
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    caplog.set_level(logging.INFO)
    assert isinstance(choose(), ClassicLineMatcher)
    assert "by SIFT" in caplog.text and "`models --get` downloads them" in caplog.text
    caplog.clear()
    choose(matcher="classic")
    assert "by SIFT, homographies and optical flow." in caplog.text


def test_gluestick_where_its_files_are(monkeypatch, caplog, files):
    monkeypatch.setenv("FCVG_MODELS", str(files))
    caplog.set_level(logging.INFO)
    matcher = choose()
    assert isinstance(matcher, GlueStickLineMatcher)
    assert "by GlueStick" in caplog.text
    blank = np.zeros((*SIZE, 3), np.uint8)
    assert len(matcher(blank, blank).lines0) == 0
    assert isinstance(choose(matcher="classic"), ClassicLineMatcher)


def test_asked_for_and_not_there(monkeypatch, files):
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    with pytest.raises(ValueError, match=r"superpoint_v1.pth \(--superpoint; for non-commercial"):
        choose(matcher="gluestick", gluestick=files / "checkpoint_GlueStick_MD.tar")


def test_files_that_were_swapped(files):
    with pytest.raises(ValueError, match="superpoint_v1.pth"):
        choose(
            gluestick=files / "superpoint_v1.pth",
            superpoint=files / "checkpoint_GlueStick_MD.tar",
        )


def test_file_that_is_missing(files):
    with pytest.raises(ValueError, match="There is no file"):
        choose(gluestick=files / "none.tar", superpoint=files / "superpoint_v1.pth")
