"""A model of DynamiCrafter that paints at once and remembers what it was asked for."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fcvg_core.estimate import DYNAMICRAFTER, Networks
from fcvg_core.models.dynamicrafter.keys import CheckpointParts, find_variant
from fcvg_core.models.dynamicrafter.variants import VARIANTS, Variant
from fcvg_core.standalone import clip_model
from fcvg_core.standalone.networks.dynamicrafter import (
    ClipRequest,
    ClipSettings,
    DynamiCrafterFiles,
)

SCALES = {"1024": 0.3, "256": None}  # what a path holds -> what the tensors of the file would tell


@dataclass
class Asked:
    """A clip that was asked for."""

    request: ClipRequest
    settings: ClipSettings
    seed: int
    variant: str


@dataclass
class FakeModels:
    """Stands for the checked files of a model, and for its pipeline.

    Attributes:
        clips: what was asked for, in order.
        loaded: the variants whose weights were read.
        files: the files that were checked.
        found: parts of the model that are in known folders.
        are_stand_ins: whether the models say that they are stand-ins.
        darken: whether all pictures become darker, the given pictures too.
    """

    clips: list[Asked] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    files: list[DynamiCrafterFiles] = field(default_factory=list)
    found: dict[str, Path] = field(default_factory=dict)
    are_stand_ins: bool = True
    darken: bool = False

    def check(self, files: DynamiCrafterFiles, dtype: Any, *, interpolates: bool) -> "FakeChecked":
        """As `check_files`: tensors would tell a model by itself, of which the path tells here."""
        self.files.append(files)
        path = "/".join(files.checkpoint.parts[-2:])
        scale = next((scale for mark, scale in SCALES.items() if mark in path), 0.7)
        parts = CheckpointParts(unet={}, base_scale=scale, is_256=scale is None)
        chosen = {"chosen": files.variant, "interpolates": interpolates}
        variant = find_variant(parts, name=path, **chosen)
        return FakeChecked(self, replace(files, **self.found), variant, self.are_stand_ins)


@dataclass
class FakeChecked:
    """As `CheckedModels`."""

    models: FakeModels
    files: DynamiCrafterFiles
    variant: Variant
    is_stand_in: bool

    def networks(self) -> Networks:
        return DYNAMICRAFTER

    def load(self, device: Any, offload: bool, progress: Any) -> "FakeChecked":
        self.models.loaded.append(self.variant.word)
        progress("loading", 1, 1)
        return self

    def __call__(
        self, request: ClipRequest, settings: ClipSettings, *, seed: int, progress: Any
    ) -> np.ndarray:
        """A picture that moves to the right, or one that turns into another."""
        self.models.clips.append(Asked(request, settings, seed, self.variant.word))
        progress("denoising", settings.steps, settings.steps)
        count, first = settings.num_frames, request.first
        if request.last is None:
            frames = np.stack([np.roll(first, i, axis=1) for i in range(count)])
        else:
            times = np.linspace(0, 1, count)[:, None, None, None]
            frames = np.rint(first * (1 - times) + request.last * times).astype(np.uint8)
        return frames // 2 if self.models.darken else frames


def use_fake_models(monkeypatch: pytest.MonkeyPatch, folder: Path) -> FakeModels:
    """Fake models, whose four empty checkpoints lie in a folder as FCVG_MODELS has them."""
    models = FakeModels()
    monkeypatch.setattr(clip_model, "check_files", models.check)
    monkeypatch.setenv("FCVG_MODELS", str(folder))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    for word in VARIANTS:
        path = folder / f"dynamicrafter_{word}_v1" / "model.ckpt"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"PK")
    return models
