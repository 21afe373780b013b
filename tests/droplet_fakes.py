"""A model of DropletVideo that paints at once and remembers what it was asked for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fcvg_core.models.dropletvideo import rules
from fcvg_core.models.dropletvideo.config import ModelSettings
from fcvg_core.network_costs import DROPLETVIDEO, Networks
from fcvg_core.standalone import droplet
from fcvg_core.standalone.networks.dropletvideo import (
    DropletFiles,
    DropletRequest,
    DropletSettings,
)


@dataclass
class FakeDroplet:
    """Stands for the checked files of a model, and for its pipeline.

    Attributes:
        videos: requests, settings and seeds, in order.
        checked: the files that were checked.
        loaded: how often weights were read.
        settings: what its configuration files say.
    """

    videos: list[tuple[DropletRequest, DropletSettings, int]] = field(default_factory=list)
    checked: list[DropletFiles] = field(default_factory=list)
    loaded: int = 0
    settings: ModelSettings = field(default_factory=ModelSettings)
    is_stand_in: bool = True

    @property
    def files(self) -> DropletFiles:
        return self.checked[-1]

    def check(self, files: DropletFiles, dtype: Any, roots: Any) -> "FakeDroplet":
        """As `check_droplet`."""
        self.checked.append(files)
        return self

    def networks(self) -> Networks:
        return DROPLETVIDEO

    def load(self, device: Any, offload: bool, progress: Any) -> "FakeDroplet":
        self.loaded += 1
        progress("loading", 1, 1)
        return self

    def __call__(
        self, request: DropletRequest, settings: DropletSettings, *, seed: int, progress: Any
    ) -> np.ndarray:
        """A picture that moves to the right, by a pixel a frame."""
        self.videos.append((request, settings, seed))
        progress("denoising", settings.steps, settings.steps)
        decoded = rules.decoded_frames(rules.count_latents(settings.num_frames))
        return np.stack([np.roll(request.first, i, axis=1) for i in range(decoded)])


def use_fake_droplet(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeDroplet:
    """A fake model, in an empty folder of FCVG_MODELS."""
    model, weights = FakeDroplet(), folder / "DropletVideo-V1.0-weights"
    weights.mkdir(parents=True)
    monkeypatch.setattr(droplet, "check_droplet", model.check)
    monkeypatch.setattr(droplet, "find_droplet", lambda roots: weights)
    monkeypatch.setenv("FCVG_MODELS", str(folder))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    return model
