"""The tokenizer of CLIP: where it lies, and prompts as tokens."""

from pathlib import Path

import pytest
from clip_tokenizer import write_tokenizer

from fcvg_core.catalogue.comfyui import known_folders
from fcvg_core.errors import UserError
from fcvg_core.standalone.networks.clip_text import Tokenizer, find_tokenizer


@pytest.fixture(scope="module")
def tokenizer_folder(tmp_path_factory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def tokenizer(tokenizer_folder) -> Tokenizer:
    return Tokenizer(tokenizer_folder)


class TestTokens:
    def test_a_prompt(self, tokenizer):
        tokens = tokenizer("A cat")
        a, c, t = (ord(letter) - 33 for letter in "act")
        assert tokens.shape == (1, 77)
        assert tokens[0].tolist() == [49406, 300 + a, c, a, 300 + t, 49407] + [0] * 71

    def test_nothing(self, tokenizer):
        assert tokenizer("")[0].tolist() == [49406, 49407] + [0] * 75

    def test_the_longest_prompt(self, tokenizer, caplog):
        tokens = tokenizer("a" * 75)[0].tolist()
        assert tokens[0] == 49406 and tokens[-1] == 49407 and 0 not in tokens
        assert not caplog.text

    def test_what_is_too_long_is_said(self, tokenizer, caplog):
        tokens = tokenizer("a" * 75 + " lost words")
        assert tokens.equal(tokenizer("a" * 75 + " lost words"))  # it is said once
        assert tokens.equal(tokenizer("a" * 75))
        assert caplog.messages == [
            "The prompt has 84 tokens, but the model takes 75: its end, 'lost words', is left out."
        ]

    def test_the_prompt_that_is_too_long_is_named(self, tokenizer, caplog):
        tokenizer("b" * 76, "negative prompt")
        assert "The negative prompt has 76 tokens" in caplog.text


class TestFolder:
    def test_a_given_folder(self, tokenizer_folder):
        assert find_tokenizer(tokenizer_folder, []) == tokenizer_folder

    @pytest.mark.parametrize("missing", ["vocab.json", "merges.txt"])
    def test_a_file_is_missing(self, tmp_path, missing):
        (write_tokenizer(tmp_path) / missing).unlink()
        with pytest.raises(UserError, match=f"no folder of CLIP's tokenizer: it lacks {missing}"):
            find_tokenizer(tmp_path, [])

    def test_comfyui_brings_it(self, comfyui):
        with pytest.raises(UserError, match="give --tokenizer FOLDER with vocab.json and merges"):
            find_tokenizer(None, known_folders())
        folder = write_tokenizer(comfyui / "comfy" / "sd1_tokenizer")
        assert find_tokenizer(None, known_folders()) == folder
        downloaded = comfyui / "models" / "tokenizers" / "clip-vit-large-patch14"
        write_tokenizer(downloaded)
        assert find_tokenizer(None, known_folders()) == downloaded
        (downloaded / "vocab.json").unlink()  # a download that was broken off
        assert find_tokenizer(None, known_folders()) == folder

    @pytest.mark.parametrize("content", ["{", "[]"])
    def test_a_damaged_file(self, tmp_path, content):
        (write_tokenizer(tmp_path) / "vocab.json").write_text(content)
        with pytest.raises(UserError, match=r"The tokenizer in .* can't be read: .*again\."):
            Tokenizer(tmp_path)

    def test_of_another_model(self, tmp_path):
        path = write_tokenizer(tmp_path) / "vocab.json"
        path.write_text(path.read_text().replace("49407", "2000"))
        with pytest.raises(UserError, match=r"first and last tokens are \(49406, 2000\), but"):
            Tokenizer(tmp_path)
