"""`animate`: a picture and a driving video in, the picture's person in its poses out."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from ....catalogue.find import CONTROLNEXT_SVD
from ....errors import UserError
from ....files.claim import Claim, claim_folder
from ....files.writing import explained
from ....frames import fit_frame, side_by_side
from ....sampling import check_windows
from ....settings import SamplingSettings
from ....signals import uninterrupted
from ...control.driving import DrivingSettings, draw_driving_poses, fit_control_frames
from ...control.dwpose import need_detector
from ...media.pictures import read_frame
from ...media.video import VideoWriter, read_image_folder, read_video
from ...media.writing import video_size, write_frames
from ...networks.pipeline import AnimationPipeline
from ..job import Job, check_earlier_run, check_named, save_run
from ..progress import Bars

PICTURES = 4  # of a frame in both videos: picture, poses and result side by side, result alone
FPS = 14.0  # of pictures, which do not say it; ControlNeXt-SVD's
INPUTS = ("image", "video", "control_frames", "dwpose_det", "dwpose_pose")


def run(options: argparse.Namespace) -> None:
    """Draw the poses, paint the frames and write both."""
    if not options.image or bool(options.video) == bool(options.control_frames):
        lacking = f"{options.run} does not name both. " if options.run else ""
        raise UserError(
            f"{lacking}A picture and either a driving video or a folder of control frames are "
            "needed: python -m fcvg_core animate IMAGE VIDEO -o OUT"
        )
    size = (options.height, options.width)
    check_windows(options.frames, options.window, options.overlap)
    check_earlier_run(options, INPUTS)
    check_named(options, ("dwpose_det", "dwpose_pose"))
    reference = fit_frame(read_frame(options.image), size)
    _check_driving(options)
    job = None if options.conditions_only else Job(options, CONTROLNEXT_SVD)
    with claim_folder(options.output) as claim, Bars() as bars:
        if job:
            claim.reserve(PICTURES * video_size((options.frames, *size, 3)))
        control, fps = _control_frames(options, reference, bars)
        write_frames(claim.path / "condition", control)
        save_run(claim.path, options, job, INPUTS)
        if job:
            pipeline = job.load(AnimationPipeline, bars)
            frames = _paint(pipeline, reference, control, options, bars)
            _write_videos(claim, frames, reference, control, options.fps or fps)
    _report(claim.path, job)


def _check_driving(options: argparse.Namespace) -> None:
    """Read the beginning of what drives the picture, before anything is made or loaded."""
    if options.control_frames:
        found = list(read_image_folder(options.control_frames, max_frames=2))
        if len(found) < 2:
            raise UserError(
                f"A video needs at least 2 frames, but {options.control_frames} holds 1 picture."
            )
        return
    frames, _ = read_video(options.video, stride=1, max_frames=1)
    with closing(frames):
        next(frames)


def _control_frames(
    options: argparse.Namespace, reference: np.ndarray, bars: Bars
) -> tuple[np.ndarray, float]:
    """Control frames [T, H, W, 3], T >= 2, and how many of them make a second."""
    if options.control_frames:
        drawn = read_image_folder(options.control_frames, max_frames=options.frames)
        return fit_control_frames(drawn, reference.shape[:2]), FPS
    return _drive(options, reference, bars)


def _drive(
    options: argparse.Namespace, reference: np.ndarray, bars: Bars
) -> tuple[np.ndarray, float]:
    """Control frames of a driving video, which is closed whatever happens, and its pace."""
    wanted = options.frames - 1  # the first one is the picture's own pose
    detector = need_detector(options)
    frames, fps = read_video(
        options.video,
        stride=options.stride,
        max_frames=wanted,
        limit=lambda count: f"--frames {count + 1}",
    )
    settings = DrivingSettings(
        one_person=options.one_person,
        smoothing=options.smoothing,
        pose_width=options.pose_width,
    )
    with closing(frames):
        control = draw_driving_poses(
            frames, reference, detector, settings, max_frames=wanted, progress=bars
        )
    return control, fps


def _paint(
    pipeline: AnimationPipeline,
    reference: np.ndarray,
    control: np.ndarray,
    options: argparse.Namespace,
    bars: Bars,
) -> Iterator[np.ndarray]:
    return pipeline(
        reference,
        control,
        SamplingSettings(
            num_frames=len(control),
            window=options.window,
            overlap=options.overlap,
            steps=options.steps,
            guidance_start=options.min_guidance,
            guidance_end=options.max_guidance,
            control_weight=options.control_weight,
            fps=7,
            motion_bucket_id=options.motion_bucket,
            augmentation=options.augmentation,
            noise_injection_steps=0,
            noise_injection_ratio=0.0,
        ),
        seed=options.seed,
        decode_chunk=options.decode_chunk,
        progress=bars,
    )


def _write_videos(
    claim: Claim,
    frames: Iterator[np.ndarray],
    reference: np.ndarray,
    control: np.ndarray,
    fps: float,
) -> None:
    """Both videos, frame by frame as they are decoded."""
    with explained(claim.path), ExitStack() as stack:
        compared = stack.enter_context(VideoWriter(claim.path / "side_by_side.mp4", fps))
        result = stack.enter_context(VideoWriter(claim.path / "result.mp4", fps))  # closed first
        for i, (frame, steered) in enumerate(zip(frames, control, strict=True)):
            claim.release(PICTURES * video_size(control[i + 1 :].shape))  # what is still to come
            with uninterrupted():
                result.write(frame)
                compared.write(side_by_side(reference, steered, frame))


def _report(folder: Path, job: Job | None) -> None:
    """Where the results lie, on standard output."""
    if job:
        print(f"video:        {folder / 'result.mp4'}")
        print(f"side by side: {folder / 'side_by_side.mp4'}")
    print(f"conditions:   {folder / 'condition'}")
    if job and job.stand_ins:
        print("The models were stand-ins: the frames are noise.")
