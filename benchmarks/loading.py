"""Memory that the command line's loader needs for a UNet file of about 1 GB.

    python benchmarks/loading.py [--size 128 256 512 512]

Each case runs in its own process, which reads every weight after loading. The growth of the
process's peak memory after its imports is printed, relative to the size of the file, and relative
to the size of the weights in the wanted number format.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = (  # file, number format of the network, whether the file is partial
    ("fp32.safetensors", "float32", False),
    ("fp32.safetensors", "bfloat16", False),
    ("fp32.bin", "float32", False),
    ("fp32.bin", "bfloat16", False),
    ("fp16.safetensors", "float32", False),
    ("part.safetensors", "float32", True),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, nargs=4, default=(128, 256, 512, 512))
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--load", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_files(options.make, options.size)
    elif options.load:
        print(json.dumps(measure(*options.load)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), options.size)


def compare(folder: Path, size: tuple[int, ...]) -> None:
    """Make the files, then load each file in its own process."""
    run("--make", str(folder), "--size", *map(str, size))
    for name, dtype, partial in CASES:
        seen = json.loads(run("--load", str(folder), name, dtype))
        megabytes = {key: value / 2**20 for key, value in seen.items()}
        growth = megabytes["peak"] - megabytes["imports"]
        print(
            f"{name:<17} -> {dtype:<8}  file {megabytes['file']:5.0f} MB"
            f"{' + base' if partial else '       '}  "
            f"weights {megabytes['weights']:5.0f}  imports {megabytes['imports']:4.0f}  "
            f"growth {growth:5.0f} MB = {growth / megabytes['file']:.2f} x file, "
            f"{growth / megabytes['weights']:.2f} x weights",
            flush=True,
        )


def run(*arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout


def make_files(folder: Path, size: tuple[int, ...]) -> None:
    """Write a random UNet as several files; unet/ is the base for the partial file."""
    import torch
    from accelerate import init_empty_weights
    from diffusers import UNetSpatioTemporalConditionModel
    from safetensors.torch import save_file

    config = {"block_out_channels": list(size), "num_attention_heads": [c // 64 for c in size]}
    with init_empty_weights():
        network = UNetSpatioTemporalConditionModel(**config)
    weights = {k: torch.randn(v.shape) * 0.01 for k, v in network.state_dict().items()}
    (folder / "unet").mkdir()
    (folder / "unet" / "config.json").write_text(json.dumps(config))
    save_file(weights, folder / "fp32.safetensors")
    save_file(weights, folder / "unet" / "diffusion_pytorch_model.safetensors")
    torch.save(weights, folder / "fp32.bin")
    part = {key: value for key, value in weights.items() if "temporal" in key}
    save_file(part, folder / "part.safetensors")
    save_file({key: value.half() for key, value in weights.items()}, folder / "fp16.safetensors")


def measure(folder: str, name: str, dtype: str) -> dict[str, int]:
    """Bytes of the file, of the weights, and of the peak memory before and after loading."""
    # The network's module is imported here, so that the import is not measured as loading.
    import diffusers.models.unets.unet_spatio_temporal_condition  # noqa: F401
    import torch

    sys.path.insert(0, str(ROOT))
    from fcvg_core.standalone.networks.loading import check_unet_files

    before = peak()
    unet = check_unet_files(Path(folder), Path(folder, name), getattr(torch, dtype)).fill()
    parameters = list(unet.parameters())
    assert all(p.sum().isfinite() for p in parameters)
    return {
        "file": Path(folder, name).stat().st_size,
        "weights": sum(p.nbytes for p in parameters),
        "imports": before,
        "peak": peak(),
    }


def peak() -> int:
    """Peak memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
