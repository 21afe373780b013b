"""Poses as JSON files: saved in the output folder, loaded from the input folder."""

import logging

from comfy_api.latest import io

from .file_widgets import file_input, prefix_input
from .host.folders import is_there
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import PoseKeypointSocket

CANVAS_SIDE = (
    "in pixels of the picture that the poses are of. Needed only if the file does not say it: "
    "OpenPose's own program and some editors leave it out. 0: as the file says."
)


class SavePoses(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_SavePoses",
            display_name="Save Pose JSON",
            category="FCVG/poses",
            **search_words("openpose", "keypoints", "POSE_KEYPOINT", "export poses"),
            **shows_results(),
            description="Saves poses as a JSON file in OpenPose's format, which pose editors, "
            "other packs, Load Pose JSON and the command line (--poses) read. The poses of several "
            "pictures become a list of frames in one file.",
            inputs=[
                PoseKeypointSocket.Input(
                    "poses",
                    tooltip="Poses from Extract Poses, Interpolate & Draw Poses, Align Poses to "
                    "Reference, SDPose Keypoint Extractor or another pack.",
                ),
                prefix_input("FCVG/poses"),
            ],
            outputs=[
                PoseKeypointSocket.Output(
                    display_name="poses", tooltip="The same poses, for the next node."
                )
            ],
            is_output_node=True,
        )

    @classmethod
    @shows_log
    def execute(cls, poses, filename_prefix: str) -> io.NodeOutput:
        from ..fcvg_core.pose import complete_frames, frames_text
        from .host.user_files import save_user_file

        frames = complete_frames(poses, name="poses")
        saved = save_user_file(frames_text(frames), filename_prefix)
        return io.NodeOutput(poses, ui={"files": [saved]})


class LoadPoses(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadPoses",
            display_name="Load Pose JSON",
            category="FCVG/poses",
            **search_words("openpose", "keypoints", "POSE_KEYPOINT", "import poses"),
            **shows_results(),
            description="Loads poses from a JSON file in OpenPose's format: from Save Pose JSON, "
            "the command line, a pose editor, another pack or OpenPose's own program.",
            inputs=[
                file_input("poses in OpenPose's format"),
                io.Int.Input("width", default=0, min=0, max=16384, tooltip=f"Width {CANVAS_SIDE}"),
                io.Int.Input(
                    "height", default=0, min=0, max=16384, tooltip=f"Height {CANVAS_SIDE}"
                ),
            ],
            outputs=[
                PoseKeypointSocket.Output(
                    display_name="poses",
                    tooltip="The people of each frame of the file, for Interpolate Conditions, "
                    "Interpolate & Draw Poses, Align Poses to Reference or another pack.",
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        from .host.user_files import find_user_file

        return is_there(find_user_file, file)

    @classmethod
    @shows_log
    def execute(cls, file: str, width: int, height: int) -> io.NodeOutput:
        from ..fcvg_core.errors import UserError
        from ..fcvg_core.files.json_file import read_json
        from ..fcvg_core.pose import POSES_FILE, complete_frames, first_canvas, list_people
        from .host.user_files import find_user_file

        if (width == 0) != (height == 0):
            raise UserError("Set both width and height, or leave both 0.")
        path = find_user_file(file)
        size = (height, width) if width else None
        frames = complete_frames(read_json(path, expected=POSES_FILE), name=str(path), size=size)
        numbers = [len(frame["people"]) for frame in frames]
        logging.info("Poses of %s.", list_people(numbers, item="frame"))
        if first_canvas(frames) is None:
            logging.warning(
                "The file does not say how large the picture is: set width and height, unless the "
                "coordinates are fractions of the picture."
            )
        return io.NodeOutput(frames)

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, **size: int) -> str:
        from .host.user_files import fingerprint_user_file

        return fingerprint_user_file(file)


NODES = [SavePoses, LoadPoses]
