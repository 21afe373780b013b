"""The tokenizer of T5: where it lies, and prompts as tokens."""

import logging
from pathlib import Path

import pytest
from dropletvideo_stand_ins import tokenizer_model

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.rules import NEGATIVE
from fcvg_core.standalone.networks.dropletvideo.text import (
    Tokenizer,
    encode_prompt,
    find_tokenizer,
)

TEXTS = [
    "A boat (on a lake:1.3),  at\ndawn; é 漢",
    NEGATIVE,
    "",
    "the video " * 300,
]


@pytest.fixture(scope="module")
def folder(official) -> Path:
    return official / "tokenizer"


@pytest.fixture(scope="module")
def tokenizer(folder) -> Tokenizer:
    return Tokenizer(find_tokenizer(folder, []))


@pytest.fixture(scope="module")
def library(folder):
    """The tokenizer of transformers, which the official code uses."""
    from transformers import T5Tokenizer

    return T5Tokenizer.from_pretrained(str(folder), local_files_only=True)


class TestTokens:
    @pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:5])
    def test_as_the_official_code(self, tokenizer, library, tmp_path, text):
        expected = library(
            text, padding="max_length", max_length=400, truncation=True, return_tensors="pt"
        ).input_ids
        library.save_pretrained(tmp_path)  # as tokenizer.json
        other = Tokenizer(find_tokenizer(tmp_path, []))
        assert tokenizer(text).equal(expected) and other(text).equal(expected)
        assert expected.shape == (1, 400)

    def test_the_longest_prompt(self, tokenizer, caplog):
        tokens = tokenizer("a " * 399)[0].tolist()
        assert len(tokens) == 400 and tokens[-1] == 1 and not caplog.text

    def test_what_is_too_long_is_said(self, tokenizer, caplog):
        text = "a" + " a" * 398
        assert tokenizer(text + " lost words", "negative prompt").equal(tokenizer(text))
        tokenizer(text + " lost words")  # it is said once
        (said,) = caplog.messages
        assert said.startswith("The negative prompt has 4") and said.endswith(
            "tokens, but the model takes 399: its end, 'lost words', is left out."
        )

    def test_5000_letters(self, tokenizer, caplog):
        assert tokenizer("x" * 5000).shape == (1, 400)
        assert all(len(record.getMessage()) < 200 for record in caplog.records)
        assert [record.levelno for record in caplog.records] == [logging.WARNING]

    def test_padding_takes_part(self, pipeline):
        """As in training: the tokens of a prompt depend on the padding behind it."""
        networks = pipeline.networks
        whole = encode_prompt("a lake", networks.tokenizer, networks.text_encoder)
        assert whole.shape == (1, 400, networks.transformer.config.text_channels)
        tokens = networks.tokenizer("a lake")
        alone = networks.text_encoder(input_ids=tokens[:, :8]).last_hidden_state
        assert not alone.allclose(whole[:, :8], atol=1e-3)


class TestFolder:
    def test_a_folder_without(self, tmp_path):
        expected = "no folder of T5's tokenizer: it has neither spiece.model nor tokenizer.json"
        with pytest.raises(UserError, match=expected):
            find_tokenizer(tmp_path, [])

    def test_a_file_or_a_known_folder(self, folder, tmp_path):
        assert find_tokenizer(folder / "spiece.model", []) == folder / "spiece.model"
        with pytest.raises(UserError, match="--tokenizer FOLDER .* --only t5-tokenizer"):
            find_tokenizer(None, [("comfyui", tmp_path / "models")])
        path = tmp_path / "comfy" / "text_encoders" / "t5_tokenizer" / "tokenizer.json"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
        assert find_tokenizer(None, [("comfyui", tmp_path / "models")]) == path

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("tokenizer.json", b"{"),
            ("tokenizer.json", b"[]"),
            ("spiece.model", b""),
            ("spiece.model", b"no model"),
            ("spiece.model", tokenizer_model()[:900]),
        ],
    )
    def test_a_damaged_file(self, tmp_path, name, content):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=rf"The tokenizer .*{name} can't be read: .*again\."):
            Tokenizer(tmp_path / name)

    def test_of_another_model(self, tmp_path):
        from tokenizers import Tokenizer as Library
        from tokenizers.models import WordLevel

        words = {"</s>": 0, "<pad>": 1, "<unk>": 2}
        Library(WordLevel(words, unk_token="<unk>")).save(str(tmp_path / "tokenizer.json"))
        with pytest.raises(UserError, match=r"not T5's: .* are \(1, 0\), but \(0, 1\) is"):
            Tokenizer(tmp_path / "tokenizer.json")
