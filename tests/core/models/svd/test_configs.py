"""What SVD's config files have to say."""

import math

import pytest

from fcvg_core.errors import UserError
from fcvg_core.models.svd.configs import (
    IMAGE_ENCODER,
    INDEX,
    UNET,
    VAE,
    check_image_encoder,
    check_together,
    check_unet,
    read_config,
)

PARTS = {"index": INDEX, "unet": UNET, "vae": VAE, "clip": IMAGE_ENCODER}
KEYS = [(part, key) for part, rules in PARTS.items() for key in rules]
NEVER_RIGHT = (None, "text", -1, 0, [], {}, [None], [[1]], 10**9, 1e300, math.nan, math.inf, "1")


class TestReadConfig:
    @pytest.mark.parametrize("part", PARTS)
    def test_published_values(self, part: str) -> None:
        config = read_config({}, PARTS[part], name="x")
        assert config == read_config(config, PARTS[part], name="x")
        assert read_config({**config, "more": [None]}, PARTS[part], name="x") == config

    @pytest.mark.parametrize(("part", "key"), KEYS)
    def test_never_right(self, part: str, key: str) -> None:
        for value in NEVER_RIGHT:
            with pytest.raises(UserError, match=f"^a/config.json: {key} is .*; expected ") as error:
                read_config({key: value}, PARTS[part], name="a/config.json")
            assert len(str(error.value)) < 400

    @pytest.mark.parametrize(
        ("part", "key", "value"),
        [
            ("index", "_class_name", "StableDiffusionPipeline"),
            ("unet", "_class_name", "UNet2DConditionModel"),
            ("vae", "_class_name", "AutoencoderKL"),
            ("unet", "in_channels", 4),
            ("unet", "in_channels", 8.0),
            ("unet", "out_channels", True),
            ("unet", "block_out_channels", [320, 640, 1280]),
            ("unet", "block_out_channels", [320, 640, 1280, 1281]),
            ("unet", "down_block_types", ["DownBlock2D"] * 4),
            ("unet", "addition_time_embed_dim", 128),
            ("unet", "cross_attention_dim", [1024] * 3),
            ("vae", "latent_channels", 16),
            ("vae", "scaling_factor", 0.13025),
            ("vae", "scaling_factor", "0.18215"),
            ("vae", "force_upcast", "no"),
            ("vae", "force_upcast", 1),
            ("clip", "image_size", 336),
            ("clip", "patch_size", 15),
            ("clip", "hidden_act", "quick_gelu"),
            ("clip", "layer_norm_eps", 0.1),
            ("clip", "model_type", "siglip_vision_model"),
        ],
    )
    def test_plausible_and_wrong(self, part: str, key: str, value: object) -> None:
        with pytest.raises(UserError, match=f"a.json: {key} is .*expected.*as it was published"):
            read_config({key: value}, PARTS[part], name="a.json")

    @pytest.mark.parametrize(
        ("part", "values"),
        [
            ("index", {"_class_name": "StableVideoDiffusionPipelineControlNeXt"}),
            ("unet", {"_class_name": "UNetSpatioTemporalConditionControlNeXtModel"}),
            ("unet", {"num_attention_heads": [1, 1, 1, 1], "block_out_channels": [64] * 4}),
            ("unet", {"cross_attention_dim": [1024] * 4, "sample_size": None}),
            ("vae", {"scaling_factor": 0.182150, "sample_size": "text"}),
            ("clip", {"patch_size": 32, "architectures": None}),
        ],
    )
    def test_right(self, part: str, values: dict) -> None:
        config = read_config(values, PARTS[part], name="x")
        assert all(config.get(key, value) == value for key, value in values.items())

    @pytest.mark.parametrize("found", [None, [], "text", 3])
    def test_no_table(self, found: object) -> None:
        with pytest.raises(UserError, match="a.json holds a .*; expected SVD's settings"):
            read_config(found, VAE, name="a.json")


class TestTogether:
    @pytest.mark.parametrize("heads", [1, [5, 10, 20, 10], [10, 20, 40, 40]])
    def test_heads_of_the_unet(self, heads: object) -> None:
        config = read_config({"num_attention_heads": heads}, UNET, name="x")
        with pytest.raises(UserError, match=r"a.json: num_attention_heads is .*\[5, 10, 20, 20\]"):
            check_unet(config, name="a.json")
        check_unet(read_config({}, UNET, name="x"), name="x")

    @pytest.mark.parametrize(
        ("width", "heads", "right"),
        [(1280, 16, True), (64, 1, True), (1280, 20, False), (64, 2, False), (100, 1, False)],
    )
    def test_heads_of_clip(self, width: int, heads: int, right: bool) -> None:
        sizes = {"hidden_size": width, "num_attention_heads": heads}
        config = read_config(sizes, IMAGE_ENCODER, name="x")
        if right:
            check_image_encoder(config, name="x")
            return
        with pytest.raises(UserError, match=f"a.json: num_attention_heads is {heads}"):
            check_image_encoder(config, name="a.json")

    @pytest.mark.parametrize("taken", [768, [1024, 1024, 1024, 768]])
    def test_unet_and_clip(self, taken: object) -> None:
        clip = read_config({}, IMAGE_ENCODER, name="x")
        check_together(read_config({}, UNET, name="x"), clip, names=("u", "c"))
        unet = read_config({"cross_attention_dim": taken}, UNET, name="x")
        with pytest.raises(UserError, match="u: cross_attention_dim is .* projection_dim in c"):
            check_together(unet, clip, names=("u", "c"))
