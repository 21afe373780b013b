"""Files of weights: read when they are asked for, or refused in a sentence."""

import os
import pickle
import sys
from pathlib import Path

import pytest
import torch
from memory import own_memory
from safetensors.torch import load_file, save_file
from weight_cases import VALUES, repacked, save

from fcvg_core.containers import SAFETENSORS
from fcvg_core.errors import UserError
from fcvg_core.files.weight_files import (
    WeightFile,
    checked_weights,
    load_pickle,
    read_pickle,
    read_weights,
)

FLOAT = torch.float32


class TestUnreadable:
    def test_missing(self, tmp_path) -> None:
        with pytest.raises(ValueError, match=r"There is no file .*gone\.safetensors"):
            WeightFile(tmp_path / "gone.safetensors")

    @pytest.mark.parametrize("name", ["a.safetensors", "a.bin", "a.pt"])
    @pytest.mark.parametrize("content", [b"", b"This is a text, not a model.\n" * 9])
    def test_empty_or_text(self, tmp_path, name, content) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}.*(download it again|Use the)"):
            WeightFile(tmp_path / name)

    @pytest.mark.parametrize("name", ["a.safetensors", "a.bin"])
    def test_cut_off(self, stand_ins, tmp_path, name) -> None:
        path = tmp_path / name
        weights = load_file(stand_ins / "controlnext.safetensors")
        save_file(weights, path) if name.endswith("tensors") else torch.save(weights, path)
        path.write_bytes(path.read_bytes()[:100_000])
        with pytest.raises(ValueError, match=rf"{name} \(100000 bytes\) can't be read.*incomplete"):
            WeightFile(path)

    def test_code_is_never_run(self, tmp_path) -> None:
        torch.save({"conv_in.weight": Trap(str(tmp_path / "ran"))}, tmp_path / "evil.bin")
        (tmp_path / "plain.pt").write_bytes(pickle.dumps(Trap(str(tmp_path / "ran"))))
        for name in ("evil.bin", "plain.pt"):
            with pytest.raises(ValueError, match=f"{name} .*code in it is never run"):
                WeightFile(tmp_path / name)
        assert not (tmp_path / "ran").exists()

    def test_no_permission(self, tmp_path, monkeypatch) -> None:
        """Not called damaged: to download the file again would not help."""
        path = save(tmp_path / "a.bin", {"a": torch.ones(3)})

        def refuse(*given, **more):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
        for read in (WeightFile, read_pickle):
            with pytest.raises(UserError, match=r"You have no permission to read .*a\.bin: give"):
                read(path)

    @pytest.mark.parametrize("name", ["a.bin", "a.ckpt"])
    def test_gguf(self, tmp_path, name) -> None:
        (tmp_path / name).write_bytes(b"GGUF" + bytes(64))
        with pytest.raises(UserError, match=rf"{name} is a GGUF file .*Use the \.safetensors"):
            WeightFile(tmp_path / name)

    @pytest.mark.parametrize("fault", [RuntimeError("cuda"), ValueError("x"), KeyError("y")])
    def test_whatever_a_library_raises(self, tmp_path, fault) -> None:
        path = save(tmp_path / "a.bin", {"a": torch.ones(3)})
        with (
            pytest.raises(UserError, match=r"file \(\d+ bytes\) can't be read as model"),
            checked_weights(path, name="the file"),
        ):
            raise fault

    def test_no_tensors(self, tmp_path) -> None:
        torch.save({"epoch": 3}, tmp_path / "log.bin")
        with pytest.raises(ValueError, match=r"log\.bin is not a plain table of tensors"):
            WeightFile(tmp_path / "log.bin")

    def test_unknown_kind(self, tmp_path) -> None:
        (tmp_path / "model.onnx").write_bytes(b"1")
        with pytest.raises(ValueError, match="expected one of"):
            WeightFile(tmp_path / "model.onnx")

    @pytest.mark.parametrize("name", ["a.safetensors", "a.bin", "a.PTH"])
    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
    def test_no_file(self, tmp_path, name) -> None:
        """None of these is opened: a pipe and a device may never end."""
        path = tmp_path / name
        for make, what in (
            (lambda: path.mkdir(), "is a folder, a pipe or a device"),
            (lambda: os.mkfifo(path), "is a folder, a pipe or a device"),
            (lambda: path.symlink_to("/dev/zero"), "is a folder, a pipe or a device"),
            (lambda: path.symlink_to(tmp_path / "unplugged"), "There is no file"),
        ):
            make()
            for read in (WeightFile, read_pickle, read_weights):
                with pytest.raises(UserError, match=what) as error:
                    read(path)
                assert name in str(error.value)
            path.rmdir() if path.is_dir() else path.unlink()

    @pytest.mark.parametrize("how", ["compressed", "overlapping", "greedy"])
    def test_archives_that_torch_never_writes(self, tmp_path, how) -> None:
        weights = {"a": torch.ones(99), "b": torch.ones(3)}
        path = repacked(save(tmp_path / "plain.pt", weights), tmp_path / "x.pt", how)
        for read in (WeightFile, read_pickle):
            with pytest.raises(UserError, match=r"x\.pt is not a file of weights"):
                read(path)


class TestRead:
    @pytest.mark.parametrize("name", ["A.SAFETENSORS", "a.Sft", "a.BIN", "a.ckpt"])
    def test_endings(self, tmp_path, name) -> None:
        weights = {"a": torch.ones(3)}
        write_tensors = name.lower().endswith(SAFETENSORS)
        save_file(weights, tmp_path / name) if write_tensors else save(tmp_path / name, weights)
        file = WeightFile(tmp_path / name)
        assert file.shapes["a"].shape == (3,) and file.shapes["a"].is_meta
        assert dict(file.read(["a"], torch.float16))["a"].dtype == torch.float16

    @pytest.mark.parametrize("case", [case for case, (_, words) in VALUES.items() if not words])
    def test_values_that_work(self, tmp_path, case) -> None:
        value = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
        made = VALUES[case][0](value)
        file = WeightFile(save(tmp_path / "x.bin", {"a": made}))
        (_, found), *_ = file.read(["a"], FLOAT)
        assert torch.equal(found, made.detach().float()) and not found.requires_grad

    @pytest.mark.parametrize(
        ("value", "dtype"),
        [(float("nan"), FLOAT), (float("inf"), FLOAT), (1e300, FLOAT), (1e6, torch.float16)],
    )
    @pytest.mark.parametrize("name", ["x.bin", "x.safetensors"])
    def test_no_numbers(self, tmp_path, name, value, dtype) -> None:
        """Told at once, and not by a black video after minutes."""
        weights = {"a": torch.ones(9), "b": torch.tensor([1.0, value], dtype=torch.float64)}
        path = tmp_path / name
        save(path, weights) if name == "x.bin" else save_file(weights, path)
        with pytest.raises(UserError, match=rf"{name} does not fit: b holds NaN, infinite values"):
            dict(WeightFile(path).read(["a", "b"], dtype))

    def test_whole_numbers_stay(self, tmp_path) -> None:
        path = save(tmp_path / "x.bin", {"n.num_batches_tracked": torch.tensor(2**40 + 1)})
        (_, found), *_ = WeightFile(path).read(["n.num_batches_tracked"], torch.float16)
        assert found == 2**40 + 1


class Trap:
    """A pickle of this makes a folder when it is loaded carelessly."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_reads_from_memory_map(stand_ins, tmp_path) -> None:
    """A tensor that has the right type already is the file itself, not a copy of it."""
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.ones(1000)}, path)
    (_, tensor), *_ = WeightFile(path).read(["a"], FLOAT)
    if sys.platform == "linux":
        assert str(path) in Path("/proc/self/maps").read_text()
    assert tensor.sum() == 1000


SIZE = 192 * 2**20  # of a checkpoint: more than REOPEN_BYTES, so that it is opened again


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """A checkpoint of SIZE bytes."""
    if sys.platform != "linux":
        pytest.skip("measures memory with /proc")
    weights = {f"layer{i}.weight": torch.zeros(SIZE // 4 // 6) for i in range(6)}
    content = {"epoch": 1, "state_dict": weights}
    return save(tmp_path_factory.mktemp("large") / "model.ckpt", content)


class TestMemory:
    """No file is held twice, and no checkpoint of 10 GB has to fit into memory at once."""

    def test_what_is_not_converted_stays_in_the_file(self, large) -> None:
        before = own_memory()
        tensors = dict((file := WeightFile(large)).read(file.shapes, FLOAT))
        assert len(tensors) == 6 and own_memory() - before < SIZE / 10

    def test_what_is_converted_is_held_once(self, large) -> None:
        before = own_memory()
        tensors = dict((file := WeightFile(large)).read(file.shapes, torch.float16))
        assert len(tensors) == 6 and own_memory() - before < SIZE * 0.6

    def test_the_older_kind_is_read_too(self, tmp_path) -> None:
        content = {"module": {"a": torch.ones(3)}}
        torch.save(content, tmp_path / "x.ckpt", _use_new_zipfile_serialization=False)
        assert load_pickle(tmp_path / "x.ckpt")["module"]["a"].sum() == 3
