"""Golden cases of DynamiCrafter, in the form in which the tests of both faces take them.

The official code holds videos as [V, C, T, h, w], and one context: text, then image tokens.
"""

import re
from dataclasses import dataclass

import pytest
import torch
from golden_cases import FOLDER, fill, find_documents
from torch import Tensor

TEXT_TOKENS = 77


@dataclass(frozen=True, eq=False)
class SamplingCase:
    """One run of the official sampler.

    Attributes:
        model: arguments of the official UNet.
        settings: of the run, in the words of the .json: param, zsnr, base_scale, spacing, eta,
            steps, cfg, resc, multi.
        tensors: of the .safetensors.
    """

    name: str
    config: dict
    tensors: dict[str, Tensor]

    @property
    def model(self) -> dict:
        return self.config["model"]

    @property
    def settings(self) -> dict:
        return self.config["settings"]

    @property
    def start(self) -> Tensor:
        """[T, 4, h, w] noise that the run starts from."""
        return as_frames(self.tensors["in_xT"])

    @property
    def fresh(self) -> list[Tensor]:
        """[T, 4, h, w] unit noise of each step."""
        return [as_frames(noise) for noise in self.tensors["in_noise"]]

    @property
    def concat(self) -> Tensor:
        """[T, 4, h, w] image latents, scaled."""
        return as_frames(self.tensors["in_c_concat"])

    @property
    def rate(self) -> int:
        return int(self.tensors["in_fs"])

    def tokens(self, context: str) -> tuple[Tensor, Tensor]:
        """Text [1, 77, D] and image tokens, [T, 16, D] or shared [1, n, D], of a context's name."""
        return split_context(self.tensors[context], len(self.start))

    def weights(self, shapes: dict) -> dict[str, Tensor]:
        return official_weights(self.config, shapes)

    def check(self, name: str, step: int, found: Tensor) -> None:
        """Assert that latents [T, 4, h, w] after a step are those of the official code."""
        assert_close(found, as_frames(self.tensors[name][step]), tolerance(self.config))


def each_sampling_case(*, adds_noise: bool = True):
    """Run a test once for each run of the official sampler in the folder of golden cases.

    Args:
        adds_noise: whether runs count that add fresh noise.
    """
    cases = [
        SamplingCase(name, meta["config"], tensors)
        for name, meta, tensors in find_documents(FOLDER / "dynamicrafter")
        if "sampler" in meta["config"]
    ]
    cases = [case for case in cases if adds_noise or not case.settings["eta"]]
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def official_weights(config: dict, shapes: dict) -> dict[str, Tensor]:
    """Weights of a case for the official names and shapes of a network."""
    weights = fill(shapes, config)
    for name, weight in weights.items():
        for ending, factor in config["scale"].items():
            if name.endswith(ending):
                weights[name] = weight * torch.tensor(factor)
    return weights


def split_context(context: Tensor, num_frames: int) -> tuple[Tensor, Tensor]:
    """Text [V, 77, D] and image tokens: [V * T, 16, D] for each frame, or shared [V, n, D]."""
    text, image = context[:, :TEXT_TOKENS], context[:, TEXT_TOKENS:]
    if image.shape[1] == 16 * num_frames:
        image = image.unflatten(1, (num_frames, 16)).flatten(0, 1)
    return text, image


def as_frames(video: Tensor) -> Tensor:
    """[V, C, T, h, w] -> [V * T, C, h, w]."""
    return video.transpose(1, 2).flatten(0, 1)


def tolerance(config: dict) -> float:
    """The largest error that a case allows, as a share of the largest value."""
    return float(re.search(r"<= (\S+) \* abs_max", config["tolerance"]).group(1))


def table_tolerance(config: dict) -> float:
    """The largest relative error that a case allows in its tables."""
    return float(re.search(r"tables: (\S+) relative", config["tolerance"]).group(1))


def assert_close(found: Tensor, expected: Tensor, share: float) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= share * expected.abs().max()


def unet(arguments: dict, config: dict):
    """Our UNet for the arguments of the official UNet, with the weights of a case."""
    from fcvg_core.models.unet3d import Config, UNet3D

    learned = arguments["image_cross_attention_scale_learnable"]
    sizes = Config(
        in_channels=arguments["in_channels"],
        out_channels=arguments["out_channels"],
        model_channels=arguments["model_channels"],
        channel_mult=tuple(arguments["channel_mult"]),
        num_res_blocks=arguments["num_res_blocks"],
        attention_levels=tuple(x.bit_length() - 1 for x in arguments["attention_resolutions"]),
        head_channels=arguments["num_head_channels"],
        context_channels=arguments["context_dim"],
        default_rate=arguments["default_fs"],
        image_attention="learned" if learned else "added",
    )
    network = UNet3D(sizes)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    network.load_state_dict(official_weights(config, shapes))
    return network.eval()
