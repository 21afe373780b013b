"""What makes a run small enough, from a card that is nearly enough to no memory at all."""

import pytest

from fcvg_core.advice import advise
from fcvg_core.estimate import GB, RESERVED, STREAMS, TOO_LARGE, estimate

CARD = 8 * GB - RESERVED


def needs(size, window):
    return estimate(size, 50, window, "bf16", overlap=6).least


def test_the_largest_window_and_size_that_fit():
    said = advise(needs, (576, 1024), 50, CARD, overlap=6)
    assert said == "lower window to 33, or lower the size to 832 x 448"
    fits = [
        estimate(size, 50, window, "bf16", overlap=6).fit(CARD)
        for size, window in (((576, 1024), 33), ((576, 1024), 34), ((448, 832), 50))
    ]
    assert fits == [STREAMS, TOO_LARGE, STREAMS]


def test_a_window_that_is_short_already():
    said = advise(needs, (1024, 1024), 8, 2 * GB, overlap=6)
    assert said == "lower the size to 576 x 576"
    assert needs((576, 576), 8) <= 2 * GB < needs((640, 640), 8)


def test_no_window_that_the_overlap_forbids():
    said = advise(needs, (576, 1024), 50, CARD, overlap=33)
    assert said == "lower the size to 832 x 448"


def test_its_name_for_the_user():
    said = advise(needs, (576, 1024), 50, CARD, overlap=6, name="--frames")
    assert said.startswith("lower --frames to 33, or ")


def test_neither_alone_is_enough():
    said = advise(needs, (1024, 1024), 50, GB, overlap=6)
    assert said == "lower window to 8 and the size to 384 x 384"
    assert needs((384, 384), 8) <= GB < needs((448, 448), 8)
    assert min(needs((1024, 1024), 8), needs((256, 256), 50)) > GB


@pytest.mark.parametrize(("size", "smallest"), [((576, 1024), "448 x 256"), ((64, 64), "64 x 64")])
def test_not_even_the_smallest_run(size, smallest):
    said = advise(needs, size, 50, GB // 8, overlap=6)
    assert said.startswith(f"not even 8 frames of {smallest} fit, which need 0.")
    assert said.endswith(" GB; use a device with more memory")
