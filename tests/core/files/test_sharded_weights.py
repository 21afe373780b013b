"""Weights in several files with an index: read as one file, or refused in a sentence."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from dropletvideo_stand_ins import write_shards
from memory import PeakBytes
from safetensors.torch import save_file

from fcvg_core.errors import UserError
from fcvg_core.files.sharded_weights import ShardedWeights, open_weights, read_index

FLOAT = torch.float32
VALUES = {name: torch.full((2, 3), float(i)) for i, name in enumerate("abcdef")}
NAMES = ["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors"]


@pytest.fixture
def index(tmp_path) -> Path:
    """An index and three files with two tensors each."""
    return write_shards(tmp_path / "part", "model", VALUES, 3)


def change(index: Path, **places: object) -> None:
    """Change the files that an index names."""
    content = json.loads(index.read_text())
    content["weight_map"] |= places
    index.write_text(json.dumps(content))


class TestRead:
    def test_as_one_file(self, index) -> None:
        file = ShardedWeights(index)
        assert {key: x.shape for key, x in file.shapes.items()} == dict.fromkeys("abcdef", (2, 3))
        assert all(x.is_meta for x in file.shapes.values())
        found = dict(file.read("fda", torch.float16))
        assert found.keys() == set("fda") and found["d"].dtype == torch.float16
        assert torch.equal(found["d"].float(), VALUES["d"])

    def test_values_that_are_no_numbers(self, index) -> None:
        save_file({"c": torch.tensor([float("nan")]), "d": VALUES["d"]}, index.parent / NAMES[1])
        with pytest.raises(UserError, match="00002-of-00003.safetensors does not fit: c holds NaN"):
            dict(ShardedWeights(index).read("abc", FLOAT))

    def test_nothing_is_held_twice(self, index) -> None:
        """What is not converted stays in the files, and what is converted is held once."""
        file = ShardedWeights(index)
        for dtype, most in ((FLOAT, 0), (torch.float16, 6 * 12)):
            with PeakBytes() as used:
                tensors = [x for _, x in file.read(file.shapes, dtype)]
                most += len(tensors) * 4 + 24  # sums, and a tensor that is being converted
            assert used.peak <= most, dtype


class TestFaults:
    def test_a_file_is_missing(self, index) -> None:
        for name in NAMES:
            (index.parent / name).unlink()
        expected = rf"part lacks {NAMES[0]}, {NAMES[1]}, which .* names: 1 of 3 files are there\."
        with pytest.raises(UserError, match=expected):
            ShardedWeights(index)

    def test_a_file_twice(self, index) -> None:
        shutil.copy(index.parent / NAMES[0], index.parent / NAMES[1])
        expected = f"c is not in {NAMES[1]}; d is not in {NAMES[1]}; a is in {NAMES[1]} too and 1"
        with pytest.raises(UserError, match=f"json does not fit its files: {expected}"):
            ShardedWeights(index)

    def test_a_tensor_elsewhere(self, index) -> None:
        change(index, a=NAMES[1])
        with pytest.raises(UserError, match=f"a is not in {NAMES[1]}; a is in {NAMES[0]} too"):
            ShardedWeights(index)

    @pytest.mark.parametrize(
        "place", ["../other.safetensors", "/etc/passwd", "C:\\a.safetensors", "evil.pickle", 5]
    )
    def test_a_file_beyond_the_folder(self, index, place) -> None:
        """No index makes a loader open a file that is not beside it."""
        change(index, a=place)
        with pytest.raises(UserError, match="weight_map must name a file beside it|lacks C:"):
            read_index(index)

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"weight_map": []}'])
    def test_no_index(self, index, content) -> None:
        index.write_text(content)
        with pytest.raises(UserError, match="model.safetensors.index.json is"):
            open_weights(index)


class TestFolders:
    def test_several_files_or_one(self, index) -> None:
        folder = index.parent
        assert open_weights(folder).path == index
        for name in ("model.fp16.safetensors", "pytorch_model.bin", "model.safetensors"):
            save_file(VALUES, folder / name)
        assert open_weights(folder).path == folder / "model.safetensors"

    def test_pickles_last(self, tmp_path) -> None:
        torch.save(VALUES, tmp_path / "a.bin")
        assert open_weights(tmp_path).shapes.keys() == set("abcdef")

    def test_without_index_or_weights(self, index) -> None:
        index.unlink()
        with pytest.raises(UserError, match=r"has no index \(\.index\.json\) for 'model-00001-of"):
            open_weights(index.parent)
        for name in index.parent.iterdir():
            name.unlink()
        with pytest.raises(UserError, match="part has no weights: the download is incomplete"):
            open_weights(index.parent)
