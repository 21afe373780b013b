"""Line matches as files: saved in the output folder, loaded from the input folder."""

import logging

from comfy_api.latest import io

from .file_widgets import file_input, prefix_input
from .host.folders import is_there
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import LineMatchesSocket
from .widgets import LINE_MATCHES

MORE_LINES = "Add matches to the file, or load another file."


class SaveLineMatches(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_SaveLineMatches",
            display_name="Save Line Matches",
            category="FCVG/lines",
            **search_words("matches.json", "export lines"),
            **shows_results(),
            description="Saves line matches as a JSON file with one match a line, which you can "
            "edit. Load Line Matches and the command line read this file.",
            inputs=[
                LineMatchesSocket.Input("line_matches", tooltip=LINE_MATCHES),
                prefix_input("FCVG/line_matches"),
            ],
            outputs=[
                LineMatchesSocket.Output(
                    display_name="line_matches", tooltip="The same matches, for the next node."
                )
            ],
            is_output_node=True,
        )

    @classmethod
    @shows_log
    def execute(cls, line_matches, filename_prefix: str) -> io.NodeOutput:
        from ..fcvg_core.lines import format_matches
        from .host.user_files import save_user_file

        saved = save_user_file(format_matches(line_matches), filename_prefix)
        return io.NodeOutput(line_matches, ui={"files": [saved]})


class LoadLineMatches(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadLineMatches",
            display_name="Load Line Matches",
            category="FCVG/lines",
            **search_words("matches.json", "import lines"),
            **shows_results(),
            description="Loads line matches from a JSON file: one that Save Line Matches or the "
            "command line has written, or one that you have edited or made.",
            inputs=[file_input("line matches")],
            outputs=[
                LineMatchesSocket.Output(
                    display_name="line_matches",
                    tooltip="Pairs of line segments, for Interpolate Conditions, Draw Inbetween "
                    "Lines or Filter Line Matches.",
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        from .host.user_files import find_user_file

        return is_there(find_user_file, file)

    @classmethod
    @shows_log
    def execute(cls, file: str) -> io.NodeOutput:
        from ..fcvg_core.files.json_file import read_json
        from ..fcvg_core.lines import MATCHES_FORM, describe_matches, parse_matches, warn_of_few
        from .host.user_files import find_user_file

        path = find_user_file(file)
        found = read_json(path, expected=f"line matches: {MATCHES_FORM}")
        matches = parse_matches(found, name=str(path))
        logging.info(
            "%s. Size of the frames: %d x %d.", describe_matches(matches), *matches.size[::-1]
        )
        warn_of_few(matches, remedy=MORE_LINES)
        return io.NodeOutput(matches)

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None) -> str:
        from .host.user_files import fingerprint_user_file

        return fingerprint_user_file(file)


NODES = [SaveLineMatches, LoadLineMatches]
