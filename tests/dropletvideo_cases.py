"""Golden cases of DropletVideo, in the form in which the tests of both faces take them.

The official transformer holds videos as [B, T, C, h, w]. Here all videos are [B, C, T, h, w]. A
case is found by what its files hold, whatever its name is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from dynamicrafter_cases import assert_close, official_weights
from golden_cases import FOLDER, find_documents
from network_checks import shapes
from torch import Tensor, nn

from fcvg_core.models.dropletvideo.config import TransformerConfig, VaeConfig

ROOM = "dropletvideo"
TRANSFORMER, VAE = "DropletVideoTransformer3DModel", "AutoencoderKLDropletVideo"  # official classes


@dataclass(frozen=True, eq=False)
class Case:
    """A golden case.

    Attributes:
        config: of the .json.
        tensors: of the .safetensors, in the official layout.
    """

    name: str
    config: dict
    tensors: dict[str, Tensor]

    def check(self, found: Tensor, expected: Tensor, *, of: str = "") -> None:
        """Assert that an output is the official one, as closely as the case demands.

        Args:
            of: the word before the tolerance of this output, in a case with several.
        """
        assert_close(found.float(), expected.float(), tolerance(self.config, of))


class TransformerCase(Case):
    """Outputs of the official transformer."""

    @property
    def x(self) -> Tensor:
        """[B, 33, T, h, w]."""
        return as_video(torch.cat([self.tensors["in_x"], self.tensors["in_inpaint"]], dim=2))

    @property
    def timesteps(self) -> Tensor:
        return self.tensors["in_timesteps"]

    @property
    def context(self) -> Tensor:
        """[B, L, text_channels]."""
        return self.tensors["in_text"]

    @property
    def outputs(self) -> list[tuple[Tensor, Tensor]]:
        """FPS [1], and the velocity [B, 16, T, h, w] for this FPS, for each output of the case."""
        return [
            (
                torch.tensor([int(name.removeprefix("out_fps"))])
                if name.startswith("out_fps")
                else self.tensors["in_fps"],
                as_video(value),
            )
            for name, value in self.tensors.items()
            if name.startswith("out")
        ]

    def transformer(self, **make) -> nn.Module:
        """Our network with the weights of the case."""
        return _transformer(self.config["kwargs"], self.config, **make)


class VaeCase(Case):
    """Outputs of the official VAE: unscaled latents, and frames in about -1..1."""

    @property
    def vae_config(self) -> VaeConfig:
        return vae_config(self.config["kwargs"])

    def vae_weights(self, shapes: dict) -> dict[str, Tensor]:
        """Weights for the official names and shapes of a VAE."""
        return official_weights(self.config, shapes)


class PipelineCase(Case):
    """A run of the official pipeline, without text encoder and without decoding."""

    @property
    def transformer_config(self) -> TransformerConfig:
        return transformer_config(self.config["transformer"])

    @property
    def vae_config(self) -> VaeConfig:
        return vae_config(self.config["vae"])

    @property
    def scaling_factor(self) -> float:
        return self.config["vae"]["scaling_factor"]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.config["size_whf"][1], self.config["size_whf"][0]

    @property
    def num_frames(self) -> int:
        return self.config["size_whf"][2]

    @property
    def fps(self) -> int:
        return self.config["fps"]

    @property
    def guidance(self) -> float:
        return self.config["guidance_scale"]

    @property
    def steps(self) -> int:
        return self.config["steps"]

    @property
    def timesteps(self) -> Tensor:
        """[steps] whole numbers."""
        return self.tensors["timesteps"]

    @property
    def image(self) -> Tensor:
        """[H, W, 3] uint8."""
        return self.tensors["in_image_u8"]

    @property
    def noise(self) -> Tensor:
        """[1, 16, T, h, w] that the run starts from."""
        return as_video(self.tensors["in_latents"])

    @property
    def text(self) -> Tensor:
        """[1, L, text_channels] of the prompt."""
        return self.tensors["in_text"]

    @property
    def negative_text(self) -> Tensor:
        """[1, L, text_channels] of the negative prompt."""
        return self.tensors["in_text_negative"]

    @property
    def conditions(self) -> Tensor:
        """[1, 17, T, h, w]: the mask, then scaled latents of the given pictures."""
        return as_video(self.tensors["out_inpaint"])[:1]

    @property
    def velocities(self) -> list[Tensor]:
        """Of each step, [2, 16, T, h, w]: without the prompt, with the prompt."""
        return [as_video(x) for x in self.tensors["out_v"]]

    @property
    def latents(self) -> list[Tensor]:
        """[1, 16, T, h, w] scaled, after each step."""
        return [as_video(x) for x in self.tensors["out_latents"]]

    @property
    def out(self) -> Tensor:
        """[1, 16, T, h, w] scaled, at the end."""
        return as_video(self.tensors["out"])

    def transformer(self, **make) -> nn.Module:
        """Our network with the weights of the case."""
        return _transformer(self.config["transformer"], self._part("transformer"), **make)

    def transformer_weights(self, shapes: dict) -> dict[str, Tensor]:
        """Weights for the official names and shapes of a transformer."""
        return official_weights(self._part("transformer"), shapes)

    def vae_weights(self, shapes: dict) -> dict[str, Tensor]:
        """Weights for the official names and shapes of a VAE."""
        return official_weights(self._part("vae"), shapes)

    def check_conditions(self, found: Tensor) -> None:
        """Assert that conditions [1, 17, T, h, w] are the official ones."""
        self.check(found, self.conditions, of="inpaint")

    def check_latents(self, found: Tensor, step: int = -1) -> None:
        """Assert that latents [1, 16, T, h, w] after a step are the official ones."""
        self.check(found, self.latents[step], of="out_latents")

    def _part(self, part: str) -> dict:
        """What tells the weights of a part."""
        return {**self.config, "scale": self.config["scale"][part]}


def each_transformer_case():
    """Run a test once for each case of the official transformer."""
    return _each(TransformerCase, lambda config, _: _is_class(config, TRANSFORMER))


def each_vae_case():
    """Run a test once for each case of the official VAE."""
    return _each(VaeCase, lambda config, _: _is_class(config, VAE))


def each_pipeline_case():
    """Run a test once for each run of the official pipeline."""
    return _each(PipelineCase, lambda config, _: "steps" in config)


def each_rope_case():
    """Run a test once for each case of rotary tables."""
    return _each(Case, lambda _, tensors: any(re.fullmatch(r"cos_\d+x.*", x) for x in tensors))


def each_schedule_case():
    """Run a test once for each case of the scheduler's tables."""
    return _each(Case, lambda _, tensors: "alphas_cumprod" in tensors)


def _each(kind: type[Case], fits: Callable[[dict, dict], bool]):
    """Run a test once for each case that fits."""
    cases = [
        kind(name, meta["config"], tensors)
        for name, meta, tensors in find_documents(FOLDER / ROOM)
        if fits(meta["config"], tensors)
    ]
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def _is_class(config: dict, name: str) -> bool:
    return config.get("class", "").endswith(name)


def as_video(official: Tensor) -> Tensor:
    """[B, T, C, h, w] -> [B, C, T, h, w], and back."""
    return official.transpose(1, 2)


def tolerance(config: dict, of: str = "") -> float:
    """The largest error that a case allows, as a share of the largest value."""
    return float(re.search(rf"{of}.*?([\d.]\S*?) ?\* ?abs_max", config["tolerance"])[1])


def transformer_config(arguments: dict) -> TransformerConfig:
    """Our sizes for the arguments of the official transformer."""
    return TransformerConfig(
        layers=arguments["num_layers"],
        heads=arguments["num_attention_heads"],
        head_channels=arguments["attention_head_dim"],
        in_channels=arguments["in_channels"],
        out_channels=arguments["out_channels"],
        time_channels=arguments["time_embed_dim"],
        text_channels=arguments["text_embed_dim"],
    )


def vae_config(arguments: dict) -> VaeConfig:
    """Our sizes for the arguments of the official VAE."""
    return VaeConfig(
        block_channels=tuple(arguments["block_out_channels"]),
        layers=arguments["layers_per_block"],
        latent_channels=arguments["latent_channels"],
        norm_groups=arguments["norm_num_groups"],
    )


def _transformer(arguments: dict, config: dict, **make) -> nn.Module:
    """Our transformer with the weights of a case."""
    from fcvg_core.models.dropletvideo.network import DropletVideoTransformer

    network = DropletVideoTransformer(transformer_config(arguments), **make)
    network.load_state_dict(official_weights(config, shapes(network)))
    return network.eval()
