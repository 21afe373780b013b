"""The tables of a training file. Every field has its default here; docs/training.md lists them."""

from dataclasses import dataclass, field
from pathlib import Path

from ... import bounds
from ...bounds import Bounds
from ...choices import DIRECTIONS, MATCHERS, NOISES, PICTURE_FITS, REFERENCE
from ...standalone.spec.part import Part, setting
from ...standalone.spec.values import (
    DEVICE,
    PATH,
    SIZE_KIND,
    SWITCH,
    TEXT,
    TIMING,
    choice,
    number,
    whole,
)

INBETWEEN, ANIMATE = "inbetween", "animate"
JOBS = (INBETWEEN, ANIMATE)
STARTS = ("svd", "fcvg", "controlnext-svd", "controlnext-svd-base")
CONSTANT = "constant"
SCHEDULES = (CONSTANT, "linear", "cosine")
PRECISIONS = ("auto", "bf16", "fp32")

COUNT = Bounds(1, 10_000_000)
COUNT_OR_NONE = Bounds(0, 10_000_000)
RATE = Bounds(0.0, 1.0)
JITTER = Bounds(0.0, 64.0)  # pixels
FACTOR = Bounds(0.0, 100.0)
DECAY = Bounds(0.0, 0.99999)
BETA = Bounds(0.0, 0.99999)


@dataclass(frozen=True, kw_only=True)
class Base(Part):
    """The models that training starts from.

    Attributes:
        start: whose weights: svd, fcvg, controlnext-svd, or controlnext-svd-base, which was
            trained further on videos of people. From svd the ControlNeXt begins with random values.
            None: fcvg for the job inbetween, controlnext-svd for animate.
        model: folder of SVD in diffusers' layout; None looks in the known folders.
        unet: file of the UNet; None looks for the one that `start` names.
        controlnext: file of the ControlNeXt; None looks for the one that `start` names.
    """

    start: str | None = setting(choice(*STARTS), None)
    model: Path | None = setting(PATH, None)
    unet: Path | None = setting(PATH, None)
    controlnext: Path | None = setting(PATH, None)


@dataclass(frozen=True, kw_only=True)
class Clips(Part):
    """What is trained on.

    Attributes:
        manifest: file of clips: a JSON object a line, or a list in ControlNeXt-SVD's form.
        cache: folder of what was found and encoded; runs may share it. None: in the output folder.
        width, height: of the frames, in pixels, multiples of 64.
        fit: how frames of another shape are brought to this size: crop, pad or stretch.
        frames: frames of a clip.
        held_out: share of the clips that is kept for validation, where the manifest does not say
            which: every clip's id decides.
        fps: frame rate that the model is told; the UNet gets this number less 1.
        motion_bucket_id: SVD's measure of how much moves.
        augmentation: standard deviation of the noise on the pictures, for pixels in -1..1.
        versions: pictures with other noise that are kept for each picture.
    """

    manifest: Path = setting(PATH, Path("clips.jsonl"))
    cache: Path | None = setting(PATH, None)
    width: int = setting(SIZE_KIND, 512)
    height: int = setting(SIZE_KIND, 320)
    fit: str = setting(choice(*PICTURE_FITS), PICTURE_FITS[0])
    frames: int = setting(whole(bounds.FRAMES), 25)
    held_out: float = setting(number(bounds.SHARE), 0.2)
    fps: int = setting(whole(bounds.FPS), 7)
    motion_bucket_id: int = setting(whole(bounds.MOTION_BUCKET), 127)
    augmentation: float = setting(number(bounds.AUGMENTATION), 0.02)
    versions: int = setting(whole(Bounds(1, 64)), 4)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.height, self.width


@dataclass(frozen=True, kw_only=True)
class Conditions(Part):
    """The control frames: how they are found, drawn and varied.

    Attributes:
        matcher: gluestick, classic, or auto, as in `inbetween`.
        gluestick, superpoint: files of GlueStick; None looks in the known folders.
        max_lines: segments to look for in each frame.
        max_pts: keypoints to look for in each frame.
        people: whether people are looked for, if DWPose's files are found.
        dwpose_det, dwpose_pose: files of DWPose; None looks in the known folders.
        timing: how lines and people move between the ends, as in `inbetween`.
        line_width: of lines, in pixels.
        true_share: share of the draws whose control frames follow the clip's own frames instead of
            moving evenly between its ends.
        true_every: the clip's own frames that they follow: every N-th one.
        dropped: share of lines and of people that a draw leaves out at random.
        jitter: standard deviation of the shift of every line's ends and every joint, in pixels.
        hand_weight: how much more a hand counts in the loss, in the job animate: 1 + this number
            times 0.8, as in ControlNeXt-SVD with 4; 0 is off.
        references: pictures of a video that can be the reference of the job animate.
    """

    matcher: str = setting(choice(*MATCHERS), MATCHERS[0])
    gluestick: Path | None = setting(PATH, None)
    superpoint: Path | None = setting(PATH, None)
    max_lines: int = setting(whole(bounds.MAX_LINES), 300)
    max_pts: int = setting(whole(bounds.MAX_KEYPOINTS), 1000)
    people: bool = setting(SWITCH, True)
    dwpose_det: Path | None = setting(PATH, None)
    dwpose_pose: Path | None = setting(PATH, None)
    timing: str | tuple[float, ...] = setting(TIMING, REFERENCE)
    line_width: int = setting(whole(bounds.LINE_WIDTH), 1)
    true_share: float = setting(number(bounds.SHARE), 0.0)
    true_every: int = setting(whole(bounds.STRIDE), 4)
    dropped: float = setting(number(bounds.SHARE), 0.1)
    jitter: float = setting(number(JITTER), 0.5)
    hand_weight: float = setting(number(FACTOR), 0.0)
    references: int = setting(whole(Bounds(1, 64)), 8)


@dataclass(frozen=True, kw_only=True)
class Training(Part):
    """What is trained, how fast, and on which noise.

    Attributes:
        trained: name of a trained set; None: the family's default.
        steps: steps of the optimiser.
        batch: clips that go through the networks at once.
        accumulate: batches of a step.
        unet_rate, controlnext_rate: learning rates.
        warmup: steps over which the rates rise from 0.
        schedule: how the rates go on: constant, or linear or cosine down to `last_rate`.
        decay_from: share of the steps after which the rates fall, 0..1.
        last_rate: share of the rates that is left at the last step.
        beta1, beta2, weight_decay: of AdamW.
        clip_norm: largest norm of the gradient; 0: it is not clipped.
        ema: decay of the average of the weights; 0: none is kept.
        noise: log-normal, or cosine as in ControlNeXt-SVD.
        dropout: share of the passes that lose a condition, for each of three kinds.
        drop_control: whether passes that lose both embedding and picture lose control too.
        directions: of time: random, forward, or both in one step.
        strength: factor of control's level; 1.0 as in the official code.
        save_memory: compute activations again on the way back instead of keeping them.
        seed: of all chance.
    """

    trained: str | None = setting(TEXT, None)
    steps: int = setting(whole(COUNT), 2000)
    batch: int = setting(whole(Bounds(1, 1024)), 1)
    accumulate: int = setting(whole(Bounds(1, 1024)), 8)
    # FCVG trained the UNet at 1e-6, ControlNeXt-SVD-v2 at 1e-5.
    unet_rate: float = setting(number(RATE), 1e-6)
    controlnext_rate: float = setting(number(RATE), 1e-5)
    warmup: int = setting(whole(COUNT_OR_NONE), 100)
    schedule: str = setting(choice(*SCHEDULES), CONSTANT)
    decay_from: float = setting(number(bounds.SHARE), 0.5)
    last_rate: float = setting(number(bounds.SHARE), 0.02)
    beta1: float = setting(number(BETA), 0.9)
    beta2: float = setting(number(BETA), 0.999)
    weight_decay: float = setting(number(RATE), 1e-2)
    clip_norm: float = setting(number(FACTOR), 1.0)
    ema: float = setting(number(DECAY), 0.9999)
    noise: str = setting(choice(*NOISES), NOISES[0])
    dropout: float = setting(number(Bounds(0.0, 0.333)), 0.1)
    drop_control: bool = setting(SWITCH, True)
    directions: str = setting(choice(*DIRECTIONS), DIRECTIONS[0])
    strength: float = setting(number(bounds.CONTROL_WEIGHT), 1.0)
    save_memory: bool = setting(SWITCH, True)
    seed: int = setting(whole(bounds.SEED), 0)

    @property
    def rates(self) -> dict[str, float]:
        """The learning rate of each network, by the first part of its parameters' names."""
        return {"unet": self.unet_rate, "controlnext": self.controlnext_rate}


@dataclass(frozen=True, kw_only=True)
class TrainingMachine(Part):
    """Where training runs.

    Attributes:
        device: auto, or a device of PyTorch. With `accelerate launch` each process has its own.
        dtype: number format of the networks' work: bf16, fp32, or auto: bf16 on a GPU and fp32 on
            a CPU. Trained weights, noise levels and the loss are fp32 in any case.
        decode_chunk: frames that the VAE decodes or encodes at once.
    """

    device: str = setting(DEVICE, "auto")
    dtype: str = setting(choice(*PRECISIONS), PRECISIONS[0])
    decode_chunk: int = setting(whole(bounds.DECODE_CHUNK), 2)


@dataclass(frozen=True, kw_only=True)
class Saving(Part):
    """What is written on the way.

    Attributes:
        every: steps from a checkpoint to the next; the last step always has one.
        keep: checkpoints that are kept.
        log_every: steps from a line of the log to the next.
    """

    every: int = setting(whole(COUNT), 500)
    keep: int = setting(whole(Bounds(1, 1000)), 3)
    log_every: int = setting(whole(COUNT), 10)


@dataclass(frozen=True, kw_only=True)
class Validation(Part):
    """How it is seen whether training helps; on clips that are not trained on.

    Attributes:
        every: steps from a validation to the next; 0: there is none.
        clips: held-out clips whose loss is measured, at fixed noise levels and with fixed noise.
        painted: held-out clips that are painted, measured and put beside the truth.
        steps: denoising steps of a painted clip.
        guidance: guidance scale of a painted clip.
    """

    every: int = setting(whole(COUNT_OR_NONE), 500)
    clips: int = setting(whole(Bounds(0, 1000)), 8)
    painted: int = setting(whole(Bounds(0, 1000)), 2)
    steps: int = setting(whole(bounds.STEPS), 25)
    guidance: float = setting(number(bounds.GUIDANCE), 3.0)


@dataclass(frozen=True, kw_only=True)
class TrainingSpec(Part):
    """A whole training file.

    Attributes:
        job: inbetween: the frames between a clip's ends, as FCVG; animate: a picture that moves
            like a video, as ControlNeXt-SVD.
        output: folder of the run: checkpoints, log, pictures. A run that exists is refused without
            --resume.
    """

    job: str = setting(choice(*JOBS), INBETWEEN)
    output: Path = setting(PATH, Path("training"))
    base: Base = field(default_factory=Base)
    data: Clips = field(default_factory=Clips)
    conditions: Conditions = field(default_factory=Conditions)
    training: Training = field(default_factory=Training)
    machine: TrainingMachine = field(default_factory=TrainingMachine)
    saving: Saving = field(default_factory=Saving)
    validation: Validation = field(default_factory=Validation)
