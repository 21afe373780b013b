"""smcd-prepare: labels go through the text encoder alone, and the files are those that are read."""

import json
from pathlib import Path

import pytest
import torch
from box_set_cases import write_got10k, write_youvis
from clip_tokenizer import END, write_tokenizer
from smcd_stand_ins import CLIP_FILE, CONTEXT, VAE_FILE, write_modelscope

from fcvg_core.box_sets import open_box_set
from fcvg_core.choices import GOT10K, YOUVIS
from fcvg_core.standalone.cli.main import main


@pytest.fixture(scope="module")
def modelscope(tmp_path_factory) -> Path:
    """ModelScope's folder without the VAE, which is not needed."""
    folder = write_modelscope(tmp_path_factory.mktemp("models"))
    (folder / VAE_FILE).unlink()
    return folder


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Both data sets as they are downloaded, and a tokenizer."""
    for folder in (write_got10k(tmp_path).parent, write_youvis(tmp_path)):
        for name in ("obj_embedding.json", "annotations_info_with_cat_emb.json"):
            (folder / name).unlink(missing_ok=True)
    write_tokenizer(tmp_path / "tokenizer")
    return tmp_path


def prepare(sets: Path, dataset: str, *arguments: object) -> int:
    words = ["--path", sets, "--tokenizer", sets / "tokenizer", "--device", "cpu", *arguments]
    return main(["smcd-prepare", "--dataset", dataset, *map(str, words)])


def test_the_official_files(sets: Path, modelscope: Path, capsys) -> None:
    assert prepare(sets, GOT10K, "--root_path", modelscope) == 0
    assert prepare(sets, YOUVIS, "--text-encoder", modelscope / CLIP_FILE) == 0
    written = capsys.readouterr().out
    for name in ("obj_embedding.json", "annotations_info.json", "_with_cat_emb.json"):
        assert name in written
    for dataset, split in ((GOT10K, "val"), (YOUVIS, "train")):
        (video,) = open_box_set(sets, dataset, split)
        assert {x.shape for x in video.embeddings.values()} == {(CONTEXT,)}
    found = json.loads((sets / "got-10k" / "obj_embedding.json").read_text(encoding="utf-8"))
    (row,) = found["brown bear"]
    assert row == pytest.approx(expected_row("brown bear", sets, modelscope), abs=1e-5)


def expected_row(label: str, sets: Path, modelscope: Path) -> list[float]:
    """The last token of the label by the library's own encoder, as the official code takes it."""
    from transformers import CLIPTokenizer

    from fcvg_core.standalone.networks.smcd import EncoderFiles, load_label_encoder

    files = EncoderFiles(modelscope=modelscope, tokenizer=sets / "tokenizer")
    encoder = load_label_encoder(files, [], device=torch.device("cpu"))._text_encoder
    tokenizer = CLIPTokenizer.from_pretrained(str(sets / "tokenizer"))
    tokens = tokenizer(label).input_ids
    assert tokenizer.convert_ids_to_tokens(tokens[-1]) == END
    with torch.no_grad():
        return encoder(input_ids=torch.tensor([tokens])).last_hidden_state[0, -1].tolist()


def test_nothing_is_overwritten(sets: Path, modelscope: Path, capsys) -> None:
    path = sets / "got-10k" / "obj_embedding.json"
    path.write_text("mine")
    assert prepare(sets, GOT10K, "--root-path", modelscope) == 2
    assert f"{path} exists already and is not changed" in capsys.readouterr().err
    assert path.read_text() == "mine"


@pytest.mark.usefixtures("comfyui")
def test_without_a_text_encoder(sets: Path, capsys) -> None:
    assert prepare(sets, GOT10K) == 2
    assert "text encoder" in capsys.readouterr().err


def test_a_file_without_a_text_encoder(sets: Path, modelscope: Path, capsys) -> None:
    path = modelscope / "text2video_pytorch_model.pth"
    assert prepare(sets, GOT10K, "--text-encoder", path) == 2
    assert "holds no CLIP text encoder" in capsys.readouterr().err
    assert not (sets / "got-10k" / "obj_embedding.json").exists()
