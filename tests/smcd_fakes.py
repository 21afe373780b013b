"""A model of SMCD that paints at once and remembers what it was asked for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fcvg_core.network_costs import SMCD, Networks
from fcvg_core.standalone import smcd
from fcvg_core.standalone.networks.smcd import SmcdFiles, SmcdRequest, SmcdSettings


@dataclass
class FakeSmcd:
    """Stands for the checked files of a model, and for its pipeline.

    Attributes:
        videos: requests, settings and seeds, in order.
        checked: the files that were checked.
        loaded: how often weights were read.
    """

    videos: list[tuple[SmcdRequest, SmcdSettings, int]] = field(default_factory=list)
    checked: list[SmcdFiles] = field(default_factory=list)
    loaded: int = 0
    is_stand_in: bool = True

    @property
    def files(self) -> SmcdFiles:
        return self.checked[-1]

    def check(self, files: SmcdFiles, dtype: Any, roots: Any) -> "FakeSmcd":
        """As `check_smcd`."""
        self.checked.append(files)
        return self

    def networks(self) -> Networks:
        return SMCD

    def load(self, device: Any, offload: bool, progress: Any) -> "FakeSmcd":
        self.loaded += 1
        progress("loading", 1, 1)
        return self

    def __call__(
        self, request: SmcdRequest, settings: SmcdSettings, *, seed: int, progress: Any
    ) -> np.ndarray:
        """A picture that moves to the right, by a pixel a frame."""
        self.videos.append((request, settings, seed))
        progress("denoising", settings.steps, settings.steps)
        return np.stack([np.roll(request.first, i + 1, axis=1) for i in range(settings.num_frames)])


def use_fake_smcd(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeSmcd:
    """A fake model, in an empty folder of FCVG_MODELS."""
    model, weights = FakeSmcd(), folder / "smcd"
    weights.mkdir(parents=True)
    monkeypatch.setattr(smcd, "check_smcd", model.check)
    monkeypatch.setattr(smcd, "find_smcd", lambda roots: weights)
    monkeypatch.setenv("FCVG_MODELS", str(folder))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    return model
