"""What a run of SMCD's training is told; the defaults are those of the official second stage.

Source: Mingxiao-Li/Animate-Your-Motion ms_main.py, configs/object_tracking_ms_stage2.yaml.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ... import bounds
from ...bounds import Bounds
from ...choices import BOX_SETS
from ...standalone.spec.part import Part, setting
from ...standalone.spec.values import (
    DEVICE,
    PATH,
    SIZE_KIND,
    SWITCH,
    TEXT,
    choice,
    number,
    several,
    whole,
)
from ..config.parts import COUNT, COUNT_OR_NONE, FACTOR, PRECISIONS, RATE

# Official name of a setting, in the configuration and on the command line -> its name here.
OFFICIAL = {
    "tune_from_ckpt_path": "tune_from",
    "resume_from_checkpoint": "resume",
    "output_dir": "output",
    "path": "data",
    "n_sample_frames": "frames",
    "num_max_obj": "objects",
    "max_train_steps": "steps",
    "train_batch_size": "batch",
    "gradient_accumulation_steps": "accumulate",
    "learning_rate": "rate",
    "scale_lr": "scale_rate",
    "lr_warmup_steps": "warmup",
    "adam_beta1": "beta1",
    "adam_beta2": "beta2",
    "adam_weight_decay": "weight_decay",
    "max_grad_norm": "clip_norm",
    "use_img_free_guidance": "drop_picture",
    "trainable_modules": "modules",
    "gradient_checkpointing": "save_memory",
    "checkpointing_steps": "every",
}


@dataclass(frozen=True, kw_only=True)
class StartFiles(Part):
    """What training starts from; files that are None are looked for in the known folders.

    Attributes:
        tune_from: folder of a first stage, or of SMCD's weights, which are trained on.
        resume: go on with a run: latest, checkpoint-N, or the path of a checkpoint,
            which may be of the official program.
        text_encoder: file of SD 2.1's text encoder.
        vae: file of Stable Diffusion's VAE.
        tokenizer: folder with CLIP's vocab.json and merges.txt.
        root_path: folder of ModelScope's text-to-video model, whose text encoder and VAE are used.
    """

    tune_from: Path | None = setting(PATH, None)
    resume: str | None = setting(TEXT, None)
    text_encoder: Path | None = setting(PATH, None)
    vae: Path | None = setting(PATH, None)
    tokenizer: Path | None = setting(PATH, None)
    root_path: Path | None = setting(PATH, None)


@dataclass(frozen=True, kw_only=True)
class TrainedVideos(Part):
    """What is trained on.

    Attributes:
        data: folder that holds the data sets' folders, got-10k and youvis.
        datasets: got10k and youvis, or one of them; all their videos come once in an epoch.
        split: folder of the data sets that is trained on.
        frames: neighbouring frames of a video, from a random frame on.
        width, height: of the frames in pixels, multiples of 64.
        objects: of each video: absent ones fill up, and further ones are left out.
    """

    data: Path = setting(PATH, Path("dataset"))
    datasets: tuple[str, ...] = setting(several(choice(*BOX_SETS)), BOX_SETS)
    split: str = setting(TEXT, "train")
    frames: int = setting(whole(bounds.FRAMES), 8)
    width: int = setting(SIZE_KIND, 256)
    height: int = setting(SIZE_KIND, 256)
    objects: int = setting(whole(Bounds(1, 8)), 8)


@dataclass(frozen=True, kw_only=True)
class StageTwo(Part):
    """What is trained, and how fast.

    Attributes:
        steps: steps of the optimiser.
        batch: videos that go through the networks at once.
        accumulate: batches of a step.
        rate: of everything that is trained.
        scale_rate: multiply the learning rate by the videos of a step, of all processes.
        warmup: steps over which the learning rate rises from 0.
        beta1, beta2, weight_decay: of AdamW.
        clip_norm: largest norm of the gradient; 0: it is not clipped.
        drop_picture: drop the first frame now and then, so that guidance by picture and
            boxes can be learned: beside the latents in 0.25 of the batches, and for the visual
            encoder in 0.1. Boxes are dropped in 0.1 of the batches in any case.
        modules: parts of names; what is trained of the UNet instead of the second
            stage's own list.
        dropout: share of zeros in the UNet's residual blocks.
        save_memory: compute activations again on the way back instead of keeping them.
        seed: of all chance.
    """

    steps: int = setting(whole(COUNT), 200_000)
    batch: int = setting(whole(Bounds(1, 1024)), 2)
    accumulate: int = setting(whole(Bounds(1, 1024)), 1)
    rate: float = setting(number(RATE), 5e-5)
    scale_rate: bool = setting(SWITCH, False)
    warmup: int = setting(whole(COUNT_OR_NONE), 0)
    beta1: float = setting(number(Bounds(0.0, 0.99999)), 0.9)
    beta2: float = setting(number(Bounds(0.0, 0.99999)), 0.999)
    weight_decay: float = setting(number(RATE), 1e-2)
    clip_norm: float = setting(number(FACTOR), 1.0)
    drop_picture: bool = setting(SWITCH, False)
    modules: tuple[str, ...] | None = setting(several(TEXT), None)
    dropout: float = setting(number(Bounds(0.0, 0.9)), 0.1)
    save_memory: bool = setting(SWITCH, True)
    seed: int = setting(whole(bounds.SEED), 33)


@dataclass(frozen=True, kw_only=True)
class Writing(Part):
    """What is written on the way, and where training runs.

    Attributes:
        output: folder of the run; its checkpoints are checkpoint-N in it.
        every: steps from a checkpoint to the next; the last step always has one.
        keep: checkpoints that are kept, the newest ones.
        log_every: steps from a line of the log to the next.
        device: auto, or a device of PyTorch. With `accelerate launch` each process has its own.
        dtype: number format of the networks' work: bf16, fp32, or auto: bf16 on a GPU and fp32 on
            a CPU.
    """

    output: Path = setting(PATH, Path("smcd_training"))
    every: int = setting(whole(COUNT), 10_000)
    keep: int = setting(whole(Bounds(1, 1000)), 1000)
    log_every: int = setting(whole(COUNT), 10)
    device: str = setting(DEVICE, "auto")
    dtype: str = setting(choice(*PRECISIONS), PRECISIONS[0])


@dataclass(frozen=True, kw_only=True)
class SmcdTrainingSpec(Part):
    """A run of the second stage of SMCD's training."""

    files: StartFiles = field(default_factory=StartFiles)
    data: TrainedVideos = field(default_factory=TrainedVideos)
    training: StageTwo = field(default_factory=StageTwo)
    writing: Writing = field(default_factory=Writing)
