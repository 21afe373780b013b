"""The sizes and lengths that `estimate` lists for families that sample all frames at once."""

from dataclasses import dataclass

from ...bounds import DROPLET_SIZE, SIZE, Bounds
from ...choices import DROPLETVIDEO, DYNAMICRAFTER, SMCD
from ...models.dropletvideo import rules
from ...models.dynamicrafter.variants import FRAMES, VARIANTS
from ..spec import ClipSampling, SmcdSampling, SmcdVideo


@dataclass(frozen=True)
class Table:
    """The table of a family that samples all frames at once.

    Attributes:
        name: of the family, for people.
        sizes: (height, width), from the largest on.
        videos: frames, and frames of a window.
        steps: of a run.
        size: what a side may be, in pixels.
    """

    name: str
    sizes: tuple[tuple[int, int], ...]
    videos: tuple[tuple[int, int], ...]
    steps: int
    size: Bounds = SIZE


_SMCD = SmcdVideo()
# The sizes and the numbers of frames that the models were trained for; also for DynamiCrafter a
# long video, and for SMCD a larger size and a longer video.
TABLES = {
    DYNAMICRAFTER: Table(
        "DynamiCrafter",
        tuple(sorted({variant.size for variant in VARIANTS.values()}, reverse=True)),
        ((FRAMES, FRAMES), (64, 64)),
        ClipSampling().steps,
    ),
    DROPLETVIDEO: Table(
        "DropletVideo",
        ((896, 896), (640, 1120), rules.SIZE),
        ((rules.FRAMES, rules.FRAMES), (49, 49)),
        rules.STEPS,
        size=DROPLET_SIZE,
    ),
    SMCD: Table(
        "SMCD",
        ((2 * _SMCD.height, 2 * _SMCD.width), (_SMCD.height, _SMCD.width)),
        ((_SMCD.frames, _SMCD.frames), (2 * _SMCD.frames, 2 * _SMCD.frames)),
        SmcdSampling().steps,
    ),
}
