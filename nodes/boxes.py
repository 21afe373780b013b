"""Boxes that move: typed, drawn in ComfyUI's canvas, found in pictures or around a motion."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .box_inputs import (
    BEHIND,
    boxes_input,
    boxes_output,
    form_inputs,
    frames_input,
    label_input,
    pace_inputs,
    picture_input,
    size_inputs,
)
from .keyframe_widgets import keyframes_input
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import BoundingBoxSocket, BoxTracksSocket, MotionSocket
from .widgets import check_linked, read_timing, timing_inputs

MOST_TRACKS = 8  # inputs of Combine Box Tracks; SMCD was trained on so many objects
BOX_NUMBER = bounds.Bounds(0, 1000)
MARGIN = bounds.Bounds(0.0, 10.0)  # widths and heights of what the box is around
NO_EDITOR = {"forceInput": True}  # a socket, without the editor that the host has for this type
FROM_HOST = (
    "from Create Bounding Boxes, Bounding Box or Run Real-Time Detection (RT-DETR), which newer "
    "releases of ComfyUI have, or from another pack."
)


class BoxTrackNode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_BoxTrack",
            display_name="Box Track",
            category="FCVG/boxes",
            **search_words("bounding box", "bbox", "trajectory", "key boxes", "gligen"),
            **shows_results(),
            description="Says where an object is in every frame of a video: by boxes that you "
            "type, by boxes that are drawn in Create Bounding Boxes, or by those of a detector. "
            "The node plays the boxes.",
            is_output_node=True,
            inputs=[
                label_input("If it is empty, the label of a detector's box is used."),
                io.String.Input(
                    "key_boxes",
                    multiline=True,
                    default="",
                    placeholder="0: 10,20,110,90\n7: 60,20,160,90",
                    tooltip="A box on each line, with its frame before it, counted from 0: "
                    "0: 10,20,110,90. The frames between are filled up. none in place of the "
                    "numbers: there the object is absent. Without frames each line is the next "
                    "frame, as in the official bbox.txt.",
                ),
                frames_input(),
                *size_inputs(),
                *form_inputs("in key_boxes"),
                *pace_inputs(),
                io.Int.Input(
                    "box_number",
                    default=1,
                    **BOX_NUMBER.widget,
                    tooltip="Only for first_box and last_box, if they hold several boxes: which "
                    "box of a picture is the object: 1 is the first that was drawn, or the surest "
                    "of a detector. 0: all boxes of the picture, in this order, are places of one "
                    "object, from the first frame to the last.",
                ),
                picture_input(BEHIND),
                BoundingBoxSocket.Input(
                    "first_box",
                    optional=True,
                    extra_dict=NO_EDITOR,
                    tooltip="In the place of key_boxes: where the object is in the first frame, "
                    f"{FROM_HOST} Boxes of all frames of a video follow the object.",
                ),
                BoundingBoxSocket.Input(
                    "last_box",
                    optional=True,
                    extra_dict=NO_EDITOR,
                    tooltip="Where the object is in the last frame. Needs first_box; without "
                    "last_box the object stays where first_box is.",
                ),
            ],
            outputs=[boxes_output()],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        label: str,
        key_boxes: str,
        num_frames: int,
        width: int,
        height: int,
        form: str,
        units: str,
        fill: str,
        timing: str,
        custom_times: str,
        box_number: int,
        image=None,
        first_box=None,
        last_box=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.boxes import BoxReading, report_boxes
        from .host.box_tracks import make_track, picture_size, show_boxes
        from .host.images import check_image

        image = None if image is None else check_image(image, "image")
        check_linked("num_frames", num_frames, bounds.FRAMES)
        check_linked("box_number", box_number, BOX_NUMBER)
        size = picture_size(width, height, image)
        reading = BoxReading(
            kind=choices.BBOX_TXT,
            label=label,
            form=form,
            unit=units,
            size=size,
            num_frames=num_frames,
            timing=read_timing(timing, custom_times),
            fill=fill,
        )
        boxes = make_track(key_boxes, first_box, last_box, box_number, reading)
        report_boxes(boxes)
        return io.NodeOutput(boxes, ui=show_boxes(boxes, image, size))


class CombineBoxTracks(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_CombineTracks",
            display_name="Combine Box Tracks",
            category="FCVG/boxes",
            **search_words("join boxes", "several objects", "merge tracks", "bounding box"),
            **shows_results(),
            description="Puts the boxes of several objects together, each with its own label. For "
            "more objects connect the result to another Combine Box Tracks.",
            inputs=[
                BoxTracksSocket.Input(
                    f"boxes_{i}",
                    optional=i > 1,
                    tooltip="Boxes of one object or several, from Box Track or Load Box Tracks, of "
                    "as many frames as the others.",
                )
                for i in range(1, MOST_TRACKS + 1)
            ],
            outputs=[boxes_output()],
        )

    @classmethod
    @shows_log
    def execute(cls, **boxes) -> io.NodeOutput:
        from ..fcvg_core.boxes import join_tracks, report_boxes

        joined = join_tracks([boxes[name] for name in sorted(boxes) if boxes[name] is not None])
        report_boxes(joined)
        return io.NodeOutput(joined)


class BoxesAroundMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_BoxesAroundMotion",
            display_name="Boxes around Motion",
            category="FCVG/boxes",
            **search_words("bounding box", "bbox", "lines to boxes", "pose to box"),
            **shows_results(),
            description="Makes boxes of what moves between keyframes: one around each person, or "
            "one around matched lines or paths that belong to one object.",
            inputs=[
                MotionSocket.Input(
                    "motion",
                    tooltip="What moves, from Match Keyframes, Edit Motion, Camera Move or Join "
                    "Motions.",
                ),
                io.Combo.Input(
                    "around",
                    options=[choices.PEOPLE, choices.LINES, choices.PATHS],
                    default=choices.PEOPLE,
                    tooltip="people: a box around each person. lines: one box around matched "
                    "lines. paths: one box around the points of paths.",
                ),
                label_input("Empty with people: person."),
                io.String.Input(
                    "ids",
                    default="",
                    tooltip="Which lines belong to the object: their numbers, which Match Lines "
                    "and Match Keyframes write beside them with show_ids, for example 3, 7, 12. "
                    "Of people: 1 is the first. Empty: all.",
                ),
                io.Float.Input(
                    "margin",
                    default=0.1,
                    **MARGIN.widget,
                    step=0.01,
                    tooltip="What is added at each side, as a share of the width and height of "
                    "what the box is around. A head is larger than the points of its face.",
                ),
                frames_input(),
                *timing_inputs(choices.TIMINGS[1]),
                keyframes_input(),
            ],
            outputs=[boxes_output()],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        motion,
        around: str,
        label: str,
        ids: str,
        margin: float,
        num_frames: int,
        timing: str,
        custom_times: str,
        keyframes=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.boxes import report_boxes
        from ..fcvg_core.motion import track_motion
        from .host.box_tracks import boxes_around, read_ids
        from .host.keyframes import place_motion

        check_linked("num_frames", num_frames, bounds.FRAMES)
        check_linked("margin", margin, MARGIN)
        track = track_motion(
            motion,
            place_motion(motion, keyframes, num_frames),
            read_timing(timing, custom_times),
            missing_joints=choices.MISSING_JOINTS[1],  # a box does not shrink for a hidden arm
            missing_people=choices.MISSING_PEOPLE[1],  # nobody stands still to fade
        )
        boxes = boxes_around(track, around, read_ids(ids), label=label, margin=margin)
        report_boxes(boxes)
        return io.NodeOutput(boxes)


class DrawBoxes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DrawBoxes",
            display_name="Draw Boxes",
            category="FCVG/boxes",
            **search_words("bounding box", "bbox", "overlay", "annotate", "visualize"),
            **shows_results(),
            description="Draws boxes and their labels over a picture or over the frames of a "
            "video, and plays the result on the node.",
            is_output_node=True,
            inputs=[
                io.Image.Input(
                    "frames",
                    tooltip="The frames of a video, as many as the boxes have; or one picture, "
                    "which is shown once for each box.",
                ),
                boxes_input(),
                io.Boolean.Input(
                    "show_labels",
                    default=True,
                    tooltip="Write the label of each object at its box.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames",
                    tooltip="The frames with the boxes drawn over them, for Create Video.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, frames, boxes, show_labels: bool) -> io.NodeOutput:
        from ..fcvg_core.boxes import draw_boxes
        from ..fcvg_core.frames import to_image, to_uint8
        from .host.animation import show_animation
        from .host.box_tracks import FPS
        from .host.images import check_image

        pictures = to_uint8(check_image(frames, "frames"))
        drawn = draw_boxes(pictures, boxes, show_labels=show_labels)
        return io.NodeOutput(to_image(drawn), ui=show_animation(drawn, FPS))


NODES = [BoxTrackNode, CombineBoxTracks, BoxesAroundMotion, DrawBoxes]
