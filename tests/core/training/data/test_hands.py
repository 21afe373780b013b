"""Weights of hands: where they lie after a clip was fitted, and details of a wrong form."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from fcvg_core.errors import UserError
from fcvg_core.training.config import Clips
from fcvg_core.training.data import Item, read_hands

BOX = [[0.5, 0.5], [0.75, 0.75]]
SURE, UNSURE = [0.9] * 21, [0.5] * 21


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    for number in range(2):
        Image.fromarray(np.zeros((80, 160, 3), np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def weights(frames, tmp_path):
    """A function that gives the weights of the frames that details describe."""

    def read(rows, numbers=(0,), fit="crop"):
        path = tmp_path / "details.json"
        path.write_text(json.dumps(rows))
        item = Item(id="a", frames=frames, details=path)
        clips = Clips(width=64, height=64, fit=fit)
        return read_hands(item, clips, numbers, (8, 8), hand_weight=4)

    return read


def test_a_hand_counts_more(weights):
    """The box covers 80..120 x 40..60 pixels of 160 x 80, its margin 70..130 x 30..70."""
    rows = [{"hands_boxes": [BOX], "hands_score": [SURE]}, {"boxes": []}]
    found = weights(rows, (1, 0), fit="stretch")
    assert found.shape == (2, 1, 8, 8) and found.dtype == torch.float32
    assert (found[0] == 1).all()
    hand = found[1, 0]
    torch.testing.assert_close(hand[4:6, 4:6], torch.full((2, 2), 4.2))  # inside: 1 + 4 * 0.8
    assert (hand[:, :3] == 1).all() and (hand[:2] == 1).all() and (hand[:, 7] == 1).all()
    torch.testing.assert_close(
        hand.mean(), torch.tensor(1 + 3.2 * 60 * 40 / (160 * 80)), atol=0.02, rtol=0
    )


def test_it_lies_where_the_picture_lies(weights):
    """Cropped to 64 x 64, 40..120 of 160 pixels are kept; the mask begins at 70 of them."""
    hand = weights([{"hands_boxes": [BOX], "hands_score": [SURE]}])[0, 0]
    torch.testing.assert_close(hand[4, 5:], torch.full((3,), 4.2), atol=0.05, rtol=0)
    assert (hand[:, :2] == 1).all()
    padded = weights([{"hands_boxes": [BOX], "hands_score": [SURE]}], fit="pad")[0, 0]
    assert (padded[:2] == 1).all() and padded[4, 5] > 4


def test_an_unsure_hand_counts_as_the_rest_and_takes_nothing_away(weights):
    assert (weights([{"hands_boxes": [BOX], "hands_score": [UNSURE]}]) == 1).all()
    both = weights([{"hands_boxes": [BOX, BOX], "hands_score": [SURE, UNSURE]}])
    assert torch.equal(both, weights([{"hands_boxes": [BOX], "hands_score": [SURE]}]))


def test_a_box_at_the_border_and_beyond(weights):
    rows = [{"hands_boxes": [[[-0.5, -1], [2, 5]]], "hands_score": [SURE]}]
    torch.testing.assert_close(weights(rows), torch.full((1, 1, 8, 8), 4.2))


def test_no_details(frames):
    item = Item(id="a", frames=frames)
    assert read_hands(item, Clips(), (0,), (8, 8), hand_weight=4) is None


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"hands_boxes": []}, "holds {'hands_boxes': ..}; expected a list with an object a frame"),
        ([], "describes 0 frames, but frame 0 of"),
        (["a"], "Frame 0 of .* is 'a'; expected a list"),
        ([{"hands_boxes": "a", "hands_score": []}], "expected a list with an object a frame"),
        ([{"hands_boxes": [BOX], "hands_score": []}], "has 1 hands_boxes and 0 hands_score"),
        ([{"hands_boxes": [[1, 2]], "hands_score": [SURE]}], "Frame 0 of .* expected a list"),
        ([{"hands_boxes": [BOX], "hands_score": [0.9]}], "Frame 0 of .* expected a list"),
        ([{"hands_boxes": [BOX], "hands_score": [["a"]]}], "Frame 0 of .* expected a list"),
        ([{"hands_boxes": [[["0", 0], [1, 1]]], "hands_score": [SURE]}], "Frame 0 of"),
    ],
)
def test_details_of_another_form(weights, rows, said):
    with pytest.raises(UserError, match=said):
        weights(rows)
