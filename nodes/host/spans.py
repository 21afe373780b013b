"""Several keyframes in a conditioning: which of its entries belongs to which span of the video.

A span lies between two neighbouring keyframes. A conditioning of FCVG Conditioning has one entry
for each span; between two keyframes alone it has one entry without the keys of this module.
"""

from ...fcvg_core.errors import UserError

# Keys of an entry: the number of its span, and the frames of all keyframes of the video.
SPAN = "fcvg_span"
AT = "fcvg_at"


def mark_spans(images: tuple[list, ...], at: tuple[int, ...]) -> tuple[list, list]:
    """CONDITIONINGs of the keyframes that spans begin with, and of those that they end with.

    Args:
        images: CONDITIONING of each keyframe, three or more, in the order of time.
        at: frames of the keyframes.
    """
    return _mark(images[:-1], at), _mark(images[1:], at)


def _mark(images: tuple[list, ...], at: tuple[int, ...]) -> list:
    return [
        [embedding, {**values, SPAN: span, AT: at}]
        for span, image in enumerate(images)
        for embedding, values in image
    ]


def read_places(conds: dict[str, list[dict]], num_frames: int) -> tuple[int, ...]:
    """Frames of the keyframes of a video, the first and the last frame included.

    Args:
        conds: the conds of a guider, by name.

    Raises:
        UserError: the conds are of a video of another length, do not belong together, or lack a
            span.
    """
    images = {name: entries for name, entries in conds.items() if name != "negative"}
    found = {cond.get(AT) for entries in images.values() for cond in entries}
    if len(found) > 1:
        raise UserError(
            "first and last are of different keyframes: connect both outputs of one FCVG "
            "Conditioning to Inbetween Guider."
        )
    at = next(iter(found), None)
    if at is None:
        return (0, num_frames - 1)
    if at[-1] != num_frames - 1:
        raise UserError(
            f"The latent is a video of {num_frames} frames, but the keyframes of FCVG Conditioning "
            f"are those of a video of {at[-1] + 1}: set num_frames to {num_frames} there, or "
            "connect its latent."
        )
    for name, entries in images.items():
        if len({cond[SPAN] for cond in entries}) < len(at) - 1:
            raise UserError(
                f"{name} lacks some of the keyframes of FCVG Conditioning: take out the node after "
                "FCVG Conditioning that keeps only a part of its conditioning."
            )
    return at


def refuse_spans(conds: dict[str, list[dict]]) -> None:
    """Raise UserError if conds belong to spans, which only the guider between keyframes samples.

    Args:
        conds: the conds of another guider, by name.
    """
    if any(SPAN in cond for entries in conds.values() for cond in entries):
        raise UserError(
            "FCVG Conditioning has keyframes between the first and the last, which only Inbetween "
            "Guider samples: connect first and last to Inbetween Guider, or take the input "
            "keyframes out."
        )


def select_span(conds: list[dict], span: int) -> list[dict]:
    """The conds that belong to a span, or to all."""
    return [cond for cond in conds if cond.get(SPAN, span) == span]
