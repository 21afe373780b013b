"""Tiny networks, data sets and runs of SMCD's training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from box_set_cases import write_got10k, write_youvis
from clip_tokenizer import write_tokenizer
from smcd_stand_ins import CONTEXT, write_modelscope, write_smcd
from unet3d_cases import TINY_SMCD, tiny_unet

from fcvg_core.models.smcd import PositionNet, PositionNetConfig, VisualEncoder, VisualEncoderConfig
from fcvg_core.standalone.cli.main import main
from fcvg_core.training.smcd.network import SmcdNetwork
from fcvg_core.training.smcd.videos import VideoSample

WIDTH = TINY_SMCD.context_channels
OBJECTS, FRAMES = 2, 3


@pytest.fixture
def network() -> SmcdNetwork:
    """Tiny networks in which every tensor counts."""
    torch.manual_seed(0)
    network = SmcdNetwork(
        tiny_unet(TINY_SMCD),
        PositionNet(PositionNetConfig(in_channels=WIDTH, out_channels=WIDTH)),
        VisualEncoder(VisualEncoderConfig(channels=(8, WIDTH), blocks=1)),
    )
    torch.nn.init.normal_(network.position_net.null_positive_feature)
    return network


@pytest.fixture
def sample() -> VideoSample:
    """What a step takes of a video."""
    chance = torch.Generator().manual_seed(3)
    corners = torch.rand(FRAMES, OBJECTS, 4, generator=chance)
    return VideoSample(
        latents=torch.randn(FRAMES, 4, 4, 4, generator=chance),
        text=torch.randn(5, WIDTH, generator=chance),
        boxes=corners,
        present=torch.tensor([[True, False]] * FRAMES),
        labels=torch.randn(OBJECTS, WIDTH, generator=chance),
    )


class Places:
    """Files that runs of the command take."""

    def __init__(self, root: Path):
        self.data = root / "data"
        write_got10k(self.data, {"GOT-10k_Train_000001": 9}, split="train", wide=CONTEXT)
        write_youvis(self.data, wide=CONTEXT)
        self.first_stage = write_smcd(root / "first", stage=1)
        self.modelscope = write_modelscope(root)
        self.tokenizer = write_tokenizer(root / "tokenizer")

    def arguments(self, output: Path, *more: str, size: int = 64) -> list[str]:
        """A small run on a CPU."""
        given = {"data": self.data, "root-path": self.modelscope, "tokenizer": self.tokenizer}
        words = [word for name, path in given.items() for word in (f"--{name}", str(path))]
        sizes = ["--width", str(size), "--height", str(size), "--frames", "2", "--batch", "1"]
        return ["smcd-train", *words, *sizes, "-o", str(output), "--device", "cpu", *more]

    def train(self, output: Path, *more: str) -> None:
        """Train."""
        assert main(self.arguments(output, *more)) == 0


@pytest.fixture(scope="session")
def places(tmp_path_factory) -> Places:
    """The files of every run."""
    return Places(tmp_path_factory.mktemp("smcd_training"))


class RandomEncoders:
    """Encoders that are no networks."""

    def encode_prompt(self, prompt: str) -> torch.Tensor:
        return torch.full((5, WIDTH), len(prompt) / 10)

    def encode_frames(self, frames: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        small = torch.from_numpy(frames[:, ::8, ::8, :1].copy()).movedim(-1, 1).float() / 255
        mean = small.expand(-1, 4, -1, -1)
        return mean, torch.full_like(mean, 0.1)


@pytest.fixture
def encoders() -> RandomEncoders:
    return RandomEncoders()
