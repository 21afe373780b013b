"""`animate`: a picture and a driving video in, the picture's person in its poses out."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from ...errors import UserError
from ...frames import fit_frame, side_by_side
from ...models.fcvg import check_size
from ...sampling import plan_windows
from ..denoising import Settings
from ..driving import DrivingSettings, draw_driving_poses, fit_control_frames
from ..dwpose import need_detector
from ..job import Job, save_run, warn_of_changes
from ..keyframes import read_frame
from ..model_files import CONTROLNEXT_SVD
from ..output import claim_folder, write_frames
from ..pipeline import AnimationPipeline
from ..progress import Bars
from ..video import VideoWriter, read_image_folder, read_video

FPS = 14.0  # of pictures, which do not say it; ControlNeXt-SVD's
INPUTS = ("image", "video", "control_frames", "dwpose_det", "dwpose_pose")


def run(options: argparse.Namespace) -> None:
    """Draw the poses, paint the frames and write both."""
    _unify_names(options)
    size = (options.height, options.width)
    check_size(*size)
    plan_windows(options.frames, options.window, options.overlap)
    warn_of_changes(options.run)
    reference = fit_frame(read_frame(options.image), size)
    job = None if options.conditions_only else Job(options, CONTROLNEXT_SVD)
    with Bars() as bars:
        control, fps = _control_frames(options, reference, bars)
        pipeline = job and job.load(AnimationPipeline, bars)
        folder = claim_folder(options.output)
        write_frames(folder / "condition", control)
        save_run(folder, options, job, INPUTS)
        if pipeline:
            frames = _paint(pipeline, reference, control, options, bars)
            _write_videos(folder, frames, reference, control, options.fps or fps)
    _report(folder, job)


def _unify_names(options: argparse.Namespace) -> None:
    """Put what is given under the reference's names under ours."""
    options.image = options.ref_image_path or options.image
    options.video = options.validation_control_video_path or options.video
    options.ref_image_path = options.validation_control_video_path = None
    if not options.image or bool(options.video) == bool(options.control_frames):
        raise UserError(
            "A picture and either a driving video or a folder of control frames are needed: "
            "python -m fcvg_core animate IMAGE VIDEO -o OUT"
        )


def _control_frames(
    options: argparse.Namespace, reference: np.ndarray, bars: Bars
) -> tuple[np.ndarray, float]:
    """Control frames [T, H, W, 3], T >= 2, and how many of them make a second."""
    if options.control_frames:
        drawn = read_image_folder(options.control_frames, max_frames=options.frames)
        control, fps = fit_control_frames(drawn, reference.shape[:2]), FPS
    else:
        control, fps = _drive(options, reference, bars)
    if len(control) < 2:
        raise UserError(f"A video needs at least 2 frames, but there is {len(control)}.")
    return control, fps


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
        Settings(
            num_frames=len(control),
            window=options.window,
            overlap=options.overlap,
            steps=options.steps,
            min_guidance=options.min_guidance,
            max_guidance=options.max_guidance,
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
    folder: Path, frames: Iterator[np.ndarray], reference: np.ndarray, control: np.ndarray,
    fps: float,
) -> None:  # fmt: skip
    """Both videos, frame by frame as they are decoded."""
    with ExitStack() as stack:
        result = stack.enter_context(VideoWriter(folder / "result.mp4", fps))
        compared = stack.enter_context(VideoWriter(folder / "side_by_side.mp4", fps))
        for frame, steered in zip(frames, control, strict=True):
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
