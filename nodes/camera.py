"""The camera: moves over one picture, or along the way between keyframes."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .line_widgets import detector_input, max_lines_input, min_length_input
from .messages import shows_log
from .newer import rarely_changed, search_words, shows_results
from .sockets import LineMatchesSocket, MotionSocket

MORE_LINES = "Raise max_lines, lower min_length, or take a picture with clear edges."


class CameraMove(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_CameraMove",
            display_name="Camera Move",
            category="FCVG/motion",
            **search_words("pan", "zoom", "rotate", "tilt", "ken burns", "dolly", "homography"),
            **shows_results(),
            description="Makes the last keyframe of one picture: the picture as a camera shows it "
            "that pans, zooms, rotates or tilts, and the motion of its lines on the way there. "
            "With a motion of two keyframes or more it bends the ways between them instead. The "
            "node plays the moved picture.",
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="The picture that the camera moves over, which is the first keyframe, "
                    "at least 64 pixels a side. Of a batch the first picture is used.",
                ),
                io.Combo.Input(
                    "move",
                    options=list(choices.CAMERA_MOVES),
                    default=choices.CAMERA_MOVES[0],
                    tooltip="What the camera does. pan: it shifts sideways, so that the picture "
                    "moves the other way. zoom-in: everything grows. rotate: the picture turns. "
                    "tilt: the camera turns to a side, in perspective. none: only the numbers of "
                    "the widgets below move the camera.",
                ),
                io.Float.Input(
                    "amount",
                    default=0.2,
                    **bounds.SHARE.widget,
                    step=0.01,
                    tooltip="How far the move goes. 0.2 is a pan by a fifth of the frame, a zoom "
                    "by the factor 1.2, a rotation by 18 degrees or a tilt by 6 degrees; 1 is a "
                    "pan by the whole frame, a zoom by 2, a rotation by 90 degrees or a tilt by 30 "
                    "degrees.",
                ),
                io.Combo.Input(
                    "border",
                    options=list(choices.BORDERS),
                    default=choices.BORDERS[0],
                    tooltip="What last_frame shows beyond the border of the picture. reflect: the "
                    "picture mirrored. black: nothing. The mask unseen shows where this is.",
                ),
                max_lines_input(
                    "Maximum number of lines that are found in the picture; the strongest are "
                    "kept. Has no effect if a motion is connected."
                ),
                min_length_input(
                    "Minimum length of a line in pixels; shorter lines are left out. Has no effect "
                    "if a motion is connected."
                ),
                detector_input(
                    "The detector of lines. opencv is always there; pytlsd, the detector of FCVG's "
                    "authors, must be installed (Python 3.11 or older). Has no effect if a motion "
                    "is connected."
                ),
                _number("pan_x", bounds.PAN, 0.01, "widths of the frame to the right"),
                _number("pan_y", bounds.PAN, 0.01, "heights of the frame down"),
                io.Float.Input(
                    "zoom",
                    default=1.0,
                    **bounds.ZOOM.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip="Multiplied with the zoom of move: 2 shows everything twice as large "
                    "at the end, 0.5 half as large.",
                ),
                _number("rotate", bounds.ROTATION, 1.0, "degrees clockwise"),
                _number("tilt_x", bounds.TILT, 1.0, "degrees, as the camera turns to the right"),
                _number("tilt_y", bounds.TILT, 1.0, "degrees, as the camera turns down"),
                MotionSocket.Input(
                    "motion",
                    optional=True,
                    tooltip="A motion between keyframes, from Match Keyframes or Edit Motion. Its "
                    "ways bend as the camera moves, and its keyframes stay as they are: use it "
                    "where straight ways look wrong, for example in a rotation. Without it the "
                    "lines of the picture move.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="last_frame",
                    tooltip="The picture as the camera shows it at the end: the last keyframe, if "
                    "there is no other picture for it.",
                ),
                MotionSocket.Output(
                    display_name="motion",
                    tooltip="What moves, for Interpolate Conditions or Preview Motion.",
                ),
                io.Mask.Output(
                    display_name="unseen",
                    tooltip="1 where last_frame shows what lies beyond the picture's border, "
                    "otherwise 0: for inpainting of last_frame.",
                ),
                LineMatchesSocket.Output(
                    display_name="line_matches",
                    tooltip="The lines of motion in both keyframes (of several, the first two), "
                    "for Edit Motion, Filter Line Matches or Save Line Matches. Without the motion "
                    "their ways are straight: connect an edited motion to another Camera Move.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        image,
        move: str,
        amount: float,
        border: str,
        max_lines: int,
        min_length: float,
        detector: str,
        pan_x: float,
        pan_y: float,
        zoom: float,
        rotate: float,
        tilt_x: float,
        tilt_y: float,
        motion=None,
    ) -> io.NodeOutput:
        import torch

        from ..fcvg_core.frames import to_image, to_uint8
        from ..fcvg_core.motion import (
            Camera,
            bend_motion,
            move_lines,
            move_picture,
            preset_camera,
            unseen_mask,
        )
        from .host.camera import check_motion, play_camera
        from .host.images import first_picture

        numbers = Camera(pan=(pan_x, pan_y), zoom=zoom, rotate=rotate, tilt=(tilt_x, tilt_y))
        camera = preset_camera(move, amount).plus(numbers)
        picture = to_uint8(first_picture(image, "image")[0])
        size = picture.shape[:2]
        if motion is None:
            settings = {"max_lines": max_lines, "min_length": min_length, "detector": detector}
            motion = move_lines(picture, camera, remedy=MORE_LINES, **settings)
        else:
            check_motion(motion, size)
            motion = bend_motion(motion, camera)
        last = to_image(move_picture(picture, camera, 1.0, border)[None])
        unseen = torch.from_numpy(unseen_mask(size, camera, 1.0))[None]
        lines, shown = motion.spans[0].matches, play_camera(picture, camera, border)
        return io.NodeOutput(last, motion, unseen, lines, ui=shown)


def _number(name: str, allowed: bounds.Bounds, step: float, unit: str) -> io.Input:
    """A widget for a number of the camera, which is added to that of the preset."""
    return io.Float.Input(
        name,
        default=0.0,
        **allowed.widget,
        step=step,
        **rarely_changed(),
        tooltip=f"Added to move: {unit}. A negative number moves the other way.",
    )


NODES = [CameraMove]
