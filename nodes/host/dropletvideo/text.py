"""Prompts -> the host's conditionings for DropletVideo: 400 tokens of T5, without a mask.

Source: IEIT-AGI/DropletVideo inference.py, pipeline.py.
"""

from functools import partial

import comfy.sd

from ....fcvg_core.errors import UserError
from ....fcvg_core.long_prompts import cut_prompt
from ....fcvg_core.models.dropletvideo.rules import (
    NEGATIVE,
    TEXT_TOKENS,
    check_prompt,
    whole_prompt,
)

T5 = "t5xxl"  # the host's name of T5-XXL in a CLIP, and in tokens
PADDING, END = 0, 1  # tokens of T5
RIGHT_CLIP = "use the CLIP of Load DropletVideo, or Load CLIP with a T5-XXL file and type sd3"


def encode_prompts(
    clip: comfy.sd.CLIP, prompt: str, negative: str, *, quality: bool, default_negative: bool
) -> tuple[list, list]:
    """CONDITIONINGs of a prompt and of a negative prompt.

    Args:
        clip: T5-XXL without masks.
        quality: whether the official words about quality follow the prompt.
        default_negative: whether the official negative prompt stands before `negative`.

    Returns:
        Texts of [1, 400, D] each.

    Raises:
        UserError: the CLIP is another encoder, or masks the padding of a prompt.

    Differs: the official code leaves out the end of a long prompt without a word; here a warning
        quotes this end.
    """
    _check_encoder(clip)
    check_prompt(prompt)
    start = NEGATIVE if default_negative else ""
    texts = {"prompt": whole_prompt(prompt, quality=quality), "negative prompt": start + negative}
    positive, negative = (_encode(clip, text, name) for name, text in texts.items())
    return positive, negative


def _encode(clip: comfy.sd.CLIP, text: str, name: str) -> list:
    """A CONDITIONING of a text; the name is for messages."""
    tokens = clip.tokenize(text, disable_weights=True)
    if T5 not in tokens:
        raise UserError(f"The tokenizer of the CLIP is not T5-XXL's: {RIGHT_CLIP}.")
    # An SD3 encoder has tokens of other encoders too, which it needs though their weights may be
    # missing; they don't reach the result of T5 alone.
    tokens = {**tokens, T5: [_padded(clip, [x for part in tokens[T5] for x in part], name)]}
    found = clip.encode_from_tokens_scheduled(tokens)
    for encoded, _ in found:
        if tuple(encoded.shape[:2]) != (1, TEXT_TOKENS):
            raise UserError(
                f"The CLIP made a text of the shape {list(encoded.shape)}, but DropletVideo takes "
                f"[1, {TEXT_TOKENS}, 4096], of T5-XXL alone: {RIGHT_CLIP}."
            )
    return found


def _padded(clip: comfy.sd.CLIP, tokens: list[tuple], name: str) -> list[tuple]:
    """400 tokens with their weights: words, the end, padding. What is too long is left out."""
    words = list(tokens)
    while words and _is(words[-1], PADDING):
        words.pop()
    if words and _is(words[-1], END):
        words.pop()
    read = partial(_read, clip)
    kept = cut_prompt(words, TEXT_TOKENS - 1, read, name=name, model="DropletVideo")
    kept = [*kept, (END, 1.0)]
    return kept + [(PADDING, 1.0)] * (TEXT_TOKENS - len(kept))


def _is(token: tuple, number: int) -> bool:
    """Whether a token is this one: a token may be an embedding in place of a number."""
    return isinstance(token[0], int) and token[0] == number


def _read(clip: comfy.sd.CLIP, tokens: list[tuple]) -> str:
    """The text of tokens."""
    # An encoder of several networks calls the tokenizer otherwise than an encoder of T5 alone.
    names = (T5, f"clip_{T5}")
    tokenizer = next(getattr(clip.tokenizer, x) for x in names if hasattr(clip.tokenizer, x))
    words = [token for token in tokens if isinstance(token[0], int)]
    pieces = [piece for _, piece in tokenizer.untokenize(words)]
    return "".join(pieces).replace("\u2581", " ").strip()


def _check_encoder(clip: comfy.sd.CLIP) -> None:
    """Raise UserError unless a CLIP holds T5-XXL, and T5-XXL reads the padding too."""
    encoder = getattr(clip.cond_stage_model, T5, None)
    if encoder is None:
        raise UserError(f"The CLIP holds no T5-XXL, which DropletVideo needs: {RIGHT_CLIP}.")
    if encoder.enable_attention_masks or encoder.zero_out_masked:
        raise UserError(
            "This T5-XXL masks the padding of a prompt, because of the type that is chosen in Load "
            f"CLIP, but DropletVideo reads the padding too: {RIGHT_CLIP}."
        )
