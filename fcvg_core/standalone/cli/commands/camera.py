"""`camera`: one picture in, the picture that a moving camera shows at the end and its lines out."""

import argparse
from typing import TYPE_CHECKING

from ....errors import UserError
from ....files.claim import claim_folder
from ....files.writing import save_text
from ....shell import shell_words
from ...spec import CameraMove, MatcherChoice, PreviewVideo
from ...spec.values import PATH
from ..option_groups import OUTPUT, add_size, options_of

if TYPE_CHECKING:
    from ....motion import Camera

HELP = "move a camera over one picture: pan, zoom, rotate, tilt"
DESCRIPTION = (
    "Move a camera over one picture, and write what inbetween and preview take: the picture "
    "(first.png), what the camera shows at the end (last.png), and the lines of both "
    "(matches.json). unseen.png is white where last.png shows what lies beyond the picture's "
    "border. camera.mp4 shows the picture move, without any model."
)
EXAMPLES = (
    "camera photo.png -o zoomed --move zoom-in --amount 0.3",
    "camera photo.png -o moved --move pan-right --rotate 5 --border black",
)
MORE_LINES = "Raise --max-lines, or take a picture with clear edges."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("picture", type=PATH, metavar="PICTURE", help="the first frame")
    parser.add_argument("-o", "--output", type=PATH, required=True, metavar="OUT", help=OUTPUT)
    _add_camera(parser.add_argument_group("camera"))
    frames = parser.add_argument_group("frames")
    add_size(frames, PreviewVideo)
    add = options_of(PreviewVideo, frames)
    add("--frames", metavar="N", help="number of frames of camera.mp4 (%(default)s)")
    add("--fps", metavar="N", help="frame rate of camera.mp4 (%(default)s)")
    options_of(MatcherChoice, parser.add_argument_group("lines"))(
        "--max-lines",
        metavar="N",
        help="maximum number of line segments; the strongest are kept (%(default)s)",
    )


def _add_camera(group: argparse._ArgumentGroup) -> None:
    add = options_of(CameraMove, group)
    add(
        "--move",
        help="what the camera does: it pans (shifts) or tilts (turns) to a side, so that the "
        "picture moves the other way; zooms; or rotates, so that the picture turns; none: only the "
        "numbers below move the camera (%(default)s)",
    )
    add(
        "--amount",
        metavar="X",
        help="how far --move goes. 1 is a pan by the whole frame, a zoom by the factor 2, a "
        "rotation by 90 degrees or a tilt by 30 degrees (%(default)s)",
    )
    for name, text in (
        ("--pan-x", "added to --move: widths of the frame by which the picture moves to the right"),
        ("--pan-y", "added to --move: heights of the frame by which the picture moves down"),
        ("--zoom", "multiplied with the zoom of --move: 2 shows everything twice as large"),
        ("--rotate", "added to --move: degrees by which the picture turns clockwise"),
        ("--tilt-x", "added to --move: degrees by which the camera turns to the right"),
        ("--tilt-y", "added to --move: degrees by which the camera turns down"),
    ):
        add(name, metavar="X", help=f"{text} (%(default)s)")
    add(
        "--border",
        help="what lies beyond the picture's border: its mirror image, or black (%(default)s)",
    )
    add(
        "--timing",
        metavar="T",
        help="pace of camera.mp4: uniform, ease-in, ease-out, ease-in-out, reference, or numbers "
        "such as 0,0.2,1 (%(default)s)",
    )


def run(options: argparse.Namespace) -> None:
    """Move the picture, find its lines, and write both."""
    from ....lines import format_matches
    from ....motion import move_lines, move_picture, unseen_mask
    from ....timeline import inbetween_times
    from ...media.pictures import fit_picture, read_frame
    from ...media.writing import write_picture, write_video
    from ...run_models import check_packages

    move = CameraMove.from_options(vars(options))
    camera = _read_camera(move)
    video = PreviewVideo.from_options(vars(options))
    times = inbetween_times(video.frames, move.timing).tolist()
    picture = fit_picture(
        read_frame(options.picture), video.size, video.fit, video.anchor, name=options.picture
    )
    check_packages(("av",))  # it is needed at the end alone
    with claim_folder(options.output) as claim:
        max_lines = options.max_lines
        motion = move_lines(picture, camera, max_lines=max_lines, remedy=MORE_LINES)
        save_text(claim.path / "matches.json", format_matches(motion.spans[0].matches))
        write_picture(claim.path / "first.png", picture)
        write_picture(claim.path / "last.png", move_picture(picture, camera, 1, move.border))
        unseen = unseen_mask(video.size, camera, 1)[..., None].repeat(3, axis=-1)
        write_picture(claim.path / "unseen.png", (255 * unseen).astype("uint8"))
        frames = (move_picture(picture, camera, time, move.border) for time in times)
        write_video(claim.path / "camera.mp4", frames, video.fps)
    print(f"video:      {claim.path / 'camera.mp4'}")
    print(f"last frame: {claim.path / 'last.png'}")
    print(f"unseen:     {claim.path / 'unseen.png'}")
    print(f"matches:    {claim.path / 'matches.json'}")
    keyframes = (str(claim.path / name) for name in ("first.png", "last.png"))
    matches = str(claim.path / "matches.json")
    sized = ("--width", str(video.width), "--height", str(video.height))
    words = ("inbetween", *keyframes, "--matches", matches, *sized, "-o", "result")
    print(f"Paint the frames between: {shell_words('python', '-m', 'fcvg_core', *words)}")


def _read_camera(move: CameraMove) -> "Camera":
    """The camera of the options.

    Raises:
        UserError: it does not move.
    """
    from ....motion import Camera, preset_camera

    numbers = Camera(
        pan=(move.pan_x, move.pan_y),
        zoom=move.zoom,
        rotate=move.rotate,
        tilt=(move.tilt_x, move.tilt_y),
    )
    camera = preset_camera(move.move, move.amount).plus(numbers)
    if camera == Camera():
        raise UserError(
            "The camera does not move: choose a move, for example --move zoom-in, or a number, "
            "for example --rotate 10."
        )
    return camera
