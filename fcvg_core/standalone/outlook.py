"""What a run of the command line says before weights are loaded: the memory that it needs."""

import logging
from dataclasses import dataclass

import torch

from ..advice import advise
from ..estimate import Estimate, Networks, Passes, Video, estimate, in_gigabytes
from .networks.device import DTYPES


@dataclass(frozen=True, kw_only=True)
class Run:
    """What decides how much memory a run needs.

    Attributes:
        video: what is sampled.
        networks: of the run.
        dtype: number format of the networks.
        passes: of the network that denoises, through one window.
        at_once: passes that guidance computes at once.
        can_split: whether these passes are computed one by one if memory runs out.
        kept: passes whose features are kept, see `estimate`.
        offload: whether a network is on the device only while it is used.
        decode_chunk: frames that the VAE decodes at once; 0 if it decodes none, as in a draft.
        window_option: sets the number of frames that are sampled at once.
        denoiser: name of the network that denoises.
    """

    video: Video
    networks: Networks
    dtype: torch.dtype
    passes: Passes
    at_once: int
    can_split: bool
    kept: int
    offload: bool
    decode_chunk: int
    window_option: str
    denoiser: str = "UNet"

    def needs(self, size: tuple[int, int], window: int, at_once: int) -> Estimate:
        """What the run needs with another size, another window or other passes at once."""
        return estimate(
            size,
            self.video.num_frames,
            window,
            next(name for name, known in DTYPES.items() if known == self.dtype),
            overlap=self.video.overlap,
            networks=self.networks,
            at_once=at_once,
            decode_chunk=self.decode_chunk,
            kept=self.kept,
            at=self.video.at,
        )

    def least(self, size: tuple[int, int], window: int) -> int:
        """Bytes that the run can't do without: offloaded, and split if it can be split."""
        return self.needs(size, window, 1 if self.can_split else self.at_once).whole


def log_needs(run: Run, device: torch.device) -> None:
    """Log the memory that a run needs; for a card also what is free, and advice if it is less.

    On a CPU nothing is compared, because the system may move main memory to the disk.
    """
    video = run.video
    found = run.needs(video.size, video.window, run.at_once)
    needed = found.whole if run.offload else found.together
    text = f"{video}, {_describe(run)}, need about {in_gigabytes(needed)} of memory"
    usable = usable_memory(device)
    if usable is None:
        logging.info("%s.", text)
    elif needed <= usable:
        logging.info("%s, and %s has %s.", text, device, in_gigabytes(usable))
    else:
        remedy = _remedy(run, found, usable)
        logging.warning("%s, but %s has %s: %s.", text, device, in_gigabytes(usable), remedy)


def usable_memory(device: torch.device) -> int | None:
    """Bytes of a card that this process may use, with the bytes that it uses already.

    None for a device whose free memory PyTorch does not tell.
    """
    if device.type != "cuda":
        return None
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)


def _describe(run: Run) -> str:
    """For example "28 passes of the UNet (14 of them with kept features)"."""
    windows, passes = run.video.num_windows, run.passes
    text = f"{windows * (passes.whole + passes.shallow)} passes of the {run.denoiser}"
    return f"{text} ({windows * passes.shallow} with kept features)" if passes.shallow else text


def _remedy(run: Run, found: Estimate, usable: int) -> str:
    """What makes a run fit, or what happens if nothing is done."""
    size, window = run.video.size, run.video.at_once
    least = run.least(size, window)
    if not run.offload and found.whole <= usable:
        return f"give --offload, which needs {in_gigabytes(found.whole)}"
    offload = f"give --offload, which needs {in_gigabytes(least)}"
    slower = "the passes of guidance will run one by one, which is slower"
    if least <= usable:
        return slower if run.offload else f"{offload}; {slower}"
    advice = advise(
        run.least, size, window, usable, overlap=run.video.overlap, name=run.window_option
    )
    return advice if run.offload else f"with --offload {advice}"
