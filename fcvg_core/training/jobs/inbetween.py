"""The job of FCVG: the frames between the ends of a clip, in both directions of time."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...catalogue.find import find_dwpose, find_gluestick
from ...catalogue.model_files import Roots
from ...standalone.networks.pipeline import VideoPipeline
from ..clips import Clip
from ..config import TrainingSpec
from ..data.cache import Contents
from ..data.encoded import draw_latents, encode_clip
from ..data.frames import read_clip
from ..data.item import Item
from ..data.jitter import draw_control
from ..data.motion import ClipMotion, Finders, find_clip_motion, open_finders
from ..trained_sets import SVD
from .job import Tools, ids_of

MOTION = "motion"


class Inbetween:
    """The clip's true first and last frame are given; lines and people move between them."""

    family = SVD
    default_start = "fcvg"

    def finder_files(self, spec: TrainingSpec, roots: Roots) -> tuple[Path, ...]:
        """See `Job.finder_files`."""
        wanted, files = spec.conditions, ()
        if wanted.matcher != "classic":
            found = find_gluestick(wanted.gluestick, wanted.superpoint, roots)
            files = () if None in found else found
        if wanted.people:
            files += find_dwpose(wanted.dwpose_det, wanted.dwpose_pose, roots) or ()
        return files

    def decides(self, item: Item, spec: TrainingSpec) -> dict[str, Any]:
        """See `Job.decides`."""
        wanted = spec.conditions
        return {
            "people": wanted.people,
            "max_lines": wanted.max_lines,
            "max_pts": wanted.max_pts,
            "true_every": wanted.true_every if wanted.true_share else 0,
        }

    def needs_finder(self, item: Item) -> bool:
        """See `Job.needs_finder`."""
        return True

    def open_finder(self, spec: TrainingSpec, tools: Tools) -> Finders:
        """See `Job.open_finder`."""
        return open_finders(spec.conditions, tools.roots, tools.device)

    def make_contents(
        self,
        item: Item,
        spec: TrainingSpec,
        encoders: VideoPipeline,
        finder: Finders | None,
        seed: int,
    ) -> Contents:
        """See `Job.make_contents`."""
        data = spec.data
        frames = read_clip(item, data, data.frames)
        motion = find_clip_motion(
            frames, spec.conditions, finder, matches=item.matches, poses=item.poses
        )
        encoded = encode_clip(
            encoders,
            frames,
            (0, len(frames) - 1),
            versions=data.versions,
            augmentation=data.augmentation,
            seed=seed,
            chunk=spec.machine.decode_chunk,
        )
        return Contents(encoded, texts={MOTION: motion.to_text()})

    def clip(self, contents: Contents, spec: TrainingSpec, chance: torch.Generator | None) -> Clip:
        """See `Job.clip`."""
        encoded = contents.encoded
        motion = ClipMotion.from_text(contents.texts[MOTION], name="a file of the cache")
        control = draw_control(motion, spec.conditions, len(encoded), chance)
        return Clip(
            latents=draw_latents(encoded, range(len(encoded)), chance),
            images=encoded.images((0, 1), chance),
            control=torch.from_numpy(control).movedim(-1, 1),
            ids=ids_of(spec.data),
        )

    def true_frames(self, item: Item, contents: Contents, spec: TrainingSpec) -> np.ndarray:
        """See `Job.true_frames`."""
        return read_clip(item, spec.data, spec.data.frames)
