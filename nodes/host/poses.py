"""POSE_KEYPOINT inputs of any node or pack, checked and read as people."""

from typing import Any

from ...fcvg_core.bounds import SIZE
from ...fcvg_core.errors import UserError
from ...fcvg_core.pose import Poses, first_canvas, from_openpose, list_frames, read_people

KEYFRAMES = ("first_pose", "last_pose")  # names of the inputs
REMEDY = "use Interpolate & Draw Poses with a width and a height"
NO_CANVAS = (
    "The poses do not say how large their canvas is (canvas_width and canvas_height). Set width "
    "and height in Load Pose JSON or in Interpolate & Draw Poses; or connect line matches to "
    "Interpolate Conditions."
)


def keyframe_frames(first_pose: Any, last_pose: Any) -> list:
    """One frame for each keyframe: the first image's of `first_pose`, the last's of `last_pose`.

    Raises:
        UserError: only one of them is connected, or one is not in OpenPose's format.
    """
    if first_pose is None or last_pose is None:
        raise UserError("Poses of only one keyframe: connect first_pose and last_pose.")
    return [
        list_frames(first_pose, name=KEYFRAMES[0])[0],
        list_frames(last_pose, name=KEYFRAMES[1])[-1],
    ]


def keyframe_people(frames: list, size: tuple[int, int]) -> tuple[Poses, Poses]:
    """The people of `keyframe_frames`, placed on pictures of a size (height, width)."""
    first, last = (
        read_people(frame, size=size, name=name)
        for frame, name in zip(frames, KEYFRAMES, strict=True)
    )
    return first, last


def driving_people(driving_poses: Any) -> tuple[list[Poses], tuple[int, int]]:
    """The people of every frame of a video, and the (height, width) of the video.

    Raises:
        UserError: no frame has a canvas size, or no frame shows a person.
    """
    frames = list_frames(driving_poses, name="driving_poses")
    size = canvas_of(frames)
    people = [from_openpose(frame, size=size, name="driving_poses") for frame in frames]
    _check_somebody(people, name="driving_poses")
    return people, size


def reference_people(reference_pose: Any) -> tuple[Poses, tuple[int, int]]:
    """The people of a reference picture, and its (height, width).

    Raises:
        UserError: the pose has no canvas size, the size is too large for a video, or the pose
            shows nobody.
    """
    frame = list_frames(reference_pose, name="reference_pose")[0]
    size = drawn_size([frame])
    people = from_openpose(frame, size=size, name="reference_pose")
    _check_somebody([people], name="reference_pose")
    return people, size


def _check_somebody(frames: list[Poses], *, name: str) -> None:
    """Raise UserError if no frame shows a person: then nothing can be aligned."""
    if any(frame.num_people for frame in frames):
        return
    from .dwpose import how_to_get_dwpose

    raise UserError(
        f"{name} shows nobody. Choose pictures of a person, at least from the head to the hips. If "
        f"Extract Poses has no DWPose, it finds nobody: {how_to_get_dwpose()}"
    )


def canvas_of(frames: list, *, height: int = 0, width: int = 0) -> tuple[int, int]:
    """(height, width) of the pictures: the widgets' values; for 0, the size of the first canvas.

    Raises:
        UserError: there is no size, or a frame is not in OpenPose's format.
    """
    canvas = first_canvas(frames) or (0, 0)
    size = (height or canvas[0], width or canvas[1])
    if 0 in size:
        raise UserError(NO_CANVAS)
    return size


def drawn_size(frames: list, *, height: int = 0, width: int = 0) -> tuple[int, int]:
    """The size of pictures that poses are drawn on: `canvas_of`, within the bounds of a video.

    Raises:
        UserError: there is no size, or a canvas is too large for a video.
    """
    size, largest = canvas_of(frames, height=height, width=width), SIZE.maximum
    for asked, length in zip((height, width), size, strict=True):
        if not asked and length > largest:
            raise UserError(
                f"The poses' canvas has {size[1]} x {size[0]} pixels, and frames of a video at "
                f"most {largest} x {largest}: extract the poses from a smaller picture, or "
                f"{REMEDY}."
            )
    return size
