import json
import shutil
import subprocess
import sys
from functools import partial

import pytest
import torch
from golden_cases import fill
from safetensors.torch import load_file, save_file
from streaming import WAYS
from weight_cases import KEYS, SOME, VALUES, changed, repacked, save

from fcvg_core.models.controlnext import V2, ControlNeXt

pytestmark = pytest.mark.seam


@pytest.fixture(scope="module")
def loading(load):
    return load("nodes.host.svd.loading")


@pytest.fixture(params=WAYS, ids=WAYS)
def weights_are(request, host, monkeypatch):
    """Every loader in a host that streams weights, too."""
    WAYS[request.param](monkeypatch)


every_way = pytest.mark.usefixtures("weights_are")


@pytest.fixture(scope="module")
def weights(stand_ins):
    return load_file(stand_ins / "unet.safetensors")


class RunsCode:
    """A pickle of this would run a command."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (subprocess.check_call, ([sys.executable, "-c", f"open({self.path!r}, 'w')"],))


@every_way
class TestUnet:
    def test_sizes_come_from_the_file(self, loading, stand_ins):
        model = loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default")
        assert model.model.diffusion_model.model_channels == 64
        assert model.model.model_config.unet_config["context_dim"] == 64

    def test_whole_file_replaces_the_base(self, loading, stand_ins):
        base = load_svd(loading, stand_ins)
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
        state = {
            "conv_in.weight": torch.zeros(320, 4, 3, 3),
            "down_blocks.0.resnets.0.norm1.weight": torch.zeros(320),
        }
        save_file(state, tmp_path / "sd15.safetensors")
        with pytest.raises(ValueError, match="sd15.safetensors is a UNet without temporal layers"):
            loading.load_unet(str(tmp_path / "sd15.safetensors"), None, "default")

    def test_controlnext_file(self, loading, stand_ins):
        with pytest.raises(ValueError, match="is a ControlNeXt v2 network, but a whole SVD"):
            loading.load_unet(str(stand_ins / "controlnext.safetensors"), None, "default")

    def test_key_that_fits_nothing_in_a_partial_file(self, loading, stand_ins, tmp_path):
        base = load_svd(loading, stand_ins)
        save_file({"strange": torch.zeros(1)}, tmp_path / "x.safetensors")
        with pytest.raises(ValueError, match="strange is unknown"):
            loading.load_unet(str(tmp_path / "x.safetensors"), base, "default")

    def test_controlnext_svd_in_half_precision(self, loading, weights, tmp_path):
        """unet_fp16.bin, merged with SVD."""
        torch.save(weights, tmp_path / "unet_fp16.bin")
        model = loading.load_unet(str(tmp_path / "unet_fp16.bin"), None, "default")
        key = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"
        found = model.model.diffusion_model.middle_block[1].transformer_blocks[0].attn1.to_q.weight
        assert torch.equal(found.float(), weights[key].float())

    def test_pickle_of_plain_tensors(self, loading, weights, tmp_path):
        torch.save(weights, tmp_path / "unet.bin")
        assert loading.load_unet(str(tmp_path / "unet.bin"), None, "default").model


@every_way
class TestPartialUnet:
    """A file that holds what was trained, over an SVD model."""

    MIXERS = "diffusion_model.middle_block.1.time_mixer.mix_factor"

    @pytest.fixture
    def part(self, weights, tmp_path):
        learned = {k: v + 1 for k, v in weights.items() if "attn1" in k or "mix_factor" in k}
        torch.save(learned, tmp_path / "unet_fp16.bin")
        return str(tmp_path / "unet_fp16.bin"), learned

    @pytest.fixture(params=["ours", "the host's"])
    def base(self, request, loading, stand_ins, weights, monkeypatch):
        """SVD as Load SVD Models gives it, or as the host's own checkpoint loader does."""
        if request.param == "ours":
            return load_svd(loading, stand_ins)
        return load_with_the_host(weights, stand_ins, monkeypatch)

    def test_its_weights_are_merged(self, load, loading, base, part):
        before = {k: v.clone() for k, v in base.model.state_dict().items()}
        path, learned = part
        model = loading.load_unet(path, base, "default")
        renamed = load("fcvg_core.models.svd").rename_unet(learned)
        for key, value in model.model.diffusion_model.state_dict().items():
            wanted = renamed.get(key, before[f"diffusion_model.{key}"])
            torch.testing.assert_close(value.float(), wanted.float(), rtol=0, atol=0)
        assert model.model is not base.model
        assert not model.patches and not base.patches
        for key, value in base.model.state_dict().items():
            assert torch.equal(value, before[key]), key

    def test_over_a_base_that_is_in_use(self, loading, base, part):
        """With a LoRA in its weights, and on the card: neither comes into the new weights."""
        import comfy.model_management as mm

        key = "diffusion_model.middle_block.1.proj_in.weight"
        plain = base.model.state_dict()[key].clone()
        with_lora = base.clone()
        with_lora.add_patches({key: ("diff", (torch.ones_like(plain, dtype=torch.float32),))})
        with_lora.model_options["transformer_options"]["mark"] = 1
        mm.load_models_gpu([with_lora])
        try:
            model = loading.load_unet(part[0], with_lora, "default")
            assert torch.equal(model.model.state_dict()[key], plain)
            assert model.patches.keys() == {key}  # and acts on the new model as a patch
            assert model.model_options["transformer_options"]["mark"] == 1
            mm.load_models_gpu([model])
            mixer = model.model.state_dict()[self.MIXERS]
            assert torch.equal(
                mixer.float(), part[1]["mid_block.attentions.0.time_mixer.mix_factor"].float()
            )
        finally:
            mm.unload_all_models()
        assert torch.equal(base.model.state_dict()[key], plain)

    @pytest.mark.parametrize("whole", [False, True])
    def test_compiled_base(self, loading, base, part, stand_ins, whole):
        """Modules that a node has put into the base hold the base's weights."""
        from comfy_api.torch_helpers import set_torch_compile_wrapper

        compiled, exchanged = base.clone(), base.clone()
        set_torch_compile_wrapper(compiled, backend="eager")
        key = "diffusion_model.middle_block.1.proj_in"
        exchanged.add_object_patch(key, base.get_model_object(key))
        path = str(stand_ins / "unet.safetensors") if whole else part[0]
        for model, what in ((compiled, "torch.compile"), (exchanged, "proj_in")):
            with pytest.raises(ValueError, match=rf"{what}\), which hold its old weights"):
                loading.load_unet(path, model, "default")

    def test_formats_are_those_of_the_base(self, loading, stand_ins, part):
        path = str(stand_ins / "unet.safetensors")
        base = loading.load_unet(path, None, "fp8_e4m3fn")
        model = loading.load_unet(part[0], base, "default")
        found = model.model.diffusion_model.middle_block[1].proj_in.weight
        assert found.dtype == torch.float8_e4m3fn

    def test_whole_file_keeps_what_the_base_carries(self, loading, stand_ins):
        base = load_svd(loading, stand_ins)
        key = "diffusion_model.middle_block.1.proj_in.weight"
        base.add_patches({key: ("diff", (torch.ones(64, 64),))})
        model = loading.load_unet(str(stand_ins / "unet.safetensors"), base, "fp8_e5m2")
        assert model.patches.keys() == {key}
        assert model.model.state_dict()[key].dtype == torch.float8_e5m2

    def test_base_with_quantised_weights(self, loading, part, weights, tmp_path):
        path = save_scaled_fp8(weights, tmp_path / "scaled.safetensors")
        base = loading.load_unet(path, None, "default")
        with pytest.raises(ValueError, match="base model's weights are quantised.*fp16"):
            loading.load_unet(part[0], base, "default")


def load_svd(loading, folder):
    """The stand-in of SVD's own UNet, as the host's MODEL."""
    path = folder / "svd" / "unet" / "diffusion_pytorch_model.safetensors"
    return loading.load_unet(str(path), None, "default")


def load_with_the_host(weights, stand_ins, monkeypatch):
    """A MODEL from the host's loader, which knows SVD's own sizes only."""
    import comfy.model_detection
    import comfy.sd
    import comfy.supported_models

    monkeypatch.setitem(comfy.supported_models.SVD_img2vid.unet_config, "model_channels", 64)
    monkeypatch.setitem(comfy.supported_models.SVD_img2vid.unet_config, "context_dim", 64)
    names = load_file(stand_ins / "svd" / "unet" / "diffusion_pytorch_model.safetensors")
    path = stand_ins / "svd_of_the_host.safetensors"
    from fcvg_core.models.svd import rename_unet

    save_file(rename_unet(names), path)
    return comfy.sd.load_diffusion_model(str(path))


def save_scaled_fp8(weights, path, kind: str = "scaled_fp8") -> str:
    """A UNet whose linear layers are in fp8, each with a scale, in one of the host's formats."""
    young = kind in ("comfy_quant", "notes")
    state_dict = {}
    layers = [key.removesuffix(".weight") for key, value in weights.items() if value.ndim == 2]
    for key, value in weights.items():
        layer = key.removesuffix(".weight")
        if key == layer or layer not in layers:
            state_dict[key] = value
            continue
        scale = value.abs().max().float() / 400
        state_dict[key] = (value.float() / scale).to(torch.float8_e4m3fn)
        state_dict[f"{layer}.weight_scale" if young else f"{layer}.scale_weight"] = scale
    about = json.dumps({"format": "float8_e4m3fn"})
    if kind == "scaled_fp8":
        state_dict["scaled_fp8"] = torch.zeros(0, dtype=torch.float8_e4m3fn)
    if kind == "comfy_quant":
        told = torch.tensor(list(about.encode()), dtype=torch.uint8)
        state_dict.update({f"{layer}.comfy_quant": told.clone() for layer in layers})
    notes = {"layers": {layer: json.loads(about) for layer in layers}}
    metadata = {"_quantization_metadata": json.dumps(notes)} if kind == "notes" else None
    save_file(state_dict, path, metadata=metadata)
    return str(path)


class TestQuantisedFiles:
    @every_way
    @pytest.mark.parametrize("kind", ["scaled_fp8", "no mark", "comfy_quant", "notes"])
    def test_scaled_fp8_is_loaded_by_the_hosts_layers(
        self, loading, stand_ins, weights, tmp_path, kind
    ):
        import comfy.utils

        path = save_scaled_fp8(weights, tmp_path / "scaled.safetensors", kind)
        if kind in ("comfy_quant", "notes") and not hasattr(comfy.utils, "convert_old_quants"):
            with pytest.raises(ValueError, match="this ComfyUI is too old for this format"):
                loading.load_unet(path, None, "default")
            return
        scaled = loading.load_unet(path, None, "default").model.diffusion_model
        plain = loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default")
        plain = plain.model.diffusion_model
        inputs = torch.randn(3, 5, 64, generator=torch.Generator().manual_seed(0))
        layers = (x.middle_block[1].proj_in for x in (scaled, plain))
        first, second = (layer(inputs) for layer in layers)
        apart = (first - second).norm() / second.norm()
        assert 0 < apart < 0.05  # fp8 has 3 bits behind the point

    @pytest.mark.parametrize(
        ("extra", "words"),
        [
            ("weight_scale", "quantised with a scale for each layer"),
            ("absmax", "quantised by bitsandbytes"),
            ("quant_state.bitsandbytes__nf4", "quantised by bitsandbytes"),
            ("qzeros", "quantised by GPTQ"),
            ("wscales", "quantised by SVDQuant"),
        ],
    )
    def test_what_the_host_can_not_load_is_named(self, loading, weights, tmp_path, extra, words):
        layer = "mid_block.attentions.0.proj_in"
        state_dict = {**weights, f"{layer}.{extra}": torch.ones(1)}
        save_file(state_dict, tmp_path / "x.safetensors")
        with pytest.raises(ValueError, match=f"x.safetensors is {words}.*Use the fp16") as raised:
            loading.load_unet(str(tmp_path / "x.safetensors"), None, "default")
        assert "unknown" not in str(raised.value)
        assert len(str(raised.value)) < 300

    def test_whole_numbers(self, loading, weights, tmp_path):
        key = "mid_block.attentions.0.proj_in.weight"
        state_dict = {**weights, key: torch.ones(64, 32, dtype=torch.uint8)}
        save_file(state_dict, tmp_path / "x.safetensors")
        with pytest.raises(ValueError, match="holds whole numbers"):
            loading.load_unet(str(tmp_path / "x.safetensors"), None, "default")

    def test_two_numbers_a_byte(self, loading, weights, tmp_path):
        told = torch.tensor(list(json.dumps({"format": "nvfp4"}).encode()), dtype=torch.uint8)
        state_dict = {**weights, "mid_block.attentions.0.proj_in.comfy_quant": told}
        save_file(state_dict, tmp_path / "x.safetensors")
        with pytest.raises(ValueError, match=r"x.safetensors is quantised for ComfyUI \(nvfp4\)"):
            loading.load_unet(str(tmp_path / "x.safetensors"), None, "default")

    def test_a_part(self, loading, stand_ins, weights, tmp_path):
        base = load_svd(loading, stand_ins)
        some = {k: v for k, v in weights.items() if "attn1" in k}
        path = save_scaled_fp8(some, tmp_path / "part.safetensors")
        with pytest.raises(ValueError, match="part.safetensors is scaled fp8"):
            loading.load_unet(path, base, "default")

    @pytest.mark.parametrize("part", ["controlnext", "vae", "image_encoder"])
    def test_other_networks(self, load_controlnext, loading, stand_ins, tmp_path, part):
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        paths = {
            "controlnext": tmp_path / "controlnext.safetensors",
            "vae": tmp_path / "svd" / "vae" / "diffusion_pytorch_model.safetensors",
            "image_encoder": tmp_path / "svd" / "image_encoder" / "model.safetensors",
        }
        shutil.copy(stand_ins / "controlnext.safetensors", tmp_path)
        state_dict = load_file(paths[part])
        save_file({**state_dict, "layer.weight_scale": torch.ones(1)}, paths[part])
        with pytest.raises(ValueError, match="is quantised with a scale for each layer"):
            load_controlnext(str(paths["controlnext"]))
            loading.load_svd_encoders(str(tmp_path / "svd"))

    @pytest.mark.parametrize("name", ["x.gguf", "x.bin"])
    def test_gguf(self, loading, tmp_path, name):
        (tmp_path / name).write_bytes(b"GGUF" + b"\x00" * 64)
        with pytest.raises(ValueError, match=f"{name} is a GGUF file .*Use the .safetensors"):
            loading.load_unet(str(tmp_path / name), None, "default")


@every_way
class TestControlNeXt:
    def test_is_managed_by_the_host(self, load_controlnext, loading, stand_ins):
        patcher = load_controlnext(str(stand_ins / "controlnext.safetensors"))
        assert hasattr(patcher.model.mid_convs[1], "comfy_cast_weights")
        assert patcher.model_size() > 0

    @pytest.mark.parametrize("name", ["controlnet.bin", "controlnext_v1.safetensors"])
    def test_version_1(self, load_controlnext, loading, tmp_path, own_golden, name):
        """The official layout, full size."""
        text = (own_golden / "controlnext/keys_controlnext_v1.json").read_text()
        state = fill({k: tuple(v) for k, v in json.loads(text).items()}, {})
        save = torch.save if name.endswith(".bin") else save_file
        save(state, tmp_path / name)
        patcher = load_controlnext(str(tmp_path / name))
        assert patcher.model.config.version == 1
        assert patcher.model.config.out_channels == 1280
        assert all(torch.equal(v, state[k]) for k, v in patcher.model.state_dict().items())
        assert hasattr(patcher.model.down_res[2].conv1, "comfy_cast_weights")

    def test_version_1_with_parts_missing(self, load_controlnext, loading, tmp_path):
        shapes = {k: tuple(v.shape) for k, v in ControlNeXt(V2).state_dict().items()}
        state = {**fill(shapes, {}), "scale": torch.tensor(1.0)}
        torch.save(state, tmp_path / "controlnet.bin")
        with pytest.raises(ValueError, match="it is a ControlNeXt v1 network. .* is missing"):
            load_controlnext(str(tmp_path / "controlnet.bin"))

    def test_unet_file(self, load_controlnext, loading, stand_ins):
        with pytest.raises(ValueError, match="is an SVD UNet, but a ControlNeXt v2"):
            load_controlnext(str(stand_ins / "unet.safetensors"))


@every_way
class TestBrokenFiles:
    @pytest.mark.parametrize("content", [b"", b"just some text, not a model", b"\xff" * 64])
    @pytest.mark.parametrize("name", ["x.safetensors", "x.bin"])
    def test_not_a_model(self, load_controlnext, loading, tmp_path, name, content):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name) as raised:
            load_controlnext(str(tmp_path / name))
        assert len(str(raised.value)) < 300

    def test_no_permission(self, load_controlnext, loading, stand_ins, monkeypatch):
        """Not called damaged: to download the file again would not help."""

        def refuse(*given, **more):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
        with pytest.raises(ValueError, match="no permission to read controlnext.safetensors"):
            load_controlnext(str(stand_ins / "controlnext.safetensors"))

    def test_truncated(self, load_controlnext, loading, stand_ins, tmp_path):
        whole = (stand_ins / "controlnext.safetensors").read_bytes()
        (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ValueError, match=r"cut.safetensors \(\d+ bytes\) can't be read"):
            load_controlnext(str(tmp_path / "cut.safetensors"))

    def test_code_in_a_pickle_is_not_run(self, load_controlnext, loading, tmp_path):
        ran = tmp_path / "ran"
        torch.save({"a": RunsCode(str(ran))}, tmp_path / "evil.pt")
        with pytest.raises(ValueError, match="evil.pt .*never run"):
            load_controlnext(str(tmp_path / "evil.pt"))
        assert not ran.exists()

    def test_other_things_than_tensors(self, load_controlnext, loading, tmp_path):
        torch.save({"epoch": 3, "best": 0.5}, tmp_path / "x.pt")
        with pytest.raises(ValueError, match="not a plain table of tensors"):
            load_controlnext(str(tmp_path / "x.pt"))


@every_way
class TestSvdFolder:
    def test_part_is_missing(self, loading, stand_ins, tmp_path):
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        shutil.rmtree(tmp_path / "svd" / "vae")
        with pytest.raises(ValueError, match="holds no vae/.*download of SVD is incomplete"):
            loading.load_svd_encoders(str(tmp_path / "svd"))

    def test_image_encoder_with_another_config(self, loading, stand_ins, tmp_path):
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        (tmp_path / "svd" / "image_encoder" / "config.json").write_text(json.dumps({"a": 1}))
        with pytest.raises(ValueError, match=r"does not fit the sizes of .*config\.json"):
            loading.load_svd_encoders(str(tmp_path / "svd"))

    def test_image_vae(self, loading, stand_ins, tmp_path):
        from diffusers import AutoencoderKL

        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        AutoencoderKL(block_out_channels=(32,), layers_per_block=1).save_pretrained(
            tmp_path / "svd" / "vae"
        )
        with pytest.raises(ValueError, match="is a VAE, but SVD's VAE with its temporal decoder"):
            loading.load_svd_encoders(str(tmp_path / "svd"))

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_config_as_others_write_it(self, loading, stand_ins, tmp_path, encoding):
        """In any encoding that tells itself, and without what is SVD's anyway."""
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        path = tmp_path / "svd" / "image_encoder" / "config.json"
        settings = json.loads(path.read_text())
        for key in ("model_type", "num_channels", "image_size", "hidden_act", "layer_norm_eps"):
            settings.pop(key, None)
        path.write_text(json.dumps({**settings, "torch_dtype": "float16"}), encoding=encoding)
        assert loading.load_svd_encoders(str(tmp_path / "svd"))[0]

    def test_position_ids_are_no_weights(self, loading, stand_ins, tmp_path):
        """The published image encoder holds them: whole numbers, and nobody's layer."""
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        path = tmp_path / "svd" / "image_encoder" / "model.safetensors"
        ids = {"vision_model.embeddings.position_ids": torch.arange(50)[None]}
        save_file({**load_file(path), **ids}, path)
        assert loading.load_svd_encoders(str(tmp_path / "svd"))[0]

    def test_fp16_variant_comes_first(self, load, stand_ins, tmp_path):
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        half = tmp_path / "svd" / "unet" / "diffusion_pytorch_model.fp16.safetensors"
        half.write_bytes(b"")
        find = load("nodes.host.files").weights_file
        assert find(str(tmp_path / "svd"), "unet") == str(half)


class TestOddValues:
    """Right names and shapes, but not the numbers of a network: a sentence, or they are taken."""

    @pytest.mark.parametrize("case", VALUES)
    def test_in_a_unet(self, loading, weights, tmp_path, case):
        path = tmp_path / "odd.bin"
        save(path, changed(weights, "mid_block.attentions.0.proj_in.weight", case))
        self.check(partial(loading.load_unet, str(path), None, "default"), path, case)

    @pytest.mark.parametrize("case", SOME)
    def test_in_a_part_of_a_unet(self, loading, stand_ins, weights, tmp_path, case):
        path, key = tmp_path / "odd.bin", "mid_block.attentions.0.proj_in.bias"
        base = load_svd(loading, stand_ins)
        save(path, changed({key: weights[key]}, key, case))
        self.check(partial(loading.load_unet, str(path), base, "default"), path, case)

    @pytest.mark.parametrize("case", SOME)
    def test_in_a_controlnext(self, load_controlnext, loading, stand_ins, tmp_path, case):
        path = tmp_path / "odd.bin"
        whole = load_file(stand_ins / "controlnext.safetensors")
        save(path, changed(whole, "mid_convs.1.bias", case))
        self.check(partial(load_controlnext, str(path)), path, case)

    @pytest.mark.parametrize(
        ("part", "stem", "key"),
        [
            ("vae", "diffusion_pytorch_model", "encoder.conv_out.weight"),
            ("vae", "diffusion_pytorch_model", "quant_conv.weight"),
            ("image_encoder", "model", "visual_projection.weight"),
        ],
    )
    def test_in_an_encoder(self, loading, stand_ins, tmp_path, part, stem, key):
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        path = tmp_path / "svd" / part / f"{stem}.bin"
        whole = load_file(path.with_suffix(".safetensors"))
        path.with_suffix(".safetensors").unlink()
        for case in SOME:
            save(path, changed(whole, key, case))
            self.check(partial(loading.load_svd_encoders, str(tmp_path / "svd")), path, case)

    @staticmethod
    def check(load, path, case):
        words = VALUES[case][1]
        if words is None:
            assert load()
            return
        with pytest.raises(ValueError, match=words) as raised:
            load()
        assert path.name in str(raised.value) and len(str(raised.value)) < 400

    @pytest.mark.parametrize("case", ["an int", "a tuple", "with NUL", "long"])
    def test_another_key(self, load_controlnext, loading, stand_ins, tmp_path, case):
        weights = load_file(stand_ins / "controlnext.safetensors")
        path = save(tmp_path / "odd.pth", {**weights, KEYS[case]: torch.ones(2)})
        with pytest.raises(ValueError, match=r"odd\.pth.*(is unknown|but a name)") as raised:
            load_controlnext(str(path))
        assert len(str(raised.value)) < 400 and str(raised.value).isprintable()

    @pytest.mark.parametrize("how", ["compressed", "overlapping", "greedy"])
    def test_archives(self, load_controlnext, loading, stand_ins, tmp_path, how):
        plain = save(tmp_path / "x.pt", load_file(stand_ins / "controlnext.safetensors"))
        odd = repacked(plain, tmp_path / "odd.pt", how)
        with pytest.raises(ValueError, match="odd.pt is not a file of weights.*torch.save never"):
            load_controlnext(str(odd))
