"""Calls of the pack's own networks as the host calls its own: through its wrappers."""

from comfy.ldm.modules.attention import optimized_attention
from comfy.patcher_extension import WrapperExecutor, WrappersMP, get_all_wrappers
from torch import Tensor, nn

from ...fcvg_core.errors import UserError


class HostAttention:
    """The host's attention, or the attention that a node has put in its place.

    Args:
        fixed: what every call gets beside its tensors.

    Attributes:
        options: the host's transformer_options of the call of the network that runs.
    """

    def __init__(self, **fixed):
        self.fixed, self.options = fixed, {}

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
        """[N, L, heads * d] three times -> [N, L, heads * d]."""
        return optimized_attention(q, k, v, heads, transformer_options=self.options, **self.fixed)


class HostNetwork(nn.Module):
    """A network of the core, made of the host's layers and called as the host calls its own.

    A family names this class before its network, and writes `predict`.

    Args:
        config: sizes of the network.
        operations: the host's layers.
        dtype, device: of the weights.
        names: what else the host's configuration of a model holds; it is for the host alone.

    Attributes:
        family: name of the model, for messages.
        attention: what every call of the host's attention gets beside its tensors.
        dtype: number format of the weights; the host reads it.
    """

    family: str
    attention: dict = {}

    def __init__(self, *, config, operations, dtype=None, device=None, **names):
        attend = HostAttention(**self.attention)
        super().__init__(config, operations=operations, dtype=dtype, device=device, attend=attend)
        self.attend, self.dtype = attend, dtype

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor | None = None,
        y: Tensor | None = None,
        control: dict | None = None,
        transformer_options: dict = {},
        **inputs,
    ) -> Tensor:
        """The prediction, through the host's wrappers around a network.

        Raises:
            UserError: a node has patched layers of the network.
        """
        _refuse_patches(transformer_options, self.family)
        wrappers = get_all_wrappers(WrappersMP.DIFFUSION_MODEL, transformer_options)
        executor = WrapperExecutor.new_class_executor(self._call, self, wrappers)
        return executor.execute(x, timesteps, context, y, control, transformer_options, **inputs)

    def _call(self, x, timesteps, context, y, control, transformer_options, **inputs) -> Tensor:
        """The prediction; the order of arguments is the host's, which wrappers know."""
        self.attend.options = transformer_options
        return self.predict(x, timesteps, context, control, **inputs)

    def predict(
        self, x: Tensor, timesteps: Tensor, context: Tensor, control: dict | None, **inputs
    ) -> Tensor:
        """The prediction of the network; `inputs` are what the family's `extra_conds` names."""
        raise NotImplementedError


def _refuse_patches(options: dict, family: str) -> None:
    """Raise UserError if a node has put functions into layers, where they would do nothing."""
    kinds = (options.get(name, {}) for name in ("patches", "patches_replace"))
    names = sorted({name for kind in kinds for name, functions in kind.items() if functions})
    if names:
        raise UserError(
            f"A node has patched layers of the model ({', '.join(names)}), which {family} does "
            "not support: take nodes such as FreeU or Perturbed-Attention Guidance out."
        )
