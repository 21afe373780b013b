"""Prompts -> the text tokens that DropletVideo's transformer attends to.

Source: IEIT-AGI/DropletVideo pipeline.py:249-291, inference.py:58.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ....catalogue.dropletvideo import T5_TOKENIZER
from ....catalogue.model_files import MissingModelsError, Roots
from ....errors import UserError
from ....long_prompts import PromptCutter
from ....models.dropletvideo.rules import TEXT_TOKENS

SPIECE, JSON = "spiece.model", "tokenizer.json"  # two forms of one tokenizer
PADDING, END = 0, 1  # tokens of T5


def find_tokenizer(path: Path | None, roots: Roots) -> Path:
    """The file of T5's tokenizer.

    Args:
        path: the file, or a folder with it; None: it is looked for in known folders.

    Raises:
        MissingModelsError: no path is given, and no tokenizer is found.
        UserError: the folder holds no tokenizer.
    """
    if path is None:
        found = T5_TOKENIZER.find(roots)
        if found is None:
            raise MissingModelsError(
                f"T5's tokenizer is not found: give --tokenizer FOLDER with {SPIECE} or {JSON}, or "
                f"download it with {T5_TOKENIZER.download_command}."
            )
        return found
    if not path.is_dir():
        return path
    found = next((path / name for name in (JSON, SPIECE) if (path / name).is_file()), None)
    if found is None:
        raise UserError(
            f"{path} is no folder of T5's tokenizer: it has neither {SPIECE} nor {JSON}. "
            f"{SPIECE} is in the folder tokenizer of DropletVideo."
        )
    return found


class Tokenizer:
    """Prompts -> T5's tokens.

    Args:
        path: from `find_tokenizer`.

    Attributes:
        size: number of tokens that it knows.

    Raises:
        ModuleNotFoundError: the file is a spiece.model, and sentencepiece is missing.
        UserError: the file is no tokenizer of T5.
    """

    def __init__(self, path: Path):
        try:
            self._encode, decode, self.size, ends = _open(path)
        except ModuleNotFoundError:
            raise
        except Exception as error:  # both libraries raise plain exceptions
            raise UserError(
                f"The tokenizer {path} can't be read: {str(error).rstrip('.')}. Download it again."
            ) from error
        if ends != (PADDING, END):
            raise UserError(
                f"The tokenizer {path} is not T5's: padding and end of a text are {ends}, but "
                f"{(PADDING, END)} is expected. Use the one in the folder of DropletVideo."
            )
        self._cut = PromptCutter(TEXT_TOKENS - 1, decode)

    def __call__(self, prompt: str, name: str = "prompt") -> Tensor:
        """Tokens [1, 400] of a prompt; the name is for messages.

        The end of a prompt that is too long is left out; a warning quotes this end once.
        """
        tokens = [*self._cut(self._encode(prompt.strip()), prompt, name), END]
        return torch.tensor([tokens + [PADDING] * (TEXT_TOKENS - len(tokens))])


def encode_prompt(
    prompt: str, tokenizer: Tokenizer, encoder: nn.Module, name: str = "prompt"
) -> Tensor:
    """Text tokens [1, 400, D] of a prompt, float32; padding takes part, as in training.

    Args:
        encoder: transformers' T5Stack, on the device that computes.
        name: of the prompt, for messages.
    """
    device = next(encoder.parameters()).device
    return encoder(input_ids=tokenizer(prompt, name).to(device)).last_hidden_state.float()


def _open(path: Path) -> tuple[Callable, Callable, int, tuple]:
    """Functions text -> tokens and tokens -> text, the number of tokens, and padding and end."""
    if path.suffix == ".json":
        from tokenizers import Tokenizer as Library

        library = Library.from_file(str(path))
        library.no_padding()
        library.no_truncation()
        ends = library.token_to_id("<pad>"), library.token_to_id("</s>")

        def encode(text: str) -> list[int]:
            return library.encode(text, add_special_tokens=False).ids

        return encode, library.decode, library.get_vocab_size(), ends
    from sentencepiece import SentencePieceProcessor

    pieces = SentencePieceProcessor(model_file=str(path))
    return pieces.encode, pieces.decode, pieces.get_piece_size(), (pieces.pad_id(), pieces.eos_id())
