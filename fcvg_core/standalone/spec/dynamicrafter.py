"""The jobs of DynamiCrafter: clips of given pictures and prompts, and a story of several shots.

What is None here depends on the model: its size, its `fs`, its schedule.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ... import bounds
from ...choices import (
    ANIMATE,
    CLIP_PICTURES,
    DYNAMICRAFTER_MODELS,
    IMAGE_TOKENS,
    INTERPOLATE,
    LOOP,
    SPACINGS,
)
from .jobs import RunSpec
from .part import Part, setting
from .parts import Size
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

EVENLY = "uniform"  # the timing that keeps the painted frames as they are


def typed(word: str) -> str:
    """A word of `choices` as it is typed, without spaces."""
    return word.replace(" ", "-")


@dataclass(frozen=True, kw_only=True)
class ClipModelChoice(Part):
    """The model of a clip; a file that is None is in the checkpoint or in the known folders.

    Attributes:
        variant: 256, 512, 1024 or 512_interp; auto: what the checkpoint is, and without a
            checkpoint the first model that is found for the job.
        checkpoint: the official checkpoint, or a smaller file made from it.
        config: configuration file of the official code (.yaml); it says which model the
            checkpoint is, if the checkpoint does not.
        text_encoder: file of SD 2.1's text encoder.
        image_encoder: file of CLIP's image encoder ViT-H.
        vae: file of Stable Diffusion's VAE.
        tokenizer: folder with CLIP's vocab.json and merges.txt.
    """

    variant: str = setting(choice(*DYNAMICRAFTER_MODELS), DYNAMICRAFTER_MODELS[0], key="model")
    checkpoint: Path | None = setting(PATH, None)
    config: Path | None = setting(PATH, None)
    text_encoder: Path | None = setting(PATH, None)
    image_encoder: Path | None = setting(PATH, None)
    vae: Path | None = setting(PATH, None)
    tokenizer: Path | None = setting(PATH, None)


@dataclass(frozen=True, kw_only=True)
class StoryModelChoice(ClipModelChoice):
    """The models of a story.

    Attributes:
        interp_checkpoint: the checkpoint of shots that end with a given picture.
    """

    interp_checkpoint: Path | None = setting(PATH, None)


@dataclass(frozen=True, kw_only=True)
class ClipVideo(Size):
    """The video of one clip or of several clips.

    Attributes:
        height: in pixels, a multiple of 64, up to 4096; None: what the model was trained at.
        width: in pixels, a multiple of 64, up to 4096; None: what the model was trained at.
        frames: frames of a clip, 2 to 1024; the models were trained at 16.
        fps: frame rate of the file, 0.001 to 1000.
        keep_keyframes: put the given pictures into the video unchanged.
    """

    height: int | None = setting(SIZE_KIND, None)
    width: int | None = setting(SIZE_KIND, None)
    frames: int = setting(whole(bounds.FRAMES), 16)
    fps: float = setting(number(bounds.FILE_FPS), 8)
    keep_keyframes: bool = setting(SWITCH, False)


@dataclass(frozen=True, kw_only=True)
class DynamiCrafterVideo(ClipVideo):
    """The video of given pictures.

    Attributes:
        loop: end where the video begins; the last frame, which is the first again, is left out.
        interp: go from picture to picture; without it so does a job that names several pictures.
        timing: which of the painted frames the video shows: uniform (all), reference, ease-in,
            ease-out, ease-in-out, or 2 to 1024 numbers in 0..1, spread evenly over the video.
        clip_picture: the picture that the image encoder sees: as-the-video, or whole.
        n_samples: videos to paint, each with a seed of its own, 1 to 1000.
    """

    loop: bool = setting(SWITCH, False)
    interp: bool = setting(SWITCH, False)
    timing: str | tuple[float, ...] = setting(TIMING, EVENLY)
    clip_picture: str = setting(choice(*map(typed, CLIP_PICTURES)), typed(CLIP_PICTURES[0]))
    n_samples: int = setting(whole(bounds.SAMPLES), 1)


@dataclass(frozen=True, kw_only=True)
class ClipSampling(Part):
    """How a clip is sampled.

    Attributes:
        rate: DynamiCrafter's `fs`, 1 to 1000: frames a second, of which fewer move more; for the
            model 256 a stride, of which more moves more. None takes what the model recommends.
        steps: steps of DDIM, 1 to 1000.
        eta: share of the noise that is drawn anew in each step, 0 to 1.
        spacing: uniform_trailing, uniform or quad; None: uniform for the model 256, otherwise
            uniform_trailing.
        guidance: how strongly prompt and picture steer, 0 to 30; 1 is without guidance.
        image_guidance: how strongly the picture steers, 0 to 30, if the prompt has a strength of
            its own; None: the same as the prompt.
        multiple_cond_cfg: prompt and picture steer apart, also if `image_guidance` is None.
        rescale: share of the contrast before guidance that comes back, 0 to 1; None: 0 for the
            model 256, otherwise 0.7.
        image_tokens: whether each frame has its own tokens of the picture: per-frame, shared, or
            auto (per frame with 16 frames).
        seed: seed of all noise, 0 to 2**64 - 1; for a negative number a seed is drawn at once.
    """

    rate: int | None = setting(whole(bounds.RATE), None, key="fs")
    steps: int = setting(whole(bounds.STEPS), 50)
    eta: float = setting(number(bounds.ETA), 1.0)
    spacing: str | None = setting(choice(*SPACINGS), None)
    guidance: float = setting(number(bounds.GUIDANCE), 7.5)
    image_guidance: float | None = setting(number(bounds.IMAGE_GUIDANCE), None)
    multiple_cond_cfg: bool = setting(SWITCH, False)
    rescale: float | None = setting(number(bounds.GUIDANCE_RESCALE), None)
    image_tokens: str = setting(choice(*map(typed, IMAGE_TOKENS)), typed(IMAGE_TOKENS[0]))
    seed: int = setting(SEED_OR_DRAWN, 123)


@dataclass(frozen=True, kw_only=True)
class ClipSpec(RunSpec):
    """What the jobs of DynamiCrafter share.

    Attributes:
        negative_prompt: what the video should not show.
    """

    negative_prompt: str = setting(TEXT, "")
    sampling: ClipSampling = field(default_factory=ClipSampling)


@dataclass(frozen=True, kw_only=True)
class DynamiCrafterSpec(ClipSpec):
    """Pictures and prompts in, a video out.

    Attributes:
        images: a picture to animate, or two or more pictures to go through; None if a program
            gives them as arrays, or if there is a `prompt_dir`.
        prompt: what happens: one text, or one for each pair of pictures; None is an empty text.
        prompt_dir: folder of pictures and a text file of prompts, a video for each prompt.
        text_input: whether the prompts of `prompt_dir` are used.
    """

    images: tuple[Path, ...] | None = setting(several(PATH), None)
    prompt: tuple[str, ...] | None = setting(several(TEXT), None)
    prompt_dir: Path | None = setting(PATH, None)
    text_input: bool = setting(SWITCH, False)
    result: DynamiCrafterVideo = field(default_factory=DynamiCrafterVideo)
    models: ClipModelChoice = field(default_factory=ClipModelChoice)

    @property
    def mode(self) -> str:
        """animate, interpolate or loop."""
        if self.result.loop:
            return LOOP
        several_named = self.images is not None and len(self.images) > 1
        return INTERPOLATE if self.result.interp or several_named else ANIMATE


@dataclass(frozen=True, kw_only=True)
class Shot(Part):
    """One shot of a story.

    Attributes:
        prompt: what happens.
        negative_prompt: what the shot should not show; None: what no shot should show.
        picture: file of the picture that the shot begins with; None: the end of the shot before.
        last: file of the picture that the shot ends with; None: the end is open.
        frames: 2 to 1024; None: what the story says.
        rate: see `ClipSampling`; None: what the story says.
        seed: 0 to 2**64 - 1; None: what the story says.
    """

    prompt: str = setting(TEXT, "")
    negative_prompt: str | None = setting(TEXT, None)
    picture: Path | None = setting(PATH, None)
    last: Path | None = setting(PATH, None)
    frames: int | None = setting(whole(bounds.FRAMES), None)
    rate: int | None = setting(whole(bounds.RATE), None, key="fs")
    seed: int | None = setting(whole(bounds.SEED), None)

    @property
    def mode(self) -> str:
        """animate, or interpolate if the shot ends with a given picture."""
        return ANIMATE if self.last is None else INTERPOLATE


@dataclass(frozen=True, kw_only=True)
class StorySpec(ClipSpec):
    """A list of shots in, one video out.

    Attributes:
        story: file of the shots; None if a program gives them.
        shot_frames: write the frames of each shot to a folder of its own too.
    """

    story: Path | None = setting(PATH, None)
    shot_frames: bool = setting(SWITCH, False)
    result: ClipVideo = field(default_factory=ClipVideo)
    models: StoryModelChoice = field(default_factory=StoryModelChoice)
