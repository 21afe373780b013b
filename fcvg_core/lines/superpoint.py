"""SuperPoint: a grey frame -> keypoints, and descriptors that can be asked for anywhere.

Attribute names are the checkpoint's.

Source: SuperPoint (arXiv 1712.07629); cvg/GlueStick gluestick/models/superpoint.py.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELL = 8  # pixels a side that one output of the network stands for
THRESHOLD = 0.005  # of a keypoint's score, exclusive
NMS_RADIUS = 4  # pixels
BORDER = 4  # pixels without keypoints
BAND_PIXELS, MIN_BAND = 65536, 32  # of what is worked out at a time; rows at least, an even number
LAYERS = {  # channels in and out, kernel size
    "conv1a": (1, 64, 3), "conv1b": (64, 64, 3), "conv2a": (64, 64, 3), "conv2b": (64, 64, 3),
    "conv3a": (64, 128, 3), "conv3b": (128, 128, 3), "conv4a": (128, 128, 3),
    "conv4b": (128, 128, 3), "convPa": (128, 256, 3), "convPb": (256, CELL**2 + 1, 1),
    "convDa": (128, 256, 3), "convDb": (256, 256, 1),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Keypoints:
    """What SuperPoint sees in a frame.

    Attributes:
        points: [M, 2] (x, y) in pixels, the origin at the middle of the first pixel.
        scores: [M] 0..1.
        dense: [D, h, w] descriptors of unit length, one a cell of 8 x 8 pixels.
    """

    points: Tensor
    scores: Tensor
    dense: Tensor


class SuperPoint(nn.Module):
    """Keypoint scores of every pixel, and a descriptor of every cell."""

    def __init__(self, *, operations=nn, dtype=None, device=None):
        super().__init__()
        self.dtype = dtype or torch.float32  # of the convolutions; a host may set another one
        for name, (channels, out_channels, size) in LAYERS.items():
            layer = operations.Conv2d(
                channels, out_channels, size, padding=size // 2, dtype=dtype, device=device
            )
            self.add_module(name, layer)

    def forward(self, gray: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and descriptors.

        Args:
            gray: [B, 1, H, W] in 0..1; what exceeds a multiple of 8 gets no scores.

        Returns:
            [B, 8h, 8w] scores of every pixel, [B, D, h, w] descriptors of unit length; float32.
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
        """After both convolutions of a stage; channels last, which is faster on a CPU."""
        x = getattr(self, f"conv{stage}a")(x).contiguous(memory_format=torch.channels_last)
        return getattr(self, f"conv{stage}b")(F.relu_(x))

    def _halved(self, stage: str, x: Tensor) -> Tensor:
        """After a stage and at half the size: [B, C, H, W] -> [B, C', H / 2, W / 2].

        Band by band, so that a band's hidden values stay in the processor's cache. Each band is
        worked out with the rows around it that its convolutions see, so nothing changes.
        """
        height, width = x.shape[2:]
        rows = max(BAND_PIXELS // width // 2 * 2, MIN_BAND)
        bands = []
        for start in range(0, height // 2 * 2, rows):
            top = max(start - 2, 0)
            band = self._convolved(stage, x[:, :, top : start + rows + 2])
            band = band[:, :, start - top : start - top + rows]
            bands.append(F.relu_(F.max_pool2d(band, 2)))  # in this order: a quarter of the work
        return torch.cat(bands, dim=2)


def find_keypoints(
    scores: Tensor, dense: Tensor, *, max_keypoints: int, threshold: float = THRESHOLD
) -> Keypoints:
    """The strongest keypoints of one frame.

    Args:
        scores: [8h, 8w] of `SuperPoint`.
        dense: [D, h, w] of `SuperPoint`.
        max_keypoints: the best come first where there are more; else they are in raster order.
    """
    peaks = suppress_neighbours(scores)
    inside = torch.zeros_like(peaks, dtype=torch.bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    rows, columns = torch.nonzero((peaks > threshold) & inside, as_tuple=True)
    found = peaks[rows, columns]
    if 0 <= max_keypoints < len(found):
        found, best = found.topk(max_keypoints, sorted=True)
        rows, columns = rows[best], columns[best]
    return Keypoints(torch.stack([columns, rows], dim=1).float(), found, dense)


def suppress_neighbours(scores: Tensor, radius: int = NMS_RADIUS) -> Tensor:
    """Scores [H, W] of local maxima, 0 elsewhere; twice more among what these leave."""
    zeros = torch.zeros_like(scores)
    peaks = scores == _max_around(scores, radius)
    for _ in range(2):
        near = _max_around(peaks.to(scores), radius) > 0
        rest = torch.where(near, zeros, scores)
        peaks = peaks | ((rest == _max_around(rest, radius)) & ~near)
    return torch.where(peaks, scores, zeros)


def sample_descriptors(dense: Tensor, points: Tensor) -> Tensor:
    """Descriptors between cells: [D, h, w] at [M, 2] pixels (x, y) -> [D, M] of unit length."""
    height, width = dense.shape[1:]
    # The middle of the first cell is 3.5 pixels in; the reference divides by 4.5 less.
    scale = points.new_tensor([width, height]) * CELL - (CELL / 2 + 0.5)
    where = (points - (CELL / 2 - 0.5)) / scale * 2 - 1
    sampled = F.grid_sample(dense[None], where[None, None].to(dense), align_corners=True)
    return F.normalize(sampled[0, :, 0], dim=0)


def _max_around(values: Tensor, radius: int) -> Tensor:
    """Maximum of the square around each pixel, for values [H, W] of at least 0.

    Equal to max_pool2d, and many times faster: maxima of 2, 4, 8 and so on neighbours, one axis
    after the other.
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
