"""The benchmark of exact savings, at the smallest size."""

import importlib.util
import re
import sys

import pytest
import torch
from hosts import ROOT

pytest.importorskip("diffusers")


@pytest.fixture
def savings(pack, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])  # the benchmark adds to it
    spec = importlib.util.spec_from_file_location("savings", ROOT / "benchmarks" / "savings.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "savings", module)  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PACK", pack.__name__)
    import comfy.ldm.modules.attention as attention

    monkeypatch.setattr(attention, "optimized_attention", attention.attention_pytorch)
    return module


@pytest.mark.slow
def test_table(savings, capsys) -> None:
    savings.compare(savings.Machine((8, 8), frames=2, runs=1))
    found = re.findall(
        r"^(\S.*?), a \w+ +before +([\d.]+).*\n +after +([\d.]+)", capsys.readouterr().out, re.M
    )
    shares = {name: 1 - float(after) / float(before) for name, before, after in found}
    assert shares == {
        "One token in cross-attention": pytest.approx(0.036, abs=0.001),
        "ControlNeXt before the timestep": pytest.approx(0.006, abs=0.001),
        "Image latents in the first convolution": pytest.approx(0.0001, abs=0.0001),
    }


@torch.inference_mode()
def test_difference_of_both_keyframes_at_once(savings, stand_ins) -> None:
    found = savings.keyframes(savings.Machine((8, 8), frames=2, runs=1), stand_ins)
    assert found.keys() == {"the VAE", "CLIP"}
    for before, after, difference in found.values():
        assert after.peak > 1.5 * before.peak
        assert difference < 1e-4
