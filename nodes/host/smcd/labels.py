"""Labels of objects -> what the host's text encoder makes of each.

Source: Mingxiao-Li/Animate-Your-Motion inference_customize.py `get_token_embedding`.
"""

import logging

import comfy.sd
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.clip_towers import END
from ....fcvg_core.quoting import quote

H = "h"  # the host's name of SD 2's text encoder in tokens
RIGHT_CLIP = "connect the CLIP of Load SMCD, or the text encoder of Stable Diffusion 2.1"


def embed_label(clip: comfy.sd.CLIP, label: str) -> Tensor:
    """The embedding [D] of a label: the row of the token that ends it.

    Parentheses give no weight here, because the row belongs to a token without one. What doesn't
    fit into 77 tokens is left out, with a warning.

    Raises:
        UserError: the CLIP is not SD 2's.
    """
    tokens = clip.tokenize(label, disable_weights=True)
    if H not in tokens:
        raise UserError(
            f"The CLIP has text encoders for other models ({', '.join(tokens)}), but SMCD reads "
            f"labels with that of Stable Diffusion 2.1: {RIGHT_CLIP}."
        )
    if len(tokens[H]) > 1:
        logging.warning("The label %s has more than 75 tokens: its end is left out.", quote(label))
    part = tokens[H][0]
    # A token may also be an embedding in place of a number.
    end = next(i for i, token in enumerate(part) if isinstance(token[0], int) and token[0] == END)
    encoded, _ = clip.encode_from_tokens_scheduled({**tokens, H: [part]})[0]
    return encoded[0, end]
