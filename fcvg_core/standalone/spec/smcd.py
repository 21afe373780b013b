"""The job of SMCD: a picture, the boxes of its objects in every frame and a prompt in, a video out.

The defaults are those of Mingxiao-Li/Animate-Your-Motion inference_customize.py and its
configs/customize_info.yaml.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ... import bounds
from ...choices import BOX_FILES, BOX_FILLS, BOX_FORMS, BOX_UNITS, PICTURE_FITS, STRETCH
from .jobs import RunSpec
from .part import Part, setting
from .parts import AnyMachine, Size
from .values import (
    PATH,
    SEED_OR_DRAWN,
    SIZE_KIND,
    SWITCH,
    TEXT,
    TIMING,
    choice,
    number,
    several,
    whole,
)

EVENLY = "uniform"  # the timing of boxes that move evenly


@dataclass(frozen=True, kw_only=True)
class SmcdModelChoice(Part):
    """The model; a file that is None is beside `ckpt`, in `root_path` or in the known folders.

    Attributes:
        ckpt: folder of a training, which holds all three networks; the file of its UNet, or one
            file that holds all three.
        position_net: file of the network that encodes boxes.
        visual_encoder: file of the network that encodes the picture.
        text_encoder: file of SD 2.1's text encoder.
        vae: file of Stable Diffusion's VAE.
        tokenizer: folder with CLIP's vocab.json and merges.txt.
        root_path: folder of ModelScope's text-to-video model, whose text encoder and VAE are used.
        config: configuration file of the official code (.yaml); it may say `root_path` and seed.
    """

    ckpt: Path | None = setting(PATH, None)
    position_net: Path | None = setting(PATH, None)
    visual_encoder: Path | None = setting(PATH, None)
    text_encoder: Path | None = setting(PATH, None)
    vae: Path | None = setting(PATH, None)
    tokenizer: Path | None = setting(PATH, None)
    root_path: Path | None = setting(PATH, None)
    config: Path | None = setting(PATH, None)


@dataclass(frozen=True, kw_only=True)
class BoxChoice(Part):
    """How files of boxes are read.

    Attributes:
        kind: of the files; auto tells them apart.
        form: of the numbers of a box: xyxy, two corners, or xywh, a corner with width and height.
        units: pixels of the picture, or shares of it, 0..1.
        timing: how boxes move over the video: reference, uniform, ease-in, ease-out, ease-in-out,
            or 2 to 1024 numbers in 0..1; between key boxes it holds from each to the next.
        fill: frames that have no box of their own: interpolated, or held.
        video: which video of an annotation file of YouTube-VIS: its id, folder or file. None: its
            only one.
    """

    kind: str = setting(choice(*BOX_FILES), BOX_FILES[0], key="box_file")
    form: str = setting(choice(*BOX_FORMS), BOX_FORMS[0])
    units: str = setting(choice(*BOX_UNITS), BOX_UNITS[0])
    timing: str | tuple[float, ...] = setting(TIMING, EVENLY)
    fill: str = setting(choice(*BOX_FILLS), BOX_FILLS[0])
    video: str | None = setting(TEXT, None)


@dataclass(frozen=True, kw_only=True)
class SmcdVideo(Size):
    """The video.

    Attributes:
        height: in pixels, a multiple of 64, up to 4096; the model was trained at 256.
        width: as `height`.
        fit: as in every `Size`; the model was trained with stretched pictures.
        frames: 2 to 1024; the model was trained at 8.
        fps: frame rate of the file, 0.001 to 1000.
        keep_keyframes: put the given picture into the video unchanged.
    """

    height: int = setting(SIZE_KIND, 256)
    width: int = setting(SIZE_KIND, 256)
    fit: str = setting(choice(*PICTURE_FITS), STRETCH)
    frames: int = setting(whole(bounds.FRAMES), 8)
    fps: float = setting(number(bounds.FILE_FPS), 8)
    keep_keyframes: bool = setting(SWITCH, False)


@dataclass(frozen=True, kw_only=True)
class SmcdSampling(Part):
    """How the video is sampled.

    Attributes:
        steps: steps of DDIM, 1 to 1000.
        guidance: how strongly the prompt steers, 0 to 30; 1 is without guidance.
        scene_guidance: how strongly picture and boxes steer, 0 to 30; 1 is off, as in the official
            code, otherwise each step predicts three times and not twice.
        pad_to: objects after filling up with absent ones, 0 to 8: the model was trained with 8,
            and the official code takes the objects as they are, 0.
        seed: seed of the noise at the start, 0 to 2**64 - 1; for a negative number a seed is drawn
            at once. None: what `config` says, otherwise 33.
    """

    steps: int = setting(whole(bounds.STEPS), 50)
    guidance: float = setting(number(bounds.GUIDANCE), 7.5)
    scene_guidance: float = setting(number(bounds.GUIDANCE), 1.0)
    pad_to: int = setting(whole(bounds.OBJECTS), 0)
    seed: int | None = setting(SEED_OR_DRAWN, None)


@dataclass(frozen=True, kw_only=True)
class SmcdSpec(RunSpec):
    """A picture, boxes and a prompt in, a video out.

    Attributes:
        first: the picture that moves; None if it is in `input_data_path`, or if a program gives
            it as an array.
        input_data_path: folder with the picture, img.png, and its boxes, bbox.txt.
        boxes: files of boxes, each of one object or of several; None: those of `input_data_path`,
            or a program gives tracks, or there are none.
        label: what the objects are, in words: one for all files, or one for each; an empty text:
            the file tells. None: files that tell no label have the prompt's words.
        prompt: what happens; None is an empty text.
        negative_prompt: what the video should not show.
        official_files: write the files of the official program too.
    """

    first: Path | None = setting(PATH, None)
    input_data_path: Path | None = setting(PATH, None)
    boxes: tuple[Path, ...] | None = setting(several(PATH), None)
    label: tuple[str, ...] | None = setting(several(TEXT), None)
    prompt: str | None = setting(TEXT, None)
    negative_prompt: str = setting(TEXT, "")
    official_files: bool = setting(SWITCH, False)
    reading: BoxChoice = field(default_factory=BoxChoice)
    result: SmcdVideo = field(default_factory=SmcdVideo)
    models: SmcdModelChoice = field(default_factory=SmcdModelChoice)
    sampling: SmcdSampling = field(default_factory=SmcdSampling)
    machine: AnyMachine = field(default_factory=AnyMachine)
