"""Files of SMCD and of ModelScope in every layout -> the host's own types."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from dynamicrafter_runs import host_keys
from safetensors.torch import save_file
from smcd_runs import random
from smcd_stand_ins import CLIP_FILE, VAE_FILE, clip_weights, smcd_weights, vae_weights, write_smcd
from streaming import WAYS, stream_as_on_a_card

FIRST = "pytorch_model.bin"


def run(load, loaded) -> dict[str, torch.Tensor]:
    """What every network makes of fixed inputs."""
    import comfy.model_management as mm
    import comfy.samplers

    sampling, keys = load("nodes.host.unet3d.sampling"), host_keys(load, "smcd")
    tokens = load("fcvg_core.models.smcd.tokens")
    network = loaded.encoders.patcher.model
    mm.load_model_gpu(loaded.encoders.patcher)
    boxes, present = np.full((2, 1, 4), 0.3, np.float32), np.ones((2, 1), bool)
    objects = tokens.object_tokens(network.position_net, boxes, present, [random(2, 64)])
    image = tokens.image_tokens(network.visual_encoder, random(3, 1, 4, 8, 8), 2)
    values = {
        keys.OBJECTS: objects,
        keys.IMAGE_TOKENS: image,
        keys.IMAGE_LATENTS: random(4, 2, 4, 8, 8),
    }
    guider = comfy.samplers.CFGGuider(loaded.model)
    prompt = [[random(5, 1, 77, 64), values]]
    guider.set_conds(prompt, prompt)
    guider.set_cfg(1.0)
    noise = random(6, 2, 4, 8, 8)
    latents = guider.sample(
        noise,
        torch.zeros_like(noise),
        sampling.ddim_sampler(0.0),
        sampling.ddim_levels_of(loaded.model, 1, "uniform"),
        seed=0,
        disable_pbar=True,
    )
    return {"objects": objects, "image": image, "latents": latents}


@pytest.fixture(scope="module")
def plain(load, loaded):
    with torch.inference_mode():
        return run(load, loaded)


def check_near(found: dict, expected: dict, share: float) -> None:
    for name, value in expected.items():
        assert value.isfinite().all() and value.any(), name
        assert (found[name] - value).abs().max() <= share * value.abs().max(), name


class TestSmcd:
    def test_official_tensors(self, loaded):
        weights = smcd_weights()
        networks = {
            "unet": loaded.model.model.diffusion_model,
            "position_net": loaded.encoders.patcher.model.position_net,
            "visual_encoder": loaded.encoders.patcher.model.visual_encoder,
        }
        for part, network in networks.items():
            found = network.state_dict()
            assert found.keys() == weights[part].keys()
            assert all(torch.equal(found[key], x) for key, x in weights[part].items())

    @pytest.mark.parametrize("layout", ["safetensors", "merged"])
    def test_other_layouts(self, load, loading, plain, tmp_path, layout):
        """They hold half precision."""
        path = write_smcd(tmp_path, layout=layout)
        path = path if path.is_file() else path / "model.safetensors"
        check_near(run(load, loading.load_smcd(str(path), "default")), plain, 0.02)

    @pytest.mark.seam
    @pytest.mark.parametrize("way", WAYS)
    def test_ways_of_a_host(self, load, loading, smcd_folder, plain, monkeypatch, way):
        WAYS[way](monkeypatch)
        loaded = loading.load_smcd(str(smcd_folder / FIRST), "default")
        check_near(run(load, loaded), plain, 2e-3)

    @pytest.mark.seam
    def test_fp8(self, load, loading, smcd_folder, plain):
        loaded = loading.load_smcd(str(smcd_folder / FIRST), "fp8_e4m3fn")
        network = loaded.model.model.diffusion_model
        assert {weight.dtype for weight in network.parameters()} == {torch.float8_e4m3fn}
        found = run(load, loaded)
        assert found["latents"].isfinite().all()
        assert torch.equal(found["objects"], plain["objects"])  # the encoders keep their format

    def test_control_nets_follow_windows(self, loaded):
        from comfy.patcher_extension import WrappersMP

        assert loaded.model.clone().get_all_wrappers(WrappersMP.CALC_COND_BATCH)


class TestAgain:
    """Every part can be loaded again, without streaming, and so for another card."""

    def test_every_part(self, loading, smcd_folder, modelscope, monkeypatch):
        stream_as_on_a_card(monkeypatch)
        from comfy.model_patcher import ModelPatcher

        loaded = loading.load_smcd(str(smcd_folder / FIRST), "default")
        clip = loading.load_clip(str(modelscope / CLIP_FILE))
        vae = loading.load_vae(str(modelscope / VAE_FILE))
        for patcher in (loaded.model, loaded.encoders.patcher, clip.patcher, vae.patcher):
            load_again, arguments = patcher.cached_patcher_init[:2]
            again = load_again(*arguments, disable_dynamic=True)
            assert type(again) is ModelPatcher and again.model is not patcher.model
            assert again.cached_patcher_init[:2] == (load_again, arguments)
            first, second = patcher.model.state_dict(), again.model.state_dict()
            assert first.keys() == second.keys()
            assert all(torch.equal(x.float(), second[key].float()) for key, x in first.items())


class TestTextEncoder:
    def encode(self, clip) -> torch.Tensor:
        return clip.encode_from_tokens_scheduled(clip.tokenize("a cat"))[0][0]

    @pytest.mark.seam
    def test_modelscope(self, clip):
        """Of both encoders in the file, the one of texts."""
        found = self.encode(clip)
        assert found.shape == (1, 77, 64) and found.isfinite().all()

    @pytest.mark.seam
    def test_names_of_transformers_without_the_last_layer(self, load, loading, clip, tmp_path):
        """As in Stable Diffusion 2.1's folder."""
        import comfy.utils

        own = {key: x.clone() for key, x in clip_weights().items() if "visual" not in key}
        named = comfy.utils.clip_text_transformers_convert(own, "", "")
        last = max(int(key.split(".")[3]) for key in named if ".layers." in key)
        kept = {
            key: x.contiguous()
            for key, x in named.items()
            if key.startswith("text_model.") and f".layers.{last}." not in key
        }
        kept["text_model.embeddings.position_ids"] = torch.arange(77)[None]
        save_file(kept, tmp_path / "model.safetensors")
        found = self.encode(loading.load_clip(str(tmp_path / "model.safetensors")))
        torch.testing.assert_close(found, self.encode(clip))

    def test_another_network(self, loading, smcd_folder):
        with pytest.raises(ValueError, match="but a CLIP text encoder is needed"):
            loading.load_clip(str(smcd_folder / FIRST))


class TestVae:
    @pytest.mark.seam
    def test_modelscope(self, vae, tmp_path, loading):
        """The same as under bare names."""
        save_file(vae_weights(), tmp_path / "vae.safetensors")
        bare = loading.load_vae(str(tmp_path / "vae.safetensors"))
        pixels = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(0))
        assert torch.equal(vae.encode(pixels), bare.encode(pixels))
        assert vae.decode(vae.encode(pixels)).shape == (1, 64, 64, 3)

    def test_another_network(self, loading, smcd_folder):
        with pytest.raises(ValueError, match="but a VAE is needed"):
            loading.load_vae(str(smcd_folder / FIRST))


class TestRefused:
    @pytest.fixture
    def folder(self, smcd_folder, tmp_path) -> Path:
        """A copy of the authors' folder, to be damaged."""
        return Path(shutil.copytree(smcd_folder, tmp_path / "smcd"))

    def refused(self, loading, path: Path, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            loading.load_smcd(str(path), "default")

    @pytest.mark.parametrize(
        ("name", "what"),
        [("pytorch_model_1.bin", "PositionNet"), ("pytorch_model_2.bin", "visual encoder")],
    )
    def test_a_missing_file(self, loading, folder, name, what):
        (folder / name).unlink()
        self.refused(loading, folder / FIRST, f"lacks {name}, SMCD's {what}: put {name} of Lixia")

    def test_the_first_stage(self, loading, tmp_path):
        """Which lacks a file, too; but the stage is what is wrong."""
        folder = write_smcd(tmp_path, stage=1)
        self.refused(loading, folder / FIRST, "first stage of training")

    def test_another_of_the_three_files(self, loading, folder):
        self.refused(loading, folder / "pytorch_model_1.bin", "but .*UNet.* is needed")

    def test_files_in_the_wrong_order(self, loading, folder):
        shutil.copy(folder / "pytorch_model_2.bin", folder / "pytorch_model_1.bin")
        self.refused(loading, folder / FIRST, "_1.bin is .*SMCD's PositionNet is needed")

    def test_a_name_that_does_not_tell_the_other_files(self, loading, folder):
        self.refused(loading, (folder / FIRST).rename(folder / "smcd.bin"), "smcd-merge")

    def test_a_merged_file_without_one(self, loading, tmp_path):
        path = write_smcd(tmp_path, layout="merged")
        from safetensors.torch import load_file

        kept = {k: x for k, x in load_file(path).items() if not k.startswith("visual_encoder.")}
        save_file(kept, path)
        self.refused(loading, path, "holds no visual encoder")

    def test_networks_of_other_widths(self, loading, folder):
        weights = dict(smcd_weights()["position_net"])
        weights["linears.4.weight"] = weights["linears.4.weight"][:32]
        weights["linears.4.bias"] = weights["linears.4.bias"][:32]
        torch.save(weights, folder / "pytorch_model_1.bin")
        self.refused(loading, folder / FIRST, "PositionNet makes tokens of width 32, .* takes 64")

    def test_a_missing_tensor(self, loading, folder):
        weights = dict(smcd_weights()["visual_encoder"])
        del weights["body.0.in_conv.bias"]
        torch.save(weights, folder / "pytorch_model_2.bin")
        self.refused(loading, folder / FIRST, "body.0.in_conv.bias")

    def test_cut_off(self, loading, folder):
        (folder / FIRST).write_bytes((folder / FIRST).read_bytes()[:100_000])
        self.refused(loading, folder / FIRST, FIRST)

    def test_another_family(self, loading, tmp_path):
        path = tmp_path / "sd15.safetensors"
        save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(2, 2)}, path)
        self.refused(loading, path, "sd15.safetensors is .*SMCD is needed")
