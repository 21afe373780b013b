"""Cross-attention of diffusers' networks to one token, without a query and without a softmax."""

from collections.abc import Callable

from torch import Tensor, nn

CROSS_ATTENTION = "attn2"  # diffusers' name of it in every block of a transformer


class OneTokenAttention:
    """What an attention layer of diffusers computes, where its context may be one token.

    The softmax over one token is 1 whatever the query is, so every place gets the value of the
    token. The value is projected once a sequence, and the result is spread over the sequence.

    SVD's contexts are CLIP's embeddings of one picture: its spatial and its temporal attentions
    see one token.

    Args:
        ordinary: the processor for more tokens.
    """

    def __init__(self, ordinary: Callable[..., Tensor]):
        self.ordinary = ordinary

    def __call__(
        self,
        attn: nn.Module,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """The layer's output [B, n, C] for hidden states [B, n, C] and a context [B, m, D]."""
        if encoder_hidden_states is None or encoder_hidden_states.shape[1] != 1:
            return self.ordinary(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
        out = attn.to_v(encoder_hidden_states)
        for layer in attn.to_out:
            out = layer(out)
        return out.expand(-1, hidden_states.shape[1], -1)


def use_one_token(network: nn.Module) -> None:
    """Let the cross-attentions of diffusers' UNet of SVD save what one token makes needless."""
    for name, layer in network.named_modules():
        if name.rpartition(".")[-1] == CROSS_ATTENTION:
            layer.set_processor(OneTokenAttention(layer.processor))
