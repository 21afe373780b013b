"""LPIPS and FVMD, with stand-ins for their packages."""

import sys

import numpy as np
import pytest
import torch
from evaluation_cases import (
    PIPS_URL,
    install_fvmd,
    install_lpips,
    moving_square,
    without_packages,
    write_clip,
)
from PIL import Image

from fcvg_core.standalone.evaluation.clips import pair_clips
from fcvg_core.standalone.evaluation.optional import open_fvmd, open_lpips

CPU = torch.device("cpu")


def the_line(caplog) -> str:
    """The only line of the log."""
    (record,) = caplog.records
    return record.getMessage()


class TestLpips:
    def test_of_each_frame(self, tmp_path, monkeypatch, caplog):
        install_lpips(tmp_path, monkeypatch)
        truth, result = moving_square(), moving_square(shift=2)
        expected = np.abs(truth / 255 - result / 255).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(open_lpips(CPU)(truth, result), expected, atol=1e-6)
        assert not caplog.records

    def test_without_its_package(self, monkeypatch, caplog):
        without_packages(monkeypatch)
        assert open_lpips(CPU) is None
        assert the_line(caplog).startswith("LPIPS is left out: its package is missing (")
        assert the_line(caplog).endswith(f"{sys.executable} -m pip install lpips==0.1.4.")

    def test_without_weights_nothing_is_downloaded(self, tmp_path, monkeypatch, caplog):
        cache = install_lpips(tmp_path, monkeypatch)
        (weights,) = cache.iterdir()
        weights.unlink()
        monkeypatch.setattr(sys.modules["lpips"], "LPIPS", lambda **_: pytest.fail("opened"))
        assert open_lpips(CPU) is None
        line = the_line(caplog)
        assert "nothing is downloaded here: save https://" in line and f"as {weights}." in line

    def test_weights_with_code(self, tmp_path, monkeypatch, caplog):
        (weights,) = install_lpips(tmp_path, monkeypatch).iterdir()
        torch.save({"weight": print}, weights)
        monkeypatch.setattr(sys.modules["lpips"], "LPIPS", lambda **_: pytest.fail("opened"))
        assert open_lpips(CPU) is None
        assert "code in it is never run" in the_line(caplog)


class TestFvmd:
    def pairs(self, folder, count=17):
        for i in range(2):
            write_clip(folder / "true" / f"clip_dwpose{i}", moving_square(count))
            write_clip(folder / "found" / f"clip_dwpose{i}", moving_square(count, shift=i))
        return pair_clips(folder / "true", [folder / "found"])[folder / "found"]

    def test_of_all_clips(self, tmp_path, monkeypatch, capsys):
        calls = []
        install_fvmd(tmp_path, monkeypatch, calls)
        assert open_fvmd()(self.pairs(tmp_path)) == 200
        (got,) = calls
        assert got["truth"].shape == got["result"].shape == (2, 17, 256, 256, 3)
        for kind, shift in (("truth", 0), ("result", 1)):
            frame = Image.fromarray(moving_square(17, shift=shift)[8])
            expected = frame.resize((256, 256), Image.Resampling.BILINEAR)
            np.testing.assert_array_equal(got[kind][1, 8], expected)
        assert capsys.readouterr().out == ""

    def test_without_its_package(self, monkeypatch, caplog):
        without_packages(monkeypatch)
        assert open_fvmd() is None
        assert "-m pip install fvmd==1.0.0. This replaces other packages" in the_line(caplog)

    def test_without_a_card(self, tmp_path, monkeypatch, caplog):
        install_fvmd(tmp_path, monkeypatch, [])
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        assert open_fvmd() is None
        assert "FVMD is left out: torch finds no NVIDIA card" in the_line(caplog)

    def test_without_weights_nothing_is_downloaded(self, tmp_path, monkeypatch, caplog):
        (weights,) = install_fvmd(tmp_path, monkeypatch, []).iterdir()
        weights.unlink()
        assert open_fvmd() is None
        assert f"save {PIPS_URL} as {weights}." in the_line(caplog)

    def test_short_clips(self, tmp_path, monkeypatch, caplog):
        calls = []
        install_fvmd(tmp_path, monkeypatch, calls)
        assert open_fvmd()(self.pairs(tmp_path, count=15)) is None
        assert "it needs clips of at least 17 frames" in the_line(caplog) and not calls

    def test_a_package_that_fails(self, tmp_path, monkeypatch, caplog):
        install_fvmd(tmp_path, monkeypatch, [])

        def fvmd(log_dir, gen_path, gt_path):
            raise AttributeError("module 'matplotlib.cm' has no attribute 'get_cmap'")

        monkeypatch.setattr(sys.modules["fvmd"], "fvmd", fvmd)
        assert open_fvmd()(self.pairs(tmp_path)) is None
        assert "its package failed (module 'matplotlib.cm'" in the_line(caplog)
