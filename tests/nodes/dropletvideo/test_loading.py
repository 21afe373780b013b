"""Files of DropletVideo become the host's MODEL, CLIP and VAE, streamed or not."""

import json
import logging

import pytest
import torch
from dropletvideo_runs import Rig, encode, random
from dropletvideo_stand_ins import SINGLE_FILES, droplet_weights, write_droplet, write_weights
from streaming import stream_as_on_a_card, stream_weights

PROMPT = "a boat on a calm lake (at dawn)"


def run_all(load, loaded) -> dict[str, torch.Tensor]:
    """What every network makes of fixed inputs."""
    rig = Rig(load, loaded.model)
    return {
        "text": encode(loaded.clip, PROMPT),
        "latents": rig.sample(rig.guider()),
        "decoded": loaded.vae.decode(random(1, 1, 16, 2, 4, 4)),
        "encoded": loaded.vae.encode(torch.rand(5, 32, 32, 3, generator=torch.manual_seed(0))),
    }


@pytest.fixture(scope="module")
def plain(load, loaded):
    with torch.inference_mode():
        return run_all(load, loaded)


def test_parts_of_the_folder(loaded, plain):
    assert plain["text"].shape == (1, 400, 32)
    assert plain["decoded"].shape == (1, 8, 32, 32, 3)
    assert loaded.model.model.latent_format.scale_factor == 0.7
    assert loaded.model.model.model_type.name == "V_PREDICTION"


@pytest.mark.parametrize("stream", [stream_weights, stream_as_on_a_card])
@pytest.mark.parametrize("layout", ["official", "bf16"])
def test_streamed_networks(load, loading, plain, tmp_path, monkeypatch, stream, layout):
    stream(monkeypatch)
    folder = write_droplet(tmp_path, layout=layout)
    loaded = loading.load_folder(str(folder), "default")
    if stream is stream_as_on_a_card:
        assert all(x.is_dynamic() for x in (loaded.model, loaded.clip.patcher, loaded.vae.patcher))
    streamed = run_all(load, loaded)
    for name, value in plain.items():
        assert value.isfinite().all(), name
        near = 2e-3 if layout == "official" else 0.1  # bf16 rounds the weights
        assert (streamed[name] - value).abs().max() <= near * value.abs().max(), name


def test_every_part_can_be_loaded_again(loading, droplet_folder, monkeypatch):
    """Without streaming, and so for another card."""
    stream_as_on_a_card(monkeypatch)
    from comfy.model_patcher import ModelPatcher

    loaded = loading.load_folder(str(droplet_folder), "default")
    for patcher in (loaded.model, loaded.clip.patcher, loaded.vae.patcher):
        load_again, arguments = patcher.cached_patcher_init[:2]
        again = load_again(*arguments, disable_dynamic=True)
        assert type(again) is ModelPatcher and again.model is not patcher.model
        first, second = patcher.model.state_dict(), again.model.state_dict()
        assert first.keys() == second.keys()
        for key, value in first.items():
            assert torch.equal(value.float(), second[key].float()), key


@pytest.mark.parametrize("layout", ["single", "fp8"])
def test_files_of_their_own(load, loading, plain, tmp_path, monkeypatch, layout):
    import comfy.model_management as mm

    # Hosts convert fp8 to other formats where the memory is large.
    monkeypatch.setattr(mm, "maximum_vram_for_weights", lambda device: 0)
    write_droplet(tmp_path, layout=layout)
    model = loading.load_transformer(str(tmp_path / SINGLE_FILES[layout]["transformer"]), "default")
    vae = loading.load_vae(str(tmp_path / SINGLE_FILES[layout]["vae"]))
    found = Rig(load, model).sample(Rig(load, model).guider())
    near = 1e-4 if layout == "single" else 0.3
    assert (found - plain["latents"]).abs().max() <= near * plain["latents"].abs().max()
    decoded = vae.decode(random(1, 1, 16, 2, 4, 4))
    assert (decoded - plain["decoded"]).abs().max() <= near / 10
    formats = {x.dtype for x in model.model.diffusion_model.parameters()}
    assert len(formats) == 1 and (torch.float8_e4m3fn in formats) == (layout == "fp8")


def test_weight_dtype(load, loading, droplet_folder):
    model = loading.load_transformer(str(droplet_folder / "transformer"), "fp8_e4m3fn")
    assert {x.dtype for x in model.model.diffusion_model.parameters()} == {torch.float8_e4m3fn}
    assert Rig(load, model).sample(Rig(load, model).guider(), steps=1).isfinite().all()


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", "transformer."])
def test_prefixes(loading, plain, load, tmp_path, prefix):
    weights = {f"{prefix}{key}": x.half() for key, x in droplet_weights()["transformer"].items()}
    write_weights(tmp_path / "dropletvideo.safetensors", weights)
    model = loading.load_transformer(str(tmp_path / "dropletvideo.safetensors"), "default")
    assert torch.equal(Rig(load, model).sample(Rig(load, model).guider()), plain["latents"])


def test_config_files_are_read(loading, tmp_path, caplog):
    """What they say is used, and said in the log once."""
    folder = write_droplet(tmp_path)
    path = folder / "vae" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "scaling_factor": 0.5}))
    with caplog.at_level(logging.INFO):
        model = loading.load_folder(str(folder), "default").model
    assert model.model.latent_format.scale_factor == 0.5
    told = [x.message for x in caplog.records if "latents are multiplied by 0.5" in x.message]
    assert len(told) == 1


class TestBadFiles:
    def test_a_folder_without_a_vae(self, loading, tmp_path):
        folder = write_droplet(tmp_path)
        (folder / "vae").rename(tmp_path / "elsewhere")
        with pytest.raises(ValueError, match=r"holds no folder vae.*--only dropletvideo"):
            loading.load_folder(str(folder), "default")

    def test_a_missing_shard(self, loading, tmp_path):
        folder = write_droplet(tmp_path)
        next((folder / "text_encoder").glob("*00002-of-00002*")).unlink()
        with pytest.raises(ValueError, match=r"lacks .*00002-of-00002.*1 of 2 files are there"):
            loading.load_folder(str(folder), "default")

    def test_a_wrong_file(self, loading, droplet_folder):
        transformer = str(droplet_folder / "transformer")
        with pytest.raises(ValueError, match="is a DropletVideo transformer, but the VAE"):
            loading.load_vae(transformer)
        with pytest.raises(ValueError, match="is a CogVideoX VAE, but DropletVideo's transformer"):
            loading.load_transformer(str(droplet_folder / "vae"), "default")
        with pytest.raises(ValueError, match="transformer, but the encoder of T5"):
            loading.load_text_encoder(transformer)

    def test_no_fps_embedding(self, loading, tmp_path):
        weights = droplet_weights()["transformer"]
        kept = {key: x for key, x in weights.items() if not key.startswith("fps_embedding.")}
        write_weights(tmp_path / "cogvideox.safetensors", kept)
        with pytest.raises(ValueError, match="without fps_embedding"):
            loading.load_transformer(str(tmp_path / "cogvideox.safetensors"), "default")
