"""Model files: whole, partial and wrong ones."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from fcvg_core.errors import UserError
from fcvg_core.files import weight_files
from fcvg_core.files.weight_files import WeightFile
from fcvg_core.models.controlnext import V1, ControlNeXt
from fcvg_core.models.svd.configs import IMAGE_ENCODER, INDEX, UNET, VAE
from fcvg_core.standalone.networks.loading import (
    Models,
    check_controlnext_file,
    check_files,
    check_image_encoder_files,
    check_models,
    check_unet_files,
    check_vae_files,
    fill_models,
)

FLOAT = torch.float32


@pytest.fixture
def bare_svd(stand_ins, tmp_path) -> Path:
    """SVD without the UNet's weights."""
    folder = tmp_path / "svd"
    shutil.copytree(stand_ins / "svd", folder)
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    return folder


class TestUnet:
    def test_whole_file_needs_no_base(self, stand_ins, bare_svd) -> None:
        path = stand_ins / "unet.safetensors"
        unet = check_unet_files(bare_svd, path, FLOAT).fill()
        weights = load_file(path)
        assert all(torch.equal(v, weights[k].float()) for k, v in unet.state_dict().items())
        assert not unet.training and not any(p.requires_grad for p in unet.parameters())

    def test_partial_file_over_the_base(self, stand_ins, tmp_path) -> None:
        part = {k: v for k, v in load_file(stand_ins / "unet.safetensors").items() if "tempo" in k}
        save_file(part, tmp_path / "part.safetensors")
        unet = check_unet_files(stand_ins / "svd", tmp_path / "part.safetensors", FLOAT).fill()
        base = load_file(stand_ins / "svd" / "unet" / "diffusion_pytorch_model.safetensors")
        for key, value in unet.state_dict().items():
            assert torch.equal(value, part.get(key, base[key]).float())

    @pytest.mark.parametrize("partial", [False, True])
    def test_controlnext_svd_in_half_precision(self, stand_ins, tmp_path, partial) -> None:
        """unet_fp16.bin, merged with SVD or only what was trained."""
        weights = load_file(stand_ins / "unet.safetensors")
        base = load_file(stand_ins / "svd" / "unet" / "diffusion_pytorch_model.safetensors")
        if partial:
            weights = {k: v for k, v in weights.items() if "attn" in k or "temporal" in k}
        torch.save(weights, tmp_path / "unet_fp16.bin")
        unet = check_unet_files(stand_ins / "svd", tmp_path / "unet_fp16.bin", FLOAT).fill()
        for key, value in unet.state_dict().items():
            assert torch.equal(value, weights.get(key, base[key]).float())

    def test_partial_file_without_base(self, stand_ins, bare_svd, tmp_path) -> None:
        part = {"conv_in.bias": load_file(stand_ins / "unet.safetensors")["conv_in.bias"]}
        save_file(part, tmp_path / "part.safetensors")
        with pytest.raises(ValueError, match=r"part\.safetensors .* with the other tensors"):
            check_unet_files(bare_svd, tmp_path / "part.safetensors", FLOAT).fill()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"conv_on.weight": torch.zeros(2)}, "conv_on.weight is unknown"),
            ({"conv_in.bias": torch.zeros(2)}, r"conv_in.bias has the shape \(2,\), but \(64,\)"),
        ],
    )
    def test_keys_that_do_not_fit(self, stand_ins, tmp_path, change, message) -> None:
        weights = {**load_file(stand_ins / "unet.safetensors"), **change}
        for name in ("whole", "part"):
            save_file(weights if name == "whole" else change, tmp_path / f"{name}.safetensors")
            expected = rf"{name}\.safetensors does not fit the sizes of .*config\.json.*{message}"
            with pytest.raises(ValueError, match=expected):
                check_unet_files(stand_ins / "svd", tmp_path / f"{name}.safetensors", FLOAT).fill()

    def test_sd15(self, stand_ins, tmp_path) -> None:
        names = ("down_blocks.0.resnets.0.conv1.weight", "conv_in.weight")
        save_file({name: torch.zeros(4, 4, 3, 3) for name in names}, tmp_path / "sd.safetensors")
        with pytest.raises(ValueError, match=r"sd\.safetensors .* without temporal layers"):
            check_unet_files(stand_ins / "svd", tmp_path / "sd.safetensors", FLOAT).fill()

    def test_controlnext_in_its_place(self, stand_ins) -> None:
        with pytest.raises(ValueError, match="it is a ControlNeXt v2 network"):
            check_unet_files(stand_ins / "svd", stand_ins / "controlnext.safetensors", FLOAT).fill()

    @pytest.mark.parametrize("suffix", [".bin", ".pt", ".pth"])
    @pytest.mark.parametrize("zipped", [True, False])
    def test_pickles_of_tensors(self, stand_ins, tmp_path, suffix, zipped, monkeypatch) -> None:
        monkeypatch.setattr(weight_files, "REOPEN_BYTES", 2**20)
        weights = load_file(stand_ins / "controlnext.safetensors")
        path = tmp_path / f"weights{suffix}"
        torch.save(weights, path, _use_new_zipfile_serialization=zipped)
        network = check_controlnext_file(path, FLOAT).fill()
        assert all(torch.equal(v, weights[k].float()) for k, v in network.state_dict().items())


def test_svd_alone(stand_ins) -> None:
    """Its own UNet, and nothing that steers."""
    checked = check_models(stand_ins / "svd", None, None, FLOAT)
    models = Models(**dict(fill_models(checked)))
    own = load_file(stand_ins / "svd/unet/diffusion_pytorch_model.safetensors")
    assert models.controlnext is None
    for key, value in models.unet.state_dict().items():
        assert torch.equal(value, own[key].float())


class TestControlnext:
    def test_sizes_come_from_the_file(self, stand_ins) -> None:
        path = stand_ins / "controlnext.safetensors"
        network = check_controlnext_file(path, torch.bfloat16).fill()
        assert network.config.out_channels == 64
        assert {p.dtype for p in network.parameters()} == {torch.bfloat16}

    def test_v1(self, tmp_path) -> None:
        weights = ControlNeXt(replace(V1, out_channels=64)).state_dict()
        torch.save({**weights, "scale": torch.tensor(0.25)}, tmp_path / "controlnet.bin")
        network = check_controlnext_file(tmp_path / "controlnet.bin", torch.bfloat16).fill()
        assert network.config == replace(V1, out_channels=64)
        assert network.config.out_channels == 64
        assert network.scale == 0.25
        assert {p.dtype for p in network.parameters()} == {torch.bfloat16}

    def test_v1_with_parts_missing(self, tmp_path) -> None:
        v1 = {"scale": torch.zeros(()), "mid_convs.1.weight": torch.zeros(1280, 256, 1, 1)}
        torch.save(v1, tmp_path / "controlnet.bin")
        with pytest.raises(ValueError, match="it is a ControlNeXt v1 network. .* is missing"):
            check_controlnext_file(tmp_path / "controlnet.bin", FLOAT).fill()

    def test_unet_in_its_place(self, stand_ins) -> None:
        with pytest.raises(ValueError, match="is an SVD UNet, but a ControlNeXt v2"):
            check_controlnext_file(stand_ins / "unet.safetensors", FLOAT).fill()


class TestSvdFolder:
    def test_incomplete_svd(self, stand_ins, bare_svd) -> None:
        (bare_svd / "vae" / "config.json").write_text("{")
        (bare_svd / "image_encoder" / "model.safetensors").unlink()
        for check in (check_vae_files, check_image_encoder_files):
            with pytest.raises(ValueError, match="download of SVD is incomplete"):
                check(bare_svd, FLOAT)
        with pytest.raises(ValueError, match="no folder of SVD in diffusers"):
            check_models(bare_svd / "vae", stand_ins, stand_ins, FLOAT)


class TestConfigs:
    """Every value of every config file of SVD's folder, set wrong."""

    USED = {
        "unet/config.json": UNET,
        "vae/config.json": VAE,
        "image_encoder/config.json": IMAGE_ENCODER,
        "model_index.json": INDEX,
    }
    UNUSED = ("scheduler/scheduler_config.json", "feature_extractor/preprocessor_config.json")
    WRONG = (None, "text", -1, 0, [], {}, 10**9)
    # Sizes that a network could have; the stand-ins' tensors have others.
    OTHER_SIZES = [
        ("unet", "block_out_channels", [64, 64, 64, 128]),
        ("unet", "cross_attention_dim", 128),
        ("unet", "layers_per_block", 1),
        ("unet", "transformer_layers_per_block", 2),
        ("unet", "up_block_types", ["UpBlockSpatioTemporal"] * 4),
        ("unet", "num_attention_heads", [2, 1, 1, 1]),
        ("vae", "block_out_channels", [32, 32, 32, 64]),
        ("vae", "layers_per_block", 1),
        ("image_encoder", "projection_dim", 128),
        ("image_encoder", "hidden_size", 128),
        ("image_encoder", "patch_size", 14),
        ("image_encoder", "num_hidden_layers", 3),
        ("image_encoder", "intermediate_size", 64),
    ]

    @pytest.fixture
    def svd(self, stand_ins, tmp_path) -> Path:
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        return tmp_path / "svd"

    @staticmethod
    def check(stand_ins: Path, svd: Path) -> dict:
        files = (stand_ins / "unet.safetensors", stand_ins / "controlnext.safetensors")
        return check_models(svd, *files, FLOAT)

    @staticmethod
    def change(path: Path, **values) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    @pytest.mark.parametrize("name", USED)
    def test_wrong(self, stand_ins, svd, name) -> None:
        path, original = svd / name, (svd / name).read_text()
        for key in self.USED[name]:
            for value in self.WRONG:
                path.write_text(original)
                self.change(path, **{key: value})
                with pytest.raises(UserError) as error:
                    self.check(stand_ins, svd)
                assert str(error.value).startswith(f"{path}: {key} is ")

    def test_ignored(self, stand_ins, svd) -> None:
        """Every other value may be anything, and a run is the same: all at once."""
        for i, name in enumerate((*self.USED, *self.UNUSED)):
            others = json.loads((svd / name).read_text()).keys() - self.USED.get(name, {}).keys()
            values = {key: self.WRONG[(i + j) % 7] for j, key in enumerate(sorted(others))}
            self.change(svd / name, **values, more={"nested": [1]})
        found, expected = (self.check(stand_ins, x) for x in (svd, stand_ins / "svd"))
        for part in expected:
            assert str(found[part].network) == str(expected[part].network)
            kept = [getattr(x[part].network, "config", None) for x in (found, expected)]
            assert (
                kept[0] == kept[1]
                or part == "image_encoder"
                and (kept[0].to_dict() == kept[1].to_dict())
            )

    @pytest.mark.parametrize(("part", "key", "value"), OTHER_SIZES)
    def test_sizes_of_another_network(self, stand_ins, svd, part, key, value) -> None:
        self.change(svd / part / "config.json", **{key: value})
        with pytest.raises(UserError, match=f"{part}/config.json"):
            self.check(stand_ins, svd)

    @pytest.mark.parametrize("name", USED)
    @pytest.mark.parametrize("content", [b"", b"[]", b"null", b"[" * 10**5, b"\xff\xfe\x00"])
    def test_no_settings(self, stand_ins, svd, name, content) -> None:
        (svd / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            self.check(stand_ins, svd)

    def test_nothing_is_loaded_before_all_is_checked(self, stand_ins, svd, monkeypatch) -> None:
        """The last file is the wrong one."""
        monkeypatch.setattr(WeightFile, "read", None)
        save_file({"x": torch.ones(2)}, svd / "image_encoder" / "model.safetensors")
        files = (stand_ins / "unet.safetensors", stand_ins / "controlnext.safetensors")
        with pytest.raises(UserError, match="model.safetensors does not fit"):
            check_models(svd, *files, FLOAT)


def test_vae_does_not_run_in_float16(stand_ins) -> None:
    assert check_vae_files(stand_ins / "svd", torch.float16).fill().dtype == FLOAT
    assert check_vae_files(stand_ins / "svd", torch.bfloat16).fill().dtype == torch.bfloat16


def test_matching_precision_is_preferred(stand_ins, bare_svd, tmp_path) -> None:
    other = {key: value * 2 for key, value in load_file(stand_ins / "unet.safetensors").items()}
    save_file(
        load_file(stand_ins / "unet.safetensors"),
        bare_svd / "unet" / "diffusion_pytorch_model.safetensors",
    )
    save_file(other, bare_svd / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    full, half = (check_unet_files(bare_svd, None, x).fill() for x in (FLOAT, torch.float16))
    assert torch.equal(full.conv_in.weight * 2, half.conv_in.weight.float())


def test_no_tensor_is_ignored_unless_it_is_named(tmp_path) -> None:
    save_file({"weight": torch.ones(2, 2), "odd ": torch.ones(1)}, tmp_path / "x.safetensors")
    file, layer = WeightFile(tmp_path / "x.safetensors"), torch.nn.Linear(2, 2, bias=False)
    with pytest.raises(ValueError, match="odd  is unknown"):
        check_files(layer, [file], FLOAT)
    assert check_files(layer, [file], FLOAT, ignored="odd ").fill().weight.sum() == 4
