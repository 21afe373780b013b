"""Speed of GlueStick's two networks, compared with plain networks: python benchmarks/lines.py

One thread, a frame of 576 x 1024, 1000 keypoints and 300 segments. The plain networks are written
as in the paper: separate normalisation layers, interleaved heads, attention step by step,
two-dimensional max-pooling. The weights are those of the golden tests, so nothing is downloaded.
The results of both are compared. Nothing is asserted.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from gluestick_cases import OWN_FOLDER, weights  # noqa: E402

from fcvg_core.frames import to_gray  # noqa: E402
from fcvg_core.lines.gluestick import (  # noqa: E402
    endpoint_inputs,
    keypoint_inputs,
    log_double_softmax,
)
from fcvg_core.lines.matcher import GlueStickLineMatcher, build_gluestick  # noqa: E402
from fcvg_core.lines.superpoint import LAYERS, find_keypoints  # noqa: E402
from fcvg_core.lines.types import Wireframe  # noqa: E402
from fcvg_core.standalone.demo.scene import draw_sample_pair  # noqa: E402

SIZE = (576, 1024)
REPEATS = 3
DIM, HEADS = 256, 4


class PlainSuperPoint(nn.Module):
    """SuperPoint with torch's max-pooling."""

    def __init__(self):
        super().__init__()
        for name, (channels, out, size) in LAYERS.items():
            self.add_module(name, nn.Conv2d(channels, out, size, padding=size // 2))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = image
        for stage in "1234":
            x = F.relu(getattr(self, f"conv{stage}a")(x))
            x = F.relu(getattr(self, f"conv{stage}b")(x))
            if stage != "4":
                x = F.max_pool2d(x, 2)
        scores = self.convPb(F.relu(self.convPa(x))).softmax(1)[:, :-1]
        scores = plain_peaks(F.pixel_shuffle(scores, 8)[0])[0]
        return scores, F.normalize(self.convDb(F.relu(self.convDa(x))), dim=1)


def plain_peaks(scores: Tensor) -> Tensor:
    """Scores [1, H, W] of local maxima, 0 elsewhere."""

    def pool(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 9, stride=1, padding=4)

    kept = scores == pool(scores)
    for _ in range(2):
        near = pool(kept.float()) > 0
        rest = torch.where(near, 0, scores)
        kept = kept | ((rest == pool(rest)) & ~near)
    return torch.where(kept, scores, 0)


def plain_mlp(widths: tuple[int, ...]) -> nn.Sequential:
    """Convolutions, with normalisation and ReLU between two convolutions."""
    layers: list[nn.Module] = []
    for i in range(len(widths) - 1):
        layers.append(nn.Conv1d(widths[i], widths[i + 1], 1))
        if i < len(widths) - 2:
            layers += [nn.BatchNorm1d(widths[i + 1]), nn.ReLU()]
    return nn.Sequential(*layers)


class PlainEncoder(nn.Module):
    """Encoder of keypoints, or of segments' ends."""

    def __init__(self, inputs: int):
        super().__init__()
        self.encoder = plain_mlp((inputs, 32, 64, 128, 256, DIM))

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(x.T[None])


class PlainAttention(nn.Module):
    """Attention with interleaved heads."""

    def __init__(self):
        super().__init__()
        self.merge = nn.Conv1d(DIM, DIM, 1)
        self.proj = nn.ModuleList(nn.Conv1d(DIM, DIM, 1) for _ in range(3))

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        query, key, value = (
            proj(y).view(1, DIM // HEADS, HEADS, -1)
            for proj, y in zip(self.proj, (x, source, source), strict=True)
        )
        scores = torch.einsum("bdhn,bdhm->bhnm", query, key) / (DIM // HEADS) ** 0.5
        message = torch.einsum("bhnm,bdhm->bdhn", scores.softmax(dim=-1), value)
        return self.merge(message.contiguous().view(1, DIM, -1))


class PlainUpdate(nn.Module):
    """Attention, and the MLP that uses its result."""

    def __init__(self):
        super().__init__()
        self.attn = PlainAttention()
        self.mlp = plain_mlp((2 * DIM, 2 * DIM, DIM))

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        return self.mlp(torch.cat([x, self.attn(x, source)], dim=1))


class Holder(nn.Module):
    """Modules with names, so that keys are those of the official file."""

    def __init__(self, **modules: nn.Module):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class PlainGlueStick(nn.Module):
    """GlueStick's network: each frame is processed alone, and points are matched as well."""

    def __init__(self):
        super().__init__()
        self.kenc, self.lenc = PlainEncoder(3), PlainEncoder(5)
        self.gnn = Holder(
            layers=nn.ModuleList(Holder(update=PlainUpdate()) for _ in range(18)),
            line_layers=nn.ModuleList(
                Holder(mlp=plain_mlp((3 * DIM, 2 * DIM, DIM))) for _ in range(9)
            ),
        )
        self.final_proj, self.final_line_proj = (nn.Conv1d(DIM, DIM, 1) for _ in range(2))
        self.bin_score, self.line_bin_score = (nn.Parameter(torch.ones(())) for _ in range(2))

    def forward(self, first: Wireframe, second: Wireframe) -> Tensor:
        frames = first, second
        x = [f.descriptors[None] + self.kenc(keypoint_inputs(f)) for f in frames]
        lines = [self.lenc(endpoint_inputs(f)) for f in frames]
        for i, layer in enumerate(self.gnn.layers):
            sources = x[::-1] if i % 2 else x
            x = [a + layer.update(a, b) for a, b in zip(x, sources, strict=True)]
            if i % 2 == 0:
                mlp = self.gnn.line_layers[i // 2].mlp
                x = [self.tell(mlp, *parts) for parts in zip(x, lines, frames, strict=True)]
        self.products(self.final_proj, x, self.bin_score)
        points = self.final_line_proj(x[0])[0].T @ self.final_line_proj(x[1])[0] / DIM**0.5
        (a, b), (c, d) = first.line_points.T, second.line_points.T
        scores = [points[i][:, j] for i, j in ((a, c), (b, d), (a, d), (b, c))]
        scores = 0.5 * torch.maximum(scores[0] + scores[1], scores[2] + scores[3])
        return log_double_softmax(scores, self.line_bin_score)

    def tell(self, mlp: nn.Module, x: Tensor, lines: Tensor, frame: Wireframe) -> Tensor:
        ends, others = frame.line_points.flatten(), frame.line_points.flip(1).flatten()
        message = mlp(torch.cat([x[:, :, ends], x[:, :, others], lines], dim=1))
        index = ends.expand(1, DIM, -1)
        update = torch.zeros_like(x)
        return x + update.scatter_reduce_(2, index, message, "mean", include_self=False)

    def products(self, proj: nn.Module, x: list[Tensor], bin_score: Tensor) -> Tensor:
        scores = torch.einsum("bdn,bdm->bnm", proj(x[0]), proj(x[1]))[0] / DIM**0.5
        log = log_double_softmax(scores, bin_score)
        log[:-1, :-1].max(dim=0)
        log[:-1, :-1].max(dim=1)
        return log


def seconds(step: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def compare(name: str, plain: Callable[[], Tensor], ours: Callable[[], Tensor]) -> None:
    """Print a row: both medians (measured alternately), their ratio, the largest error."""
    error = (plain() - ours()).abs().max().item()
    both = [(seconds(plain), seconds(ours)) for _ in range(REPEATS)]
    theirs, mine = (sorted(column)[REPEATS // 2] for column in zip(*both, strict=True))
    print(f"{name:12s} {theirs:9.3f} {mine:9.3f} {mine / theirs:7.2f} {error:9.1e}")


@torch.no_grad()
def main() -> None:
    """Print a table: seconds of the plain networks, of this project, and their ratio."""
    torch.set_num_threads(1)
    config = json.loads((OWN_FOLDER / "e2e.json").read_text(encoding="utf-8"))["config"]
    states = weights("gluestick", config), weights("superpoint", config)
    model = build_gluestick(*states)
    plain_network, plain_superpoint = PlainGlueStick().eval(), PlainSuperPoint().eval()
    plain_network.load_state_dict(states[0])
    plain_superpoint.load_state_dict(states[1])
    matcher = GlueStickLineMatcher(model)
    frames = draw_sample_pair(SIZE)
    wireframes = [matcher.find_wireframe(to_gray(frame)) for frame in frames]
    image = torch.from_numpy(to_gray(frames[0]) / 255).float()[None, None]

    def our_peaks() -> Tensor:
        scores, dense = model.superpoint(image)
        return find_keypoints(scores[0], dense[0], max_keypoints=1000).scores

    def plain_keypoints() -> Tensor:
        scores, _ = plain_superpoint(image)
        inside = scores[4:-4, 4:-4]
        return inside[inside > 0.005].topk(1000).values

    points = " and ".join(str(len(frame.points)) for frame in wireframes)
    print(f"{SIZE[0]} x {SIZE[1]}, {points} points, {len(wireframes[0].lines)} segments")
    print(f"{'step':12s} {'plain s':>9s} {'ours s':>9s} {'ratio':>7s} {'error':>9s}")
    compare("SuperPoint", plain_keypoints, our_peaks)
    compare("network", lambda: plain_network(*wireframes), lambda: model.matcher(*wireframes))


if __name__ == "__main__":
    main()
