"""A-B and B-C -> A-B-C."""

import pytest

from fcvg_core.errors import UserError
from fcvg_core.motion import Motion, Span, join_motions


def test_spans_in_their_order() -> None:
    a, b, c = Span(), Span(), Span()
    joined = join_motions([Motion((64, 96), (a, b)), Motion((64, 96), (c,))])
    assert joined.size == (64, 96) and joined.num_keyframes == 4
    assert all(x is y for x, y in zip(joined.spans, (a, b, c), strict=True))


def test_one_motion_is_itself() -> None:
    motion = Motion((64, 96), (Span(),))
    assert join_motions([motion]).spans == motion.spans


def test_other_sizes() -> None:
    motions = [Motion((64, 96), (Span(),)), Motion((96, 64), (Span(),))]
    with pytest.raises(UserError, match="Motion 2 is of keyframes of 64 x 96 .* is of 96 x 64 pix"):
        join_motions(motions)


def test_none() -> None:
    with pytest.raises(ValueError, match="at least one motion, got none"):
        join_motions([])
