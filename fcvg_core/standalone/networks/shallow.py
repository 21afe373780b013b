"""diffusers' UNet of SVD without its deep blocks, whose output an earlier pass has left.

Source: DeepCache (arXiv 2312.00858) section 3.2: the features that enter the last up block change
little from one noise level to the next.
"""

import copy
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


class ShallowUnet:
    """The first and the last layers of a UNet, which share the UNet's weights.

    The layers above the cut: `conv_in`, all but the last layer of the first down block, all but
    the first layer of the last up block, and what follows. Kept is what enters the second layer of
    the last up block, before the skip connection is appended: [B * T, C, h, w], at the latents'
    size.

    Args:
        unet: diffusers' UNet, which is not changed.
    """

    def __init__(self, unet: nn.Module):
        first, last = unet.down_blocks[0], unet.up_blocks[-1]
        self._last_deep = last.attentions[0]
        self._deep = _Kept()
        down = _with_parts(
            first, resnets=first.resnets[:-1], attentions=first.attentions[:-1], downsamplers=None
        )
        up = _with_parts(last, resnets=last.resnets[1:], attentions=last.attentions[1:])
        self._network = _with_parts(
            unet,
            down_blocks=nn.ModuleList([down]),
            mid_block=self._deep,
            up_blocks=nn.ModuleList([up]),
        )

    def __call__(self, *args, features: Tensor, **kwargs) -> tuple[Tensor]:
        """The UNet's output, as the UNet would give it for these deep features.

        Args:
            features: from `keeping`, for the same batch.
            args, kwargs: the UNet's own.
        """
        self._deep.features = features
        try:
            return self._network(*args, **kwargs)
        finally:
            self._deep.features = None

    @contextmanager
    def keeping(self) -> Iterator[list[Tensor]]:
        """A list that gets the deep features of each pass of the whole UNet."""
        kept: list[Tensor] = []
        handle = self._last_deep.register_forward_hook(
            lambda layer, args, output: kept.append(output[0])
        )
        try:
            yield kept
        finally:
            handle.remove()


class _Kept(nn.Module):
    """Stands for the deep blocks: gives their kept output."""

    features: Tensor | None = None

    def forward(self, hidden_states: Tensor, **conditions: Tensor) -> Tensor:
        return self.features


def _with_parts(module: nn.Module, **parts: nn.Module | None) -> nn.Module:
    """A copy of a module with other parts and without hooks; all other parts are the same."""
    other = copy.copy(module)
    # A copy shares these tables with the module.
    other._modules = {**module._modules, **parts}
    other._forward_hooks = OrderedDict()
    other._forward_pre_hooks = OrderedDict()
    return other
