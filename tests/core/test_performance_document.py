"""docs/performance.md: its tables are those of the code, and its operations are counted again."""

import re
import sys

import pytest
import torch
from hosts import ROOT
from torch.utils.flop_counter import FlopCounterMode

from fcvg_core.models.controlnext.network import V2, ControlNeXt
from fcvg_core.models.taesdv import Decoder, shrink_latents
from fcvg_core.standalone.networks.one_token import use_one_token
from fcvg_core.standalone.networks.shallow import ShallowUnet

sys.path.append(str(ROOT / "docs"))
import performance_table  # noqa: E402

META = {"device": "meta", "dtype": torch.float16}
FRAMES, HEIGHT, WIDTH = 25, 72, 128  # of the latents


def meta(*shape: int) -> torch.Tensor:
    return torch.empty(shape, **META)


@pytest.fixture(scope="module")
def said() -> dict[str, float]:
    """TFLOP of the page, by the words before the first comma."""
    page = performance_table.PAGE.read_text(encoding="utf-8")
    table = page.split("| network | TFLOP |")[1].split("## ")[0]
    return {name: float(number) for name, number in re.findall(r"\| (.+) \| ([\d.]+) \|", table)}


def tera(run) -> float:
    with FlopCounterMode(display=False) as counted:
        run()
    return counted.get_total_flops() / 1e12


def run_unet(unet, **more) -> None:
    sample = meta(1, FRAMES, 8, HEIGHT, WIDTH)
    unet(sample, meta(), meta(1, 1, 1024), added_time_ids=meta(1, 3), **more)


def test_the_table_of_passes() -> None:
    page = performance_table.PAGE.read_text(encoding="utf-8")
    assert page == performance_table.with_table(page), "stale: run docs/performance_table.py"
    rows = {row.name: row.passes() for row in performance_table.ROWS}
    fast = rows["Fast, --fast: 10 steps, the interval and cache 2"]
    assert (fast.whole + fast.shallow, fast.shallow) == (28, 14)


def test_operations_of_the_unet(said) -> None:
    from diffusers import UNetSpatioTemporalConditionModel

    with torch.device("meta"):
        unet = UNetSpatioTemporalConditionModel(num_attention_heads=(5, 10, 20, 20))
    unet = unet.to("meta", torch.float16).requires_grad_(False)
    counted = [tera(lambda: run_unet(unet))]
    use_one_token(unet)
    counted.append(tera(lambda: run_unet(unet)))
    kept = meta(FRAMES, 320, HEIGHT, WIDTH)
    counted.append(tera(lambda: run_unet(ShallowUnet(unet), features=kept)))
    names = [name for name in said if name.startswith("a pass")]
    assert [said[name] for name in names] == pytest.approx(counted, rel=0.01)


def test_operations_of_the_other_networks(said) -> None:
    from diffusers import AutoencoderKLTemporalDecoder

    with torch.device("meta"):
        vae = AutoencoderKLTemporalDecoder(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
        )
    vae.to("meta", torch.float16).requires_grad_(False)
    controlnext, tiny = ControlNeXt(V2, **META), Decoder(**META)
    latents = meta(FRAMES, 4, HEIGHT, WIDTH)
    counted = (
        tera(lambda: controlnext(meta(FRAMES, 3, 8 * HEIGHT, 8 * WIDTH), meta())),
        tera(lambda: vae.decode(latents[:2], num_frames=2)) * FRAMES / 2,
        tera(lambda: tiny(latents)),
        tera(lambda: tiny(shrink_latents(latents))),
    )
    names = [name for name in said if not name.startswith("a pass")]
    assert [said[name] for name in names] == pytest.approx(counted, rel=0.02)
