"""SVD's cross-attention, which sees one token: the same numbers without query and softmax.

SVD is conditioned on one embedding of a picture. The softmax over one token is 1, so attention
gives every place the token's value, whatever the place asks for.
"""

import comfy.ldm.modules.attention as attention
from comfy.model_patcher import ModelPatcher
from torch import Tensor

# What packs may put into transformer_options to see, or to replace, what attention does.
OVERRIDE = "optimized_attention_override"
OUTPUT_PATCH = "attn2_output_patch"
# What torch.compile adds to the names of layers. A clone with compiled modules may still be loaded,
# and the host takes these modules out before it applies the patches of the next clone.
COMPILED = "._orig_mod"


class OneTokenAttention(attention.CrossAttention):
    """The host's cross-attention; over one token it computes values alone, and each value once."""

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
        transformer_options: dict = {},
    ) -> Tensor:
        """Attention of places [B, N, C] to tokens [B, M, D] -> [B, N, C].

        Over one token the result is a view in which all N places share their memory.
        """
        one_token = context is not None and context.shape[1] == 1
        if not one_token or value is not None or mask is not None or _watched(transformer_options):
            return super().forward(x, context, value, mask, transformer_options)
        return self.to_out(self.to_v(context)).expand(-1, x.shape[1], -1)


def _watched(transformer_options: dict) -> bool:
    """Whether another pack replaces attention, or may write into the result of attention."""
    patches = transformer_options.get("patches", {})
    return OVERRIDE in transformer_options or OUTPUT_PATCH in patches


def use_one_token(model: ModelPatcher) -> None:
    """Let SVD's cross-attention do no more than one token needs.

    The class of a layer is patched, not its `forward`: a class refers to no network, so the patch
    is right in each copy of the network that the host makes, for example for another GPU. Layers
    that another pack has patched stay as they are.

    Args:
        model: SVD; a clone that nobody else uses yet.
    """
    blocks = model.model.diffusion_model.named_modules(prefix="diffusion_model")
    for name, block in blocks:
        key = f"{name.replace(COMPILED, '')}.attn2"
        if isinstance(block, attention.BasicTransformerBlock) and _is_plain(model, key):
            model.add_object_patch(f"{key}.__class__", OneTokenAttention)


def _is_plain(model: ModelPatcher, key: str) -> bool:
    """Whether a layer is the host's cross-attention, and nobody patches it or what contains it."""
    inside, outside = f"{key}.", tuple(key.split("."))
    for patched in model.object_patches:
        path = tuple(patched.split("."))
        if patched.startswith(inside) or path == outside[: len(path)]:
            return False
    return model.get_model_object(f"{key}.__class__") is attention.CrossAttention
