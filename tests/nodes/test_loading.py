import json
import shutil
import subprocess
import sys

import pytest
import torch
from golden_cases import fill
from safetensors.torch import load_file, save_file

from fcvg_core.models.fcvg import Config, ControlNeXt

pytestmark = pytest.mark.seam


@pytest.fixture(scope="module")
def loading(load):
    return load("nodes.host.loading")


@pytest.fixture(scope="module")
def weights(stand_ins):
    return load_file(stand_ins / "unet.safetensors")


class RunsCode:
    """A pickle of this would run a command."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (subprocess.check_call, ([sys.executable, "-c", f"open({self.path!r}, 'w')"],))


class TestUnet:
    def test_sizes_come_from_the_file(self, loading, stand_ins):
        model = loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default")
        assert model.model.diffusion_model.model_channels == 64
        assert model.model.model_config.unet_config["context_dim"] == 64

    def test_partial_file_over_a_base(self, loading, stand_ins, weights, tmp_path):
        base = loading.load_svd_unet(str(stand_ins / "svd"))
        part = {"conv_in.bias": weights["conv_in.bias"] + 1}
        save_file(part, tmp_path / "part.safetensors")
        before = base.model.diffusion_model.input_blocks[0][0].bias.clone()
        model = loading.load_unet(str(tmp_path / "part.safetensors"), base, "default")
        assert model is not base
        assert not base.patches
        patched = model.patch_weight_to_device("diffusion_model.input_blocks.0.0.bias")
        assert patched is None
        found = model.model.diffusion_model.input_blocks[0][0].bias.clone()
        model.unpatch_model()
        torch.testing.assert_close(found, part["conv_in.bias"].float())
        torch.testing.assert_close(base.model.diffusion_model.input_blocks[0][0].bias, before)

    def test_whole_file_replaces_the_base(self, loading, stand_ins):
        base = loading.load_svd_unet(str(stand_ins / "svd"))
        model = loading.load_unet(str(stand_ins / "unet.safetensors"), base, "default")
        assert model.model is not base.model
        assert not model.patches

    def test_partial_file_alone(self, loading, weights, tmp_path):
        save_file({"conv_in.bias": weights["conv_in.bias"]}, tmp_path / "part.safetensors")
        with pytest.raises(ValueError, match="part.safetensors is .*connect the SVD model"):
            loading.load_unet(str(tmp_path / "part.safetensors"), None, "default")

    def test_one_tensor_missing(self, loading, weights, tmp_path):
        rest = {k: v for k, v in weights.items() if k != "up_blocks.3.attentions.2.proj_out.bias"}
        save_file(rest, tmp_path / "rest.safetensors")
        with pytest.raises(ValueError, match="output_blocks.11.1.proj_out.bias is missing"):
            loading.load_unet(str(tmp_path / "rest.safetensors"), None, "default")

    def test_sd15(self, loading, tmp_path):
        state = {"conv_in.weight": torch.zeros(320, 4, 3, 3),
                 "down_blocks.0.resnets.0.norm1.weight": torch.zeros(320)}  # fmt: skip
        save_file(state, tmp_path / "sd15.safetensors")
        with pytest.raises(ValueError, match="sd15.safetensors is a UNet without temporal layers"):
            loading.load_unet(str(tmp_path / "sd15.safetensors"), None, "default")

    def test_controlnext_file(self, loading, stand_ins):
        with pytest.raises(ValueError, match="is a ControlNeXt v2 network, but a whole SVD"):
            loading.load_unet(str(stand_ins / "controlnext.safetensors"), None, "default")

    def test_key_that_fits_nothing_in_a_partial_file(self, loading, stand_ins, tmp_path):
        base = loading.load_svd_unet(str(stand_ins / "svd"))
        save_file({"strange": torch.zeros(1)}, tmp_path / "x.safetensors")
        with pytest.raises(ValueError, match="strange is unknown"):
            loading.load_unet(str(tmp_path / "x.safetensors"), base, "default")

    @pytest.mark.parametrize("partial", [False, True])
    def test_controlnext_svd_in_half_precision(
        self, loading, stand_ins, weights, tmp_path, partial
    ):
        """unet_fp16.bin, merged with SVD or only what was trained."""
        base = loading.load_svd_unet(str(stand_ins / "svd"))
        learned = {k: v for k, v in weights.items() if not partial or "attn" in k}
        torch.save(learned, tmp_path / "unet_fp16.bin")
        model = loading.load_unet(str(tmp_path / "unet_fp16.bin"), base, "default")
        assert len(model.patches) == (len(learned) if partial else 0)
        assert (model.model is base.model) == partial
        key = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"
        model.patch_model()
        found = model.model.diffusion_model.middle_block[1].transformer_blocks[0].attn1.to_q.weight
        assert torch.equal(found.float(), weights[key].float())
        model.unpatch_model()

    def test_pickle_of_plain_tensors(self, loading, weights, tmp_path):
        torch.save(weights, tmp_path / "unet.bin")
        assert loading.load_unet(str(tmp_path / "unet.bin"), None, "default").model


class TestControlNeXt:
    def test_is_managed_by_the_host(self, loading, stand_ins):
        patcher = loading.load_controlnext(str(stand_ins / "controlnext.safetensors"))
        assert hasattr(patcher.model.mid_convs[1], "comfy_cast_weights")
        assert patcher.model_size() > 0

    @pytest.mark.parametrize("name", ["controlnet.bin", "controlnext_v1.safetensors"])
    def test_version_1(self, loading, tmp_path, own_golden, name):
        """The official layout, full size."""
        text = (own_golden / "controlnext/keys_controlnext_v1.json").read_text()
        state = fill({k: tuple(v) for k, v in json.loads(text).items()}, {})
        save = torch.save if name.endswith(".bin") else save_file
        save(state, tmp_path / name)
        patcher = loading.load_controlnext(str(tmp_path / name))
        assert patcher.model.config.version == 1
        assert patcher.model.config.out_channels == 1280
        assert all(torch.equal(v, state[k]) for k, v in patcher.model.state_dict().items())
        assert hasattr(patcher.model.down_res[2].conv1, "comfy_cast_weights")

    def test_version_1_with_parts_missing(self, loading, tmp_path):
        shapes = {k: tuple(v.shape) for k, v in ControlNeXt(Config()).state_dict().items()}
        state = {**fill(shapes, {}), "scale": torch.tensor(1.0)}
        torch.save(state, tmp_path / "controlnet.bin")
        with pytest.raises(ValueError, match="it is a ControlNeXt v1 network. .* is missing"):
            loading.load_controlnext(str(tmp_path / "controlnet.bin"))

    def test_unet_file(self, loading, stand_ins):
        with pytest.raises(ValueError, match="is an SVD UNet, but a ControlNeXt v2"):
            loading.load_controlnext(str(stand_ins / "unet.safetensors"))


class TestBrokenFiles:
    @pytest.mark.parametrize("content", [b"", b"just some text, not a model", b"\xff" * 64])
    @pytest.mark.parametrize("name", ["x.safetensors", "x.bin"])
    def test_not_a_model(self, loading, tmp_path, name, content):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name) as raised:
            loading.load_controlnext(str(tmp_path / name))
        assert raised.value.__cause__ is not None
        assert len(str(raised.value)) < 300

    def test_truncated(self, loading, stand_ins, tmp_path):
        whole = (stand_ins / "controlnext.safetensors").read_bytes()
        (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ValueError, match=r"cut.safetensors \(\d+ bytes\) can't be read"):
            loading.load_controlnext(str(tmp_path / "cut.safetensors"))

    def test_code_in_a_pickle_is_not_run(self, loading, tmp_path):
        ran = tmp_path / "ran"
        torch.save({"a": RunsCode(str(ran))}, tmp_path / "evil.pt")
        with pytest.raises(ValueError, match="evil.pt .*never run"):
            loading.load_controlnext(str(tmp_path / "evil.pt"))
        assert not ran.exists()

    def test_other_things_than_tensors(self, loading, tmp_path):
        torch.save({"epoch": 3, "best": 0.5}, tmp_path / "x.pt")
        with pytest.raises(ValueError, match="no plain list of tensors"):
            loading.load_controlnext(str(tmp_path / "x.pt"))


class TestSvdFolder:
    def test_part_is_missing(self, loading, stand_ins, tmp_path):
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        shutil.rmtree(tmp_path / "svd" / "vae")
        with pytest.raises(ValueError, match="holds no vae/.*not complete"):
            loading.load_svd_encoders(str(tmp_path / "svd"))

    def test_image_encoder_without_config(self, loading, stand_ins, tmp_path):
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        (tmp_path / "svd" / "image_encoder" / "config.json").write_text(json.dumps({"a": 1}))
        with pytest.raises(ValueError, match="does not describe a CLIP image encoder"):
            loading.load_svd_encoders(str(tmp_path / "svd"))

    def test_image_vae(self, loading, stand_ins, tmp_path):
        from diffusers import AutoencoderKL

        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        AutoencoderKL(block_out_channels=(32,), layers_per_block=1).save_pretrained(
            tmp_path / "svd" / "vae"
        )
        with pytest.raises(ValueError, match="is a VAE, but SVD's VAE with its temporal decoder"):
            loading.load_svd_encoders(str(tmp_path / "svd"))

    def test_fp16_variant_comes_first(self, loading, stand_ins, tmp_path):
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        (tmp_path / "svd" / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(b"")
        with pytest.raises(ValueError, match="fp16.safetensors"):
            loading.load_svd_unet(str(tmp_path / "svd"))
