"""The sizes and lengths that `estimate` lists for families that sample all frames at once."""

from dataclasses import dataclass

from ...bounds import DROPLET_SIZE, SIZE, Bounds
from ...choices import DROPLETVIDEO, DYNAMICRAFTER
from ...models.dropletvideo import rules
from ...models.dynamicrafter.variants import FRAMES, VARIANTS
from ..spec import ClipSampling


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


# The sizes and the numbers of frames that the models were trained for, and for DynamiCrafter a
# long video.
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
}
