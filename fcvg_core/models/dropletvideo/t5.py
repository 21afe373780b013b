"""The text encoder T5 v1.1 in files: which tensors tell it, and its sizes.

Both faces read the same files: the host builds its own network from these sizes, the command line
that of transformers.
"""

from collections.abc import Mapping

from ...errors import UserError
from ...quoting import unquoted
from ...weights import Shapes
from ..kinds import MOST_CHANNELS, MOST_LAYERS, told_count

EXPECTED = "T5 v1.1 XXL, such as t5xxl_fp16.safetensors"
_QUERIES = "encoder.block.{}.layer.0.SelfAttention.q.weight"
_WIDE = "encoder.block.0.layer.1.DenseReluDense.wi_0.weight"
_BIAS = "encoder.block.{}.layer.0.SelfAttention.relative_attention_bias.weight"
MARK = _QUERIES.format(0)
# Files have a vector for each token under either name, or under both.
EMBEDDING, SECOND_EMBEDDING = "shared.weight", "encoder.embed_tokens.weight"
MOST_TOKENS = 2**17  # of a vocabulary; T5's has 32128


def t5_sizes(shapes: Shapes, *, name: str) -> dict[str, int]:
    """Sizes of the encoder, under the names of its config.json.

    Args:
        shapes: of the tensors, by name without prefix; MARK is among them.
        name: of the file, for messages.

    Raises:
        UserError: the file holds another encoder, or its sizes are not possible.
    """
    if _BIAS.format(1) in shapes:
        raise UserError(f"{name} holds UMT5, the text encoder of Wan; expected {EXPECTED}.")
    vocabulary, width = _shape(shapes, embedding_name(shapes), name, MOST_TOKENS)
    buckets, heads = _shape(shapes, _BIAS.format(0), name)
    inner, _ = _shape(shapes, MARK, name)
    wide, _ = _shape(shapes, _WIDE, name, 4 * MOST_CHANNELS)
    if (layers := told_count(shapes, _QUERIES)) > MOST_LAYERS:
        raise _wrong(name, f"it has more than {MOST_LAYERS} layers")
    return {
        "vocab_size": vocabulary,
        "d_model": width,
        "d_kv": max(inner // heads, 1),
        "d_ff": wide,
        "num_layers": layers,
        "num_heads": heads,
        "relative_attention_num_buckets": buckets,
    }


def embedding_name(tensors: Mapping) -> str:
    """Name of the tensor with a vector for each token."""
    return SECOND_EMBEDDING if SECOND_EMBEDDING in tensors else EMBEDDING


def _shape(shapes: Shapes, key: str, name: str, most: int = MOST_CHANNELS) -> tuple[int, int]:
    """The two sizes of a tensor, of which the first is at most `most`."""
    found = tuple(shapes.get(key, ()))
    if len(found) != 2 or not (0 < found[0] <= most and 0 < found[1] <= MOST_CHANNELS):
        fault = f"has the shape {found}" if key in shapes else "is missing"
        raise _wrong(name, f"{unquoted(key)} {fault}")
    return found


def _wrong(name: str, fault: str) -> UserError:
    return UserError(
        f"{name} does not hold the text encoder T5 v1.1: {fault}. Use t5xxl_fp16.safetensors, or "
        "the folder of DropletVideo."
    )
