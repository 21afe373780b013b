"""Clips to evaluate, and stand-ins of the packages lpips and fvmd with the same calls."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from PIL import Image
from torchvision.models import AlexNet_Weights

PIPS_URL = "https://127.0.0.1/releases/pips2_weights.pth"


def moving_square(
    count: int = 5, *, shift: int = 0, size: tuple[int, int] = (48, 64)
) -> np.ndarray:
    """A white square that moves to the right; `shift` moves it down, but not at both ends."""
    frames = np.full((count, *size, 3), 40, np.uint8)
    for i, frame in enumerate(frames):
        top = 8 + (shift if 0 < i < count - 1 else 0)
        frame[top : top + 16, 4 + 2 * i : 20 + 2 * i] = 220
    return frames


def write_clip(folder: Path, frames: np.ndarray) -> Path:
    """Frames as pictures in a new folder."""
    folder.mkdir(parents=True)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{i:02d}.png")
    return folder


def without_packages(monkeypatch) -> None:
    """Make lpips and fvmd packages that are not installed."""
    for name in ("lpips", "fvmd", "fvmd.keypoint_tracking"):
        monkeypatch.setitem(sys.modules, name, None)


def save_weights(folder: Path, monkeypatch, *urls: str) -> Path:
    """Let `folder` be torch's cache, with files of weights from these addresses in it."""
    monkeypatch.setenv("TORCH_HOME", str(folder))
    cache = folder / "hub" / "checkpoints"
    cache.mkdir(parents=True, exist_ok=True)
    for url in urls:
        torch.save({"weight": torch.zeros(1)}, cache / url.rpartition("/")[2])
    return cache


def install_lpips(folder: Path, monkeypatch) -> Path:
    """A stand-in for lpips 0.1.4, and its weights; returns the folder of weights."""

    class LPIPS(torch.nn.Module):
        def __init__(
            self,
            pretrained=True,
            net="alex",
            version="0.1",
            lpips=True,
            spatial=False,
            pnet_rand=False,
            pnet_tune=False,
            use_dropout=True,
            model_path=None,
            eval_mode=True,
            verbose=True,
        ):
            super().__init__()
            assert (net, version, verbose) == ("alex", "0.1", False)

        def forward(self, in0, in1, retPerLayer=False, normalize=False):  # noqa: N803
            assert normalize and in0.shape[1] == 3
            assert in0.min() >= 0 and in0.max() <= 1
            return (in0 - in1).abs().mean(dim=(1, 2, 3), keepdim=True)

    module = ModuleType("lpips")
    module.LPIPS = LPIPS
    monkeypatch.setitem(sys.modules, "lpips", module)
    return save_weights(folder, monkeypatch, AlexNet_Weights.DEFAULT.url)


def install_fvmd(folder: Path, monkeypatch, calls: list[dict[str, np.ndarray]]) -> Path:
    """A stand-in for fvmd 1.0.0, its weights and a card; returns the folder of weights.

    It gives 100 times the number of clips, and adds the frames that it got to `calls`.
    """

    def fvmd(log_dir: str, gen_path: str, gt_path: str):
        got = {}
        for kind, path in (("result", gen_path), ("truth", gt_path)):
            clips = sorted(Path(path).iterdir())
            frames = [[np.array(Image.open(x)) for x in sorted(clip.iterdir())] for clip in clips]
            got[kind] = np.array(frames)
        calls.append(got)
        (Path(log_dir) / "velocity_gen.npy").write_bytes(b"")
        print("| Modules | Parameters |")
        return np.float64(100 * len(got["truth"]))

    package, tracking = ModuleType("fvmd"), ModuleType("fvmd.keypoint_tracking")
    package.fvmd, tracking.PIPS_WEIGHTS = fvmd, PIPS_URL
    monkeypatch.setitem(sys.modules, "fvmd", package)
    monkeypatch.setitem(sys.modules, "fvmd.keypoint_tracking", tracking)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    return save_weights(folder, monkeypatch, PIPS_URL)
