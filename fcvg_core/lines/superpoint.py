"""SuperPoint: a grey frame -> keypoints, and descriptors that can be sampled at any point.

Attributes have the names of the checkpoint.

Source: SuperPoint (arXiv 1712.07629); cvg/GlueStick gluestick/models/superpoint.py.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELL = 8  # pixels; one output of the network stands for a square of this side
THRESHOLD = 0.005  # keypoints have higher scores
NMS_RADIUS = 4  # pixels
BORDER = 4  # pixels at each edge without keypoints
BAND_PIXELS = 65536  # pixels of a band, which is computed at a time
MIN_BAND = 32  # smallest number of rows of a band; it must be even
LAYERS = {  # channels in and out, kernel size
    "conv1a": (1, 64, 3), "conv1b": (64, 64, 3), "conv2a": (64, 64, 3), "conv2b": (64, 64, 3),
    "conv3a": (64, 128, 3), "conv3b": (128, 128, 3), "conv4a": (128, 128, 3),
    "conv4b": (128, 128, 3), "convPa": (128, 256, 3), "convPb": (256, CELL**2 + 1, 1),
    "convDa": (128, 256, 3), "convDb": (256, 256, 1),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Keypoints and descriptors that SuperPoint finds in a frame.

    Attributes:
        points: [M, 2] (x, y) in pixels; the origin is the middle of the first pixel.
        scores: [M] 0..1.
        dense: [D, h, w] descriptors of unit length, one per cell of 8 x 8 pixels.
    """

    points: Tensor
    scores: Tensor
    dense: Tensor


class SuperPoint(nn.Module):
    """Network: a keypoint score for every pixel and a descriptor for every cell."""

    def __init__(self, *, operations=nn, dtype=None, device=None):
        super().__init__()
        self.dtype = dtype or torch.float32  # number format of the convolutions; a host may set it
        for name, (channels, out_channels, size) in LAYERS.items():
            layer = operations.Conv2d(
                channels, out_channels, size, padding=size // 2, dtype=dtype, device=device
            )
            self.add_module(name, layer)

    def forward(self, gray: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and descriptors.

        Args:
            gray: [B, 1, H, W] in 0..1. Rows and columns beyond a multiple of 8 get no scores.

        Returns:
            [B, 8h, 8w] score of every pixel, [B, D, h, w] descriptors of unit length; float32.
        """
        x = gray.to(self.dtype)
        for stage in "123":
            x = self._halved(stage, x)
        x = F.relu_(self._convolved("4", x))
        logits = self.convPb(F.relu_(self.convPa(x))).float()
        # The last channel stands for "no keypoint in this cell".
        scores = F.pixel_shuffle(logits.softmax(1)[:, :-1], CELL)[:, 0]
        descriptors = F.normalize(self.convDb(F.relu_(self.convDa(x))).float(), dim=1)
        return scores, descriptors

    def _convolved(self, stage: str, x: Tensor) -> Tensor:
        """Output of both convolutions of a stage. Channels last is faster on a CPU."""
        x = getattr(self, f"conv{stage}a")(x).contiguous(memory_format=torch.channels_last)
        return getattr(self, f"conv{stage}b")(F.relu_(x))

    def _halved(self, stage: str, x: Tensor) -> Tensor:
        """Output of a stage at half the size: [B, C, H, W] -> [B, C', H / 2, W / 2].

        Computed band by band, so that the hidden values of a band fit into the processor's cache.
        Each band includes the neighbouring rows that its convolutions need, so the result is the
        same as without bands.
        """
        height, width = x.shape[2:]
        rows = max(BAND_PIXELS // width // 2 * 2, MIN_BAND)
        bands = []
        for start in range(0, height // 2 * 2, rows):
            top = max(start - 2, 0)
            band = self._convolved(stage, x[:, :, top : start + rows + 2])
            band = band[:, :, start - top : start - top + rows]
            bands.append(F.relu_(F.max_pool2d(band, 2)))  # ReLU last: a quarter of the values
        return torch.cat(bands, dim=2)


def find_keypoints(
    scores: Tensor, dense: Tensor, *, max_keypoints: int, threshold: float = THRESHOLD
) -> Keypoints:
    """The strongest keypoints of one frame.

    Args:
        scores: [8h, 8w] from `SuperPoint`.
        dense: [D, h, w] from `SuperPoint`.
        max_keypoints: if more keypoints are found, the best are kept, sorted by score; otherwise
            all are kept, in raster order.
        threshold: minimum score of a keypoint, exclusive.
    """
    peaks = suppress_neighbours(scores)
    inside = torch.zeros_like(peaks, dtype=torch.bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    rows, columns = torch.nonzero((peaks > threshold) & inside, as_tuple=True)
    strengths = peaks[rows, columns]
    if 0 <= max_keypoints < len(strengths):
        strengths, best = strengths.topk(max_keypoints, sorted=True)
        rows, columns = rows[best], columns[best]
    return Keypoints(torch.stack([columns, rows], dim=1).float(), strengths, dense)


def suppress_neighbours(scores: Tensor, radius: int = NMS_RADIUS) -> Tensor:
    """Scores [H, W] of local maxima, 0 elsewhere.

    Maxima are searched two more times, each time among the pixels that are not near a maximum.
    """
    zeros = torch.zeros_like(scores)
    peaks = scores == _max_around(scores, radius)
    for _ in range(2):
        near = _max_around(peaks.to(scores), radius) > 0
        rest = torch.where(near, zeros, scores)
        peaks = peaks | ((rest == _max_around(rest, radius)) & ~near)
    return torch.where(peaks, scores, zeros)


def sample_descriptors(dense: Tensor, points: Tensor) -> Tensor:
    """Descriptors interpolated at points (x, y): [D, h, w], [M, 2] pixels -> [D, M], length 1."""
    height, width = dense.shape[1:]
    # The middle of the first cell is at pixel 3.5. The official code divides by the size - 4.5.
    scale = points.new_tensor([width, height]) * CELL - (CELL / 2 + 0.5)
    places = (points - (CELL / 2 - 0.5)) / scale * 2 - 1  # [M, 2] in -1..1
    sampled = F.grid_sample(dense[None], places[None, None].to(dense), align_corners=True)
    return F.normalize(sampled[0, :, 0], dim=0)


def _max_around(values: Tensor, radius: int) -> Tensor:
    """Maximum of the square around each pixel, for values [H, W] >= 0.

    Gives the result of max_pool2d, but many times faster: it takes maxima of 2, 4, 8, ...
    neighbours, first down the columns and then along the rows.
    """
    window = 2 * radius + 1
    for axis in (0, 1):
        reach = 1
        values = F.pad(values, (0, 0, radius, radius) if axis == 0 else (radius, radius))
        while reach < window:
            step = min(reach, window - reach)
            length = values.shape[axis] - step
            values = torch.maximum(
                values.narrow(axis, 0, length), values.narrow(axis, step, length)
            )
            reach += step
    return values
