"""People: found in images, and drawn as they move between keyframes or in a driving video."""

import logging

import numpy as np
from comfy_api.latest import io, ui

from ..fcvg_core import bounds, choices
from .host import folders
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import DWPoseSocket, PoseKeypointSocket
from .widgets import (
    FIRST_POSE,
    LAST_POSE,
    background_inputs,
    num_frames_input,
    pose_colors_input,
    pose_inputs,
    pose_width_input,
    read_timing,
    timing_inputs,
)

NOBODY, WHOLE_FRAME = "no poses", "whole frame"
SHOWN = 16  # pictures on the node itself: the first images
ALREADY_DRAWN = (
    "This video seems to show drawn poses already: connect it to control_frames directly."
)
# Texts that several inputs and outputs share.
CANVAS_SIZE = (
    "of the control frames in pixels; 0 uses the poses' canvas size, as is right for poses from "
    "Extract Poses. If the shape differs from the canvas, people are stretched."
)
PEOPLE_FRAMES = "One picture for each frame of the video: people on black."
FRAME_POSES = (
    "The people of each frame in OpenPose's format, for a pose editor or for another pack."
)


class LoadDWPose(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadDWPose",
            display_name="Load DWPose",
            category="FCVG/loaders",
            **search_words("openpose", "dwpose", "pose detector"),
            **shows_results(),
            description="Loads DWPose, the pose detector of FCVG and ControlNeXt-SVD, for Extract "
            "Poses. It needs two ONNX files in models/dwpose.",
            inputs=[
                io.Combo.Input(
                    "boxes_name",
                    options=_networks(),
                    default=folders.AUTO,
                    tooltip="The file yolox_l.onnx, which finds people. auto: use the official "
                    "file if both files are present; otherwise load nothing, and no poses are "
                    "detected.",
                ),
                io.Combo.Input(
                    "points_name",
                    options=_networks(),
                    default=folders.AUTO,
                    tooltip="The file dw-ll_ucoco_384.onnx, which finds the joints of the people. "
                    "auto: use the official file if both files are present; otherwise load "
                    "nothing, and no poses are detected.",
                ),
            ],
            outputs=[
                DWPoseSocket.Output(
                    display_name="dwpose", tooltip="The pose detector, for Extract Poses."
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, boxes_name: str | None, points_name: str | None) -> bool | str:
        return folders.are_there(folders.DWPOSE, boxes_name, points_name)

    @classmethod
    @shows_log
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
            **shows_results(),
            description="Finds the people of every image: body, hands and face. The poses are in "
            "OpenPose's format, which other packs and pose editors read.",
            inputs=[
                DWPoseSocket.Input(
                    "dwpose",
                    optional=True,
                    tooltip="DWPose, from Load DWPose. Without DWPose nobody is found, and the "
                    "widget if_nobody has no effect.",
                ),
                io.Image.Input(
                    "image",
                    tooltip="Any number of images: a keyframe, a reference picture or a whole "
                    "video.",
                ),
                io.Combo.Input(
                    "if_nobody",
                    options=[NOBODY, WHOLE_FRAME],
                    default=NOBODY,
                    tooltip="What to do with an image in which nobody is found. no poses: the "
                    "image gets no pose. whole frame: the whole image is taken for one person, as "
                    "FCVG's authors do; choose it for a picture that certainly shows a person.",
                ),
            ],
            outputs=[
                PoseKeypointSocket.Output(
                    display_name="poses", tooltip="The people of each image in OpenPose's format."
                ),
                io.Image.Output(
                    display_name="preview", tooltip="The people, drawn over the darkened images."
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, image, if_nobody: str, dwpose=None) -> io.NodeOutput:
        from ..fcvg_core.control import looks_drawn
        from ..fcvg_core.frames import to_image, to_uint8
        from ..fcvg_core.pose import STYLES, draw_on_frame, to_openpose
        from .host.images import check_image

        image = check_image(image, "image")
        if len(image) > 1 and looks_drawn(map(to_uint8, image[::8])):
            logging.warning(ALREADY_DRAWN)
        found = _find_people(image, dwpose, whole_frame=if_nobody == WHOLE_FRAME)
        # Converted one by one, because a whole video in uint8 would need memory beside the batch.
        drawn = np.stack(
            [
                draw_on_frame(to_uint8(frame), poses, style=STYLES[choices.FCVG_STYLE])
                for frame, poses in zip(image, found, strict=True)
            ]
        )
        poses = [to_openpose(poses, tuple(image.shape[1:3])) for poses in found]
        preview = to_image(drawn)
        return io.NodeOutput(poses, preview, ui=ui.PreviewImage(preview[:SHOWN]))


def _find_people(image, dwpose, *, whole_frame: bool) -> list:
    """The people of each image; the node says how many, or what to do if there is nobody."""
    from ..fcvg_core.pose import list_people, nobody
    from .host.dwpose import find_people

    if dwpose is None:
        logging.warning("No poses are detected, because DWPose is not loaded: see Load DWPose.")
        return [nobody()] * len(image)
    found = [*find_people(dwpose, image, whole_frame=whole_frame)]
    numbers = [poses.num_people for poses in found]
    if any(numbers):
        logging.info("Poses of %s.", list_people(numbers, item="image"))
    else:
        logging.warning(
            "Nobody is found in %s. If there is a person, choose a larger or clearer picture, or "
            "set if_nobody to %s.",
            "the image" if len(found) == 1 else f"any of the {len(found)} images",
            WHOLE_FRAME,
        )
    return found


class DrawPoses(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DrawPoses",
            display_name="Interpolate & Draw Poses",
            category="FCVG/poses",
            **search_words("pose interpolation", "openpose", "skeleton", "people only", "morph"),
            **shows_results(),
            description="Draws people only, as they move from the first keyframe to the last. For "
            "control frames of lines and people together use Interpolate Conditions instead. "
            "People of both keyframes are paired so that all of them together move least.",
            inputs=[
                PoseKeypointSocket.Input("first_pose", tooltip=FIRST_POSE),
                PoseKeypointSocket.Input("last_pose", tooltip=LAST_POSE),
                num_frames_input(),
                *timing_inputs(),
                *pose_inputs(),
                io.Combo.Input(
                    "style",
                    options=list(choices.POSE_STYLES),
                    default=choices.FCVG_STYLE,
                    tooltip="The model that the drawing is for: FCVG was trained on limbs and "
                    "fingers twice as wide as those of ControlNeXt-SVD.",
                ),
                io.Int.Input("width", default=0, min=0, max=16384, tooltip=f"Width {CANVAS_SIZE}"),
                io.Int.Input(
                    "height", default=0, min=0, max=16384, tooltip=f"Height {CANVAS_SIZE}"
                ),
                pose_colors_input(),
                *background_inputs(),
            ],
            outputs=[
                io.Image.Output(display_name="control_frames", tooltip=PEOPLE_FRAMES),
                PoseKeypointSocket.Output(display_name="poses", tooltip=FRAME_POSES),
            ],
        )

    @classmethod
    @shows_log
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
        colors: str = choices.FCVG_COLORS,
        first_frame=None,
        last_frame=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.control import draw_moving_people
        from ..fcvg_core.frames import to_image
        from ..fcvg_core.pose import STYLES, to_openpose
        from ..fcvg_core.timeline import inbetween_times
        from .host.control_preview import Background, show_people
        from .host.poses import drawn_size, keyframe_frames, keyframe_people

        if style not in STYLES:
            raise ValueError(f"There is no style {style!r}; it is one of {', '.join(STYLES)}.")
        times = inbetween_times(num_frames, read_timing(timing, custom_times))
        background = Background.read(first_frame, last_frame, times)
        keyframes = keyframe_frames(first_pose, last_pose)
        size = drawn_size(keyframes, height=height, width=width)
        drawn_as = STYLES[style].scaled(pose_width).colored(colors)
        track, frames = draw_moving_people(
            keyframe_people(keyframes, size),
            times,
            size,
            style=drawn_as,
            missing_joints=missing_joints,
            missing_people=missing_people,
        )
        if not frames.any():
            logging.warning("Nobody is drawn, so all control frames are black.")
        written = [to_openpose(track.frame(i), size) for i in range(num_frames)]
        shown = show_people(track, size, drawn_as, background)
        return io.NodeOutput(to_image(frames), written, ui=shown)


class AlignPoses(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_AlignPoses",
            display_name="Align Poses to Reference",
            category="FCVG/poses",
            **search_words("retarget", "pose transfer", "openpose", "driving video"),
            **shows_results(),
            description="Moves and scales the person of a driving video to the place and size of "
            "the person in a reference picture, and draws every frame: the control frames of "
            "ControlNeXt-SVD.",
            is_output_node=True,  # it plays the motion, whatever is connected
            inputs=[
                PoseKeypointSocket.Input(
                    "driving_poses",
                    tooltip="Poses of all frames of the driving video, from Extract Poses or "
                    "SDPose Keypoint Extractor.",
                ),
                PoseKeypointSocket.Input(
                    "reference_pose",
                    tooltip="Poses of the reference picture, from Extract Poses or SDPose Keypoint "
                    "Extractor; the first person is used. The control frames get the size of this "
                    "picture, so bring it to the size of the video with Crop & Resize first.",
                ),
                io.Combo.Input(
                    "people",
                    options=list(choices.DRIVING_PEOPLE),
                    default=choices.ONE_PERSON,
                    tooltip="Which people of the video to draw. one person: the person who is seen "
                    "most. everybody: all people, as ControlNeXt-SVD's authors do.",
                ),
                io.Float.Input(
                    "smoothing",
                    default=0.0,
                    **bounds.SMOOTHING.widget,
                    step=0.5,
                    tooltip="Smooths poses that jitter, over about this many frames; 0 is off, 1 "
                    "or 2 is enough for most videos. Has no effect if people is everybody.",
                ),
                io.Boolean.Input(
                    "reference_first",
                    default=True,
                    tooltip="Whether to begin with the pose of the reference picture, as "
                    "ControlNeXt-SVD's authors do. The result then has one frame more than the "
                    "video.",
                ),
                pose_width_input(),
                pose_colors_input(),
            ],
            outputs=[
                io.Image.Output(display_name="control_frames", tooltip=PEOPLE_FRAMES),
                PoseKeypointSocket.Output(display_name="poses", tooltip=FRAME_POSES),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        driving_poses,
        reference_pose,
        people: str,
        smoothing: float,
        reference_first: bool,
        pose_width: float,
        colors: str = choices.FCVG_COLORS,
    ) -> io.NodeOutput:
        from ..fcvg_core.control import draw_driven_people
        from ..fcvg_core.frames import to_image
        from ..fcvg_core.pose import STYLES, to_openpose
        from ..fcvg_core.settings import DrivingSettings
        from .host.control_preview import show_people
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
                pose_colors=colors,
            ),
            driving_size=driving_size,
            size=size,
            reference_first=reference_first,
        )
        written = [to_openpose(track.frame(i), size) for i in range(len(track.scores))]
        style = STYLES[choices.CONTROLNEXT_STYLE].scaled(pose_width).colored(colors)
        shown = show_people(track, size, style)
        return io.NodeOutput(to_image(frames), written, ui=shown)


NODES = [LoadDWPose, ExtractPoses, DrawPoses, AlignPoses]
