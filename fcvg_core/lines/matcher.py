"""Two frames -> line matches by GlueStick: segments, keypoints, wireframes, matching network.

Source: GlueStick (arXiv 2304.02008); cvg/GlueStick gluestick/models/two_view_pipeline.py.
"""

import copy
import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..choices import LINE_DETECTORS
from ..frames import to_gray
from .filter import drop_points
from .gluestick import NO_MATCH, Config, GlueStickNetwork, assign
from .gluestick_keys import GLUESTICK_FILE, SUPERPOINT_FILE, read_gluestick, read_superpoint
from .lsd import MAX_LINES, MIN_LENGTH, detect_lines
from .superpoint import THRESHOLD, SuperPoint, find_keypoints
from .types import LineMatches, LineSegments, Wireframe, check_frame_size
from .wireframe import build_wireframe

MAX_KEYPOINTS = 1000  # per frame; FCVG's value
MATCH_THRESHOLD = 0.2  # GlueStick's value
KEPT_FRAMES = 3  # number of wireframes that are kept: two of a pair, and one of the next frame


class GlueStick(nn.Module):
    """SuperPoint and GlueStick's network in one module, so that a host moves them together."""

    def __init__(self, config: Config | None = None, *, operations=nn, dtype=None, device=None):
        super().__init__()
        make = {"operations": operations, "dtype": dtype, "device": device}
        self.superpoint = SuperPoint(**make)
        self.matcher = GlueStickNetwork(config, **make)


def build_gluestick(
    gluestick_state: Any,
    superpoint_state: Any,
    *,
    names: tuple[str, str] = (GLUESTICK_FILE, SUPERPOINT_FILE),
    operations=nn,
    dtype=None,
    device=None,
) -> GlueStick:
    """GlueStick with the weights of the two official files.

    Args:
        gluestick_state, superpoint_state: contents of the files, from
            `torch.load(..., weights_only=True)`; None if a file is missing.
        names: names of the two files, for messages.
        operations: namespace of the layer classes `Linear` and `Conv2d`.
        dtype: number format of the weights; None: float32.
        device: device of the weights; None: torch's default device.

    Raises:
        UserError: a file is missing, or it is a different file; the message says which kind of
            file it seems to be.
    """
    matcher = read_gluestick(gluestick_state, name=names[0])
    superpoint = read_superpoint(superpoint_state, name=names[1])
    model = GlueStick(operations=operations, dtype=dtype, device=device)
    _fill(model.matcher, matcher, dtype)
    _fill(model.superpoint, superpoint, dtype)
    model.superpoint.to(memory_format=torch.channels_last)
    return model.eval().requires_grad_(False)


def gluestick_dtype(*, fast_half: bool) -> torch.dtype:
    """Number format for GlueStick's weights: float16 if the device is fast at half precision.

    On the golden cases float16 finds the same matches as float32; bfloat16 loses keypoints.
    """
    return torch.float16 if fast_half else torch.float32


def _fill(network: nn.Module, weights: dict[str, Tensor], dtype: torch.dtype | None) -> None:
    """Load weights into a network in the number format of its layers; buffers keep their format.

    The layers of a host may have no weights yet. Such layers take the format of the loaded weights.
    """
    kept = dict(network.named_buffers())
    network.load_state_dict(
        {key: value if key in kept else value.to(dtype=dtype) for key, value in weights.items()}
    )


class GlueStickLineMatcher:
    """Matches the line segments of two frames with GlueStick.

    The wireframes of recent frames are kept in main memory. So keyframe B is analysed once for
    the pairs A, B and B, C, and a change of `threshold` analyses no frame again.

    Args:
        model: from `build_gluestick`.
        max_keypoints: maximum number of keypoints per frame, besides the segments' ends.
        max_lines: maximum number of segments per frame.
        min_length: shortest segment, in pixels.
        threshold: minimum probability of a match, 0..1, exclusive.
        detector: what finds the segments, one of LINE_DETECTORS.
        keypoint_threshold: minimum score of a keypoint, 0..1, exclusive.
        device: where to compute; None: on the device of the weights.

    Raises:
        ValueError: the detector is unknown, or a maximum number is below 1.

    Source: cvg/GlueStick gluestick/models/two_view_pipeline.py; the defaults are FCVG's.
    """

    def __init__(
        self,
        model: GlueStick,
        *,
        max_keypoints: int = MAX_KEYPOINTS,
        max_lines: int = MAX_LINES,
        min_length: float = MIN_LENGTH,
        threshold: float = MATCH_THRESHOLD,
        detector: str = "opencv",
        keypoint_threshold: float = THRESHOLD,
        device: torch.device | None = None,
    ) -> None:
        self.model = model
        self.max_keypoints, self.max_lines = max_keypoints, max_lines
        self.min_length, self.detector = min_length, detector
        self.threshold, self.keypoint_threshold = threshold, keypoint_threshold
        self.device = device
        self._wireframes: dict[tuple, Wireframe] = {}  # kept wireframes, the latest last
        self._check()

    def with_settings(self, **settings) -> "GlueStickLineMatcher":
        """A matcher with the same model and the same kept wireframes, but other settings.

        Args:
            settings: new values by name. All other settings are copied from this matcher.

        Raises:
            ValueError: the detector is unknown, or a maximum number is below 1.
            TypeError: a setting is unknown.
        """
        unknown = settings.keys() - vars(self).keys()
        if unknown or "model" in settings:
            raise TypeError(f"unknown matcher settings: {', '.join(unknown or ['model'])}")
        other = copy.copy(self)
        vars(other).update(settings)
        other._check()
        return other

    def __call__(self, frame0: np.ndarray, frame1: np.ndarray) -> LineMatches:
        """Matched segments of two frames, in the order of the first frame's segments.

        Args:
            frame0, frame1: [H, W, 3] uint8, at least 64 pixels a side. Their sizes may differ;
                segments are in the pixels of their own frame.

        Returns:
            N >= 0 matches with their probabilities, on the CPU; `size` is the first frame's size.

        Raises:
            ValueError: a frame is not [H, W, 3] uint8.
            UserError: a frame is too small.
        """
        gray0, gray1 = _checked_gray(frame0), _checked_gray(frame1)
        wireframes = self.find_wireframe(gray0), self.find_wireframe(gray1)
        return match_wireframes(self.model.matcher, *wireframes, threshold=self.threshold)

    @torch.no_grad()
    def find_wireframe(self, gray: np.ndarray) -> Wireframe:
        """Wireframe of a frame [H, W] uint8, taken from the kept wireframes if it is there."""
        key = (gray.shape, hashlib.sha256(gray.tobytes()).digest(), self._settings())
        wireframe = self._wireframes.pop(key, None)
        if wireframe is None:
            segments = detect_lines(
                gray,
                max_lines=self.max_lines,
                min_length=self.min_length,
                detector=self.detector,
            )
            wireframe = _moved(self.join_segments(gray, segments), torch.device("cpu"))
        self._wireframes[key] = wireframe
        while len(self._wireframes) > KEPT_FRAMES:
            del self._wireframes[next(iter(self._wireframes))]
        return _moved(wireframe, self._device())

    @torch.no_grad()
    def join_segments(self, gray: np.ndarray, segments: LineSegments) -> Wireframe:
        """Wireframe of the given segments and the keypoints of a frame [H, W] uint8."""
        image = torch.from_numpy(gray.astype(np.float32)).to(self._device()) / 255
        scores, dense = self.model.superpoint(image[None, None])
        keypoints = find_keypoints(
            scores[0],
            dense[0],
            max_keypoints=self.max_keypoints,
            threshold=self.keypoint_threshold,
        )
        return build_wireframe(segments, keypoints, gray.shape)

    def _device(self) -> torch.device:
        return self.device or self.model.superpoint.convPb.weight.device

    def _settings(self) -> tuple:
        """The settings that a wireframe depends on."""
        keypoints = self.max_keypoints, self.keypoint_threshold
        return *keypoints, self.max_lines, self.min_length, self.detector

    def _check(self) -> None:
        if self.detector not in LINE_DETECTORS:
            raise ValueError(
                f"expected one of the detectors {', '.join(LINE_DETECTORS)}, got {self.detector!r}"
            )
        if self.max_keypoints < 1 or self.max_lines < 1:
            raise ValueError(
                "expected max_keypoints and max_lines of at least 1, "
                f"got {self.max_keypoints} and {self.max_lines}"
            )


def _moved(wireframe: Wireframe, device: torch.device) -> Wireframe:
    """The same wireframe with its tensors on a device."""
    tensors = {key: x.to(device) for key, x in vars(wireframe).items() if torch.is_tensor(x)}
    return replace(wireframe, **tensors)


@torch.no_grad()
def match_wireframes(
    network: GlueStickNetwork, wireframe0: Wireframe, wireframe1: Wireframe, *, threshold: float
) -> LineMatches:
    """Matches whose two segments are each other's best partner, in the order of `wireframe0`.

    Args:
        network: with loaded weights.
        wireframe0, wireframe1: on one device, with N >= 0 segments.
        threshold: minimum probability of a match, 0..1, exclusive.

    Returns:
        Matches on the CPU. Segments end in junctions, so they differ a little from the detected
        segments.

    Differs: a segment whose two ends fall into the same junction in both frames is left out; the
        official code draws it as a dot. The colours of the other lines are the official colours.
    """
    lines0, lines1 = wireframe0.lines, wireframe1.lines
    found = len(lines0), len(lines1)
    if not all(found):
        return LineMatches(lines0[:0].cpu(), lines1[:0].cpu(), wireframe0.size, found=found)
    assigned = assign(network(wireframe0, wireframe1), threshold=threshold)
    kept = (assigned.matches0 != NO_MATCH).nonzero()[:, 0]
    matches = LineMatches(
        lines0=lines0[kept].cpu(),
        lines1=lines1[assigned.matches0[kept]].cpu(),
        size=wireframe0.size,
        scores=assigned.scores0[kept].cpu(),
        found=found,
    )
    return drop_points(matches)


def _checked_gray(frame: np.ndarray) -> np.ndarray:
    """A frame as grey values, if it is large enough."""
    gray = to_gray(frame)
    check_frame_size(gray)
    return gray
