"""Which conditions a pass keeps."""

from collections import Counter

import pytest
from training_cases import generator

from fcvg_core.errors import UserError
from fcvg_core.training.dropout import Dropout, Kept

ALL, NO_EMBEDDING, NO_IMAGE = Kept(), Kept(embedding=False), Kept(image=False)
NEITHER = Kept(embedding=False, image=False)
NOTHING = Kept(embedding=False, image=False, control=False)


class TestDropout:
    @pytest.mark.parametrize(
        ("place", "kept"),
        [
            (0.0, NO_EMBEDDING),
            (0.0999, NO_EMBEDDING),
            (0.1, NOTHING),
            (0.1999, NOTHING),
            (0.2, NO_IMAGE),
            (0.2999, NO_IMAGE),
            (0.31, ALL),
            (1.0, ALL),
        ],
    )
    def test_by_place(self, place, kept):
        assert Dropout(0.1).kept_at(place) == kept

    def test_control_may_stay(self):
        """As in the official training."""
        assert Dropout(0.1, control_with_both=False).kept_at(0.15) == NEITHER

    def test_shares(self):
        seeded = generator()
        drawn = Counter(Dropout(0.1).draw(seeded) for _ in range(100_000))
        assert drawn.keys() == {NO_EMBEDDING, NOTHING, NO_IMAGE, ALL}
        for kept, share in ((NO_EMBEDDING, 0.1), (NOTHING, 0.1), (NO_IMAGE, 0.1), (ALL, 0.7)):
            assert abs(drawn[kept] / 100_000 - share) < 0.005

    def test_none(self):
        assert {Dropout(0.0).kept_at(place) for place in (0.0, 0.5, 1.0)} == {ALL}

    @pytest.mark.parametrize("share", [-0.1, 0.34, float("nan")])
    def test_a_wrong_share(self, share):
        with pytest.raises(UserError, match=r"from 0 to 0\.333"):
            Dropout(share)
