"""Paths of points: read from other editors and trackers, and given to other video models."""

from dataclasses import replace

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .keyframe_widgets import keyframes_input
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import CurveSocket, MotionSocket, PathsSocket, TracksSocket
from .widgets import CUSTOM, check_linked, read_timing, timing_inputs

SCALE = bounds.Bounds(0.01, 100.0)
MAX_ERROR = bounds.Bounds(0.0, 100.0)  # pixels
# Words of the widget `form`.
ATI, WAN_MOVE = FORMS = ("ATI", "Wan-Move")
EVERYTHING = "everything"  # a word of the widget `points`
PATHS = "Points that move, from Edit Motion, Paths from Splines or Paths from Tracks."
PATHS_OUT = (
    "Points that move along curves, for Edit Motion, Interpolate Conditions, Preview Motion or "
    "Paths to Tracks."
)


def reading_inputs(scale: str) -> list[io.Input]:
    """Widgets of the nodes that turn sampled points into paths.

    Args:
        scale: the part of a tooltip that says where the points come from.
    """
    return [
        io.Float.Input(
            "max_error",
            default=1.0,
            **MAX_ERROR.widget,
            step=0.1,
            tooltip="How far, in pixels, a path may be from the points that it is made of. 1 gives "
            "a few smooth curves, which are easy to change in Edit Motion. 0 gives an exact path "
            "of straight pieces from point to point.",
        ),
        io.Float.Input(
            "scale",
            default=1.0,
            **SCALE.widget,
            step=0.01,
            tooltip=f"Width of the keyframes divided by {scale}. 1 if both have the same size.",
        ),
    ]


def video_inputs() -> list[io.Input]:
    """Widgets of the nodes that give points to another model: its video, and the timing."""
    return [
        io.Int.Input(
            "width",
            default=832,
            **bounds.WAN_SIZE.widget,
            tooltip="Width of the other model's video in pixels, a multiple of 16.",
        ),
        io.Int.Input(
            "height",
            default=480,
            **bounds.WAN_SIZE.widget,
            tooltip="Height of the other model's video in pixels, a multiple of 16.",
        ),
        io.Int.Input(
            "num_frames",
            default=81,
            **bounds.FRAMES.widget,
            tooltip="Number of frames of the video. Set the same number as length of the other "
            "model's node; Wan's models take 4 * n + 1 frames.",
        ),
        *timing_inputs(choices.TIMINGS[1]),
    ]


def paths_inputs() -> list[io.Input]:
    """Paths, and the picture on which they lie, for another model."""
    return [
        PathsSocket.Input("paths", tooltip=PATHS),
        io.Image.Input(
            "first_frame",
            optional=True,
            tooltip="The keyframe on which the paths lie. With it the points are moved to where "
            "the other model sees them: it crops the picture around its centre and resizes it to "
            "width x height. Without it the points keep their pixels.",
        ),
        *video_inputs(),
    ]


class PathsFromSplines(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_PathsFromSplines",
            display_name="Paths from Splines",
            category="FCVG/paths",
            **search_words("kjnodes", "spline editor", "trajectory", "motion path", "drag"),
            **shows_results(),
            description="Turns the splines that are drawn in Spline Editor (KJNodes) into paths: "
            "points that move from their place in the first keyframe to their place in the last. "
            "FCVG was trained on lines and people; it was not trained on paths.",
            inputs=[
                io.String.Input(
                    "splines",
                    multiline=True,
                    default="",
                    tooltip="The output coord_str of Spline Editor, for one spline or for several. "
                    "Choose path as its sampling_method for an even speed. Its points are spread "
                    "evenly over the time of the video.",
                ),
                *reading_inputs("the width of the editor's canvas (mask_width)"),
            ],
            outputs=[PathsSocket.Output(display_name="paths", tooltip=PATHS_OUT)],
        )

    @classmethod
    @shows_log
    def execute(cls, splines: str, max_error: float, scale: float) -> io.NodeOutput:
        from ..fcvg_core.paths import read_kj_splines, report_paths, scale_paths

        check_linked("max_error", max_error, MAX_ERROR)
        check_linked("scale", scale, SCALE)
        # The error counts in pixels of the keyframes.
        found = read_kj_splines(splines, "splines", max_error=max_error / scale)
        paths = scale_paths(found, scale)
        report_paths(paths)
        return io.NodeOutput(paths)


class PathsFromTracks(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_PathsFromTracks",
            display_name="Paths from Tracks",
            category="FCVG/paths",
            **search_words("wan move", "generate tracks", "point tracking", "trajectory"),
            **shows_results(),
            description="Turns TRACKS, for example of Generate Video Tracks, into paths: points "
            "that move from their place in the first keyframe to their place in the last. FCVG was "
            "trained on lines and people; it was not trained on paths.",
            inputs=[
                TracksSocket.Input(
                    "tracks",
                    tooltip="Places of points in every frame. The frames are spread evenly over "
                    "the time of the video. Paths are always visible: a track that is hidden in "
                    "some frames is shown in them too.",
                ),
                *reading_inputs("the width of the video that the tracks were made for"),
            ],
            outputs=[PathsSocket.Output(display_name="paths", tooltip=PATHS_OUT)],
        )

    @classmethod
    @shows_log
    def execute(cls, tracks, max_error: float, scale: float) -> io.NodeOutput:
        from ..fcvg_core.paths import from_tracks, report_paths, scale_paths

        check_linked("max_error", max_error, MAX_ERROR)
        check_linked("scale", scale, SCALE)
        paths = scale_paths(from_tracks(tracks, "tracks", max_error=max_error / scale), scale)
        report_paths(paths)
        return io.NodeOutput(paths)


class SetPathSpeed(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_SetPathSpeed",
            display_name="Set Path Speed",
            category="FCVG/paths",
            **search_words("easing", "speed curve", "timing", "ease"),
            **shows_results(),
            description="Gives all paths one speed: where on its way a point is at which time. The "
            "timing of the whole motion, in Interpolate Conditions, acts on top of it.",
            inputs=[
                PathsSocket.Input("paths", tooltip=PATHS),
                io.Combo.Input(
                    "speed",
                    options=[*choices.TIMINGS[1:], CUSTOM],
                    default=choices.TIMINGS[1],
                    tooltip="uniform: even from the begin of the path to its end. ease-in: slow at "
                    "the start. ease-out: slow at the end. ease-in-out: slow at both ends. custom: "
                    "the numbers in custom_times.",
                ),
                io.String.Input(
                    "custom_times",
                    default="0, 0.5, 1",
                    tooltip="Only for speed custom: the share of the path that is behind the point "
                    "(0 to 1) at even steps through the time. Two or more numbers: 0, 0.2, 1 is "
                    "slow in the first half and fast in the second. Times from Curve gives them.",
                ),
            ],
            outputs=[PathsSocket.Output(display_name="paths", tooltip=PATHS_OUT)],
        )

    @classmethod
    @shows_log
    def execute(cls, paths, speed: str, custom_times: str) -> io.NodeOutput:
        from ..fcvg_core.timeline import parse_timing

        chosen = parse_timing(custom_times) if speed == CUSTOM else speed
        return io.NodeOutput(tuple(replace(path, speed=chosen) for path in paths))


class PathsToTracks(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_PathsToTracks",
            display_name="Paths to Tracks",
            category="FCVG/paths",
            **search_words("wan move", "trajectory", "point tracking"),
            **shows_results(),
            description="Gives paths as TRACKS, the place of every point in every frame, for "
            "WanMoveTrackToVideo and WanMoveVisualizeTracks.",
            inputs=paths_inputs(),
            outputs=[
                TracksSocket.Output(
                    display_name="tracks",
                    tooltip="Places of all points in every frame, for WanMoveTrackToVideo.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        paths,
        width: int,
        height: int,
        num_frames: int,
        timing: str,
        custom_times: str,
        first_frame=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.paths import path_points, to_tracks
        from ..fcvg_core.timeline import inbetween_times
        from .host.paths import fit_to_video

        times = inbetween_times(num_frames, read_timing(timing, custom_times))
        fitted = fit_to_video(paths, first_frame, (height, width))
        return io.NodeOutput(to_tracks(path_points(fitted, times), (height, width)))


class MotionToTracks(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_MotionToTracks",
            display_name="Motion to Tracks",
            category="FCVG/paths",
            **search_words("wan move", "trajectory", "camera motion", "point tracking"),
            **shows_results(),
            description="Gives a motion as TRACKS, the place of every point in every frame, for "
            "WanMoveTrackToVideo and WanMoveVisualizeTracks: both ends of each line, the joints of "
            "each body, and the points of paths.",
            inputs=[
                MotionSocket.Input(
                    "motion",
                    tooltip="What moves, from Match Keyframes, Edit Motion, Camera Move or Join "
                    "Motions.",
                ),
                io.Combo.Input(
                    "points",
                    options=[EVERYTHING, *choices.MOVING],
                    default=EVERYTHING,
                    tooltip="Which points become tracks. lines: both ends of each line. people: "
                    "the joints of each body. paths: the points of paths.",
                ),
                *video_inputs(),
                keyframes_input(),
            ],
            outputs=[
                TracksSocket.Output(
                    display_name="tracks",
                    tooltip="Places of all points in every frame, for WanMoveTrackToVideo. Points "
                    "that the first frame does not show are hidden.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        motion,
        points: str,
        width: int,
        height: int,
        num_frames: int,
        timing: str,
        custom_times: str,
        keyframes=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.errors import UserError
        from ..fcvg_core.motion import track_motion, track_points
        from ..fcvg_core.paths import fit_points, to_tracks
        from .host.keyframes import place_motion
        from .host.wan import check_wan_size

        check_wan_size(height, width)
        track = track_motion(
            motion,
            place_motion(motion, keyframes, num_frames),
            read_timing(timing, custom_times),
            missing_joints=choices.MISSING_JOINTS[0],
            missing_people=choices.MISSING_PEOPLE[1],  # nobody stands still to fade
        )
        kinds = choices.MOVING if points == EVERYTHING else (points,)
        found, seen = track_points(track, kinds)
        if not found.shape[1]:
            raise UserError(
                f"motion has no {' or '.join(kinds)} in it: choose other points, or add them in "
                "Edit Motion."
            )
        fitted = fit_points(found, motion.size, (height, width))
        return io.NodeOutput(to_tracks(fitted, (height, width), seen))


class PathsToJson(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_PathsToJson",
            display_name="Paths to JSON",
            category="FCVG/paths",
            **search_words("wan track", "ati", "wan move", "trajectory", "coordinates"),
            **shows_results(),
            description="Gives paths as a text for nodes of other models: for tracks of "
            "WanTrackToVideo (ATI), or for track_coords of WanMoveTracksFromCoords (Wan-Move).",
            inputs=[
                *paths_inputs(),
                io.Combo.Input(
                    "form",
                    options=list(FORMS),
                    default=ATI,
                    tooltip="ATI: 121 places of each point, of which WanTrackToVideo picks one for "
                    "each of num_frames frames. Wan-Move: a place in each of num_frames frames, "
                    "for WanMoveTracksFromCoords.",
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="tracks",
                    tooltip="JSON: a list for each point, with its x and y in pixels.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        paths,
        width: int,
        height: int,
        num_frames: int,
        timing: str,
        custom_times: str,
        form: str,
        first_frame=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.paths import path_points, to_ati_json, to_wan_move_json
        from ..fcvg_core.timeline import inbetween_times
        from .host.paths import fit_to_video

        times = inbetween_times(num_frames, read_timing(timing, custom_times))
        fitted = fit_to_video(paths, first_frame, (height, width))
        if form == ATI:
            return io.NodeOutput(to_ati_json(fitted, times))
        return io.NodeOutput(to_wan_move_json(path_points(fitted, times)))


class TimesFromCurve(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_TimesFromCurve",
            display_name="Times from Curve",
            category="FCVG/paths",
            **search_words("curve editor", "easing", "custom times", "speed curve"),
            **shows_results(),
            description="Gives the heights of a curve, which is drawn in Curve Editor, as numbers "
            "for custom_times: of the timing of a motion, or of Set Path Speed.",
            inputs=[
                CurveSocket.Input(
                    "curve",
                    extra_dict={"forceInput": True},  # no second curve editor on this node
                    tooltip="From Curve Editor. Left is the first keyframe, right the last. The "
                    "height says where the motion is: 0 = first keyframe, 1 = last keyframe.",
                ),
                io.Int.Input(
                    "num_times",
                    default=25,
                    **bounds.FRAMES.widget,
                    tooltip="How many numbers the text has. Straight lines join them. As many as "
                    "the video has frames give the curve exactly.",
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="custom_times",
                    tooltip="Numbers from 0 to 1, for custom_times. Choose custom as timing there.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, curve, num_times: int) -> io.NodeOutput:
        from .host.paths import curve_heights

        check_linked("num_times", num_times, bounds.FRAMES)
        heights = curve_heights(curve, num_times)
        return io.NodeOutput(", ".join(f"{height:.6g}" for height in heights))


NODES = [
    PathsFromSplines,
    PathsFromTracks,
    SetPathSpeed,
    PathsToTracks,
    MotionToTracks,
    PathsToJson,
    TimesFromCurve,
]
