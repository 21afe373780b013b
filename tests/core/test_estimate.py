"""What a run needs: the constants are counted again from the networks, without their values."""

import json
import math
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from fcvg_core import choices
from fcvg_core import estimate as costs
from fcvg_core.estimate import FITS, GB, STREAMS, TOO_LARGE, advise, count_windows, estimate
from fcvg_core.models.controlnext.network import V2, ControlNeXt
from fcvg_core.models.unet3d import Config, UNet3D
from fcvg_core.sampling import plan_windows

META = {"device": "meta", "dtype": torch.float16}
SHAPES = ((25, 72, 128), (14, 40, 64))  # frames, height and width of latents
CARD = {name: name * GB - costs.RESERVED for name in (8, 12, 16, 24)}


def meta(*shape: int) -> torch.Tensor:
    return torch.empty(shape, **META)


class Held(TorchDispatchMode):
    """Counts the bytes of all tensors that live at the same time."""

    def __init__(self, *known: torch.Tensor):
        super().__init__()
        self.sizes, self.most = {x.untyped_storage()._cdata: 0 for x in known}, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                self._add(tensor.untyped_storage())
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self.sizes:
            self.sizes[key] = storage.nbytes()
            weakref.finalize(storage, self.sizes.pop, key)
            self.most = max(self.most, sum(self.sizes.values()))


@contextmanager
def counted_as_on_a_card(network: torch.nn.Module) -> Iterator[Held]:
    """Counts bytes as on a card, where attention never holds the matrix of all pairs."""

    def without_a_matrix(query, *rest, **more):
        return torch.empty_like(query)

    functional, name = torch.nn.functional, "scaled_dot_product_attention"
    with mock.patch.object(functional, name, without_a_matrix), Held(*network.parameters()) as held:
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
        assert found.cost == pytest.approx(counted, rel=0.02)

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
        assert found.cost == pytest.approx(2 * one_pass.get_total_flops(), rel=0.02)

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


class TestMeasured:
    """Against docs/compatibility.md: an H200, 576 x 1024, 25 frames in one window."""

    def test_memory_of_a_whole_card(self):
        found = estimate((1024, 576), 25, 25, "bf16", overlap=6, batched=True)
        resting = 2 * (costs.FCVG.encoders + costs.FCVG.vae)
        assert 13.5 <= (found.whole + resting) / GB <= 14.8

    def test_it_ran_with_8_gigabytes(self):
        assert estimate((1024, 576), 25, 25, "bf16", overlap=6).fit(CARD[8]) == STREAMS


class TestEstimate:
    def test_memory_is_that_of_one_window(self):
        short = estimate((448, 768), 25, 25, "bf16", overlap=6)
        long = estimate((448, 768), 240, 25, "bf16", overlap=6)
        assert (long.whole, long.least) == (short.whole, short.least)
        assert long.cost > 9 * short.cost

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
            estimate((576, 1024), 25, 25, "bf16", overlap=6, networks=costs.NETWORKS[name]).cost
            for name in ("controlnext-svd", "fcvg")
        )
        assert one == pytest.approx(both / 2, rel=0.02)

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


class TestAdvice:
    @staticmethod
    def needs(size, window):
        return estimate(size, 50, window, "bf16", overlap=6)

    def test_the_largest_window_and_size_that_fit(self):
        said = advise(self.needs, (576, 1024), 50, CARD[8], overlap=6)
        assert said == "lower window to 33, or lower the size to 832 x 448"
        assert self.needs((576, 1024), 33).fit(CARD[8]) == STREAMS
        assert self.needs((576, 1024), 34).fit(CARD[8]) == TOO_LARGE
        assert self.needs((448, 832), 50).fit(CARD[8]) == STREAMS

    def test_one_of_them_may_not_help(self):
        said = advise(self.needs, (1024, 1024), 8, 2 * GB, overlap=6)
        assert said.startswith("lower the size to ")

    def test_no_window_that_the_overlap_forbids(self):
        said = advise(self.needs, (576, 1024), 50, CARD[8], overlap=33)
        assert said == "lower the size to 832 x 448"

    def test_none_of_them_may_help(self):
        assert "both" in advise(self.needs, (64, 64), 8, 0, overlap=6)
