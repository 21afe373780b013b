"""The files of a model: a folder, one file, in parts, and wrong ones."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from memory import PeakBytes
from safetensors.torch import save_file
from smcd_stand_ins import CLIP_FILE, VAE_FILE, smcd_weights, write_smcd

from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.errors import UserError
from fcvg_core.models.smcd.rules import FILE_NAMES, NETWORKS
from fcvg_core.standalone.networks.smcd import SmcdFiles, check_smcd, load_label_encoder

FLOAT, CPU = torch.float32, torch.device("cpu")
UNET_FILE, POSITION_FILE, VISUAL_FILE = FILE_NAMES[0]


def fill(files: SmcdFiles, dtype: torch.dtype = FLOAT):
    """The networks of files."""
    return check_smcd(files, dtype, []).load(CPU, False, lambda *state: None).networks


def own_weights(networks) -> dict[str, dict[str, torch.Tensor]]:
    """The weights of SMCD's own networks."""
    return {name: getattr(networks, name).state_dict() for name in NETWORKS}


def check_weights(networks, *, halved: bool = False) -> None:
    """Assert that every weight of SMCD's own networks has arrived."""
    for name, found in own_weights(networks).items():
        expected = smcd_weights()[name]
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            value = value.half().float() if halved else value
            assert torch.equal(found[key], value), (name, key)


@pytest.fixture
def copy(official, tmp_path) -> Path:
    """A copy of the official folder."""
    return shutil.copytree(official, tmp_path / "smcd")


class TestLayouts:
    def test_official_folder(self, pipeline, files, official):
        check_weights(pipeline.networks)
        assert not pipeline.networks.unet.training
        checked = check_smcd(files, FLOAT, [])
        assert checked.is_stand_in
        assert checked.files.position_net == official / POSITION_FILE
        assert checked.files.vae == files.modelscope / VAE_FILE

    def test_the_unets_file_finds_its_neighbours(self, files, official):
        checked = check_smcd(replace(files, ckpt=official / UNET_FILE), FLOAT, [])
        assert checked.files.visual_encoder == official / VISUAL_FILE

    def test_names_of_newer_training_libraries(self, files, tmp_path):
        check_weights(
            fill(replace(files, ckpt=write_smcd(tmp_path, layout="safetensors"))), halved=True
        )

    def test_one_file(self, files, merged):
        networks = fill(replace(files, ckpt=merged))
        check_weights(networks, halved=True)

    def test_each_network_from_its_own_file(self, files, copy):
        """Also from a file that holds all of them, or under any name."""
        given = {}
        for network, name in zip(NETWORKS, FILE_NAMES[0], strict=True):
            given[network] = copy / f"{network}.pth"
            (copy / name).rename(given[network])
        given["ckpt"] = given.pop("unet")
        check_weights(fill(replace(files, **given)))

    def test_a_given_file_comes_before_the_neighbour(self, files, merged):
        networks = fill(replace(files, visual_encoder=merged))
        expected = smcd_weights()["visual_encoder"]["conv_in.weight"].half().float()
        assert torch.equal(networks.visual_encoder.conv_in.weight, expected)

    def test_number_formats(self, files):
        """The VAE and the visual encoder would overflow in float16."""
        networks = fill(files, torch.float16)
        assert {p.dtype for p in networks.unet.parameters()} == {torch.float16}
        assert networks.text_encoder.dtype == torch.float16
        assert networks.vae.dtype == torch.float32
        assert networks.visual_encoder.conv_in.weight.dtype == torch.float32
        assert networks.position_net.null_positive_feature.dtype == torch.float32

    def test_no_weight_is_held_twice(self, files):
        """Weights are mapped from the files; of those that are converted one copy is made."""
        checked = check_smcd(files, torch.float16, [])
        with PeakBytes() as made:
            unet = checked.load(CPU, False, lambda *state: None).networks.unet
        assert made.peak < 1.05 * sum(2 * x.numel() for x in unet.parameters())

    def test_what_it_needs(self, files):
        needs = check_smcd(files, FLOAT, []).networks()
        sizes = {x: sum(value.numel() for value in y.values()) for x, y in smcd_weights().items()}
        assert needs.unet == sizes["unet"] and needs.vae > 0
        assert needs.encoders > sizes["position_net"] + sizes["visual_encoder"]


class TestTextEncoderAndVae:
    def test_beside_the_unet(self, files, copy, caplog):
        caplog.set_level(logging.INFO)
        for name in (CLIP_FILE, VAE_FILE):
            shutil.copy(files.modelscope / name, copy)
        found = check_smcd(replace(files, ckpt=copy, modelscope=None), FLOAT, []).files
        assert (found.text_encoder, found.vae) == (copy / CLIP_FILE, copy / VAE_FILE)
        assert f"The VAE of {copy / VAE_FILE} is used." in caplog.messages

    def test_in_a_known_folder(self, files, tmp_path):
        vae = tmp_path / "vae-ft-mse-840000-ema-pruned.safetensors"
        text = tmp_path / "stable-diffusion-2-1-clip.safetensors"
        networks = fill(files)
        prefix = "text_model."
        state = networks.text_encoder.state_dict()
        save_file({prefix + k.removeprefix(prefix): v for k, v in state.items()}, text)
        save_file(networks.vae.state_dict(), vae)
        given = replace(files, modelscope=None)
        found = check_smcd(given, FLOAT, [("folder", tmp_path)]).files
        assert (found.text_encoder, found.vae) == (text, vae)

    def test_a_folder_of_modelscope_that_lacks_them(self, files, copy, tmp_path, caplog):
        for name in (CLIP_FILE, VAE_FILE):
            shutil.copy(files.modelscope / name, copy)
        found = check_smcd(replace(files, ckpt=copy, modelscope=tmp_path), FLOAT, []).files
        assert found.vae == copy / VAE_FILE and f"{tmp_path} has no {VAE_FILE}." in caplog.messages

    def test_nowhere(self, files):
        expected = (
            r"holds no text encoder and no VAE: give --text-encoder FILE and --vae FILE, .* "
            "--only sd21-text-encoder sd-vae"
        )
        with pytest.raises(MissingModelsError, match=expected):
            check_smcd(replace(files, modelscope=None), FLOAT, [])

    def test_labels_need_the_text_encoder_alone(self, files, pipeline):
        given = replace(files, vae=None, modelscope=None, text_encoder=files.modelscope / CLIP_FILE)
        (found,) = load_label_encoder(given, [], device=CPU)(["dog"])
        assert torch.equal(found, pipeline.embed_labels(["dog"])[0])
        with pytest.raises(MissingModelsError, match="^There is no text encoder: give --text-enc"):
            load_label_encoder(replace(given, text_encoder=None), [], device=CPU)


def refused(files: SmcdFiles, message: str, **changes) -> None:
    """Assert what is said of files."""
    with pytest.raises(UserError, match=message):
        check_smcd(replace(files, **changes), FLOAT, [])


class TestWrongFiles:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (UNET_FILE, r"lacks pytorch_model.bin, SMCD's UNet\. Put pytorch_model.bin of Lixiao"),
            (POSITION_FILE, r"lacks pytorch_model_1.bin, SMCD's PositionNet.* --position-net FILE"),
            (VISUAL_FILE, r"lacks pytorch_model_2.bin, SMCD's visual .* --visual-encoder FILE"),
        ],
    )
    def test_a_folder_lacks_a_file(self, files, copy, name, message):
        (copy / name).unlink()
        refused(files, message, ckpt=copy)

    def test_the_first_stage_is_called_what_it_is(self, files, tmp_path):
        """Before the visual encoder is missed, which this stage does not have."""
        message = "a UNet of SMCD's first stage of training, which knows boxes but no picture"
        refused(files, message, ckpt=write_smcd(tmp_path, stage=1))

    def test_modelscopes_unet(self, files):
        message = r"is a UNet of a text-to-video model, but SMCD's UNet is needed"
        refused(files, message, ckpt=files.modelscope / "text2video_pytorch_model.pth")

    def test_a_unet_alone_under_another_name(self, files, copy):
        (copy / UNET_FILE).rename(copy / "unet.bin")
        message = (
            "holds no PositionNet and no visual encoder: give --position-net FILE and "
            "--visual-encoder FILE, or the folder with pytorch_model.bin, pytorch_model_1.bin"
        )
        refused(files, message, ckpt=copy / "unet.bin")

    def test_files_in_each_others_place(self, files, copy):
        shutil.copy(copy / POSITION_FILE, copy / VISUAL_FILE)
        message = "is SMCD's PositionNet, but SMCD's visual encoder is needed"
        refused(files, message, ckpt=copy)

    @pytest.mark.parametrize("network", NETWORKS)
    def test_a_tensor_is_missing(self, files, merged, tmp_path, network):
        tensors = {
            f"{x}.{key}": value
            for x, found in smcd_weights().items()
            for key, value in found.items()
        }
        key = next(key for key in tensors if key.startswith(network) and "bias" in key)
        del tensors[key]
        save_file(tensors, tmp_path / "smcd.safetensors")
        message = rf"{key.removeprefix(network + '.')} is missing"
        refused(files, message, ckpt=tmp_path / "smcd.safetensors")

    def test_no_file(self, files, tmp_path):
        refused(files, "x.bin", ckpt=tmp_path / "x.bin")

    def test_a_text_encoder_of_another_width(self, files, tmp_path):
        from transformers import CLIPTextConfig, CLIPTextModel

        sizes = {"hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 2}
        network = CLIPTextModel(CLIPTextConfig(**sizes, intermediate_size=128))
        save_file(network.state_dict(), tmp_path / "text.safetensors")
        message = "gives tokens of width 128, but the PositionNet in .* takes 64: use CLIP ViT-H's"
        refused(files, message, text_encoder=tmp_path / "text.safetensors")

    def test_a_visual_encoder_of_another_width(self, files, tmp_path):
        from fcvg_core.models.smcd import VisualEncoder, VisualEncoderConfig

        network = VisualEncoder(VisualEncoderConfig(channels=(8, 16), blocks=1))
        torch.save(network.state_dict(), tmp_path / "visual.pth")
        message = "visual encoder in .* gives tokens of width 16, but the UNet in .* takes 64: use"
        refused(files, message, visual_encoder=tmp_path / "visual.pth")
