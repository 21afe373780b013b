"""The files of a model: whole, in parts, in other layouts, and wrong ones."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from dynamicrafter_stand_ins import TEXT, UNET, VAE, VISION
from memory import own_memory
from safetensors.torch import load_file, save_file

from fcvg_core.errors import UserError
from fcvg_core.files.weight_files import WeightFile
from fcvg_core.models.svd import vae_key
from fcvg_core.sampling import noise_table
from fcvg_core.standalone.networks.clip_encoders import check_image_encoder, check_text_encoder
from fcvg_core.standalone.networks.dynamicrafter import DynamiCrafterFiles, check_files
from fcvg_core.standalone.networks.parts import whole_file
from fcvg_core.standalone.networks.sd_vae import check_vae

CHECKS = {
    "text_encoder": check_text_encoder,
    "image_encoder": check_image_encoder,
    "vae": check_vae,
}
FLOAT, CPU = torch.float32, torch.device("cpu")
PARTS = {"text_encoder": TEXT + "model.", "image_encoder": VISION + "model.", "vae": VAE}


@pytest.fixture
def files(checkpoint, tokenizer_folder) -> DynamiCrafterFiles:
    return DynamiCrafterFiles(checkpoint=checkpoint, tokenizer=tokenizer_folder)


@pytest.fixture(scope="module")
def separate(weights, written, tmp_path_factory) -> dict[str, Path]:
    """A file without encoders and VAE, and a file for each of them, with OpenCLIP's names."""
    folder = tmp_path_factory.mktemp("separate")
    paths = {"checkpoint": written("512", "unet", ".safetensors")}
    for part, prefix in PARTS.items():
        paths[part] = folder / f"{part}.safetensors"
        found = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        save_file(found, paths[part])
    return paths


def fill(files: DynamiCrafterFiles, dtype: torch.dtype = FLOAT):
    """The networks of files."""
    return check_files(files, dtype).load(CPU, False, lambda *state: None).networks


def same(network, other) -> bool:
    """Whether two networks have the same weights."""
    found, expected = network.state_dict(), other.state_dict()
    return found.keys() == expected.keys() and all(
        torch.equal(value, expected[key]) for key, value in found.items()
    )


@pytest.fixture(scope="module")
def whole(written, tokenizer_folder):
    """The networks of the official checkpoint of the model 512."""
    return fill(DynamiCrafterFiles(checkpoint=written("512"), tokenizer=tokenizer_folder))


class TestCheckpoints:
    @pytest.mark.parametrize("variant", ["256", "1024", "512_interp"])
    def test_what_it_is(self, written, files, variant):
        checked = check_files(replace(files, checkpoint=written(variant)), FLOAT)
        assert checked.variant.word == variant and checked.is_stand_in
        zero_snr, scale = variant != "256", checked.variant.base_scale
        table = noise_table(zero_snr=zero_snr, base_scale=scale)
        assert torch.equal(checked.table.sigmas, table.sigmas)
        assert scale == {"256": None, "1024": 0.3}.get(variant, 0.7)

    def test_every_weight_arrives(self, whole, weights):
        key = "input_blocks.1.1.transformer_blocks.0.attn2.to_k_ip.weight"
        assert torch.equal(whole.unet.state_dict()[key], weights[UNET + key])
        text = whole.text_encoder.state_dict()
        ends = (f"{TEXT}model.transformer.resblocks.", ".ln_1.weight")
        layers = sum(key.startswith(ends[0]) and key.endswith(ends[1]) for key in weights)
        assert sum(key.endswith("layer_norm1.weight") for key in text) == layers - 1
        together = weights[f"{TEXT}model.transformer.resblocks.0.attn.in_proj_weight"]
        for i, name in enumerate(("q_proj", "k_proj", "v_proj")):
            found = next(value for key, value in text.items() if f"{name}.weight" in key)
            assert torch.equal(found, together[64 * i : 64 * (i + 1)])
        assert not whole.unet.training and not whole.vae.training

    def test_layouts_hold_the_same(self, written, files, whole):
        for layout, fmt in (("deepspeed", ".ckpt"), ("official", ".safetensors")):
            networks = fill(replace(files, checkpoint=written("512", layout, fmt)))
            for part in ("unet", "projector", "text_encoder", "image_encoder", "vae"):
                assert same(getattr(networks, part), getattr(whole, part)), (layout, part)

    def test_folders_above_tell_nothing(self, written, files, tmp_path):
        folder = tmp_path / "interp 1024" / "models"
        folder.mkdir(parents=True)
        shutil.copy(written("512"), folder / "model.ckpt")
        given = replace(files, checkpoint=folder / "model.ckpt")
        for interpolates, word in ((False, "512"), (True, "512_interp")):
            checked = check_files(given, FLOAT, interpolates=interpolates)
            assert checked.variant.word == checked.files.variant == word

    def test_number_formats(self, files):
        """The VAE of Stable Diffusion overflows in float16."""
        networks = fill(files, torch.float16)
        assert networks.vae.dtype == torch.float32
        assert {p.dtype for p in networks.unet.parameters()} == {torch.float16}
        assert networks.text_encoder.dtype == networks.image_encoder.dtype == torch.float16
        assert fill(files, torch.bfloat16).vae.dtype == torch.bfloat16

    def test_progress(self, files):
        seen = []
        checked = check_files(files, FLOAT)
        checked.load(CPU, False, lambda *state: seen.append(state))
        assert seen == [("loading", done, 5) for done in range(6)]

    def test_weights_are_mapped_from_the_file(self, files):
        """A checkpoint of 10 GB is never held in memory, but for what is converted."""
        check_files(files, FLOAT)  # imports
        before = own_memory()
        networks = fill(files)
        assert own_memory() - before < files.checkpoint.stat().st_size / 4
        assert networks.unet.state_dict()


class TestSeparateFiles:
    def test_each_part_from_its_own_file(self, separate, whole, files):
        networks = fill(DynamiCrafterFiles(**separate, tokenizer=files.tokenizer, variant="512"))
        for part in ("unet", "projector", "text_encoder", "image_encoder", "vae"):
            assert same(getattr(networks, part), getattr(whole, part)), part

    @pytest.mark.parametrize(
        ("part", "key"),
        [
            ("text_encoder", "sd21-text-encoder"),
            ("image_encoder", "clip-vit-h"),
            ("vae", "sd-vae"),
        ],
    )
    def test_a_part_is_in_no_file(self, separate, files, part, key, monkeypatch):
        monkeypatch.delenv("FCVG_MODELS", raising=False)
        given = {**separate, part: None}
        what = "VAE" if part == "vae" else part.replace("_", " ")
        expected = f"holds no {what}: give --{part.replace('_', '-')} FILE, .* --only {key}"
        with pytest.raises(UserError, match=expected):
            check_files(
                DynamiCrafterFiles(**given, tokenizer=files.tokenizer, variant="512"), FLOAT
            )

    def test_all_missing_parts_are_named(self, separate, files, monkeypatch):
        monkeypatch.delenv("FCVG_MODELS", raising=False)
        given = replace(files, checkpoint=separate["checkpoint"], variant="512")
        expected = "no text encoder and no image encoder and no VAE: give .*-text-encoder clip-vit"
        with pytest.raises(UserError, match=expected):
            check_files(given, FLOAT)

    def test_the_tokenizer_is_looked_for_first(self, separate, files, monkeypatch):
        monkeypatch.delenv("FCVG_MODELS", raising=False)
        given = replace(files, checkpoint=separate["checkpoint"], variant="512", tokenizer=None)
        with pytest.raises(UserError, match=r"^The tokenizer of CLIP is not found"):
            check_files(given, FLOAT)

    def test_parts_in_a_known_folder(self, separate, files, whole, comfyui, caplog):
        caplog.set_level("INFO")
        for part, place in (
            ("text_encoder", "text_encoders/stable-diffusion-2-1-clip.safetensors"),
            ("image_encoder", "clip_vision/CLIP-ViT-H-fp16.safetensors"),
            ("vae", "vae/vae-ft-mse-840000-ema-pruned.safetensors"),
        ):
            path = comfyui / "models" / place
            path.parent.mkdir()
            shutil.copy(separate[part], path)
        given = replace(files, checkpoint=separate["checkpoint"], variant="512")
        assert same(fill(given).vae, whole.vae)
        assert check_files(given, FLOAT).files.vae == path
        assert "holds no image encoder: " in caplog.text

    def test_a_whole_checkpoint_gives_a_part(self, separate, written, whole, files):
        given = {**separate, **{part: written("512") for part in PARTS}}
        networks = fill(DynamiCrafterFiles(**given, tokenizer=files.tokenizer, variant="512"))
        assert all(same(getattr(networks, x), getattr(whole, x)) for x in PARTS)

    @pytest.mark.parametrize("part", PARTS)
    def test_names_of_the_libraries(self, separate, whole, files, part, tmp_path):
        """transformers' and diffusers' own files, whose text encoder lacks the last layer."""
        given = DynamiCrafterFiles(**separate, tokenizer=files.tokenizer, variant="512")
        expected = getattr(whole, part)
        path = tmp_path / f"{part}.safetensors"
        prefix = {"text_encoder": "text_model.", "image_encoder": "vision_model."}.get(part, "")
        save_file(
            {prefix + k.removeprefix(prefix): v for k, v in expected.state_dict().items()}, path
        )
        assert same(getattr(fill(replace(given, **{part: path})), part), expected)

    def test_a_whole_clip_of_transformers(self, separate, files, tmp_path):
        """Its text encoder has the last layer, and the projection that tells so."""
        from transformers import CLIPConfig, CLIPModel

        given = DynamiCrafterFiles(**separate, tokenizer=files.tokenizer, variant="512")
        sizes = {"hidden_size": 64, "intermediate_size": 256, "num_attention_heads": 1}
        text = {**sizes, "num_hidden_layers": 3}
        vision = {
            **sizes, "hidden_size": 80, "num_hidden_layers": 2, "patch_size": 14, "image_size": 224,
        }  # fmt: skip
        clip = CLIPModel(CLIPConfig(text_config=text, vision_config=vision))
        save_file(clip.state_dict(), tmp_path / "clip.safetensors")
        both = dict.fromkeys(("text_encoder", "image_encoder"), tmp_path / "clip.safetensors")
        networks = fill(replace(given, **both))
        found = networks.text_encoder.state_dict()
        assert sum(key.endswith("layer_norm1.weight") for key in found) == 2
        key = next(key for key in found if key.endswith("layers.1.mlp.fc1.weight"))
        theirs = clip.text_model.state_dict()[key.removeprefix("text_model.")]
        assert torch.equal(found[key], theirs)

    def test_old_names_of_diffusers(self, separate, whole, files, tmp_path):
        given = DynamiCrafterFiles(**separate, tokenizer=files.tokenizer, variant="512")
        names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
        old = {}
        for key, value in whole.vae.state_dict().items():
            for now, then in names.items():
                key = key.replace(f".{now}.", f".{then}.")
            old[key] = value
        save_file(old, tmp_path / "vae.safetensors")
        assert same(fill(replace(given, vae=tmp_path / "vae.safetensors")).vae, whole.vae)


class TestWrongFiles:
    @pytest.fixture
    def refused(self, tmp_path):
        """A function that asserts what is said of a file in the place of a part."""

        def check(part: str, tensors: dict, message: str) -> None:
            path = tmp_path / "wrong.safetensors"
            save_file(tensors, path)
            with pytest.raises(UserError, match=message):
                CHECKS[part](whole_file(WeightFile(path)), FLOAT)

        return check

    @pytest.mark.parametrize(
        ("part", "message"),
        [
            ("text_encoder", "holds no CLIP text encoder; expected Stable Diffusion 2.1's"),
            ("image_encoder", "holds no CLIP image encoder; expected CLIP-ViT-H-14"),
            ("vae", "holds no VAE; expected the VAE of Stable Diffusion 1 or 2"),
        ],
    )
    def test_something_else(self, refused, part, message):
        refused(part, {"weight": torch.zeros(2)}, message)

    @pytest.mark.parametrize("part", PARTS)
    def test_cut_off(self, refused, separate, part):
        tensors = load_file(separate[part])
        key = next(key for key in tensors if "0" in key and "bias" in key and "conv1" not in key)
        del tensors[key]
        refused(part, tensors, f"{key} is missing")

    @pytest.mark.parametrize("part", PARTS)
    def test_another_shape(self, refused, separate, part):
        tensors = load_file(separate[part])
        key = next(key for key in tensors if "0" in key and "bias" in key and "conv1" not in key)
        refused(part, {**tensors, key: torch.zeros(3)}, r"has the shape \(3,\), but")

    def test_text_encoder_of_another_width(self, separate, files, tmp_path):
        """That of Stable Diffusion 1.5 is narrower than what the UNet takes."""
        from transformers import CLIPTextConfig, CLIPTextModel

        sizes = {"hidden_size": 128, "intermediate_size": 8, "num_hidden_layers": 1}
        wide = CLIPTextModel(CLIPTextConfig(vocab_size=49408, num_attention_heads=2, **sizes))
        save_file(wide.state_dict(), tmp_path / "wide.safetensors")
        given = {**separate, "text_encoder": tmp_path / "wide.safetensors"}
        with pytest.raises(UserError, match="tokens of width 128, but the UNet in .* takes 64"):
            check_files(
                DynamiCrafterFiles(**given, tokenizer=files.tokenizer, variant="512"), FLOAT
            )

    def test_image_encoder_of_another_width(self, refused, separate):
        narrow = {"embeddings.class_embedding": torch.zeros(81)}
        narrow["embeddings.patch_embedding.weight"] = torch.zeros(81, 3, 14, 14)
        narrow["embeddings.position_embedding.weight"] = torch.zeros(257, 81)
        refused("image_encoder", narrow, r"encoder: encoder\.layers\.0\.mlp.* is missing")
        narrow["embeddings.position_embedding.weight"] = torch.zeros(50, 81)
        refused("image_encoder", narrow, "for pictures of another size; expected the ViT-H")

    def test_a_vae_with_other_channels(self, refused, separate):
        """No group norm takes 33 channels; a convolution of 2**17 channels takes 600 GB."""
        tensors = load_file(separate["vae"])
        key = vae_key("encoder.down_blocks.0.resnets.0.conv1.bias")
        for channels in (33, 2**17):
            message = rf"holds no VAE .* has the shape \({channels},\)"
            refused("vae", {**tensors, key: torch.zeros(channels)}, message)
        del tensors[key]
        refused("vae", tensors, f"{key} is missing")

    def test_weights_that_are_no_numbers(self, separate, files, tmp_path):
        tensors = load_file(separate["vae"])
        tensors["quant_conv.bias"][0] = torch.nan
        save_file(tensors, tmp_path / "vae.safetensors")
        given = DynamiCrafterFiles(**separate, tokenizer=files.tokenizer, variant="512")
        with pytest.raises(UserError, match="quant_conv.bias holds NaN"):
            fill(replace(given, vae=tmp_path / "vae.safetensors"))

    def test_a_checkpoint_that_is_cut_off(self, files, tmp_path):
        path = tmp_path / "model.ckpt"
        shutil.copy(files.checkpoint, path)
        with open(path, "r+b") as opened:
            opened.truncate(path.stat().st_size // 2)
        with pytest.raises(UserError, match=r"model\.ckpt .* incomplete"):
            check_files(replace(files, checkpoint=path), FLOAT)

    @pytest.mark.parametrize("part", ["checkpoint", *PARTS])
    def test_a_name_that_is_no_text(self, files, part):
        path = Path("/models/\udcff.safetensors")
        with pytest.raises(UserError, match="not text in UTF-8: rename it"):
            check_files(replace(files, **{part: path}), FLOAT)

    def test_the_wrong_word(self, files):
        with pytest.raises(UserError, match=r"is not DynamiCrafter 1024"):
            check_files(replace(files, variant="1024"), FLOAT)
