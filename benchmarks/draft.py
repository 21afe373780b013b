"""What TAESDV costs beside SVD's VAE and a step: python benchmarks/draft.py

Operations are counted for 25 frames of 576 x 1024, without weights. Seconds are of
this machine's CPU, for a few small frames, on networks of full size with random weights.

Nothing is asserted.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import torch
from diffusers import AutoencoderKLTemporalDecoder
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1]))

from fcvg_core.estimate import REFERENCE  # noqa: E402
from fcvg_core.models.taesdv import Decoder, shrink_latents  # noqa: E402

FRAMES, CHUNK = 25, 2
SVD_VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
}


def main() -> None:
    latents = torch.empty(FRAMES, 4, 72, 128, device="meta")
    with torch.device("meta"):
        vae = AutoencoderKLTemporalDecoder(**SVD_VAE).requires_grad_(False).to("meta")
    tiny = Decoder(device="meta").requires_grad_(False)
    step = REFERENCE.cost(REFERENCE.all_passes(1))
    counts = {
        "step of FCVG": step,
        "VAE, whole video": count(lambda: decode(vae, latents)),
        "TAESDV, whole video": count(lambda: tiny(latents)),
        "TAESDV, moving preview": count(lambda: tiny(shrink_latents(latents))),
    }
    for name, operations in counts.items():
        print(f"{name:24} {operations / 1e12:8.2f} TFLOP {operations / step:8.2%} of a step")
    small = torch.randn(4, 4, 24, 40)
    vae = AutoencoderKLTemporalDecoder(**SVD_VAE).requires_grad_(False)
    tiny = Decoder().requires_grad_(False)
    ratio = seconds(lambda: decode(vae, small)) / seconds(lambda: tiny(small))
    print(f"4 frames of 192 x 320 on this CPU: the VAE takes {ratio:.0f} times as long as TAESDV")


def decode(vae: AutoencoderKLTemporalDecoder, latents: Tensor) -> None:
    """By the VAE, as both faces do by default."""
    for chunk in latents.split(CHUNK):
        vae.decode(chunk, num_frames=len(chunk))


def count(work: Callable) -> int:
    with FlopCounterMode(display=False) as counted:
        work()
    return counted.get_total_flops()


def seconds(work: Callable) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


if __name__ == "__main__":
    main()
