"""Boxes as files: saved in the output folder, loaded from the input folder."""

import logging

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .box_inputs import (
    BEHIND,
    boxes_input,
    boxes_output,
    form_inputs,
    label_input,
    pace_inputs,
    picture_input,
    size_inputs,
)
from .file_widgets import file_input, prefix_input
from .host.folders import is_there
from .messages import shows_log
from .newer import search_words, shows_results
from .widgets import check_linked, read_timing

FRAMES = bounds.Bounds(0, bounds.FRAMES.maximum)
ENDINGS = (".json", ".txt")
# Kinds of files that are JSON; the others are lines of numbers.
JSON = (choices.BOXES_JSON, choices.YOUTUBE_VIS)


class LoadBoxTracks(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadBoxTracks",
            display_name="Load Box Tracks",
            category="FCVG/boxes",
            **search_words("bbox.txt", "bounding box", "mot", "youtube-vis", "got-10k", "import"),
            **shows_results(),
            description="Loads the boxes of a video from a file: the bbox.txt of SMCD's own code, "
            "key boxes, JSON of Save Box Tracks, or annotations of the MOTChallenge, YouTube-VIS "
            "or GOT-10k. The node plays the boxes.",
            is_output_node=True,
            inputs=[
                file_input("boxes", ENDINGS),
                io.Combo.Input(
                    "kind",
                    options=list(choices.BOX_FILES),
                    default=choices.AUTO,
                    tooltip="What the file is. auto: its content says it, and groundtruth.txt is "
                    "a file of got-10k. bbox.txt: a box on each line, also with frames before "
                    "them, as in Box Track. json: of Save Box Tracks. mot: of the MOTChallenge. "
                    "youtube-vis: instances.json. got-10k: a box on each line as x,y,w,h.",
                ),
                label_input("Files of json and youtube-vis have labels of their own."),
                *size_inputs(),
                *form_inputs("in a bbox.txt"),
                io.String.Input(
                    "video",
                    default="",
                    tooltip="Only for youtube-vis, if the file has several videos: the id, the "
                    "folder or a file name of the video.",
                ),
                io.Int.Input(
                    "num_frames",
                    default=0,
                    **FRAMES.widget,
                    tooltip="Number of frames of the video. 0: as many as the file has boxes.",
                ),
                *pace_inputs(),
                picture_input(BEHIND),
            ],
            outputs=[boxes_output()],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        from .host.user_files import find_user_file

        return is_there(find_user_file, file)

    @classmethod
    @shows_log
    def execute(
        cls,
        file: str,
        kind: str,
        label: str,
        width: int,
        height: int,
        form: str,
        units: str,
        video: str,
        num_frames: int,
        fill: str,
        timing: str,
        custom_times: str,
        image=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.boxes import BoxReading, read_boxes, report_boxes
        from ..fcvg_core.files.plain_file import read_bytes
        from .host.box_tracks import picture_size, show_boxes
        from .host.images import check_image
        from .host.user_files import find_user_file

        image = None if image is None else check_image(image, "image")
        check_linked("num_frames", num_frames, FRAMES)
        path, size = find_user_file(file), picture_size(width, height, image)
        reading = BoxReading(
            kind=kind,
            label=label,
            form=form,
            unit=units,
            size=size,
            num_frames=num_frames or None,
            timing=read_timing(timing, custom_times),
            fill=fill,
            video=video.strip(),
        )
        content = read_bytes(path, expected="a file of boxes")
        boxes = read_boxes(content, reading, name=str(path))
        report_boxes(boxes)
        return io.NodeOutput(boxes, ui=show_boxes(boxes, image, size))

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, **others) -> str:
        from .host.user_files import fingerprint_user_file

        return fingerprint_user_file(file)


class SaveBoxTracks(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_SaveBoxTracks",
            display_name="Save Box Tracks",
            category="FCVG/boxes",
            **search_words("bbox.txt", "bounding box", "mot", "youtube-vis", "got-10k", "export"),
            **shows_results(),
            description="Saves the boxes of a video as a file, which Load Box Tracks, the command "
            "line and other programs read.",
            inputs=[
                boxes_input(),
                prefix_input("FCVG/boxes"),
                io.Combo.Input(
                    "kind",
                    options=list(choices.BOX_FILES[1:]),
                    default=choices.BOXES_JSON,
                    tooltip="json: all objects with their labels, in shares of the picture. "
                    "bbox.txt: of SMCD's own code, a file for each object. mot: of the "
                    "MOTChallenge. youtube-vis: an instances.json. got-10k: a groundtruth.txt for "
                    "each object. All but json are in pixels.",
                ),
                *size_inputs(),
                picture_input("Boxes in pixels take its size if width and height are 0."),
            ],
            outputs=[boxes_output()],
            is_output_node=True,
        )

    @classmethod
    @shows_log
    def execute(
        cls, boxes, filename_prefix: str, kind: str, width: int, height: int, image=None
    ) -> io.NodeOutput:
        from ..fcvg_core.boxes import boxes_texts
        from ..fcvg_core.quoting import in_short
        from .host.box_tracks import picture_size
        from .host.images import check_image
        from .host.user_files import save_user_file

        image = None if image is None else check_image(image, "image")
        texts = boxes_texts(boxes, kind, picture_size(width, height, image))
        ending = ENDINGS[0] if kind in JSON else ENDINGS[1]
        saved = [save_user_file(text, filename_prefix, ending) for text in texts]
        if len(saved) > 1:
            logging.info("The files hold, in this order: %s.", in_short(boxes.labels, most=8))
        return io.NodeOutput(boxes, ui={"files": saved})


NODES = [LoadBoxTracks, SaveBoxTracks]
