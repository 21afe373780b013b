"""The job of DropletVideo: a picture, a prompt and an FPS in, a video out."""

from dataclasses import dataclass, field
from pathlib import Path

from ... import bounds
from ...choices import KEPT_FRAMES
from .jobs import RunSpec
from .part import Part, setting
from .parts import AnyMachine, Size
from .values import PATH, SEED_OR_DRAWN, SWITCH, TEXT, ValueKind, choice, number, whole

SIDE = whole(bounds.Bounds(bounds.DROPLET_SIZE.minimum, bounds.DROPLET_SIZE.maximum))
_SHARE = number(bounds.DISPLACEMENT)


def _motion(text: str) -> float | Path:
    """A number, or the path of a file."""
    try:
        float(text)
    except ValueError:
        return PATH.parse(text)
    return _SHARE.parse(text)


MOTION = ValueKind(
    f"{_SHARE.expected}, or a picture, a video or a folder of frames",
    _motion,
    saved=(str, int, float),
)


@dataclass(frozen=True, kw_only=True)
class DropletModelChoice(Part):
    """The model; a file that is None is in `ckpt` or in the known folders.

    Attributes:
        ckpt: the official folder, or the file of a transformer.
        transformer: a file, or a folder with config.json and weights; so are the next two.
        text_encoder: the encoder of T5 v1.1 XXL.
        vae: the VAE.
        tokenizer: folder with T5's spiece.model or tokenizer.json.
    """

    ckpt: Path | None = setting(PATH, None)
    transformer: Path | None = setting(PATH, None)
    text_encoder: Path | None = setting(PATH, None)
    vae: Path | None = setting(PATH, None)
    tokenizer: Path | None = setting(PATH, None)


@dataclass(frozen=True, kw_only=True)
class DropletClip(Size):
    """The video.

    Attributes:
        height: in pixels, 64 to 4096: a multiple of 16, unless `pad_to_16` is set.
        width: as `height`.
        frames: 1 to 1021; rounded down to 4k + 1.
        kept_frames: trimmed to the frames that were asked for, or official: for an even number of
            latents three frames more, 88 for 85.
        pad_to_16: paint frames whose sides are multiples of 16, and cut them to size afterwards.
        file_fps: frame rate of the file, 0.001 to 1000.
        keep_keyframes: put the given pictures into the video unchanged.
    """

    height: int = setting(SIDE, 384)
    width: int = setting(SIDE, 672)
    frames: int = setting(whole(bounds.DROPLET_FRAMES), 85)
    kept_frames: str = setting(choice(*KEPT_FRAMES), KEPT_FRAMES[0])
    pad_to_16: bool = setting(SWITCH, False)
    file_fps: float = setting(number(bounds.FILE_FPS), 8)
    keep_keyframes: bool = setting(SWITCH, False)


@dataclass(frozen=True, kw_only=True)
class DropletSampling(Part):
    """How the video is sampled.

    Attributes:
        motion_fps: the FPS that the model is given, 1 to 60: a lower one moves more from frame to
            frame. None: what `target_motion` asks for, otherwise 16.
        target_motion: how far pixels shall move over the video, as a share of the diagonal, 0 to
            1000; or a file that shows it: the picture that the video should end with, or a clip.
            A painter does not look at it; see `measures.fps_to_try`.
        steps: steps of DDIM, 1 to 1000.
        guidance: how strongly the prompt steers, 0 to 30; 1 is without guidance.
        augmentation: standard deviation of the noise on the given pictures, for pixels in -1..1,
            0 to 1; None: 0.0563 if the model was trained with such noise, otherwise 0.
        augmentation_seed: seed of the noise on the given pictures, 0 to 2**64 - 1.
        seed: seed of the noise at the start, 0 to 2**64 - 1; for a negative number a seed is drawn
            at once.
    """

    motion_fps: int | None = setting(whole(bounds.DROPLET_FPS), None, key="FPS")
    target_motion: float | Path | None = setting(MOTION, None)
    steps: int = setting(whole(bounds.STEPS), 50)
    guidance: float = setting(number(bounds.GUIDANCE), 6.0)
    augmentation: float | None = setting(number(bounds.AUGMENTATION), None)
    augmentation_seed: int = setting(whole(bounds.SEED), 0)
    seed: int = setting(SEED_OR_DRAWN, 42)


@dataclass(frozen=True, kw_only=True)
class DropletMachine(AnyMachine):
    """Where the networks run.

    Attributes:
        tiling: decode the frames in tiles, which needs less memory; otherwise only if memory runs
            out.
    """

    tiling: bool = setting(SWITCH, False)


@dataclass(frozen=True, kw_only=True)
class DropletSpec(RunSpec):
    """A picture, a prompt and an FPS in, a video out.

    Attributes:
        output: as in every run; by default where the official program writes.
        first: picture that the video begins with; None if a program gives it as an array.
        last: picture that the video ends with, for which the model was not trained; None: the end
            is open, or a program gives it as an array.
        prompt: what the video shows; None is an empty text.
        negative_prompt: what the video should not show.
        quality_words: add the official words about quality to the prompt.
        default_negative: begin the negative prompt with the official text.
    """

    output: Path = setting(PATH, Path("samples"))
    first: Path | None = setting(PATH, None)
    last: Path | None = setting(PATH, None)
    prompt: str | None = setting(TEXT, None)
    negative_prompt: str = setting(TEXT, "")
    quality_words: bool = setting(SWITCH, True)
    default_negative: bool = setting(SWITCH, True)
    result: DropletClip = field(default_factory=DropletClip)
    models: DropletModelChoice = field(default_factory=DropletModelChoice)
    sampling: DropletSampling = field(default_factory=DropletSampling)
    machine: DropletMachine = field(default_factory=DropletMachine)
