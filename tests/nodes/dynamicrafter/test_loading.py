"""Files of DynamiCrafter in every layout -> the host's own types."""

import pytest
import torch
from dynamicrafter_stand_ins import dynamicrafter_weights, write_dynamicrafter
from safetensors.torch import save_file
from streaming import WAYS, stream_as_on_a_card, stream_weights

NAMES = ("clip", "clip_vision", "vae", "projector")


@pytest.fixture(scope="module")
def loading(load):
    return load("nodes.host.dynamicrafter.loading")


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    """A file of half precision, without encoders."""
    folder = tmp_path_factory.mktemp("pruned")
    return write_dynamicrafter(folder, "1024", layout="pruned", fmt=".safetensors")


def unet_of(weights: dict) -> dict:
    prefix = "model.diffusion_model."
    named = {k.removeprefix(prefix): x for k, x in weights.items() if k.startswith(prefix)}
    return {k.replace("framestride_embed", "fps_embedding"): x for k, x in named.items()}


class TestCheckpoints:
    def test_official(self, loaded):
        assert all(getattr(loaded, name) is not None for name in NAMES)
        assert loaded.model.model.variant.word == loaded.projector.variant.word == "512_interp"

    @pytest.mark.seam
    def test_control_nets_follow_windows(self, loaded):
        from comfy.patcher_extension import WrappersMP

        assert loaded.model.clone().get_all_wrappers(WrappersMP.CALC_COND_BATCH)

    @pytest.mark.parametrize("variant", ["256", "512", "1024"])
    def test_every_model(self, loading, tmp_path, variant):
        path = write_dynamicrafter(tmp_path, variant, layout="unet")
        loaded = loading.load_checkpoint(str(path), "auto", "default")
        assert loaded.model.model.variant.word == loaded.projector.variant.word == variant
        network = loaded.model.model.diffusion_model
        found = network.state_dict()
        for key, value in unet_of(dynamicrafter_weights(variant)).items():
            assert torch.equal(found[key], value), key

    @pytest.mark.parametrize(
        ("has_scales", "said"),
        [
            (True, "is taken for 512. If it is 512_interp, set variant of Load DynamiCrafter to 5"),
            (False, "set variant of Load DynamiCrafter to 512 or 1024 or 512_interp."),
        ],
    )
    def test_a_name_that_tells_nothing(self, loading, tmp_path, caplog, has_scales, said):
        caplog.set_level("INFO")
        weights = dynamicrafter_weights("512")
        if not has_scales:
            del weights["scale_arr"]
        kept = ("model.diffusion_model.", "image_proj_model.", "scale_arr")
        save_file(
            {k: x for k, x in weights.items() if k.startswith(kept)}, tmp_path / "a.safetensors"
        )
        try:
            loading.load_unet(str(tmp_path / "a.safetensors"), "auto", "default")
        except ValueError as error:
            assert not has_scales and said in str(error)
        else:
            assert sum(said in message for message in caplog.messages) == 1

    def test_deepspeed(self, loading, tmp_path):
        path = write_dynamicrafter(tmp_path, "512", layout="deepspeed")
        loaded = loading.load_checkpoint(str(path), "512", "default")
        assert all(getattr(loaded, name) is not None for name in NAMES)

    def test_pruned(self, loading, pruned):
        loaded = loading.load_checkpoint(str(pruned), "auto", "default")
        assert loaded.clip is None and loaded.clip_vision is None
        assert loaded.vae is not None and loaded.projector is not None
        assert loaded.model.model.variant.word == "1024"

    def test_unet_alone(self, loading, tmp_path):
        path = write_dynamicrafter(tmp_path, "256", layout="unet", fmt=".safetensors")
        alone = loading.load_unet(str(path), "auto", "default")
        assert [getattr(alone, name) for name in NAMES[:3]] == [None] * 3
        assert alone.projector.variant.word == "256"
        assert alone.model.model.model_sampling.prediction == "eps"

    def test_a_file_is_mapped_and_not_copied(self, load, checkpoint, monkeypatch):
        """10 GB would otherwise be held twice: as a file's tensors and as a model's."""
        calls, read = [], torch.load
        monkeypatch.setattr(torch, "load", lambda *a, **k: calls.append(k) or read(*a, **k))
        load("nodes.host.files").load_weights(str(checkpoint))
        assert calls[0]["mmap"] is True and calls[0]["weights_only"] is True


class TestRefused:
    def test_stable_diffusion(self, loading, tmp_path):
        path = tmp_path / "sd15.safetensors"
        names = ("input_blocks.0.0.weight", "input_blocks.1.0.in_layers.0.weight")
        save_file({f"model.diffusion_model.{name}": torch.zeros(2, 2) for name in names}, path)
        with pytest.raises(ValueError, match="sd15.safetensors is .*DynamiCrafter is needed"):
            loading.load_checkpoint(str(path), "auto", "default")

    def test_svd(self, loading, stand_ins):
        with pytest.raises(ValueError, match="SVD UNet.*DynamiCrafter is needed"):
            loading.load_unet(str(stand_ins / "unet.safetensors"), "auto", "default")

    def test_a_choice_that_contradicts_the_file(self, loading, checkpoint):
        with pytest.raises(ValueError, match="model.ckpt is not|is not DynamiCrafter"):
            loading.load_checkpoint(str(checkpoint), "1024", "default")

    def test_cut_off(self, loading, checkpoint, tmp_path):
        path = tmp_path / "model.ckpt"
        path.write_bytes(checkpoint.read_bytes()[:100_000])
        with pytest.raises(ValueError, match="model.ckpt"):
            loading.load_checkpoint(str(path), "512", "default")

    @pytest.mark.parametrize(
        "missing",
        [
            "model.diffusion_model.out.2.bias",
            "image_proj_model.latents",
            "cond_stage_model.model.ln_final.weight",
            "cond_stage_model.model.positional_embedding",
            "embedder.model.visual.conv1.weight",
            "embedder.model.visual.ln_pre.bias",
            "first_stage_model.encoder.conv_in.weight",
            "first_stage_model.quant_conv.bias",
        ],
    )
    def test_a_missing_tensor(self, loading, tmp_path, missing):
        weights = dynamicrafter_weights("512")
        del weights[missing]
        path = tmp_path / "damaged_512.ckpt"
        torch.save({"state_dict": weights}, path)
        with pytest.raises(ValueError, match="damaged_512.ckpt"):
            loading.load_checkpoint(str(path), "auto", "default")


class TestEncoders:
    @pytest.mark.seam
    def test_text_encoder_stops_before_its_last_layer(self, load, loaded):
        """The last layer changes nothing, the layer before it does."""
        encoders = load("nodes.host.unet3d.encoders")
        prefix = "cond_stage_model.model."
        weights = {
            key.removeprefix(prefix): value
            for key, value in dynamicrafter_weights("512_interp").items()
            if key.startswith(prefix)
        }
        last = sum(".ln_1.weight" in key for key in weights) - 1

        def encode(changed: str) -> torch.Tensor:
            given = {key: x * 2 if changed in key else x for key, x in weights.items()}
            clip = encoders.load_text_encoder(given, "file", False)
            return clip.encode_from_tokens_scheduled(clip.tokenize("a cat"))[0][0]

        plain = loaded.clip.encode_from_tokens_scheduled(loaded.clip.tokenize("a cat"))[0][0]
        assert plain.shape == (1, 77, 64)
        assert torch.equal(encode(f"resblocks.{last}.mlp"), plain)
        assert not torch.equal(encode(f"resblocks.{last - 1}.mlp"), plain)
        assert not torch.equal(encode("ln_final"), plain)

    @pytest.mark.seam
    def test_image_encoder_gives_all_tokens(self, loaded):
        pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
        tokens = loaded.clip_vision.model(pixel_values=pixels)[0]
        assert tokens.shape == (1, 257, 80) and tokens.isfinite().all()

    @pytest.mark.seam
    def test_vae(self, loaded):
        latents = loaded.vae.encode(torch.rand(2, 64, 128, 3))
        assert latents.shape == (2, 4, 8, 16)
        assert loaded.vae.decode(latents).shape == (2, 64, 128, 3)


@pytest.mark.seam
class TestFormats:
    """Weights are in the format that they are meant to have, streamed or not."""

    @pytest.fixture(autouse=True, params=WAYS, ids=WAYS)
    def weights_are(self, request, host, monkeypatch):
        WAYS[request.param](monkeypatch)

    @pytest.mark.parametrize(
        ("name", "dtype"),
        [
            ("default", torch.float32),
            ("fp8_e4m3fn", torch.float8_e4m3fn),
            ("fp8_e5m2", torch.float8_e5m2),
        ],
    )
    def test_weight_dtype(self, loading, pruned, name, dtype):
        network = loading.load_checkpoint(str(pruned), "auto", name).model.model.diffusion_model
        assert {weight.dtype for weight in network.parameters()} == {dtype}


@pytest.mark.seam
class TestStreamed:
    @staticmethod
    def run(loaded, rig) -> dict[str, torch.Tensor]:
        """What every part of a checkpoint makes of fixed inputs."""
        draw = torch.Generator().manual_seed(1)
        pixels = torch.rand(1, 64, 64, 3, generator=draw)
        tokens = torch.randn(1, 257, 80, generator=draw)
        projector = loaded.projector.patcher
        model = loaded.model.model
        text = loaded.clip.encode_from_tokens_scheduled(loaded.clip.tokenize("a cat"))
        values = {
            rig.keys.IMAGE_LATENTS: torch.randn(16, 4, 8, 8, generator=draw),
            rig.keys.IMAGE_TOKENS: torch.randn(16, 16, 64, generator=draw),
            rig.keys.RATE: 5,
        }
        prompt = [[text[0][0], values]]
        noise = torch.randn(16, 4, 8, 8, generator=draw)
        import comfy.model_management as mm
        import comfy.samplers

        guider = comfy.samplers.CFGGuider(loaded.model)
        guider.set_conds(prompt, prompt)
        sampler = rig.sampling.ddim_sampler(0.0)
        levels = rig.sampling.ddim_levels_of(loaded.model, 1, "uniform_trailing")
        out = guider.sample(noise, noise * 0, sampler, levels, seed=0, disable_pbar=True)
        mm.load_model_gpu(projector)
        assert model.variant.word == "512_interp"
        return {
            "text": text[0][0],
            "latents": out,
            "projector": projector.model(tokens),
            "clip": loaded.clip_vision.encode_image(pixels).last_hidden_state,
            "encoded": loaded.vae.encode(pixels),
        }

    @pytest.mark.parametrize(
        ("stream", "fmt"), [(stream_weights, ".safetensors"), (stream_as_on_a_card, ".ckpt")]
    )
    def test_same_numbers(self, loading, rig, tmp_path, monkeypatch, stream, fmt):
        path = write_dynamicrafter(tmp_path, "512_interp", fmt=fmt)
        plain = self.run(loading.load_checkpoint(str(path), "auto", "default"), rig)
        stream(monkeypatch)
        streamed = self.run(loading.load_checkpoint(str(path), "auto", "default"), rig)
        for name, value in plain.items():
            assert value.isfinite().all(), name
            torch.testing.assert_close(streamed[name], value, rtol=0, atol=2e-3)

    def test_every_part_can_be_loaded_again(self, loading, checkpoint, monkeypatch):
        """Without streaming, and so for another card."""
        stream_as_on_a_card(monkeypatch)
        from comfy.model_patcher import ModelPatcher

        loaded = loading.load_checkpoint(str(checkpoint), "auto", "default")
        for name in ("model", *NAMES):
            part = getattr(loaded, name)
            patcher = getattr(part, "patcher", part)
            load_again, arguments = patcher.cached_patcher_init[:2]
            again = load_again(*arguments, disable_dynamic=True)
            assert type(again) is ModelPatcher, name
            assert again.model is not patcher.model
            first, second = patcher.model.state_dict(), again.model.state_dict()
            assert first.keys() == second.keys()
            for key, value in first.items():
                assert torch.equal(value.float(), second[key].float()), (name, key)
