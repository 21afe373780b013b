"""Lines: matched in two keyframes, filtered, and drawn as they move between the keyframes."""

import logging

import numpy as np
from comfy_api.latest import io, ui

from ..fcvg_core import bounds, choices
from .host import folders
from .line_widgets import matcher_inputs, show_ids_input
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import GlueStickSocket, LineMatchesSocket
from .widgets import (
    LINE_MATCHES,
    background_inputs,
    line_inputs,
    num_frames_input,
    read_timing,
    timing_inputs,
)

FEWER_REMOVED = "Change the settings so that fewer lines are removed."


class LoadGlueStick(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadGlueStick",
            display_name="Load GlueStick",
            category="FCVG/loaders",
            **search_words("line matcher", "superpoint"),
            **shows_results(),
            description="Loads GlueStick, the line matcher of the FCVG paper, for Match Lines. It "
            "needs two files; the SuperPoint file is for non-commercial research only.",
            inputs=[
                io.Combo.Input(
                    "gluestick_name",
                    options=_weights(),
                    default=folders.AUTO,
                    tooltip="The file checkpoint_GlueStick_MD.tar in models/gluestick. auto: use "
                    "the official file if both files are present; otherwise load nothing, and "
                    "Match Lines works without GlueStick.",
                ),
                io.Combo.Input(
                    "superpoint_name",
                    options=_weights(),
                    default=folders.AUTO,
                    tooltip="The file superpoint_v1.pth in models/gluestick, which GlueStick "
                    "needs. auto: use the official file if both files are present; otherwise load "
                    "nothing, and Match Lines works without GlueStick.",
                ),
            ],
            outputs=[
                GlueStickSocket.Output(
                    display_name="gluestick", tooltip="The line matcher, for Match Lines."
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, gluestick_name: str | None, superpoint_name: str | None) -> bool | str:
        return folders.are_there(folders.GLUESTICK, gluestick_name, superpoint_name)

    @classmethod
    @shows_log
    def execute(cls, gluestick_name: str, superpoint_name: str) -> io.NodeOutput:
        from ..fcvg_core.catalogue.gluestick import GLUESTICK_ROWS
        from .host.gluestick import load_gluestick

        paths = folders.find_pair((gluestick_name, superpoint_name), GLUESTICK_ROWS)
        return io.NodeOutput(load_gluestick(*paths) if paths else None)

    @classmethod
    def fingerprint_inputs(cls, **names: str) -> str:
        return folders.fingerprint(folders.GLUESTICK)


def _weights() -> list[str]:
    return [folders.AUTO, *folders.list_files(folders.GLUESTICK)]


class MatchLines(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_MatchLines",
            display_name="Match Lines",
            category="FCVG/lines",
            **search_words("line segments", "gluestick", "lsd", "wireframe"),
            **shows_results(),
            description="Finds line segments in both keyframes and matches them: with GlueStick, "
            "as FCVG does, or without any weights.",
            inputs=[
                io.Image.Input(
                    "first_frame",
                    tooltip="The picture that the video begins with, at least 64 pixels a side. Of "
                    "a batch the first picture is used.",
                ),
                io.Image.Input(
                    "last_frame",
                    tooltip="The picture that the video ends with. It is cropped and resized to "
                    "the size of first_frame; of a batch the first picture is used.",
                ),
                *matcher_inputs(),
                show_ids_input(),
            ],
            outputs=[
                LineMatchesSocket.Output(
                    display_name="line_matches",
                    tooltip="Pairs of line segments, for Interpolate Conditions, Draw Inbetween "
                    "Lines or Filter Line Matches.",
                ),
                io.Image.Output(
                    display_name="preview",
                    tooltip="Both frames side by side. The two lines of a match have one colour, "
                    "which Filter Line Matches and the control frames keep.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        first_frame,
        last_frame,
        max_lines: int,
        min_length: float,
        max_keypoints: int,
        match_threshold: float,
        detector: str,
        gluestick=None,
        show_ids: bool = False,
    ) -> io.NodeOutput:
        from ..fcvg_core.frames import to_image, to_uint8
        from ..fcvg_core.lines import draw_matches
        from .host.fitting import fit_pictures
        from .host.images import first_picture
        from .host.line_matching import MatcherSettings, match_pair, say_what_matches

        first = to_uint8(first_picture(first_frame, "first_frame")[0])
        picture = first_picture(last_frame, "last_frame")
        last = to_uint8(fit_pictures(picture, first.shape[:2], "last_frame")[0])
        settings = MatcherSettings(
            max_lines=max_lines,
            min_length=min_length,
            max_keypoints=max_keypoints,
            match_threshold=match_threshold,
            detector=detector,
        )
        matches = match_pair(first, last, gluestick, settings)
        say_what_matches(gluestick)
        drawn = draw_matches(first, last, matches, seed=0, show_ids=show_ids)
        preview = to_image(drawn[None])
        return io.NodeOutput(matches, preview, ui=ui.PreviewImage(preview))


class DrawLines(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DrawLines",
            display_name="Draw Inbetween Lines",
            category="FCVG/lines",
            **search_words("interpolate lines", "line condition", "tween", "morph", "lines only"),
            **shows_results(),
            description="Draws lines only, as they move from the first keyframe to the last. For "
            "control frames of lines and people together use Interpolate Conditions instead. The "
            "node plays the motion in thick lines.",
            inputs=[
                LineMatchesSocket.Input("line_matches", tooltip=LINE_MATCHES),
                num_frames_input(),
                *line_inputs(),
                *timing_inputs(optional=True),
                *background_inputs(),
            ],
            outputs=[
                io.Image.Output(
                    display_name="control_frames",
                    tooltip="One picture for each frame of the video: lines on black.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        line_matches,
        num_frames: int,
        line_width: int,
        color_seed: int,
        timing: str = choices.REFERENCE,
        custom_times: str = "",
        first_frame=None,
        last_frame=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.control import draw_moving_lines
        from ..fcvg_core.frames import to_image
        from ..fcvg_core.timeline import inbetween_times
        from .host.control_preview import Background, show_lines

        times = inbetween_times(num_frames, read_timing(timing, custom_times))
        background = Background.read(first_frame, last_frame, times)
        drawing = {"line_width": line_width, "seed": color_seed}
        frames = draw_moving_lines(line_matches, times, **drawing)
        shown = show_lines(line_matches, background, **drawing)
        return io.NodeOutput(to_image(frames), ui=shown)


class FilterLineMatches(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_FilterLineMatches",
            display_name="Filter Line Matches",
            category="FCVG/lines",
            **search_words("outliers", "homography", "line segments"),
            **shows_results(),
            description="Removes wrong matches: lines that are unsure, short or move far, lines "
            "outside or inside a mask, and lines that do not follow the motion of most lines.",
            inputs=[
                LineMatchesSocket.Input("line_matches", tooltip="Matched lines, from Match Lines."),
                io.Float.Input(
                    "min_score",
                    default=0.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    tooltip="Minimum probability of a match; higher values keep fewer and surer "
                    "matches, 0 keeps all. Only with GlueStick: without GlueStick every score is "
                    "1. GlueStick's scores lie above match_threshold of Match Lines; begin at 0.5.",
                ),
                io.Float.Input(
                    "min_length",
                    default=0.0,
                    min=0.0,
                    max=4096.0,
                    step=1.0,
                    tooltip="Minimum length of a line in both frames, in pixels; 0 keeps all, 20 "
                    "to 40 keeps the main edges.",
                ),
                io.Float.Input(
                    "max_motion",
                    default=1.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    tooltip="How far a line may move from the first frame to the last. 1 is the "
                    "distance between two opposite corners of the frame, and keeps all lines; 0.5 "
                    "is half of this distance. Lower values remove more lines; 0.2 to 0.3 suits "
                    "moderate motion.",
                ),
                io.Combo.Input(
                    "outliers",
                    options=list(choices.FITS),
                    default=choices.FITS[0],
                    tooltip="Removes lines that do not follow the motion of most lines. affine: "
                    "for a camera that pans or zooms. homography: for a flat scene, or a camera "
                    "that turns on the spot. none: for several things that move differently.",
                ),
                io.Float.Input(
                    "tolerance",
                    default=20.0,
                    min=0.5,
                    max=1000.0,
                    step=0.5,
                    tooltip="How far the ends of a line may lie off the motion of most lines, in "
                    "pixels; used only with outliers. Lower is stricter: 5 to 10 is strict, 40 is "
                    "generous.",
                ),
                io.Mask.Input(
                    "first_mask",
                    optional=True,
                    tooltip=_mask_text("first"),
                ),
                io.Mask.Input(
                    "last_mask",
                    optional=True,
                    tooltip=_mask_text("last"),
                ),
                io.Image.Input(
                    "first_frame",
                    optional=True,
                    tooltip="The first keyframe. It is shown in the preview and changes nothing "
                    "else.",
                ),
                io.Image.Input(
                    "last_frame",
                    optional=True,
                    tooltip="The last keyframe. It is shown in the preview and changes nothing "
                    "else.",
                ),
                io.Combo.Input(
                    "mask",
                    options=list(choices.MASK_USES),
                    default=choices.KEEP,
                    optional=True,
                    tooltip="What first_mask and last_mask are painted for. keep: only the lines "
                    "in the painted (white) part are kept. remove: the lines in the painted part "
                    "are removed. An empty mask does nothing.",
                ),
                show_ids_input(),
            ],
            outputs=[
                LineMatchesSocket.Output(
                    display_name="line_matches",
                    tooltip="The matches that are left, for Interpolate Conditions or Draw "
                    "Inbetween Lines.",
                ),
                io.Image.Output(
                    display_name="preview",
                    tooltip="Both frames side by side with the matches that are left, in the "
                    "colours of Match Lines; removed matches are thin and grey. A frame that is "
                    "not connected is black.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        line_matches,
        min_score: float,
        min_length: float,
        max_motion: float,
        outliers: str,
        tolerance: float,
        first_mask=None,
        last_mask=None,
        first_frame=None,
        last_frame=None,
        mask: str = choices.KEEP,
        show_ids: bool = False,
    ) -> io.NodeOutput:
        from ..fcvg_core.frames import fit_frame, to_image, to_uint8
        from ..fcvg_core.lines import MatchFilter, draw_matches, filter_matches, warn_of_few
        from .host.images import first_picture

        criteria = MatchFilter(
            min_score=min_score,
            min_length=min_length,
            max_motion=max_motion,
            fit=outliers,
            tolerance=tolerance,
            mask=mask,
        )
        masks = _read_mask(first_mask, "first_mask"), _read_mask(last_mask, "last_mask")
        frames = [
            np.zeros((*line_matches.size, 3), np.uint8)
            if frame is None
            else fit_frame(to_uint8(first_picture(frame, name)[0]), line_matches.size)
            for frame, name in ((first_frame, "first_frame"), (last_frame, "last_frame"))
        ]
        kept = filter_matches(line_matches, criteria, *masks)
        count, left = len(line_matches.ids), len(kept.ids)
        logging.info("%d of %d matches %s left.", left, count, "is" if left == 1 else "are")
        if left < count:  # otherwise the node that gives the matches has said so already
            warn_of_few(kept, remedy=FEWER_REMOVED)
        drawn = draw_matches(*frames, kept, seed=0, removed=line_matches, show_ids=show_ids)
        preview = to_image(drawn[None])
        return io.NodeOutput(kept, preview, ui=ui.PreviewImage(preview))


def _mask_text(frame: str) -> str:
    """Tooltip of a mask for the first or for the last frame."""
    return (
        f"A mask on the {frame} frame, for example painted in the mask editor of Load Image. Lines "
        "whose middle is painted (white) are kept, and all others are removed; with remove in the "
        "widget mask it is the other way round. A mask of another shape than the frame is cropped "
        "as Crop & Resize crops a picture. Of several masks the first is used."
    )


def _read_mask(mask, name: str):
    """The first mask of a MASK input; None if nothing is connected or the mask is empty."""
    from .host.images import check_mask

    if mask is None:
        return None
    checked = check_mask(mask, name)
    if not (checked > 0.5).any():
        logging.info("%s is empty (no part is white), so it is not used.", name)
        return None
    return checked


NODES = [LoadGlueStick, MatchLines, FilterLineMatches, DrawLines]
