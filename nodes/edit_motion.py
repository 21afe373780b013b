"""Lines, people and paths, edited by hand on the node itself."""

from comfy_api.latest import io

from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import LineMatchesSocket, MotionSocket, PathsSocket, PoseKeypointSocket
from .widgets import FIRST_POSE, LAST_POSE, LINE_MATCHES


class EditMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_EditMotion",
            display_name="Edit Motion",
            category="FCVG/motion",
            **search_words("motion editor", "canvas", "line editor", "pose editor", "drag points"),
            **shows_results(),
            description="Shows both keyframes with the matched lines and people on a canvas, where "
            "you move, draw, delete and pair them, drag points along paths and hold regions "
            "still. What you change is kept when new matches come in.",
            is_output_node=True,
            inputs=[
                io.Image.Input(
                    "first_frame",
                    optional=True,
                    tooltip="The picture that the video begins with, for the canvas. Of a batch "
                    "the first picture is used.",
                ),
                io.Image.Input(
                    "last_frame",
                    optional=True,
                    tooltip="The picture that the video ends with, for the canvas. It is cropped "
                    "and resized to the size of first_frame; of a batch the first picture is used.",
                ),
                LineMatchesSocket.Input("line_matches", optional=True, tooltip=LINE_MATCHES),
                PoseKeypointSocket.Input(
                    "first_pose", optional=True, tooltip=f"{FIRST_POSE} Needs last_pose."
                ),
                PoseKeypointSocket.Input(
                    "last_pose", optional=True, tooltip=f"{LAST_POSE} Needs first_pose."
                ),
                PathsSocket.Input(
                    "paths",
                    optional=True,
                    tooltip="Points that move along curves, from another node. The canvas shows "
                    "them; paths that you draw are added.",
                ),
                io.String.Input(
                    "state",
                    default="",
                    multiline=True,
                    tooltip="All that you have changed, as JSON. The canvas writes and reads it; "
                    "it is saved with the workflow. Empty: nothing is changed.",
                ),
            ],
            outputs=[
                MotionSocket.Output(
                    display_name="motion",
                    tooltip="All that moves: lines, people and their pairs, paths and regions that "
                    "are held still.",
                ),
                LineMatchesSocket.Output(
                    display_name="line_matches", tooltip="The lines alone, with your changes."
                ),
                PoseKeypointSocket.Output(
                    display_name="first_pose",
                    tooltip="The people of the first keyframe, with your changes. Pairs that you "
                    "have made are in motion alone.",
                ),
                PoseKeypointSocket.Output(
                    display_name="last_pose",
                    tooltip="The people of the last keyframe, with your changes. Pairs that you "
                    "have made are in motion alone.",
                ),
                PathsSocket.Output(
                    display_name="paths", tooltip="The paths of the input and those that you drew."
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        state: str = "",
        first_frame=None,
        last_frame=None,
        line_matches=None,
        first_pose=None,
        last_pose=None,
        paths=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.errors import UserError
        from ..fcvg_core.motion import Span, as_payload, merge_edits, parse_edits
        from ..fcvg_core.pose import first_canvas
        from .host.editor import read_keyframes, show_on_canvas
        from .host.poses import keyframe_frames, keyframe_people

        edits = parse_edits(state, name="state")
        poses = people = None
        if first_pose is not None or last_pose is not None:
            poses = keyframe_frames(first_pose, last_pose)
        keyframes, size = read_keyframes(
            (first_frame, last_frame), None if line_matches is None else line_matches.size
        )
        size = size or (poses and first_canvas(poses)) or (edits and edits.size)
        if not size:
            raise UserError(
                "Nothing says how large the keyframes are, and the state is empty: connect "
                "keyframes, line_matches or poses."
            )
        if poses is not None:
            people = keyframe_people(poses, size)
        found = Span(matches=line_matches, people=people, paths=tuple(paths or ()))
        merged = merge_edits(edits, found, size)
        return io.NodeOutput(
            merged.motion,
            *_outputs(merged.motion.spans[0], size),
            ui=show_on_canvas(as_payload(merged), keyframes),
        )


def _outputs(span, size: tuple[int, int]) -> tuple:
    """A span's lines, poses of both keyframes, and paths: what is missing is empty."""
    import torch

    from ..fcvg_core.lines import LineMatches
    from ..fcvg_core.pose import nobody, to_openpose

    none = torch.zeros(0, 2, 2)
    matches = LineMatches(none, none, size) if span.matches is None else span.matches
    people = span.people or (nobody(), nobody())
    return matches, *([to_openpose(poses, size)] for poses in people), span.paths


NODES = [EditMotion]
