"""`inbetween`: two frames in, the video between them out."""

import argparse
import logging
from pathlib import Path

import numpy as np

from ...models.fcvg import check_size
from ...pose import STYLES
from ...sampling import plan_windows
from ..conditions import ConditionSettings, make_conditions
from ..dwpose import choose_pose_finder
from ..job import Job
from ..keyframes import read_keyframes
from ..matching import choose_matcher
from ..output import changed_inputs, claim_folder, read_run, write_frames, write_run, write_video
from ..progress import Bars

# Options that name files: they are kept as absolute paths, so that run.json works anywhere.
PATHS = ("first", "last", "output", "unet", "controlnext", "matches", "gluestick", "superpoint",
         "poses", "dwpose_det", "dwpose_pose")  # fmt: skip
INPUTS = ("first", "last", "matches", "gluestick", "superpoint", "dwpose_det", "dwpose_pose")


def run(options: argparse.Namespace) -> None:
    """Draw the conditions, paint the frames and write both."""
    options.first = options.image1_path or options.first
    options.last = options.image2_path or options.last
    if not (options.first and options.last):
        raise ValueError(
            "Two pictures are needed, the first frame and the last: "
            "python -m fcvg_core inbetween FIRST LAST -o OUT"
        )
    size = (options.height, options.width)
    check_size(*size)
    plan_windows(options.frames, options.window, options.overlap)
    _warn_of_changes(options)
    keyframes = read_keyframes(options.first, options.last, size)
    match = choose_matcher(options, size)
    find_poses = choose_pose_finder(options, size)
    job = None if options.conditions_only else Job(options)
    with Bars() as bars:
        conditions = make_conditions(
            keyframes, _settings(options), match=match, find_poses=find_poses, progress=bars
        )
        pipeline = job and job.load(bars)
        folder = claim_folder(options.output)
        write_frames(folder / "condition", conditions)
        _write_run(folder, options, job)
        if pipeline:
            frames = _paint(pipeline, keyframes, conditions, options, bars)
            write_frames(folder / "frames", frames)
            write_video(folder / "result.mp4", frames, options.fps)
    _report(folder, job)


def _settings(options: argparse.Namespace) -> ConditionSettings:
    return ConditionSettings(
        num_frames=options.frames,
        timing=options.timing,
        line_width=options.line_width,
        seed=options.seed,
        pose_style=STYLES["fcvg"].scaled(options.pose_width),
        missing_joints=options.missing_joints,
        missing_people=options.missing_people,
    )


def _paint(
    pipeline, keyframes: tuple, conditions: np.ndarray, options: argparse.Namespace, bars: Bars
) -> np.ndarray:
    from ..denoising import Settings

    frames = pipeline(
        keyframes,
        conditions,
        Settings(
            num_frames=options.frames,
            window=options.window,
            overlap=options.overlap,
            steps=options.steps,
            min_guidance=options.min_guidance,
            max_guidance=options.max_guidance,
            control_weight=options.control_weight,
            fps=options.fps,
            motion_bucket_id=options.motion_bucket,
            augmentation=options.augmentation,
            noise_injection_steps=options.noise_injection_steps,
            noise_injection_ratio=options.noise_injection_ratio,
        ),
        seed=options.seed,
        decode_chunk=options.decode_chunk,
        progress=bars,
    )
    if options.keep_keyframes:
        frames[0], frames[-1] = keyframes
    return frames


def _write_run(folder: Path, options: argparse.Namespace, job: Job | None) -> None:
    saved = {key: value for key, value in vars(options).items() if key not in
             ("command", "run", "image1_path", "image2_path")}  # fmt: skip
    inputs = {name: saved[name] for name in INPUTS if saved[name]}
    inputs |= dict(zip(("poses0", "poses1"), map(Path, saved["poses"] or ()), strict=False))
    facts = {}
    if job:
        saved |= {"unet": job.files.unet, "controlnext": job.files.controlnext}
        local = options.model is None or Path(options.model).is_dir()
        saved["model"] = str(job.files.svd.absolute()) if local else options.model
        inputs |= {"unet": job.files.unet, "controlnext": job.files.controlnext,
                   "model": job.files.svd}  # fmt: skip
        facts = {"device": str(job.device), "dtype": str(job.dtype), "stand_ins": job.stand_ins}
    saved |= {key: _absolute(saved[key]) for key in PATHS if saved[key]}
    write_run(folder / "run.json", saved, inputs, **facts)


def _absolute(path: Path | list) -> str | list[str]:
    return [*map(_absolute, path)] if isinstance(path, list) else str(Path(path).absolute())


def _warn_of_changes(options: argparse.Namespace) -> None:
    """Say which files of the earlier run are not what they were."""
    if options.run is None:
        return
    for path in changed_inputs(read_run(options.run)):
        logging.warning("%s is not the file of the earlier run any more.", path)


def _report(folder: Path, job: Job | None) -> None:
    """Where the results lie, on standard output."""
    if job:
        print(f"video:      {folder / 'result.mp4'}")
        print(f"frames:     {folder / 'frames'}")
    print(f"conditions: {folder / 'condition'}")
    if job and job.stand_ins:
        print("The models were stand-ins: the frames are noise.")
