"""The job of ControlNeXt-SVD: a picture of a person moves as drawn people do."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...catalogue.find import find_dwpose
from ...catalogue.model_files import Roots
from ...errors import UserError
from ...pose import PoseDetector
from ...standalone.networks.pipeline import VideoPipeline
from ..clips import Clip
from ..config import Clips, TrainingSpec
from ..data.cache import Contents
from ..data.driven import find_driven, open_people_finder, pack_frames, unpack_frames
from ..data.encoded import draw_latents, draw_whole, encode_clip
from ..data.frames import read_clip, read_guide
from ..data.hands import read_hands
from ..data.item import Item
from ..trained_sets import SVD
from .job import Tools, ids_of

MOST = 1000  # frames of a video that are used: they are in memory while they are encoded
WEIGHTS = "weights"


class Animate:
    """Any frame of the video is the reference; it stands before the frames of a part of it.

    As in ControlNeXt-SVD, the first frame of a clip and its control frame are replaced by the
    reference and its own people.
    """

    family = SVD
    default_start = "controlnext-svd"

    def finder_files(self, spec: TrainingSpec, roots: Roots) -> tuple[Path, ...]:
        """See `Job.finder_files`."""
        wanted = spec.conditions
        return find_dwpose(wanted.dwpose_det, wanted.dwpose_pose, roots) or ()

    def decides(self, item: Item, spec: TrainingSpec) -> dict[str, Any]:
        """See `Job.decides`."""
        wanted = spec.conditions
        return {
            "swapped": item.swapped,
            "hand_weight": wanted.hand_weight,
            "references": wanted.references,
        }

    def needs_finder(self, item: Item) -> bool:
        """See `Job.needs_finder`."""
        return item.guide is None

    def open_finder(self, spec: TrainingSpec, tools: Tools) -> PoseDetector:
        """See `Job.open_finder`."""
        return open_people_finder(spec.conditions, tools.roots, tools.device)

    def make_contents(
        self,
        item: Item,
        spec: TrainingSpec,
        encoders: VideoPipeline,
        finder: PoseDetector | None,
        seed: int,
    ) -> Contents:
        """See `Job.make_contents`."""
        data = spec.data
        frames = read_clip(item, data, MOST, exact=False)
        if item.guide is None:
            control = find_driven(frames, finder)
        else:
            control = read_guide(item, data, len(frames))
            frames = frames[: len(control)]
        if len(frames) < data.frames:
            raise UserError(
                f"The clip has {len(frames)} frames, but {data.frames} are needed: take a longer "
                "video, a smaller stride, or fewer frames."
            )
        encoded = encode_clip(
            encoders,
            frames,
            _spread(len(frames), spec.conditions.references),
            versions=data.versions,
            augmentation=data.augmentation,
            seed=seed,
            chunk=spec.machine.decode_chunk,
        )
        size = tuple(encoded.mean.shape[2:])
        return Contents(encoded, {**_pack(control), **_weigh_hands(item, spec, len(frames), size)})

    def clip(self, contents: Contents, spec: TrainingSpec, chance: torch.Generator | None) -> Clip:
        """See `Job.clip`. Without chance it is the video's beginning under the last reference."""
        encoded = contents.encoded
        numbers, which = _draw_frames(contents, spec.data, chance)
        weights = contents.tensors.get(WEIGHTS)
        if weights is not None:
            weights = weights[numbers].float()
            weights[0] = 1
        return Clip(
            latents=draw_latents(encoded, numbers, chance),
            images=encoded.images((which,), chance),
            control=torch.from_numpy(_unpack(contents.tensors, numbers)).movedim(-1, 1),
            ids=ids_of(spec.data),
            weights=weights,
        )

    def true_frames(self, item: Item, contents: Contents, spec: TrainingSpec) -> np.ndarray:
        """See `Job.true_frames`."""
        numbers, _ = _draw_frames(contents, spec.data, None)
        return read_clip(item, spec.data, MOST, exact=False)[numbers]


def _draw_frames(
    contents: Contents, data: Clips, chance: torch.Generator | None
) -> tuple[list[int], int]:
    """Numbers of a clip's frames, the reference's first; and which of the references it is."""
    at, places = contents.encoded.at, len(contents.encoded) - data.frames + 1
    start = 0 if chance is None else draw_whole(places, chance)
    which = len(at) - 1 if chance is None else draw_whole(len(at), chance)
    return [at[which], *range(start + 1, start + data.frames)], which


def _spread(count: int, most: int) -> tuple[int, ...]:
    """Frames of a video that can be the reference, spread evenly from the first to the last."""
    return tuple(sorted({round(place) for place in np.linspace(0, count - 1, min(most, count))}))


def _weigh_hands(
    item: Item, spec: TrainingSpec, count: int, size: tuple[int, int]
) -> dict[str, Tensor]:
    """How much each place of all frames counts, if hands count more."""
    factor = spec.conditions.hand_weight
    if not factor or item.details is None:
        return {}
    numbers = [item.start + i * item.stride for i in range(count)]
    weights = read_hands(item, spec.data, numbers, size, hand_weight=factor)
    return {} if weights is None else {WEIGHTS: weights.half()}


def _pack(control: np.ndarray) -> dict[str, Tensor]:
    """Control frames as tensors of bytes, one for each frame: a clip needs few of a long video."""
    packed = (bytearray(pack_frames(frame[None])) for frame in control)
    return {_name(i): torch.frombuffer(each, dtype=torch.uint8) for i, each in enumerate(packed)}


def _unpack(tensors: dict[str, Tensor], numbers: list[int]) -> np.ndarray:
    """Control frames uint8 [T, H, W, 3]."""
    names = [_name(number) for number in numbers]
    return np.concatenate(
        [unpack_frames(tensors[name].numpy().tobytes(), name="the cache") for name in names]
    )


def _name(number: int) -> str:
    return f"control {number:04d}"
