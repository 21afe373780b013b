"""GlueStick's network: two wireframes -> probabilities that two segments match.

The points of both frames go through every linear layer together; only the attention layers
treat the frames separately. The network loads weights from `gluestick_keys.fold`: there the
normalisation layers, the channel order of the attention and its last projection are folded into
the neighbouring layers.

Source: GlueStick (arXiv 2304.02008); cvg/GlueStick gluestick/models/gluestick.py.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .types import Wireframe

SIZE_FACTOR = 0.7  # coordinates are divided by this fraction of the longer side
NO_MATCH = -1


@dataclass(frozen=True)
class Config:
    """Sizes of the network; the defaults are the sizes of the published network."""

    dim: int = 256  # length of a descriptor
    heads: int = 4
    encoder: tuple[int, ...] = (32, 64, 128, 256)  # widths of the hidden layers
    rounds: int = 9  # each round: self-attention, line layer, cross-attention


@dataclass(frozen=True, eq=False)
class Assignment:
    """Matches between the segments of frame 0 and frame 1.

    Attributes:
        log: [N0 + 1, N1 + 1] float32 log probabilities; the last row and column: no partner.
        matches0: [N0] int64, index of the partner in frame 1, or -1.
        scores0: [N0] float32 in 0..1, probability of the match; 0 unless both segments are each
            other's best partner.
    """

    log: Tensor
    matches0: Tensor
    scores0: Tensor


class GlueStickNetwork(nn.Module):
    """Attention within and across two wireframes."""

    def __init__(self, config: Config | None = None, *, operations=nn, dtype=None, device=None):
        super().__init__()
        self.config = config = config or Config()
        self.dtype = dtype or torch.float32
        make = {"dtype": dtype, "device": device}
        dim, hidden = config.dim, 2 * config.dim
        self.kenc = _mlp((3, *config.encoder, dim), operations, make)
        self.lenc = _mlp((5, *config.encoder, dim), operations, make)
        self.layers = nn.ModuleList(
            AttentionLayer(dim, config.heads, operations, make) for _ in range(2 * config.rounds)
        )
        self.line_layers = nn.ModuleList(
            _mlp((3 * dim, hidden, dim), operations, make) for _ in range(config.rounds)
        )
        # Not used for lines. Kept for the checkpoint's strict load; the tests match points with it.
        self.final_proj = operations.Linear(dim, dim, **make)
        self.final_line_proj = operations.Linear(dim, dim, **make)
        for name in ("bin_score", "line_bin_score"):
            self.register_buffer(name, torch.ones((), dtype=torch.float32, device=device))

    def forward(self, wireframe0: Wireframe, wireframe1: Wireframe) -> Tensor:
        """Log probabilities that two segments match.

        Args:
            wireframe0, wireframe1: on one device; each has at least one segment.

        Returns:
            [N0 + 1, N1 + 1] float32; the last row and column: no partner.
        """
        hidden0, hidden1 = self.describe_points(wireframe0, wireframe1)
        scores = self.line_scores(hidden0, hidden1, wireframe0, wireframe1)
        return log_double_softmax(scores, self.line_bin_score.to(scores))

    def describe_points(
        self, wireframe0: Wireframe, wireframe1: Wireframe
    ) -> tuple[Tensor, Tensor]:
        """Descriptors of points after all rounds of attention: [M0, D], [M1, D]; M >= 1."""
        both = (wireframe0, wireframe1)
        count = len(wireframe0.points)
        hidden = torch.cat([frame.descriptors.T for frame in both]).to(self.dtype)
        hidden = hidden + self.kenc(torch.cat([keypoint_inputs(f) for f in both]).to(hidden))
        if len(wireframe0.lines) and len(wireframe1.lines):
            places = torch.cat([wireframe0.line_points, wireframe1.line_points + count])
            lines = self.lenc(torch.cat([endpoint_inputs(f) for f in both]).to(hidden))
            share = end_shares(places, len(hidden)).to(hidden)
        else:  # as in the official code, which skips all line layers if one frame has no segments
            places = None
        for i, line_layer in enumerate(self.line_layers):
            hidden = self.layers[2 * i](hidden, count, cross=False)
            if places is not None:
                hidden = update_line_endpoints(line_layer, hidden, lines, places, share)
            hidden = self.layers[2 * i + 1](hidden, count, cross=True)
        return hidden[:count], hidden[count:]

    def line_scores(
        self, hidden0: Tensor, hidden1: Tensor, wireframe0: Wireframe, wireframe1: Wireframe
    ) -> Tensor:
        """Likeness of segments, with their ends in the better of both orders: [N0, N1] float32."""
        # Computed per pair of junctions, so that segments with the same ends get equal scores.
        most0, most1 = 2 * len(wireframe0.lines), 2 * len(wireframe1.lines)
        points = likeness(self.final_line_proj, hidden0[:most0], hidden1[:most1])
        start0, end0 = wireframe0.line_points.unbind(1)
        start1, end1 = (ends[None] for ends in wireframe1.line_points.unbind(1))
        start0, end0 = start0[:, None], end0[:, None]
        direct = points[start0, start1] + points[end0, end1]
        swapped = points[start0, end1] + points[end0, start1]
        return 0.5 * torch.maximum(direct, swapped)


class AttentionLayer(nn.Module):
    """Updates each point from the points of its own frame, or of the other frame."""

    def __init__(self, dim: int, heads: int, operations, make: dict):
        super().__init__()
        self.heads = heads
        self.qkv = operations.Linear(dim, 3 * dim, **make)
        self.mlp = _mlp((2 * dim, 2 * dim, dim), operations, make)

    def forward(self, hidden: Tensor, count: int, *, cross: bool) -> Tensor:
        """Updated points of both frames: [M0 + M1, D] -> [M0 + M1, D]; M0 is `count`."""
        query, key, value = (
            x.unflatten(1, (self.heads, -1)).transpose(0, 1)[None]  # [1, heads, M, D / heads]
            for x in self.qkv(hidden).chunk(3, dim=1)
        )
        own, other = slice(None, count), slice(count, None)
        sources = ((own, other), (other, own)) if cross else ((own, own), (other, other))
        message = torch.cat(
            [
                F.scaled_dot_product_attention(
                    query[:, :, to], key[:, :, source], value[:, :, source]
                )
                for to, source in sources
            ],
            dim=2,
        )
        message = message[0].transpose(0, 1).flatten(1)
        return hidden + self.mlp(torch.cat([hidden, message], dim=1))


def update_line_endpoints(
    mlp: nn.Module, hidden: Tensor, lines: Tensor, places: Tensor, share: Tensor
) -> Tensor:
    """Points at the ends of segments, each updated from the other ends of its segments.

    Args:
        mlp: the line layer.
        hidden: [M, D] points.
        lines: [2N, D] encoded ends.
        places: [N, 2] index of each end's point.
        share: [2N, 1] from `end_shares`.

    Returns:
        [M, D] points.
    """
    near, far = hidden[places.flatten()], hidden[places.flip(1).flatten()]
    message = mlp(torch.cat([near, far, lines], dim=1)) * share
    return hidden.index_add(0, places.flatten(), message)


def end_shares(places: Tensor, num_points: int) -> Tensor:
    """1 / number of ends that share the point of each end: [N, 2] -> [2N, 1] float32."""
    flat = places.flatten()
    ones = torch.ones(len(flat), device=flat.device)
    ends = ones.new_zeros(num_points).index_add(0, flat, ones)
    return (1 / ends[flat])[:, None]


def keypoint_inputs(wireframe: Wireframe) -> Tensor:
    """Normalised position and score of each point: [M, 3]."""
    places = normalize_points(wireframe.points, wireframe.size)
    return torch.cat([places, wireframe.scores[:, None]], dim=1)


def endpoint_inputs(wireframe: Wireframe) -> Tensor:
    """Position of each end, the vector to the other end, and a score: [2N, 5].

    As in the official code, end c gets the score of segment c mod N, not the score of its own
    segment. The weights were trained with these scores.
    """
    ends = normalize_points(wireframe.lines, wireframe.size)
    ways = ends.flip(1) - ends
    scores = wireframe.line_scores.repeat(2)
    return torch.cat([ends.flatten(0, 1), ways.flatten(0, 1), scores[:, None]], dim=1)


def normalize_points(points: Tensor, size: tuple[int, int]) -> Tensor:
    """Pixels (x, y) [..., 2] -> about -0.7..0.7, with 0 at the middle of the frame.

    `size` is the frame's (height, width).
    """
    height, width = size
    middle = torch.stack([points[..., 0] - width / 2, points[..., 1] - height / 2], dim=-1)
    return middle / (SIZE_FACTOR * max(size))


def likeness(proj: nn.Module, hidden0: Tensor, hidden1: Tensor) -> Tensor:
    """Scaled products of projected descriptors: [M0, D], [M1, D] -> [M0, M1] float32."""
    first, second = proj(hidden0).float(), proj(hidden1).float()
    return first @ second.T / hidden0.shape[1] ** 0.5


def log_double_softmax(scores: Tensor, bin_score: Tensor) -> Tensor:
    """Log probabilities of matches, the mean of both directions: [N0, N1] -> [N0 + 1, N1 + 1].

    Args:
        scores: likeness of each pair.
        bin_score: scalar, the score of "no partner".
    """
    count0, count1 = scores.shape
    rows = torch.cat([scores, bin_score.expand(count0, 1)], dim=1).log_softmax(dim=1)
    columns = torch.cat([scores, bin_score.expand(1, count1)], dim=0).log_softmax(dim=0)
    log = scores.new_zeros(count0 + 1, count1 + 1)
    log[:-1, :-1] = (rows[:, :-1] + columns[:-1]) / 2
    log[:-1, -1], log[-1, :-1] = rows[:, -1], columns[-1]
    return log


def assign(log: Tensor, *, threshold: float) -> Assignment:
    """Pairs that are each other's best partner.

    Args:
        log: [N0 + 1, N1 + 1] from `log_double_softmax`; N0 and N1 are at least 1.
        threshold: minimum probability of a match, exclusive. It does not change `scores0`.
    """
    best0, best1 = log[:-1, :-1].max(dim=1), log[:-1, :-1].max(dim=0)
    mutual = best1.indices[best0.indices] == torch.arange(len(log) - 1, device=log.device)
    scores = torch.where(mutual, best0.values.exp(), 0)
    matches = torch.where(scores > threshold, best0.indices, NO_MATCH)
    return Assignment(log=log, matches0=matches, scores0=scores)


def _mlp(widths: tuple[int, ...], operations, make: dict) -> nn.Sequential:
    """Linear layers, named 0, 2, 4, ..., with a ReLU between two layers."""
    layers: list[nn.Module] = []
    for i in range(len(widths) - 1):
        layers += [operations.Linear(widths[i], widths[i + 1], **make), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
