"""Prompts and labels -> the tokens of CLIP's text encoder, as DynamiCrafter and SMCD take them."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ...catalogue.comfyui import COMFYUI_PATH
from ...catalogue.dynamicrafter import CLIP_MERGES, CLIP_TOKENIZER, CLIP_VOCABULARY
from ...catalogue.model_files import MissingModelsError, Roots
from ...errors import UserError
from ...long_prompts import PromptCutter
from ...models.clip_towers import END, START, TEXT_LENGTH

TOKENIZER_FILES = (CLIP_VOCABULARY, CLIP_MERGES)
PADDING = 0  # as in OpenCLIP; OpenAI's CLIP pads with END


def find_tokenizer(folder: Path | None, roots: Roots) -> Path:
    """The folder of CLIP's tokenizer: the given folder, or one in a known folder or in ComfyUI.

    Raises:
        MissingModelsError: no folder is given, and none is found.
        UserError: the folder lacks a file.
    """
    if folder is not None:
        if missing := _missing(folder):
            raise UserError(
                f"{folder} is no folder of CLIP's tokenizer: it lacks {' and '.join(missing)}. "
                "Both files are at huggingface.co/openai/clip-vit-large-patch14."
            )
        return folder
    found = CLIP_TOKENIZER.find(roots)
    if found is None:
        raise MissingModelsError(
            "The tokenizer of CLIP is not found: give --tokenizer FOLDER with vocab.json and "
            f"merges.txt, set {COMFYUI_PATH} to the folder of a ComfyUI, which contains both, or "
            f"download it with {CLIP_TOKENIZER.download_command}."
        )
    return found.parent


class Tokenizer:
    """Prompts -> CLIP's tokens.

    Args:
        folder: from `find_tokenizer`.

    Attributes:
        folder: the same.

    Raises:
        UserError: the files are not those of CLIP's tokenizer.
    """

    def __init__(self, folder: Path):
        from transformers import CLIPTokenizer

        self.folder = folder
        try:
            self._tokenizer = CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
        except Exception as error:  # the library of tokenizers raises plain exceptions
            raise UserError(
                f"The tokenizer in {folder} can't be read: {error}. Download its files again."
            ) from error
        found = (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id)
        if found != (START, END):
            raise UserError(
                f"The tokenizer in {folder} is not CLIP's: its first and last tokens are {found}, "
                f"but {(START, END)} is expected. Use that of openai/clip-vit-large-patch14."
            )
        self._cut = PromptCutter(TEXT_LENGTH - 2, self._tokenizer.decode)

    def __call__(self, prompt: str, name: str = "prompt") -> Tensor:
        """Tokens [1, 77] of a prompt; the name is for messages.

        The end of a prompt that is too long is left out; a warning quotes this end once.
        Differs: the official code leaves it out without a word.
        """
        words = self._tokenizer(prompt, add_special_tokens=False, verbose=False).input_ids
        tokens = [START, *self._cut(words, prompt, name), END]
        return torch.tensor([tokens + [PADDING] * (TEXT_LENGTH - len(tokens))])


def encode_prompt(
    prompt: str, tokenizer: Tokenizer, encoder: nn.Module, name: str = "prompt"
) -> Tensor:
    """Text tokens [1, 77, D] of a prompt, float32.

    Args:
        encoder: transformers' CLIPTextModel without CLIP's last layer, on the device that
            computes; its last norm is applied.
        name: of the prompt, for messages.

    Source: Doubiiu/DynamiCrafter lvdm/modules/encoders/condition.py:174-235.
    """
    return _encode(tokenizer(prompt, name), encoder)


def embed_label(label: str, tokenizer: Tokenizer, encoder: nn.Module) -> Tensor:
    """The embedded name of an object, [D] float32: the text token where the label ends.

    The arguments are those of `encode_prompt`.

    Source: Mingxiao-Li/Animate-Your-Motion inference_customize.py.
    """
    tokens = tokenizer(label, "label")
    return _encode(tokens, encoder)[0, tokens[0].tolist().index(END)]


def _encode(tokens: Tensor, encoder: nn.Module) -> Tensor:
    """Text tokens [1, 77, D] of CLIP's tokens [1, 77]."""
    device = next(encoder.parameters()).device
    return encoder(input_ids=tokens.to(device)).last_hidden_state.float()


def _missing(folder: Path) -> list[str]:
    """The files that a folder of a tokenizer lacks."""
    return [name for name in TOKENIZER_FILES if not (folder / name).is_file()]
