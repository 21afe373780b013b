"""Training learns: 30 steps on two drawn clips, over the committed VAE; the export paints."""

import json

import numpy as np
import pytest
from learning_cases import SIDE, TWO_CLIPS, benchmark, learn_small, small_clips
from safetensors import safe_open

# 30 steps of a UNet and a ControlNeXt: the only test in which they are trained to an end.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learn")
    learn_small(folder)
    return folder


def test_the_loss_falls(output):
    lines = map(json.loads, (output / "run" / "log.jsonl").read_text("utf-8").splitlines())
    losses = [line["validation"]["2"] for line in lines if "validation" in line]
    assert losses[0] == pytest.approx(1.1, abs=0.1)  # of networks that know nothing
    assert losses[-1] < 0.75 * losses[0]


def test_the_export_paints(output, monkeypatch):
    faces = benchmark("two_clips_faces")
    monkeypatch.setattr(faces, "SAMPLING_STEPS", 2)
    clip = small_clips()[0]
    frames = faces.paint_clip(faces.open_pipeline(output / "models"), clip, clip.control)
    assert frames.shape == (5, SIDE, SIDE, 3) and frames.std() > 10


def test_the_committed_models_know_two_clips():
    """What is committed is what docs/training.md shows, and small enough."""
    figures, faces = benchmark("two_clips_figures"), benchmark("two_clips_faces")
    clips = benchmark("two_clips").draw_clips(benchmark("learn").SEED)
    pipeline = faces.open_pipeline(TWO_CLIPS)
    clip, other = clips
    painted = {
        "own": faces.paint_clip(pipeline, clip, clip.control),
        "other": faces.paint_clip(pipeline, clip, other.control),
        "black": faces.paint_clip(pipeline, clip, np.zeros_like(clip.control)),
        "vae": faces.through_vae(pipeline, clip.frames),
    }
    found = figures.measure(clip, other, painted)
    for mark in figures.FULL:
        assert mark.figure not in found or mark.is_reached(found[mark.figure]), mark.figure


def test_the_committed_files():
    files = [path for path in TWO_CLIPS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 26 * 2**20
    for path in TWO_CLIPS.rglob("*.safetensors"):
        with safe_open(path, "np") as opened:
            keys = opened.keys()
            assert "benchmarks/learn.py" in "".join(opened.metadata().values()), path
            assert {opened.get_slice(key).get_dtype() for key in keys} == {"F16"}
