"""The memory that a step of training needs, computed before weights are read.

What is kept for each weight follows from the numbers of parameters. Activations are counted on
PyTorch's meta device, which computes shapes and no values: all tensors that live at the same time
while a step goes forward and back, with attention and number formats as on a card.
"""

import copy
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ..choices import BOTH
from ..estimate import MARGIN
from ..standalone.networks.passes import EncodedImage
from .clips import Clip
from .config import TrainingSpec
from .steps import Pass, SteeredUnet, training_loss
from .trained_sets import TrainedSet, count_values, open_for_training

FLOAT = 4  # bytes of a trained weight, of its gradient and of each thing that is kept of it
MOMENTS = 2  # that AdamW keeps of a weight
# What autocast computes in half precision, and what in float32, whatever it gets.
IN_HALF = ("linear", "conv2d", "conv3d")
IN_WHOLE = ("group_norm", "layer_norm")


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes on the device that runs a step; computed, not measured.

    Attributes:
        trained: how many numbers are trained.
        weights: of all networks of a step.
        gradients, moments, averages: of what is trained; averages may be off.
        activations: what a step holds on its way forward and back.
    """

    trained: int
    weights: int
    gradients: int
    moments: int
    averages: int
    activations: int

    @property
    def total(self) -> int:
        """Bytes of a step; validation and the encoders need less."""
        kept = self.weights + self.gradients + self.moments + self.averages
        return kept + self.activations


def training_memory(
    network: SteeredUnet, trained: TrainedSet, spec: TrainingSpec, dtype: torch.dtype
) -> TrainingMemory:
    """The memory of a step.

    Args:
        network: on the meta device; it stays as it is.
        trained: what is trained of it.
        spec: size and frames of the clips, the batch, and what is kept.
        dtype: number format of the networks' work.

    Raises:
        UserError: the network has not what is to be trained.
    """
    network = copy.deepcopy(network).to("meta", dtype).train()
    opened = open_for_training(network, trained)
    if spec.training.save_memory:
        network.save_memory()
    for parameter in opened.values():
        parameter.grad = torch.empty_like(parameter)  # of the batch before
    count = count_values(opened.values())
    return TrainingMemory(
        trained=count,
        weights=sum(x.nbytes for x in network.state_dict().values()),
        gradients=FLOAT * count,
        moments=MOMENTS * FLOAT * count,
        averages=FLOAT * count if spec.training.ema else 0,
        activations=int(_count_activations(network, spec, dtype) * MARGIN),
    )


class Held(TorchDispatchMode):
    """Counts the bytes of all tensors that live at the same time.

    Args:
        known: tensors that are not counted.

    Attributes:
        most: bytes.
    """

    def __init__(self, *known: Tensor):
        super().__init__()
        self.sizes, self.most = {x.untyped_storage()._cdata: 0 for x in known}, 0
        self._sum = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run an operation and count what it makes."""
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage())
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self.sizes:
            self.sizes[key] = storage.nbytes()
            self._sum += self.sizes[key]
            weakref.finalize(storage, self._drop, key)
            self.most = max(self.most, self._sum)

    def _drop(self, key: int) -> None:
        self._sum -= self.sizes.pop(key)


@contextmanager
def as_on_a_card(dtype: torch.dtype) -> Iterator[None]:
    """Attention that never holds the matrix of all pairs, and number formats as autocast's.

    The functions themselves are replaced, because a mode of PyTorch ends on the way back, where
    activations are computed again.

    Args:
        dtype: number format of the networks' work; in float32 all formats stay as they are.
    """
    replaced = {"scaled_dot_product_attention": _attend}
    if dtype != torch.float32:
        formats = dict.fromkeys(IN_HALF, dtype) | dict.fromkeys(IN_WHOLE, torch.float32)
        replaced |= {name: _casting(getattr(F, name), each) for name, each in formats.items()}
    own = {name: getattr(F, name) for name in replaced}
    try:
        for name, function in replaced.items():
            setattr(F, name, function)
        yield
    finally:
        for name, function in own.items():
            setattr(F, name, function)


def _attend(query: Tensor, key: Tensor, value: Tensor, *_, **__) -> Tensor:
    return _Attention.apply(query, key, value)


def _casting(function: Callable[..., Tensor], dtype: torch.dtype) -> Callable[..., Tensor]:
    """A function whose tensors come in a number format."""

    def cast(value):
        return value.to(dtype) if isinstance(value, Tensor) else value

    def call(*args, **named):
        return function(*map(cast, args), **{name: cast(value) for name, value in named.items()})

    return call


class _Attention(torch.autograd.Function):
    """Shapes of attention: what the way back needs is the inputs and the output."""

    @staticmethod
    def forward(ctx, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out)
        return out

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, ...]:
        return tuple(map(torch.empty_like, ctx.saved_tensors[:3]))


def _count_activations(network: SteeredUnet, spec: TrainingSpec, dtype: torch.dtype) -> int:
    """Bytes that a step holds beside weights and gradients."""
    with as_on_a_card(dtype), Held(*_tensors(network)) as held:
        training_loss(network, _passes(network, spec)).mean().backward()
    return held.most


def _tensors(network: nn.Module) -> Iterable[Tensor]:
    for parameter in network.parameters():
        yield parameter
        if parameter.grad is not None:
            yield parameter.grad
    yield from network.buffers()


def _passes(network: SteeredUnet, spec: TrainingSpec) -> list[Pass]:
    """The passes of a batch, without values."""
    data, many = spec.data, spec.training.batch * (2 if spec.training.directions == BOTH else 1)
    shape = (data.frames, 4, data.height // 8, data.width // 8)
    width = network.unet.config.cross_attention_dim
    width = width[0] if isinstance(width, (list, tuple)) else width
    with torch.device("meta"):
        image = EncodedImage(torch.empty(1, 1, width), torch.empty(1, *shape[1:]))
        control = torch.empty(data.frames, 3, data.height, data.width, dtype=torch.uint8)
        latents = torch.empty(shape)
    clip = Clip(latents, (image,), control, (0.0, 0.0, 0.0))
    return [Pass(clip, torch.ones(()), latents) for _ in range(many)]
