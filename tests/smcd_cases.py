"""Golden cases of SMCD, in the form in which the tests of both faces and of training take them.

The official code holds videos as [V, C, T, h, w]. Here frames lie in the batch: [V * T, C, h, w].
A case is found by what its files hold, whatever its name is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from dynamicrafter_cases import as_frames, assert_close, official_weights, tolerance
from golden_cases import FOLDER, find_documents
from torch import Tensor
from unet3d_cases import smcd_config, with_official_weights, with_shared_inputs

from fcvg_core.models.unet3d import Config, UNet3D

ROOM = "smcd"


@dataclass(frozen=True, eq=False)
class Case:
    """A golden case.

    Attributes:
        config: of the .json.
        tensors: of the .safetensors, in the official layout, with inputs of another case.
    """

    name: str
    config: dict
    tensors: dict[str, Tensor]

    @property
    def unet_config(self) -> Config:
        return smcd_config(self.config["model"])

    def unet(self, **make) -> UNet3D:
        """Our UNet with the weights of the case, in evaluation mode."""
        return with_official_weights(UNet3D(self.unet_config, **make), self.config)

    def unet_weights(self, shapes: dict) -> dict[str, Tensor]:
        """Weights for the official names and shapes of a UNet."""
        return official_weights(self.config, shapes)

    @property
    def text(self) -> Tensor:
        """[V, L, D] tokens of the prompt."""
        return self.tensors["in_y"]

    @property
    def objects(self) -> Tensor:
        """[V * T, n, D] tokens of the objects."""
        return self.tensors["in_grounding_context"]

    @property
    def image_tokens(self) -> Tensor:
        """[V * T, m, D] tokens of the first frame."""
        return self.tensors["in_visual_feat"]


class DdimCase(Case):
    """A run of the official sampler: one video, guided by the text."""

    @property
    def steps(self) -> int:
        """As asked for; see `timesteps` for what the run passes."""
        return self.config["ddim_timesteps"]

    @property
    def guidance(self) -> float:
        return self.config["guide_scale"]

    @property
    def timesteps(self) -> list[int]:
        """In the order of the run."""
        return self.tensors["timesteps"].tolist()

    @property
    def start(self) -> Tensor:
        """[T, 4, h, w] noise that the run starts from."""
        return as_frames(self.tensors["in_xT"])

    @property
    def num_frames(self) -> int:
        return len(self.start)

    @property
    def concat(self) -> Tensor:
        """[1, 4, h, w] scaled latents of the first frame, beside the latents of every frame."""
        return as_frames(self.tensors["in_first_frame"])

    @property
    def negative_text(self) -> Tensor:
        """[1, L, D] tokens of the negative prompt."""
        return self.tensors["in_y_uncond"]

    @property
    def out(self) -> Tensor:
        """[T, 4, h, w] scaled latents at the end."""
        return as_frames(self.tensors["out"])

    def check(self, found: Tensor) -> None:
        """Assert that latents [T, 4, h, w] at the end are the official ones."""
        assert_close(found.float(), self.out, tolerance(self.config))

    def check_step(self, found: Tensor, step: int) -> None:
        """Assert that latents [T, 4, h, w] after a step, counted from 0, are the official ones."""
        expected = as_frames(self.tensors["out_x_prev"][step])
        assert_close(found.float(), expected, tolerance(self.config))


class TrainCase(Case):
    """A step of official training: V videos, without dropout."""

    @property
    def num_frames(self) -> int:
        """T of each video."""
        return self.tensors["in_latents"].shape[2]

    @property
    def latents(self) -> Tensor:
        """[V * T, 4, h, w], scaled."""
        return as_frames(self.tensors["in_latents"])

    @property
    def concat(self) -> Tensor:
        """[V * T, 4, h, w]: for every frame the scaled latents of the first frame of its video."""
        first = self.tensors["in_latents"][:, :, :1]
        return as_frames(first.expand_as(self.tensors["in_latents"]))

    @property
    def noise(self) -> Tensor:
        """[V * T, 4, h, w], unit variance."""
        return as_frames(self.tensors["in_noise"])

    @property
    def timesteps(self) -> Tensor:
        """[V] whole numbers."""
        return self.tensors["in_timesteps"]

    @property
    def noisy(self) -> Tensor:
        """[V * T, 4, h, w], what the UNet sees of the latents."""
        return as_frames(self.tensors["in_noisy"])

    @property
    def prediction(self) -> Tensor:
        """[V * T, 4, h, w], the UNet's output."""
        return as_frames(self.tensors["out_pred"])

    @property
    def trainable(self) -> list[str]:
        """Official names of the parameters that are trained."""
        return self.config["trainable"]

    @property
    def gradients(self) -> dict[str, Tensor]:
        """Gradients of some parameters, by their official names."""
        start = "out_grad/"
        return {k.removeprefix(start): x for k, x in self.tensors.items() if k.startswith(start)}

    def check_loss(self, found: float) -> None:
        """Assert that the loss is the official one."""
        assert found == pytest.approx(self.config["loss"], rel=self._relative("loss"))

    def check_gradients(self, found: dict[str, Tensor]) -> None:
        """Assert that exactly the trained parameters have gradients, the official ones."""
        share = self._relative("gradient norms")
        norms = {name: gradient.norm().item() for name, gradient in found.items()}
        assert norms == pytest.approx(self.config["grad_norms"], rel=share)
        assert norms.keys() == set(self.trainable)
        for name, expected in self.gradients.items():
            assert_close(found[name], expected, share)

    def _relative(self, of: str) -> float:
        """The largest relative error that the case allows."""
        return float(re.search(rf"{of} (\S+) relative", self.config["tolerance"])[1])


def each_ddim_case():
    """Run a test once for each run of the official sampler."""
    return _each(DdimCase, lambda config: "ddim_timesteps" in config)


def each_train_case():
    """Run a test once for each step of official training."""
    return _each(TrainCase, lambda config: "trainable" in config)


def _each(kind: type[Case], fits: Callable[[dict], bool]):
    """Run a test once for each case that fits."""
    cases = [
        kind(name, meta["config"], with_shared_inputs(ROOM, meta["config"], tensors))
        for name, meta, tensors in find_documents(FOLDER / ROOM)
        if fits(meta["config"])
    ]
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])
