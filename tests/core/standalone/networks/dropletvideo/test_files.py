"""The files of a model: the official folder, single files, in parts, and wrong ones."""

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from dropletvideo_stand_ins import (
    FOLDER,
    SINGLE_FILES,
    TEXT,
    TRANSFORMER,
    VAE,
    WEIGHTS,
    droplet_weights,
    write_droplet,
    write_json,
    write_shards,
    write_weights,
)
from memory import PeakBytes

from fcvg_core.errors import UserError
from fcvg_core.network_costs import DROPLETVIDEO
from fcvg_core.standalone.networks.dropletvideo import DropletFiles, check_droplet

FLOAT, HALF, CPU = torch.float32, torch.float16, torch.device("cpu")
FILE = f"{WEIGHTS}.safetensors"
SHARD = "model-00002-of-00002.safetensors"


def fill(files: DropletFiles, dtype: torch.dtype = FLOAT, roots: list = []):  # noqa: B006
    """The networks of files."""
    return check_droplet(files, dtype, roots).load(CPU, False, lambda *state: None).networks


def tensors(networks) -> dict[str, torch.Tensor]:
    """The weights of all networks."""
    return {
        f"{part}.{key}": value
        for part in (TRANSFORMER, TEXT, VAE)
        for key, value in getattr(networks, part).state_dict().items()
    }


def same(networks, others) -> bool:
    found, expected = tensors(networks), tensors(others)
    return found.keys() == expected.keys() and all(
        torch.equal(value, expected[key]) for key, value in found.items()
    )


@pytest.fixture
def copy(official, tmp_path) -> Path:
    """A copy of the official folder."""
    return shutil.copytree(official, tmp_path / FOLDER)


@pytest.fixture
def roots(single, official) -> list[tuple[str, Path]]:
    """Known folders in which all single files are, and a tokenizer."""
    target = single / "tokenizers" / "t5-v1_1-xxl"
    shutil.copytree(official / "tokenizer", target, dirs_exist_ok=True)
    return [("comfyui", single)]


def change(path: Path, **values: object) -> None:
    """Change values of a configuration file."""
    write_json(path, json.loads(path.read_text()) | values)


class TestOfficialFolder:
    def test_every_weight_arrives(self, pipeline):
        found, official = pipeline.networks, droplet_weights()
        key = "transformer_blocks.1.attn1.to_q.weight"
        assert found.transformer.state_dict()[key].equal(official[TRANSFORMER][key].half().float())
        key = "block.1.layer.1.DenseReluDense.wo.weight"  # in the second file
        expected = official[TEXT][f"encoder.{key}"].half().float()
        assert found.text_encoder.state_dict()[key].equal(expected)
        assert not any(x.training for x in (found.transformer, found.text_encoder, found.vae))

    def test_what_was_found_is_said(self, official, caplog):
        caplog.set_level(logging.INFO)
        checked = check_droplet(DropletFiles(ckpt=official), FLOAT, [])
        assert checked.is_stand_in and checked.settings.scaling_factor == 0.7
        assert "its config files say that latents are multiplied by 0.7" in caplog.text
        assert checked.files.transformer == official / "transformer"
        assert checked.files.tokenizer == official / "tokenizer" / "spiece.model"

    def test_what_it_needs(self, official):
        needs = check_droplet(DropletFiles(ckpt=official), FLOAT, []).networks()
        weights = droplet_weights()
        sizes = {part: sum(x.numel() for x in weights[part].values()) for part in weights}
        embedding = weights[TEXT]["shared.weight"].numel()  # under two names
        assert (needs.unet, needs.vae) == (sizes[TRANSFORMER], sizes[VAE])
        assert needs.encoders == sizes[TEXT] - embedding
        assert needs.decoding == DROPLETVIDEO.diffusers_decoding > DROPLETVIDEO.decoding

    def test_the_folder_above(self, official, tmp_path):
        (tmp_path / "DropletVideo-5B").mkdir()
        shutil.copytree(official, tmp_path / "DropletVideo-5B" / FOLDER)
        checked = check_droplet(DropletFiles(ckpt=tmp_path / "DropletVideo-5B"), FLOAT, [])
        assert checked.files.ckpt == tmp_path / "DropletVideo-5B" / FOLDER

    def test_layouts_hold_the_same(self, official, copy, pipeline):
        """All parts in several files, or the text encoder in one."""
        weights = {part: droplet_weights()[part] for part in (TRANSFORMER, VAE, TEXT)}
        for part, name in ((TRANSFORMER, WEIGHTS), (VAE, WEIGHTS), (TEXT, "model")):
            for path in (copy / part).glob("*.safetensors*"):
                path.unlink()
            half = {key: x.half() for key, x in weights[part].items()}
            write_shards(copy / part, name, half, 3)
        assert same(fill(DropletFiles(ckpt=copy)), pipeline.networks)
        for path in (copy / TEXT).glob("*.safetensors*"):
            path.unlink()
        write_weights(copy / TEXT / "model.safetensors", half)
        assert same(fill(DropletFiles(ckpt=copy)), pipeline.networks)

    def test_number_formats(self, official):
        """T5 and the VAE overflow in float16."""
        networks = fill(DropletFiles(ckpt=official), HALF)
        assert {x.dtype for x in networks.transformer.parameters()} == {HALF}
        assert networks.text_encoder.dtype == torch.bfloat16 and networks.vae.dtype == FLOAT
        networks = fill(DropletFiles(ckpt=official), torch.bfloat16)
        assert {x.dtype for x in tensors(networks).values()} == {torch.bfloat16}

    def test_nothing_is_held_twice(self, official):
        checked = check_droplet(DropletFiles(ckpt=official), FLOAT, [])
        with PeakBytes() as used:
            networks = checked.load(CPU, False, lambda *state: None).networks
        held = {x.data_ptr(): x.nbytes for x in tensors(networks).values()}
        # Beside them the buffers, and a sum of the values of each tensor.
        assert used.peak < 1.02 * sum(held.values())

    def test_progress(self, official):
        seen = []
        checked = check_droplet(DropletFiles(ckpt=official), FLOAT, [])
        checked.load(CPU, False, lambda *state: seen.append(state))
        assert seen == [("loading", done, 3) for done in range(4)]


class TestSingleFiles:
    def test_in_known_folders(self, roots, single, pipeline):
        checked = check_droplet(DropletFiles(), FLOAT, roots)
        assert checked.files.transformer == single / SINGLE_FILES["single"][TRANSFORMER]
        assert not checked.settings.told and checked.settings.adds_noise
        found = checked.load(CPU, False, lambda *state: None).networks
        assert same(found, pipeline.networks)

    @pytest.mark.parametrize("prefix", ["model.diffusion_model.", "transformer."])
    def test_prefixes(self, official, tmp_path, pipeline, prefix):
        weights = {prefix + key: x.half() for key, x in droplet_weights()[TRANSFORMER].items()}
        write_weights(tmp_path / "x.safetensors", weights)
        files = DropletFiles(ckpt=official, transformer=tmp_path / "x.safetensors")
        assert same(fill(files), pipeline.networks)

    def test_fp8_numbers_are_converted(self, official, tmp_path):
        folder = write_droplet(tmp_path, layout="fp8")
        paths = {part: folder / name for part, name in SINGLE_FILES["fp8"].items()}
        networks = fill(DropletFiles(**paths, tokenizer=official / "tokenizer"))
        key = "transformer_blocks.0.ff.net.2.weight"
        stored = droplet_weights()[TRANSFORMER][key].to(torch.float8_e4m3fn)
        assert networks.transformer.state_dict()[key].equal(stored.float())

    def test_a_config_file_of_another_network(self, roots, single, tmp_path):
        """In ComfyUI's folder of VAEs, config.json is not of every file there."""
        folder = shutil.copytree(single, tmp_path / "models")
        write_json(folder / "vae" / "config.json", {"scaling_factor": 0.13})
        found = check_droplet(DropletFiles(), FLOAT, [("comfyui", folder)])
        assert found.settings.scaling_factor == 0.7


FAULTS = {
    "no VAE": (
        lambda folder: shutil.rmtree(folder / VAE),
        r"V1.0-weights holds no VAE: give --vae FILE, or .* --only dropletvideo-vae\.",
    ),
    "no text encoder": (
        lambda folder: [shutil.rmtree(folder / part) for part in (TEXT, VAE)],
        r"no text encoder and no VAE: give --text-encoder FILE and --vae FILE, .* t5xxl dropl",
    ),
    "no transformer": (
        lambda folder: shutil.rmtree(folder / TRANSFORMER),
        r"holds no folder transformer, so it is not .*--only dropletvideo\.",
    ),
    "no weights": (
        lambda folder: (folder / TRANSFORMER / FILE).unlink(),
        r"transformer has no weights: the download is incomplete",
    ),
    "no shard": (
        lambda folder: (folder / TEXT / SHARD).unlink(),
        rf"text_encoder lacks {SHARD}, which .*: 1 of 2 files are there",
    ),
    "other layers": (
        lambda folder: change(folder / TRANSFORMER / "config.json", num_layers=42),
        r"config.json: num_layers is 42; expected 2",
    ),
    "other prediction": (
        lambda folder: change(
            folder / "scheduler" / "scheduler_config.json", prediction_type="epsilon"
        ),
        r"scheduler_config.json: prediction_type is 'epsilon'; expected 'v_prediction'",
    ),
    "a list": (
        lambda folder: write_json(folder / VAE / "config.json", []),
        r"vae/config.json holds a list; expected",
    ),
    "no JSON": (
        lambda folder: (folder / VAE / "config.json").write_text("{"),
        r"config.json is not JSON .*; expected a config file of DropletVideo's vae",
    ),
}


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_folder(self, copy, fault):
        spoil, message = FAULTS[fault]
        spoil(copy)
        with pytest.raises(UserError, match=message):
            check_droplet(DropletFiles(ckpt=copy), FLOAT, [])

    def test_what_the_folder_lacks_is_in_another(self, copy, roots, single, pipeline, caplog):
        caplog.set_level(logging.INFO)
        shutil.rmtree(copy / VAE)
        shutil.rmtree(copy / "tokenizer")
        assert same(fill(DropletFiles(ckpt=copy), roots=roots), pipeline.networks)
        path = single / SINGLE_FILES["single"][VAE]
        assert f"The VAE of {path} is used." in caplog.messages

    def test_nothing_anywhere(self, tmp_path):
        with pytest.raises(UserError, match="missing.*--ckpt.*--only dropletvideo"):
            check_droplet(DropletFiles(), FLOAT, [("comfyui", tmp_path)])
        with pytest.raises(UserError, match=r"There is no file .*gone\.safetensors"):
            files = DropletFiles(ckpt=tmp_path / "gone.safetensors")
            check_droplet(files, FLOAT, [])

    def without_fps(self) -> dict[str, torch.Tensor]:
        weights = droplet_weights()[TRANSFORMER]
        return {key: x for key, x in weights.items() if not key.startswith("fps")}

    @pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
    def test_cogvideox(self, official, tmp_path, prefix):
        weights = {prefix + key: x for key, x in self.without_fps().items()}
        write_weights(tmp_path / "x.safetensors", weights)
        path = tmp_path / "x.safetensors"
        # Also told to whoever has no other file yet, instead of what else is missing.
        for files in (DropletFiles(ckpt=official, transformer=path), DropletFiles(ckpt=path)):
            with pytest.raises(UserError, match="x.safetensors is a CogVid.*without fps_embedding"):
                check_droplet(files, FLOAT, [])

    @pytest.mark.parametrize(
        ("part", "given", "message"),
        [
            (TRANSFORMER, VAE, "is a CogVideoX VAE, but DropletVideo's transformer is needed"),
            (VAE, TRANSFORMER, "is a DropletVideo transformer, but the VAE .* is needed"),
            (TEXT, VAE, "holds a CogVideoX VAE; expected the text encoder T5 v1.1 XXL"),
        ],
    )
    def test_files_are_mistaken(self, official, single, part, given, message):
        files = {part: single / SINGLE_FILES["single"][given]}
        with pytest.raises(UserError, match=message):
            check_droplet(DropletFiles(ckpt=official, **files), FLOAT, [])


ATTENTION = "encoder.block.{}.layer.0.SelfAttention."
BIAS = ATTENTION + "relative_attention_bias.weight"
TEXT_FAULTS = {
    "UMT5": ({BIAS.format(1): torch.ones(32, 2)}, "holds UMT5, the text encoder of Wan; expected"),
    "scaled": (
        {f"{ATTENTION.format(0)}q.scale_weight": torch.ones(1)},
        "is quantised with a scale for each layer, which only ComfyUI reads. Use",
    ),
    "no bias": ({BIAS.format(0): None}, r"v1.1: .*bias.weight is missing. Use t5xxl_fp16"),
    "cut": (
        {"encoder.final_layer_norm.weight": None},
        "does not hold the text encoder T5 v1.1: encoder.final_layer_norm.weight is missing",
    ),
    "flat": (
        {f"{ATTENTION.format(0)}q.weight": torch.ones(64)},
        r"SelfAttention.q.weight has the shape \(64,\). Use",
    ),
    "small vocabulary": (
        {name: torch.ones(99, 32) for name in ("shared.weight", "encoder.embed_tokens.weight")},
        "tokenizer has 126 tokens, but the text encoder in .* knows 99",
    ),
    "narrow": (
        {
            key: (x[:16] if x.ndim == 1 or key.endswith("o.weight") else x[:, :16]).clone()
            for key, x in droplet_weights()[TEXT].items()
            if not key.endswith("relative_attention_bias.weight")
        },
        "gives tokens of width 16, but the transformer in .* takes 32: use T5 v1.1 XXL",
    ),
}


@pytest.mark.parametrize("fault", TEXT_FAULTS)
def test_text_encoders(official, tmp_path, fault):
    changed, message = TEXT_FAULTS[fault]
    weights = {**droplet_weights()[TEXT], **changed}
    path = tmp_path / "t5.safetensors"
    write_weights(path, {key: x for key, x in weights.items() if x is not None})
    with pytest.raises(UserError, match=message):
        check_droplet(DropletFiles(ckpt=official, text_encoder=path), FLOAT, [])


def test_an_old_diffusers(official, monkeypatch):
    import diffusers

    monkeypatch.setattr(diffusers, "AutoencoderKLCogVideoX", lambda **sizes: object())
    with pytest.raises(UserError, match="diffusers is too old .* --upgrade diffusers"):
        check_droplet(DropletFiles(ckpt=official), FLOAT, [])
