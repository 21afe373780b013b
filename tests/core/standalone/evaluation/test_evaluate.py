"""Results against the truth, from their files to the measures."""

import numpy as np
import torch
from evaluation_cases import (
    install_fvmd,
    install_lpips,
    moving_square,
    without_packages,
    write_clip,
)

from fcvg_core.measures import psnr
from fcvg_core.standalone.evaluation import evaluate_results

CPU = torch.device("cpu")


def test_several_results(tmp_path, monkeypatch):
    without_packages(monkeypatch)
    truth = write_clip(tmp_path / "truth", moving_square())
    results = [write_clip(tmp_path / f"r{i}", moving_square(shift=i)) for i in (2, 3)]
    told = []
    found = evaluate_results(truth, results, device=CPU, progress=lambda *x: told.append(x))
    assert [one.path for one in found] == results and found[0].size == (48, 64)
    for one, shift in zip(found, (2, 3), strict=True):
        (clip,) = one.clips
        np.testing.assert_array_equal(
            clip.frames["psnr"], psnr(moving_square(), moving_square(shift=shift))
        )
        assert one.fvmd is None and "lpips" not in clip.frames
    assert told[4] == (str(results[0]), 5, 5) and len(told) == 10


def test_folders_of_clips(tmp_path, monkeypatch):
    install_lpips(tmp_path / "torch", monkeypatch)
    install_fvmd(tmp_path / "torch", monkeypatch, [])
    for name, shift in (("a", 0), ("b", 2)):
        write_clip(tmp_path / "true" / name, moving_square(17))
        write_clip(tmp_path / "found" / name, moving_square(17, shift=shift))
    (one,) = evaluate_results(tmp_path / "true", [tmp_path / "found"], device=CPU)
    assert [clip.name for clip in one.clips] == ["a", "b"] and one.fvmd == 200
    values = one.between("lpips")
    assert len(values) == 30 and not values[:15].any() and values[15:].all()
