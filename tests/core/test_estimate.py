"""What a run needs: the constants are counted again from the networks, without their values."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from fcvg_core import choices
from fcvg_core import estimate as costs
from fcvg_core.estimate import FITS, GB, STREAMS, TOO_LARGE, Passes, count_windows, estimate
from fcvg_core.models.controlnext.features import FRAMES_PER_CALL
from fcvg_core.models.controlnext.network import V2, ControlNeXt
from fcvg_core.models.dropletvideo.config import TransformerConfig, VaeConfig
from fcvg_core.models.dropletvideo.network import DropletVideoTransformer
from fcvg_core.models.dropletvideo.vae import VideoVae
from fcvg_core.models.unet3d import Config, UNet3D
from fcvg_core.sampling import plan_spans, plan_windows
from fcvg_core.standalone.networks.shallow import ShallowUnet
from fcvg_core.training.memory import Held, as_on_a_card

META = {"device": "meta", "dtype": torch.float16}
WAYS = "down", "up"  # blocks of a VAE
SHAPES = ((25, 72, 128), (14, 40, 64))  # frames, height and width of latents
CARD = {name: name * GB - costs.RESERVED for name in (8, 12, 16, 24)}


def meta(*shape: int) -> torch.Tensor:
    return torch.empty(shape, **META)


@contextmanager
def counted_as_on_a_card(network: torch.nn.Module) -> Iterator[Held]:
    """Counts bytes as on a card, where attention never holds the matrix of all pairs."""
    with as_on_a_card(torch.float32), Held(*network.parameters()) as held:
        yield held


@pytest.fixture(scope="module")
def unet():
    from diffusers import UNetSpatioTemporalConditionModel

    with torch.device("meta"):
        network = UNetSpatioTemporalConditionModel(num_attention_heads=(5, 10, 20, 20))
    return network.to("meta", torch.float16).requires_grad_(False)


@pytest.fixture(scope="module")
def vae():
    from diffusers import AutoencoderKLTemporalDecoder

    with torch.device("meta"):
        network = AutoencoderKLTemporalDecoder(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
        )
    return network.to("meta", torch.float16).requires_grad_(False)


@pytest.fixture(scope="module")
def dynamicrafter_unet():
    return UNet3D(Config(), **META).requires_grad_(False)


def run_unet(unet, frames: int, height: int, width: int) -> None:
    unet(
        meta(1, frames, 8, height, width),
        meta(),
        meta(1, 1, 1024),
        added_time_ids=meta(1, 3),
    )


def run_dynamicrafter(unet, frames: int, height: int, width: int) -> None:
    numbers = torch.empty(frames, device="meta", dtype=torch.long)
    unet(
        meta(frames, 8, height, width),
        numbers,
        meta(frames, 77, 1024),
        num_frames=frames,
        image_tokens=meta(frames, 16, 1024),
        rate=numbers,
    )


def parameters(network) -> int:
    return sum(x.numel() for x in network.parameters())


class TestConstants:
    def test_weights(self, unet, vae):
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

        config = CLIPVisionConfig(
            hidden_size=1280,
            intermediate_size=5120,
            projection_dim=1024,
            num_hidden_layers=32,
            num_attention_heads=16,
            patch_size=14,
        )
        with torch.device("meta"):
            clip = CLIPVisionModelWithProjection(config)
        assert parameters(unet) == costs.FCVG.unet
        assert parameters(vae) == costs.FCVG.vae
        assert parameters(clip) == costs.FCVG.encoders
        assert parameters(ControlNeXt(V2, **META)) == costs.FCVG.control

    @pytest.mark.parametrize("shape", SHAPES)
    def test_memory_of_a_step(self, unet, shape):
        with counted_as_on_a_card(unet) as held:
            run_unet(unet, *shape)
        frames, height, width = shape
        assert held.most / (frames * height * width * 2) == pytest.approx(costs.FCVG.step, rel=0.01)

    def test_memory_of_control(self):
        """Windows that are shorter than what ControlNeXt sees at once need as much as it needs."""
        network, frames = ControlNeXt(V2, **META).requires_grad_(False), FRAMES_PER_CALL
        assert frames == costs.CONTROL_FRAMES
        with counted_as_on_a_card(network) as held:
            network(meta(frames, 3, 320, 512), meta())
        counted = held.most / (frames * 40 * 64 * 2)
        assert counted == pytest.approx(costs.FCVG.control_step, rel=0.03)
        short = [estimate((320, 512), 50, n, "bf16", overlap=1).step for n in (2, 4)]
        assert short[0] == short[1] == pytest.approx(held.most * costs.MARGIN, rel=0.03)

    def test_memory_of_decoding(self, vae):
        with counted_as_on_a_card(vae) as held:
            vae.decode(meta(2, 4, 40, 64), num_frames=2)
        assert held.most / (2 * 320 * 512 * 2) == pytest.approx(costs.FCVG.decoding, rel=0.01)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_operations_of_a_step(self, unet, shape):
        frames, height, width = shape
        network = ControlNeXt(V2, **META).requires_grad_(False)
        with FlopCounterMode(display=False) as control:
            network(meta(frames, 3, height * 8, width * 8), meta())
        with FlopCounterMode(display=False) as one_pass:
            run_unet(unet, *shape)
        found = estimate((height * 8, width * 8), frames, frames, "bf16", overlap=0)
        counted = 4 * one_pass.get_total_flops() + control.get_total_flops()
        assert found.cost(found.all_passes(1)) == pytest.approx(counted, rel=0.02)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_operations_and_memory_of_a_pass_with_kept_features(self, unet, shape):
        frames, height, width = shape
        shallow = ShallowUnet(unet)
        kept = meta(frames, costs.FCVG.kept, height, width)
        with FlopCounterMode(display=False) as one_pass:
            run_unet(partial(shallow, features=kept), *shape)
        found = estimate((height * 8, width * 8), frames, frames, "bf16", overlap=0)
        counted = one_pass.get_total_flops()
        assert found.cost(Passes(0, shallow=1, steered=0)) == pytest.approx(counted, rel=0.02)
        more = estimate((height * 8, width * 8), frames, frames, "bf16", overlap=0, kept=4)
        assert more.step - found.step == pytest.approx(4 * kept.nbytes, abs=1)

    def test_every_family_has_networks(self):
        assert tuple(costs.NETWORKS) == choices.FAMILIES


class TestConstantsOfDynamiCrafter:
    def test_weights(self, dynamicrafter_unet, own_golden):
        text = (own_golden / "dynamicrafter" / "keys_full.json").read_text(encoding="utf-8")
        (shapes,) = [keys for name, keys in json.loads(text).items() if "1024" in name]

        def count(*parts: str) -> int:
            return sum(math.prod(shapes[key]) for key in shapes if key.startswith(parts))

        found = costs.DYNAMICRAFTER
        assert parameters(dynamicrafter_unet) == count("model.diffusion_model.") == found.unet
        assert count("first_stage_model.") == found.vae
        encoders = ("cond_stage_model.", "embedder.model.visual.", "image_proj_model.")
        assert count(*encoders) == found.encoders

    @pytest.mark.parametrize("shape", [(16, 32, 32), (16, 72, 128)])
    def test_memory_and_operations_of_a_step(self, dynamicrafter_unet, shape):
        with counted_as_on_a_card(dynamicrafter_unet) as held:
            run_dynamicrafter(dynamicrafter_unet, *shape)
        frames, height, width = shape
        # Large frames need less, because attention over frames takes them part by part.
        share = held.most / (frames * height * width * 2) / costs.DYNAMICRAFTER.step
        assert 0.8 < share < 1.01
        with FlopCounterMode(display=False) as one_pass:
            run_dynamicrafter(dynamicrafter_unet, *shape)
        found = estimate(
            (height * 8, width * 8),
            frames,
            frames,
            "bf16",
            overlap=0,
            networks=costs.DYNAMICRAFTER,
        )
        counted = 2 * one_pass.get_total_flops()
        assert found.cost(found.all_passes(1)) == pytest.approx(counted, rel=0.02)

    def test_memory_of_decoding(self):
        from diffusers import AutoencoderKL

        widths = (128, 256, 512, 512)
        with torch.device("meta"):
            vae = AutoencoderKL(
                block_out_channels=widths,
                layers_per_block=2,
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
            )
        vae.to("meta", torch.float16).requires_grad_(False)
        assert parameters(vae) == costs.DYNAMICRAFTER.vae
        with counted_as_on_a_card(vae) as held:
            vae.decode(meta(2, 4, 40, 64))
        assert held.most / (2 * 320 * 512 * 2) == pytest.approx(costs.DYNAMICRAFTER.decoding, 0.01)


class TestConstantsOfSmcd:
    def test_weights(self, own_golden):
        text = (own_golden / "smcd" / "keys_full.json").read_text(encoding="utf-8")
        files = {
            name.partition("[")[0]: {
                key: math.prod(shape)
                for key, shape in keys.items()
                if not key.startswith("visual.")  # the image encoder, which is not used
            }
            for name, keys in json.loads(text).items()
            if not name.startswith("_")
        }
        counts = {name: sum(keys.values()) for name, keys in files.items()}
        encoders = ("open_clip_pytorch_model.bin", "pytorch_model_1.bin", "pytorch_model_2.bin")
        assert counts["pytorch_model.bin"] == costs.SMCD.unet
        assert counts["VQGAN_autoencoder.pth"] == costs.SMCD.vae
        assert sum(counts[name] for name in encoders) == costs.SMCD.encoders

    def test_memory_and_operations_of_a_step(self):
        config = Config(
            initial_inside=True,
            conv_projections=True,
            bare_downsamplers=True,
            takes_rate=False,
            image_attention=None,
            gate="objects and image",
        )
        unet, frames, side = UNet3D(config, **META).requires_grad_(False), 8, 32
        assert parameters(unet) == costs.SMCD.unet

        def run() -> None:
            unet(
                meta(frames, 8, side, side),
                torch.empty(frames, device="meta", dtype=torch.long),
                meta(frames, 77, 1024),
                num_frames=frames,
                image_tokens=meta(frames, 16, 1024),
                objects=meta(frames, 8, 1024),
            )

        with counted_as_on_a_card(unet) as held:
            run()
        assert held.most / (frames * side**2 * 2) == pytest.approx(costs.SMCD.step, rel=0.01)
        with FlopCounterMode(display=False) as one_pass:
            run()
        found = estimate((256, 256), frames, frames, "bf16", overlap=0, networks=costs.SMCD)
        counted = 2 * one_pass.get_total_flops()
        assert found.cost(found.all_passes(1)) == pytest.approx(counted, rel=0.02)


class TestConstantsOfDropletVideo:
    def test_weights(self, own_golden):
        text = (own_golden / "dropletvideo" / "keys_full.json").read_text(encoding="utf-8")
        files = {name.split("/")[0]: keys for name, keys in json.loads(text).items()}
        files["text_encoder"].pop("encoder.embed_tokens.weight")  # the same as shared.weight
        counts = [
            sum(map(math.prod, files[part].values()))
            for part in ("transformer", "vae", "text_encoder")
        ]
        found = costs.DROPLETVIDEO
        assert counts == [found.unet, found.vae, found.encoders]

    @pytest.mark.parametrize("shape", [(22, 48, 84), (4, 32, 32)])
    def test_memory_and_operations_of_a_step(self, shape):
        """With few layers, because all layers are alike."""
        layers, frames, (height, width) = 2, shape[0] * 4 - 3, (side * 8 for side in shape[1:])
        network = DropletVideoTransformer(TransformerConfig(layers=layers), **META)
        inputs = meta(1, 33, *shape), torch.empty(1, device="meta", dtype=torch.long)

        def run() -> None:
            network.requires_grad_(False)(*inputs, context=meta(1, 400, 4096), fps=inputs[1])

        estimate_of = partial(
            estimate, (height, width), frames, frames, "fp16", overlap=0, at_once=1
        )
        found = estimate_of(networks=costs.DROPLETVIDEO)
        with counted_as_on_a_card(network) as held:
            run()
        assert held.most * costs.MARGIN == pytest.approx(found.step, rel=0.04)
        with FlopCounterMode(display=False) as one_pass:
            run()
        whole = TransformerConfig().layers
        counted = 2 * one_pass.get_total_flops() * whole / layers
        assert found.cost(found.all_passes(1)) == pytest.approx(counted, rel=0.02)

    @pytest.mark.parametrize("latents", [3, 5])
    def test_memory_of_decoding(self, latents):
        """It does not grow with the frames."""
        vae = VideoVae(VaeConfig(), **META).requires_grad_(False)
        with counted_as_on_a_card(vae) as held:
            for chunk in vae.decode_chunks(meta(1, 16, latents, 16, 16)):
                del chunk
        counted = held.most / (128 * 128 * 2) / costs.DROPLETVIDEO.decode_chunk
        assert counted == pytest.approx(costs.DROPLETVIDEO.decoding, rel=0.03)

    def test_memory_of_decoding_on_the_command_line(self):
        from diffusers import AutoencoderKLCogVideoX

        blocks = {f"{way}_block_types": (f"CogVideoX{way.title()}Block3D",) * 4 for way in WAYS}
        with torch.device("meta"):
            vae = AutoencoderKLCogVideoX(block_out_channels=VaeConfig().block_channels, **blocks)
        vae.to("meta", torch.float16).requires_grad_(False)
        with counted_as_on_a_card(vae) as held:
            vae.decode(meta(1, 16, 6, 16, 16))
        found = costs.DROPLETVIDEO.on_the_command_line
        counted = held.most / (128 * 128 * 2) / found.decode_chunk
        assert counted == pytest.approx(found.decoding, rel=0.03)

    def test_attention_sees_all_frames(self):
        short, long = (
            estimate((384, 672), frames, frames, "bf16", overlap=0, networks=costs.DROPLETVIDEO)
            for frames in (45, 85)
        )
        assert 2.1 < long.whole_pass / short.whole_pass < 2.5  # 22 latents, and 12
        windows = estimate((384, 672), 85, 45, "bf16", overlap=5, networks=costs.DROPLETVIDEO)
        assert windows.whole_pass == pytest.approx(2 * short.whole_pass)
        assert windows.step == short.step and windows.decoding == short.decoding


class TestMeasured:
    """Against docs/compatibility.md: an H200, 576 x 1024, 25 frames in one window."""

    def test_memory_of_a_whole_card(self):
        found = estimate((1024, 576), 25, 25, "bf16", overlap=6, at_once=2)
        assert 13.5 <= found.together / GB <= 14.8

    def test_it_ran_with_8_gigabytes(self):
        assert estimate((1024, 576), 25, 25, "bf16", overlap=6).fit(CARD[8]) == STREAMS


class TestEstimate:
    def test_memory_is_that_of_one_window(self):
        short = estimate((448, 768), 25, 25, "bf16", overlap=6)
        long = estimate((448, 768), 240, 25, "bf16", overlap=6)
        assert (long.whole, long.least) == (short.whole, short.least)
        assert long.whole_pass > 9 * short.whole_pass

    @pytest.mark.parametrize(("frames", "more"), [(25, 4 * 25 * 64 * 64 * 320 * 2), (26, 0)])
    def test_kept_features_of_several_windows_are_not_on_the_card(self, frames, more):
        video = ((512, 512), frames, 25, "bf16")
        kept = estimate(*video, overlap=6, kept=4)
        assert kept.step - estimate(*video, overlap=6).step == more

    def test_upright_is_the_same(self):
        upright = estimate((1024, 576), 25, 25, "bf16", overlap=6)
        assert upright == estimate((576, 1024), 25, 25, "bf16", overlap=6) == costs.REFERENCE
        assert costs.relative_cost(upright) == 1

    def test_number_formats(self):
        each = {
            name: estimate((576, 1024), 25, 25, name, overlap=6)
            for name in ("fp8", "fp16", "bf16", "fp32")
        }
        assert each["fp16"] == each["bf16"]
        assert each["fp8"].step == each["fp16"].step == each["fp32"].step // 2
        assert each["fp16"].weights - each["fp8"].weights == costs.FCVG.unet

    def test_one_direction_takes_half_the_time(self):
        one, both = (
            costs.relative_cost(
                estimate((576, 1024), 25, 25, "bf16", overlap=6, networks=costs.NETWORKS[name])
            )
            for name in ("controlnext-svd", "fcvg")
        )
        assert one == pytest.approx(both / 2, rel=0.02)

    def test_a_run_is_so_many_passes(self):
        found = estimate((576, 1024), 25, 25, "bf16", overlap=6)
        assert costs.relative_run(found, Passes(100, shallow=0, steered=25)) == 1
        assert costs.relative_run(found, Passes(50, shallow=50, steered=13)) == pytest.approx(
            0.62, abs=0.01
        )

    def test_decoding_may_need_more_than_sampling(self):
        found = estimate((576, 1024), 2, 25, "bf16", overlap=6, decode_chunk=2)
        assert found.least == found.decoding > found.step + costs.STREAMED

    def test_what_fits_a_card(self):
        def fit(card: int, window: int) -> str:
            return estimate((576, 1024), 50, window, "bf16", overlap=6).fit(CARD[card])

        assert [fit(card, 50) for card in CARD] == [TOO_LARGE, STREAMS, FITS, FITS]
        assert [fit(card, 25) for card in CARD] == [STREAMS, FITS, FITS, FITS]

    @pytest.mark.parametrize(
        "numbers", [(25, 25, 6), (26, 25, 6), (100, 25, 6), (25, 14, 6), (25, 2, 1), (7, 25, 0)]
    )
    def test_windows_are_counted_as_they_are_planned(self, numbers):
        assert count_windows(*numbers) == len(plan_windows(*numbers))


class TestSeveralKeyframes:
    def test_memory_is_that_of_the_longest_span(self):
        size = (448, 768)
        longest = estimate(size, 25, 25, "bf16", overlap=6)
        found = estimate(size, 35, 30, "bf16", overlap=6, at=(0, 24, 34))
        assert (found.whole, found.least) == (longest.whole, longest.least)
        # The frame of the keyframe in the middle is in both spans.
        assert found.whole_pass == pytest.approx(36 / 25 * longest.whole_pass)

    def test_kept_features_of_spans_are_not_on_the_card(self):
        video = {"overlap": 6, "at": (0, 12, 24)}
        kept = estimate((512, 512), 25, 25, "bf16", kept=4, **video)
        assert kept == estimate((512, 512), 25, 25, "bf16", **video)

    def test_in_words(self):
        video = costs.Video((576, 1024), 85, 25, 6, at=(0, 20, 84))
        assert str(video) == (
            "85 frames of 1024 x 576 in 5 windows of up to 25, between 3 keyframes"
        )
        windows = plan_spans(video.at, video.window, video.overlap)
        assert len(windows) == 5 and max(x.length for x in windows) == video.at_once
        assert str(replace(video, at=(0, 84))) == str(replace(video, at=()))
