"""Peak memory of DropletVideo's VAE against the number of frames.

    python benchmarks/dropletvideo.py [--frames N ...] [--side N] [--full] [--others]

Counted are the bytes of all tensors that live at the same time, beside weights and the input; what
a library holds inside a convolution is not counted. A row gives them for one length of a video:
encoding, decoding chunk by chunk (each chunk is dropped, as a caller drops it who writes a file),
and decoding into one tensor. Each figure is a multiple of the bytes of one decoded frame.

    --frames N... lengths of the videos (default 9 13 25 49 85)
    --side N      height and width of the frames (default 32)
    --full        the official widths of the network with random weights, and below the table the
                  peak that follows for 672 x 384 in bf16. Hidden states of this size are convolved
                  in parts, so that the peak is a little lower
    --others      diffusers' class beside ours

Nothing is asserted.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from memory import PeakBytes  # noqa: E402

from fcvg_core.models.dropletvideo.config import VaeConfig  # noqa: E402
from fcvg_core.models.dropletvideo.rules import SIZE, count_latents  # noqa: E402
from fcvg_core.models.dropletvideo.vae import FRAMES_A_CHUNK, VideoVae  # noqa: E402

TINY = VaeConfig(block_channels=(16, 32, 32, 64), layers=3, norm_groups=8)
BYTES, BYTES_HALF = 4, 2  # of a number in float32 and in bf16
GB = 2**30


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, nargs="+", default=[9, 13, 25, 49, 85], metavar="N")
    parser.add_argument("--side", type=int, default=32, metavar="N")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--others", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    config = VaeConfig() if options.full else TINY
    vae = VideoVae(config).eval()
    other = diffusers_vae(config) if options.others else None
    with torch.inference_mode():
        print_table(vae, other, options.frames, options.side, full=options.full)


def print_table(vae: VideoVae, other, lengths: list[int], side: int, *, full: bool) -> None:
    """Print a row for each length, and what the last row means at the official size."""
    titles = ["frames", "encode", "decode in chunks", "decode"]
    titles += ["diffusers encodes", "diffusers decodes"] if other else []
    print("  ".join(titles))
    a_frame = 3 * side * side * BYTES
    peaks = []
    for num_frames in lengths:
        video = torch.randn(1, 3, num_frames, side, side)
        latents = torch.randn(1, 16, count_latents(num_frames), side // 8, side // 8)
        works = [
            lambda video=video: vae.encode(video),
            lambda latents=latents: [None for _ in vae.decode_chunks(latents)],
            lambda latents=latents: vae.decode(latents),
        ]
        if other:
            works.append(lambda video=video: other.encode(video).latent_dist.mode())
            works.append(lambda latents=latents: other.decode(latents).sample)
        peaks = [peak(work) for work in works]
        columns = zip([num_frames, *(f"{x / a_frame:.0f}" for x in peaks)], titles, strict=True)
        print("  ".join(f"{x:>{len(title)}}" for x, title in columns))
    if full:
        scale = SIZE[0] * SIZE[1] / side**2 * BYTES_HALF / BYTES / GB
        figures = ", ".join(f"{x * scale:.1f}" for x in peaks)
        print(f"{lengths[-1]} frames of {SIZE[1]} x {SIZE[0]} in bf16, in GB: {figures}")


def peak(work: Callable[[], object]) -> int:
    """Most bytes of tensors that live at the same time."""
    with PeakBytes() as counted:
        work()
    return counted.peak


def diffusers_vae(config: VaeConfig):
    """diffusers' class with the same sizes, random weights and the official chunks."""
    from diffusers import AutoencoderKLCogVideoX

    vae = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * len(config.block_channels),
        up_block_types=("CogVideoXUpBlock3D",) * len(config.block_channels),
        block_out_channels=config.block_channels,
        layers_per_block=config.layers,
        norm_num_groups=config.norm_groups,
        latent_channels=config.latent_channels,
    )
    vae.num_sample_frames_batch_size = FRAMES_A_CHUNK
    return vae.eval()


if __name__ == "__main__":
    main()
