"""What the names and shapes of official, pruned and wrong files tell."""

import json
import logging
from dataclasses import replace

import pytest
import torch
from unet3d_cases import TINY, shapes

from fcvg_core.errors import UserError
from fcvg_core.models.dynamicrafter.keys import (
    CheckpointParts,
    find_variant,
    projector_config,
    split_checkpoint,
    unet3d_config,
)
from fcvg_core.models.dynamicrafter.projector import ImageProjector, ProjectorConfig
from fcvg_core.models.unet3d import Config, UNet3D

UNET = "model.diffusion_model."
SCHEDULE = {
    "betas",
    "alphas_cumprod",
    "alphas_cumprod_prev",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
    "posterior_variance",
    "posterior_log_variance_clipped",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
    "scale_arr",
}
SMALL = replace(TINY, head_channels=64)
SMALL_PROJECTOR = ProjectorConfig(
    in_channels=8,
    channels=8,
    out_channels=24,
    num_tokens=32,
    depth=1,
    heads=1,
    feed_forward_channels=8,
)


def empty(names: dict) -> dict[str, torch.Tensor]:
    return {name: torch.empty(tuple(shape), device="meta") for name, shape in names.items()}


@pytest.fixture
def official(own_golden) -> dict[str, dict]:
    """Names and shapes of all four official checkpoints, by the word of the model."""
    files = json.loads((own_golden / "dynamicrafter/keys_full.json").read_text())
    words = {"_512_v1": "512", "_1024": "1024", "_256": "256", "_512_interp": "512_interp"}
    return {
        word: names
        for title, names in files.items()
        for mark, word in words.items()
        if f"dynamicrafter{mark}" in title
    }


def small_checkpoint(config: Config = SMALL, *, scale: float | None = 0.7, prefix: str = UNET):
    """Names and shapes of a small checkpoint; the factors of clean latents have values."""
    unet = UNet3D(config, device="meta").state_dict()
    projector = ImageProjector(SMALL_PROJECTOR, device="meta").state_dict()
    state = {prefix + name: value for name, value in unet.items()}
    state |= {f"image_proj_model.{name}": value for name, value in projector.items()}
    if scale is not None:
        state["scale_arr"] = torch.linspace(1, scale, 1400)
    return state


class TestOfficialFiles:
    @pytest.mark.parametrize("word", ["256", "512", "1024", "512_interp"])
    def test_networks_have_these_names_and_shapes(self, official, word):
        parts = split_checkpoint(empty(official[word]), name="model.ckpt")
        config = unet3d_config(parts.unet, name="model.ckpt")
        assert config == Config(image_attention="learned" if word == "256" else "added")
        assert projector_config(parts.projector, name="model.ckpt") == ProjectorConfig()
        assert parts.is_256 is (word == "256")
        assert parts.base_scale is None  # the factors have no values on the meta device

    @pytest.mark.parametrize(("word", "count"), [("256", 2535), ("512", 2520)])
    def test_every_name_has_its_place(self, official, word, count):
        state = empty(official[word])
        parts = split_checkpoint(state, name="model.ckpt")
        placed = {
            prefix + name: value
            for prefix, part in (
                (UNET, parts.unet),
                ("image_proj_model.", parts.projector),
                ("cond_stage_model.model.", parts.text),
                ("embedder.model.", parts.vision),
                ("first_stage_model.", parts.vae),
            )
            for name, value in part.items()
        }
        if word == "256":  # the class calls the file's framestride_embed fps_embedding
            for name in ("0.weight", "0.bias", "2.weight", "2.bias"):
                placed[f"{UNET}framestride_embed.{name}"] = placed.pop(
                    f"{UNET}fps_embedding.{name}"
                )
        assert len(state) == count
        left = state.keys() - placed
        assert left == SCHEDULE - ({"scale_arr"} if word == "256" else set())
        assert all(placed[name] is state[name] for name in placed)  # nothing is copied

    def test_names_of_parts(self, official):
        parts = split_checkpoint(empty(official["512"]), name="model.ckpt")
        assert "input_blocks.0.0.weight" in parts.unet
        assert "latents" in parts.projector
        assert "transformer.resblocks.0.ln_1.weight" in parts.text
        assert "visual.transformer.resblocks.0.ln_1.weight" in parts.vision
        assert "encoder.conv_in.weight" in parts.vae

    def test_deepspeed(self, official):
        state = empty(official["512"])
        prefixed = {f"_forward_module.{name}": value for name, value in state.items()}
        plain, cut = (split_checkpoint(x, name="model.ckpt") for x in (state, prefixed))
        assert all(
            getattr(plain, part) == getattr(cut, part)
            for part in ("unet", "projector", "text", "vision", "vae")
        )


class TestOtherFiles:
    @pytest.mark.parametrize("prefix", [UNET, ""])
    def test_unet_and_projector(self, prefix):
        parts = split_checkpoint(small_checkpoint(prefix=prefix), name="x")
        assert parts.unet.keys() == UNet3D(SMALL, device="meta").state_dict().keys()
        assert parts.projector and not (parts.text or parts.vision or parts.vae)
        assert parts.base_scale == pytest.approx(0.7)

    def test_unet_alone(self):
        state = UNet3D(replace(SMALL, image_attention="learned"), device="meta").state_dict()
        parts = split_checkpoint(state, name="x")
        assert parts.is_256 and not parts.projector
        assert unet3d_config(parts.unet, name="x").image_attention == "learned"

    def test_anything_with_a_shape(self):
        class Header:
            def __init__(self, value):
                self.shape, self.dtype = value.shape, value.dtype

        state = {name: Header(value) for name, value in small_checkpoint(scale=None).items()}
        parts = split_checkpoint(state, name="x")
        assert shapes(ImageProjector(SMALL_PROJECTOR)) == {
            name: tuple(value.shape) for name, value in parts.projector.items()
        }

    @pytest.mark.parametrize(
        ("names", "kind"),
        [
            ([f"{UNET}input_blocks.1.0.in_layers.0.weight"], "a UNet without temporal layers"),
            (
                [
                    f"{UNET}label_emb.0.0.weight",
                    f"{UNET}input_blocks.1.0.time_stack.in_layers.0.weight",
                ],
                "an SVD UNet",
            ),
            (
                ["label_emb.0.0.weight", "input_blocks.1.0.time_stack.in_layers.0.weight"],
                "an SVD UNet",
            ),
            (["decoder.conv_in.weight"], "a VAE"),
            (["first_stage_model.decoder.conv_in.weight"], "an unknown file of 1 tensors"),
            (["visual_projection.weight"], "a CLIP image encoder"),
            (["short"], "an unknown file of 1 tensors"),
            ([], "an unknown file of 0 tensors"),
        ],
    )
    def test_wrong_files(self, names, kind):
        state = {name: torch.zeros(1) for name in names}
        with pytest.raises(UserError, match=f"x.ckpt is {kind}.*model.ckpt of Doubiiu"):
            split_checkpoint(state, name="x.ckpt")

    @pytest.mark.parametrize(
        ("sizes", "words"),
        [
            (
                {"in_channels": 4},
                r"input_blocks.0.0.weight has the shape \(.*, 4, 3, 3\), but 8 ch",
            ),
            ({"out_channels": 8}, r"out.2.weight has the shape \(8, .*, but 4 channels"),
        ],
    )
    def test_other_channels(self, sizes, words):
        """Such a UNet would fail in the first step of the sampler."""
        with pytest.raises(UserError, match=f"x.ckpt is no UNet of DynamiCrafter's: {words}"):
            split_checkpoint(small_checkpoint(replace(SMALL, **sizes)), name="x.ckpt")

    def test_tooncrafter(self):
        state = {
            **small_checkpoint(),
            "first_stage_model.decoder.attn_refinement.0.norm.weight": torch.zeros(8),
        }
        with pytest.raises(UserError, match="x.ckpt is a checkpoint of ToonCrafter, .* model.ckpt"):
            split_checkpoint(state, name="x.ckpt")

    def test_smcd(self):
        state = UNet3D(
            replace(SMALL, initial_inside=True, image_attention=None, gate="objects"),
            device="meta",
        ).state_dict()
        with pytest.raises(UserError, match="x is an SMCD UNet"):
            split_checkpoint(state, name="x")


class TestProjectorConfig:
    state = staticmethod(lambda: ImageProjector(SMALL_PROJECTOR, device="meta").state_dict())

    def test_none(self):
        with pytest.raises(UserError, match="x.ckpt holds no image projector .*use model.ckpt of"):
            projector_config({}, name="x.ckpt")

    def test_reads_the_sizes(self):
        assert projector_config(self.state(), name="x") == SMALL_PROJECTOR

    @pytest.mark.parametrize("name", ["latents", "proj_in.weight", "layers.0.0.to_q.weight"])
    def test_without_a_size(self, name):
        state = self.state()
        del state[name]
        with pytest.raises(UserError, match="x has no image projector of DynamiCrafter: it is"):
            projector_config(state, name="x")

    def test_faults(self):
        state = self.state()
        del state["norm_out.bias"]
        with pytest.raises(UserError, match="norm_out.bias is missing"):
            projector_config(state, name="x")
        odd = {**self.state(), "latents": torch.empty(1, 30, 8, device="meta")}
        with pytest.raises(UserError, match="no image projector"):
            projector_config(odd, name="x")


INTERP_OR_NOT = [(False, "512", "512_interp"), (True, "512_interp", "512")]


class TestFindVariant:
    def find(self, name: str, *, scale=None, is_256=False, **more) -> str:
        parts = CheckpointParts(unet={}, base_scale=scale, is_256=is_256)
        return find_variant(parts, name=name, **more).word

    @pytest.mark.parametrize(
        ("name", "scale", "word"),
        [
            ("model.ckpt", 0.7, "512"),
            ("dynamicrafter_512_interp_v1/model.ckpt", 0.7, "512_interp"),
            ("DynamiCrafter_512_Interp.safetensors", None, "512_interp"),
            ("model.ckpt", 0.3, "1024"),
            ("model_512.ckpt", 0.30078125, "1024"),  # the tensor is right, in bfloat16 too
            ("dynamicrafter_1024_v1_bf16.safetensors", None, "1024"),
            ("dynamicrafter_512_cil_fp16.safetensors", None, "512"),
            ("1024_interp/dynamicrafter_512.safetensors", None, "512"),
            ("dynamicrafter_1024\\fp16.safetensors", None, "1024"),
        ],
    )
    def test_tensors_tell_first_then_the_name(self, name, scale, word):
        assert self.find(name, scale=scale) == word

    @pytest.mark.parametrize(
        ("name", "scale", "word"),
        [
            ("model.ckpt", 0.7, "512_interp"),
            ("interp/models/model.ckpt", 0.7, "512_interp"),
            ("dynamicrafter_512_v1/model.ckpt", 0.7, "512"),
            ("model.ckpt", 0.3, "1024"),
        ],
    )
    def test_what_nothing_tells_is_what_is_needed(self, name, scale, word):
        assert self.find(name, scale=scale, interpolates=True) == word

    @pytest.mark.parametrize(("interpolates", "word", "other"), INTERP_OR_NOT)
    def test_a_guess_is_said_once(self, caplog, interpolates, word, other):
        caplog.set_level(logging.INFO)
        self.find("a/model.ckpt", scale=0.7, interpolates=interpolates, choose="add -m {}")
        assert caplog.messages == [
            "The name of a/model.ckpt does not tell whether it is 512 or 512_interp: it is taken "
            f"for {word}. If it is {other}, add -m {other}."
        ]

    @pytest.mark.parametrize(
        ("name", "scale", "chosen"),
        [("my_512.ckpt", 0.7, "auto"), ("model.ckpt", 0.3, "auto"), ("model.ckpt", 0.7, "512")],
    )
    def test_what_is_told_needs_no_word(self, caplog, name, scale, chosen):
        caplog.set_level(logging.INFO)
        self.find(name, scale=scale, chosen=chosen)
        assert not caplog.messages

    def test_folders_above_tell_nothing(self):
        assert self.find("dynamicrafter_512_interp/models/model.ckpt", scale=0.7) == "512"

    def test_256_has_tensors_of_its_own(self):
        assert self.find("dynamicrafter_512.ckpt", is_256=True) == "256"
        assert self.find("x", is_256=True, chosen="256") == "256"

    @pytest.mark.parametrize("chosen", ["512", "1024", "512_interp"])
    def test_the_user_knows_better_than_the_name(self, chosen):
        assert self.find("dynamicrafter_512_interp.safetensors", chosen=chosen) == chosen

    @pytest.mark.parametrize(
        ("scale", "is_256", "chosen"),
        [(0.7, False, "1024"), (0.3, False, "512"), (None, False, "256"), (None, True, "512")],
    )
    def test_the_choice_contradicts_the_file(self, scale, is_256, chosen):
        message = r"x is not DynamiCrafter.*: its tensors are .* of (.*)\. Remedy: .* \1 or auto"
        with pytest.raises(UserError, match=message):
            self.find("x", scale=scale, is_256=is_256, chosen=chosen)

    def test_nothing_tells_the_model(self):
        with pytest.raises(UserError, match="choose the model 512 or 1024 or 512_interp"):
            self.find("model_fp16.safetensors")

    @pytest.mark.parametrize("chosen", ["auto", "512"])
    def test_factors_of_no_published_model(self, chosen):
        with pytest.raises(UserError, match="scale_arr ends with 0.5, .* with 0.7 or 0.3"):
            self.find("dynamicrafter_512.ckpt", scale=0.5, chosen=chosen)
