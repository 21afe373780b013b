"""`inbetween`: two frames in, the video between them out."""

import argparse
from pathlib import Path

import numpy as np

from ....catalogue.find import FCVG
from ....errors import UserError
from ....files.claim import Claim, claim_folder
from ....pose import STYLES
from ....sampling import check_windows
from ....settings import SamplingSettings
from ...control.conditions import ConditionSettings, make_conditions
from ...control.dwpose import choose_pose_finder
from ...control.matching import choose_matcher
from ...media.pictures import read_keyframes
from ...media.writing import frames_size, video_size, write_frames, write_video
from ...networks.pipeline import InbetweenPipeline
from ..job import Job, check_earlier_run, check_named, save_run
from ..progress import Bars

INPUTS = (
    "first",
    "last",
    "matches",
    "gluestick",
    "superpoint",
    "poses",
    "dwpose_det",
    "dwpose_pose",
)
NAMED = INPUTS[2:]  # files that are opened after the folder is made


def run(options: argparse.Namespace) -> None:
    """Draw the conditions, paint the frames and write both."""
    if not (options.first and options.last):
        lacking = f"{options.run} does not name both. " if options.run else ""
        raise UserError(
            f"{lacking}Two pictures are needed, the first frame and the last: "
            "python -m fcvg_core inbetween FIRST LAST -o OUT"
        )
    size = (options.height, options.width)
    check_windows(options.frames, options.window, options.overlap)
    check_earlier_run(options, INPUTS)
    check_named(options, NAMED)
    keyframes = read_keyframes(options.first, options.last, size)
    job = None if options.conditions_only else Job(options, FCVG)
    with claim_folder(options.output) as claim, Bars() as bars:
        if job:
            shape = (options.frames, *size, 3)
            claim.reserve(frames_size(shape) + video_size(shape))
        match = choose_matcher(options, size)
        find_poses = choose_pose_finder(options, size)
        conditions = make_conditions(
            keyframes, _settings(options), match=match, find_poses=find_poses, progress=bars
        )
        write_frames(claim.path / "condition", conditions)
        save_run(claim.path, options, job, INPUTS)
        if job:
            pipeline = job.load(InbetweenPipeline, bars)
            _write(claim, _paint(pipeline, keyframes, conditions, options, bars), options.fps)
    _report(claim.path, job)


def _settings(options: argparse.Namespace) -> ConditionSettings:
    return ConditionSettings(
        num_frames=options.frames,
        timing=options.timing,
        line_width=options.line_width,
        seed=options.color_seed,
        pose_style=STYLES["fcvg"].scaled(options.pose_width),
        missing_joints=options.missing_joints,
        missing_people=options.missing_people,
    )


def _paint(
    pipeline: InbetweenPipeline,
    keyframes: tuple,
    conditions: np.ndarray,
    options: argparse.Namespace,
    bars: Bars,
) -> np.ndarray:
    frames = pipeline(
        keyframes,
        conditions,
        SamplingSettings(
            num_frames=options.frames,
            window=options.window,
            overlap=options.overlap,
            steps=options.steps,
            guidance_start=options.min_guidance,
            guidance_end=options.max_guidance,
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


def _write(claim: Claim, frames: np.ndarray, fps: float) -> None:
    """The frames before the video, which can be made of them again; each has its room."""

    def release(number: int) -> None:
        claim.release(frames_size(frames[number + 1 :].shape) + video_size(frames.shape))

    write_frames(claim.path / "frames", frames, before=release)
    claim.release()
    write_video(claim.path / "result.mp4", frames, fps)


def _report(folder: Path, job: Job | None) -> None:
    """Where the results lie, on standard output."""
    if job:
        print(f"video:      {folder / 'result.mp4'}")
        print(f"frames:     {folder / 'frames'}")
    print(f"conditions: {folder / 'condition'}")
    if job and job.stand_ins:
        print("The models were stand-ins: the frames are noise.")
