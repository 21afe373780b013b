"""Pickled weights rewritten as .safetensors."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors.torch import load_file

from fcvg_core.catalogue.find import find_gluestick
from fcvg_core.errors import UserError
from fcvg_core.files.weight_files import read_weights
from fcvg_core.lines import build_gluestick
from fcvg_core.lines.gluestick import Config
from fcvg_core.lines.gluestick_keys import gluestick_shapes, superpoint_shapes
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.networks.convert import convert
from fcvg_core.standalone.networks.loading import check_controlnext_file


def save(path: Path, content, **options) -> Path:
    torch.save(content, path, **options)
    return path


class TestConvert:
    @pytest.mark.parametrize("ending", [".bin", ".pth", ".pt", ".tar", ".ckpt"])
    @pytest.mark.parametrize("new", [True, False])
    def test_values_stay(self, tmp_path: Path, ending: str, new: bool) -> None:
        weights = {"a": torch.randn(3, 4), "b": torch.arange(5), "c": torch.tensor(2.0)}
        weights |= {"half": torch.randn(2).half(), "turned": torch.randn(2, 3).T}
        path = save(tmp_path / f"x{ending}", weights, _use_new_zipfile_serialization=new)
        before = path.read_bytes()
        target, left = convert(path)
        assert target == tmp_path / "x.safetensors" and left == []
        found = load_file(target)
        assert found.keys() == weights.keys()
        for key, value in weights.items():
            assert found[key].dtype == value.dtype and torch.equal(found[key], value)
        assert path.read_bytes() == before
        assert set(tmp_path.iterdir()) == {target, path}

    def test_shared_memory(self, tmp_path: Path) -> None:
        whole = torch.arange(6.0)
        weights = {"a": whole, "again": whole, "part": whole[2:4]}
        found = load_file(convert(save(tmp_path / "x.bin", weights))[0])
        assert all(torch.equal(found[key], value) for key, value in weights.items())

    @pytest.mark.parametrize("key", ["model", "state_dict"])
    def test_of_a_training_checkpoint(self, tmp_path: Path, key: str) -> None:
        content = {key: {"a": torch.ones(2), "steps": 3}, "epoch": 1, "optimizer": {}}
        target, left = convert(save(tmp_path / "x.tar", content))
        assert load_file(target).keys() == {"a"}
        assert left == ["epoch", "optimizer", "steps"]

    def test_nested_twice(self, tmp_path: Path) -> None:
        content = {"model": {"state_dict": {"a": torch.ones(2)}, "ema": {"a": torch.zeros(2)}}}
        target, left = convert(save(tmp_path / "x.PTH", content))
        assert torch.equal(load_file(target)["a"], torch.ones(2)) and left == ["ema"]

    def test_rights_stay(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.pth", {"a": torch.ones(2)})
        path.chmod(0o644)
        assert convert(path)[0].stat().st_mode & 0o777 == 0o644

    def test_odd_tensors(self, tmp_path: Path) -> None:
        """What a .safetensors file has no word for is written out, or named."""
        whole = torch.randn(2, 3)
        number = torch.tensor([1 + 2j])
        weights = {"a": whole, "turned": whole.T, "conjugate": number.conj()}
        found = load_file(convert(save(tmp_path / "x.bin", weights))[0])
        assert torch.equal(found["turned"], whole.T)
        assert torch.equal(found["conjugate"], torch.tensor([1 - 2j]))
        for name, content in (
            ("sparse", {"a": torch.eye(3).to_sparse()}),
            ("two", {1: torch.ones(2), "1": torch.zeros(2)}),
            ("metadata", {"__metadata__": torch.ones(2)}),
        ):
            with pytest.raises(ValueError, match=f"{name}.*(can't be written|of one name)"):
                convert(save(tmp_path / f"{name}.bin", content))
            assert not (tmp_path / f"{name}.safetensors").exists()

    def test_interrupted(self, tmp_path: Path, monkeypatch) -> None:
        """Neither half a file is left nor what it was written to."""
        path = save(tmp_path / "x.bin", {"a": torch.ones(2)})
        for error in (KeyboardInterrupt, SystemExit):

            def stop(tensors: dict, part: str, metadata: dict, error: type = error) -> None:
                Path(part).write_bytes(b"half of it")
                raise error

            monkeypatch.setattr(safetensors.torch, "save_file", stop)
            with pytest.raises(error):
                convert(path)
            assert list(tmp_path.iterdir()) == [path]

    def test_values_that_are_there_once(self, tmp_path: Path) -> None:
        """A terabyte from a kilobyte."""
        for content in (
            {"a": torch.ones(1).expand(2**20, 2**20)},
            dict.fromkeys(map(str, range(999)), torch.ones(10**4)),
        ):
            with pytest.raises(UserError, match="x.bin would become .* times as large"):
                convert(save(tmp_path / "x.bin", content))

    def test_odd_names(self, tmp_path: Path) -> None:
        content = {"a": torch.ones(2), 7: torch.ones(3), (1, 2): 5, "b\n" * 999: None}
        target, left = convert(save(tmp_path / "x.bin", content))
        assert load_file(target).keys() == {"a", "7"}
        assert left[0] == "a tuple" and len(left[1]) < 100 and left[1].isprintable()

    def test_a_link_that_leads_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "x.safetensors").symlink_to(tmp_path / "unplugged")
        with pytest.raises(ValueError, match="exists already"):
            convert(save(tmp_path / "x.bin", {"a": torch.ones(2)}))

    def test_refused(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.bin", {"a": torch.ones(2)})
        (tmp_path / "x.safetensors").write_bytes(b"mine")
        with pytest.raises(ValueError, match="x.safetensors exists already and is not changed"):
            convert(path)
        assert (tmp_path / "x.safetensors").read_bytes() == b"mine"
        with pytest.raises(ValueError, match="is a .safetensors file already"):
            convert(tmp_path / "x.safetensors")
        with pytest.raises(ValueError, match=r"expected \.tar, \.pth"):
            convert(tmp_path / "x.onnx")
        with pytest.raises(ValueError, match="There is no file"):
            convert(tmp_path / "none.bin")
        for content, what in (([1], "holds list"), ({"a": 1}, "no weights"), ({}, "no weights")):
            with pytest.raises(ValueError, match=what):
                convert(save(tmp_path / "y.bin", content))
        (tmp_path / "z.bin").write_bytes(b"PK cut off")
        with pytest.raises(ValueError, match="can't be read as model weights"):
            convert(tmp_path / "z.bin")
        assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]

    def test_code_is_not_run(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="more than weights"):
            convert(save(tmp_path / "x.bin", {"a": Path("x")}))


class TestOfficial:
    def test_controlnext(self, stand_ins: Path, tmp_path: Path) -> None:
        weights = load_file(stand_ins / "controlnext.safetensors")
        target, _ = convert(save(tmp_path / "controlnet.bin", weights))
        files = (stand_ins / "controlnext.safetensors", target)
        expected, found = (check_controlnext_file(x, torch.float32).fill() for x in files)
        for key, value in expected.state_dict().items():
            assert torch.equal(found.state_dict()[key], value)

    def test_gluestick(self, tmp_path: Path, monkeypatch) -> None:
        """Both files give the same matcher, and are found where only the new ones are."""
        shapes = gluestick_shapes(Config())
        weights = {f"matcher.module.{k}": torch.ones(shape) for k, shape in shapes.items()}
        old = (
            save(
                tmp_path / "checkpoint_GlueStick_MD.tar",
                {"model": weights | {"extractor.x": torch.ones(2)}, "epoch": 3},
            ),
            save(
                tmp_path / "superpoint_v1.pth",
                {key: torch.ones(shape) for key, shape in superpoint_shapes().items()},
            ),
        )
        assert main(["models", "--convert", *map(str, old)]) == 0
        expected = build_gluestick(*map(read_weights, old), names=("a", "b")).state_dict()
        for path in old:
            path.unlink()
        files = find_gluestick(None, None, [("folder", tmp_path)])
        assert all(path.suffix == ".safetensors" for path in files)
        found = build_gluestick(*map(read_weights, files), names=("a", "b")).state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_command(tmp_path: Path, capsys) -> None:
    path = save(tmp_path / "x.bin", {"model": {"a": torch.ones(2)}, "epoch": 1})
    assert main(["models", "--convert", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "x.safetensors" in printed and "still in x.bin alone: epoch" in printed
    assert main(["models", "--convert", str(path)]) == 2
    with pytest.raises(SystemExit):
        main(["models", "--get", "--convert", str(path)])
    other = save(tmp_path / "y.bin", {"a": torch.ones(2)})
    assert main(["models", "--convert", str(path), str(other)]) == 2  # the other one all the same
    assert (tmp_path / "y.safetensors").exists()
