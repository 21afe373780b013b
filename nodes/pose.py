"""People as conditions: found in frames, drawn as they move from one keyframe to the other."""

import logging

import numpy as np
from comfy_api.latest import io, ui

from ..fcvg_core import bounds, choices
from .host import folders
from .newer import rarely_changed, search_words, shows_pictures
from .sockets import DWPoseSocket, PoseKeypointSocket
from .widgets import (
    FIRST_POSE,
    LAST_POSE,
    NUM_FRAMES,
    POSE_WIDTH,
    pose_inputs,
    read_timing,
    timing_inputs,
)

NOBODY, WHOLE_FRAME = "no poses", "whole frame"
SHOWN = 16  # pictures on the node itself: the first pictures of a video
# Tooltips of several inputs and outputs.
FRAME_SIZE = "Size of the control frames in pixels; 0 uses the poses' canvas size."
FRAME_POSES = "The people of each frame, in OpenPose's form."


class LoadDWPose(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadDWPose",
            display_name="Load DWPose",
            category="FCVG/loaders",
            **search_words("openpose", "dwpose", "pose detector"),
            description="The pose detector of FCVG and ControlNeXt-SVD: two ONNX files in "
            "models/dwpose.",
            inputs=[
                io.Combo.Input(
                    "boxes_name",
                    options=_networks(),
                    default=folders.AUTO,
                    tooltip="yolox_l.onnx, which finds people. auto: the official "
                    "file, if both are there; else nothing, and there are no poses.",
                ),
                io.Combo.Input(
                    "points_name",
                    options=_networks(),
                    default=folders.AUTO,
                    tooltip="dw-ll_ucoco_384.onnx, which finds their joints. auto: as above.",
                ),
            ],
            outputs=[DWPoseSocket.Output(display_name="dwpose", tooltip="For Extract Poses.")],
        )

    @classmethod
    def validate_inputs(cls, boxes_name: str | None, points_name: str | None) -> bool | str:
        return folders.are_there(folders.DWPOSE, boxes_name, points_name)

    @classmethod
    def execute(cls, boxes_name: str, points_name: str) -> io.NodeOutput:
        from ..fcvg_core.catalogue.dwpose import DWPOSE_ROWS
        from .host.dwpose import load_dwpose

        paths = folders.find_pair((boxes_name, points_name), DWPOSE_ROWS)
        return io.NodeOutput(load_dwpose(*paths) if paths else None)

    @classmethod
    def fingerprint_inputs(cls, **names: str) -> str:
        return folders.fingerprint(folders.DWPOSE)


def _networks() -> list[str]:
    return [folders.AUTO, *folders.list_files(folders.DWPOSE)]


class ExtractPoses(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_ExtractPoses",
            display_name="Extract Poses",
            category="FCVG/poses",
            **search_words("dwpose", "openpose", "keypoints", "pose estimation", "skeleton"),
            **shows_pictures(),
            description="Find the people of every image: body, hands and face. The poses are in "
            "OpenPose's form, which other packs and editors read.",
            inputs=[
                DWPoseSocket.Input(
                    "dwpose",
                    optional=True,
                    tooltip="From Load DWPose. Without it nobody is found, whatever "
                    "if_nobody says.",
                ),
                io.Image.Input("image", tooltip="Any number of images."),
                io.Combo.Input(
                    "if_nobody",
                    options=[NOBODY, WHOLE_FRAME],
                    default=NOBODY,
                    tooltip="Where nobody is found: no poses, or take the whole frame "
                    "for a person, as FCVG's authors do.",
                ),
            ],
            outputs=[
                PoseKeypointSocket.Output(
                    display_name="poses", tooltip="The people of each image, in OpenPose's form."
                ),
                io.Image.Output(display_name="preview", tooltip="The people over the images."),
            ],
        )

    @classmethod
    def execute(cls, image, if_nobody: str, dwpose=None) -> io.NodeOutput:
        from ..fcvg_core.frames import to_image, to_uint8
        from ..fcvg_core.pose import STYLES, draw_on_frame, nobody, to_openpose
        from .host.images import check_image

        image = check_image(image, "image")
        if dwpose is None:
            logging.info("Nobody is looked for: DWPose is not loaded.")
            found = [nobody()] * len(image)
        else:
            from .host.dwpose import find_people

            found = [*find_people(dwpose, image, whole_frame=if_nobody == WHOLE_FRAME)]
            logging.info("Found people: %s.", ", ".join(str(p.num_people) for p in found))
        # Frame by frame: a video's batch is large, and twice as large in between.
        drawn = np.stack(
            [
                draw_on_frame(to_uint8(frame), poses, style=STYLES[choices.FCVG_STYLE])
                for frame, poses in zip(image, found, strict=True)
            ]
        )
        poses = [to_openpose(poses, tuple(image.shape[1:3])) for poses in found]
        preview = to_image(drawn)
        return io.NodeOutput(poses, preview, ui=ui.PreviewImage(preview[:SHOWN]))


class DrawPoses(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DrawPoses",
            display_name="Interpolate & Draw Poses",
            category="FCVG/poses",
            **search_words("pose interpolation", "openpose", "skeleton"),
            description="Draw people as they move from the first keyframe to the last; who is who "
            "is decided so that all together move least.",
            inputs=[
                PoseKeypointSocket.Input("first_pose", tooltip=FIRST_POSE),
                PoseKeypointSocket.Input("last_pose", tooltip=LAST_POSE),
                io.Int.Input("num_frames", default=25, **bounds.FRAMES.widget, tooltip=NUM_FRAMES),
                *timing_inputs(),
                *pose_inputs(),
                io.Combo.Input(
                    "style",
                    options=list(choices.POSE_STYLES),
                    default=choices.FCVG_STYLE,
                    tooltip="For which model: FCVG's limbs and fingers are twice as "
                    "wide as ControlNeXt-SVD's.",
                ),
                io.Int.Input("width", default=0, min=0, max=16384, tooltip=FRAME_SIZE),
                io.Int.Input("height", default=0, min=0, max=16384, tooltip=FRAME_SIZE),
            ],
            outputs=[
                io.Image.Output(
                    display_name="control_frames", tooltip="One picture a frame, people on black."
                ),
                PoseKeypointSocket.Output(display_name="poses", tooltip=FRAME_POSES),
            ],
        )

    @classmethod
    def execute(
        cls,
        first_pose,
        last_pose,
        num_frames: int,
        timing: str,
        custom_times: str,
        width: int,
        height: int,
        style: str,
        missing_joints: str,
        missing_people: str,
        pose_width: float,
    ) -> io.NodeOutput:
        from ..fcvg_core.control import draw_moving_people
        from ..fcvg_core.frames import to_image
        from ..fcvg_core.pose import STYLES, to_openpose
        from ..fcvg_core.timeline import inbetween_times
        from .host.poses import drawn_size, keyframe_frames, keyframe_people

        if style not in STYLES:
            raise ValueError(f"There is no style {style!r}; it is one of {', '.join(STYLES)}.")
        keyframes = keyframe_frames(first_pose, last_pose)
        size = drawn_size(keyframes, height=height, width=width)
        track, frames = draw_moving_people(
            keyframe_people(keyframes, size),
            inbetween_times(num_frames, read_timing(timing, custom_times)),
            size,
            style=STYLES[style].scaled(pose_width),
            missing_joints=missing_joints,
            missing_people=missing_people,
        )
        written = [to_openpose(track.frame(i), size) for i in range(num_frames)]
        return io.NodeOutput(to_image(frames), written)


class AlignPoses(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_AlignPoses",
            display_name="Align Poses to Reference",
            category="FCVG/poses",
            **search_words("retarget", "pose transfer", "openpose", "driving video"),
            description="Bring the person of a driving video to the place and size of the one in a "
            "reference picture, and draw every frame: what ControlNeXt-SVD is steered by.",
            inputs=[
                PoseKeypointSocket.Input(
                    "driving_poses",
                    tooltip="Of all frames of the video, from Extract Poses "
                    "or SDPose Keypoint Extractor.",
                ),
                PoseKeypointSocket.Input(
                    "reference_pose",
                    tooltip="Of the picture, from Extract Poses or SDPose "
                    "Keypoint Extractor; its canvas is the size of the "
                    "frames.",
                ),
                io.Combo.Input(
                    "people",
                    options=list(choices.DRIVING_PEOPLE),
                    default=choices.ONE_PERSON,
                    tooltip="one person: the one who is seen most; everybody: all, as "
                    "ControlNeXt-SVD's authors do.",
                ),
                io.Float.Input(
                    "smoothing",
                    default=0.0,
                    **bounds.SMOOTHING.widget,
                    step=0.5,
                    tooltip="Against jitter, in frames; 0 is off, 1 or 2 are enough. "
                    "Not with everybody.",
                ),
                io.Boolean.Input(
                    "reference_first",
                    default=True,
                    tooltip="Begin with the picture's own pose, one frame more, as "
                    "ControlNeXt-SVD's authors do.",
                ),
                io.Float.Input(
                    "pose_width",
                    default=1.0,
                    **bounds.POSE_WIDTH.widget,
                    step=0.1,
                    **rarely_changed(),
                    tooltip=POSE_WIDTH,
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="control_frames", tooltip="One picture a frame, people on black."
                ),
                PoseKeypointSocket.Output(display_name="poses", tooltip=FRAME_POSES),
            ],
        )

    @classmethod
    def execute(
        cls,
        driving_poses,
        reference_pose,
        people: str,
        smoothing: float,
        reference_first: bool,
        pose_width: float,
    ) -> io.NodeOutput:
        from ..fcvg_core.control import draw_driven_people
        from ..fcvg_core.frames import to_image
        from ..fcvg_core.pose import to_openpose
        from ..fcvg_core.settings import DrivingSettings
        from .host.poses import driving_people, reference_people

        driving, driving_size = driving_people(driving_poses)
        reference, size = reference_people(reference_pose)
        track, frames = draw_driven_people(
            driving,
            reference,
            DrivingSettings(
                one_person=people == choices.ONE_PERSON,
                smoothing=smoothing,
                pose_width=pose_width,
            ),
            driving_size=driving_size,
            size=size,
            reference_first=reference_first,
        )
        written = [to_openpose(track.frame(i), size) for i in range(len(track.scores))]
        return io.NodeOutput(to_image(frames), written)


NODES = [LoadDWPose, ExtractPoses, DrawPoses, AlignPoses]
