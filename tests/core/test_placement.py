"""Where a picture lies in a frame, and how this is said."""

import pytest

from fcvg_core.placement import is_same_shape, place_picture


@pytest.mark.parametrize(
    ("picture", "frame", "fit", "anchor", "words"),
    [
        (
            (720, 1280),
            (512, 512),
            "crop",
            "center",
            "1280 x 720 -> 512 x 512: 280 pixels are cut off at the left and 280 at the right.",
        ),
        (
            (720, 1281),
            (512, 512),
            "crop",
            "center",
            "1281 x 720 -> 512 x 512: 280 pixels are cut off at the left and 281 at the right.",
        ),
        (
            (720, 1280),
            (512, 512),
            "crop",
            "top-left",
            "1280 x 720 -> 512 x 512: 560 pixels are cut off at the right.",
        ),
        (
            (65, 64),
            (64, 64),
            "crop",
            "bottom",
            "64 x 65 -> 64 x 64: 1 pixel is cut off at the top.",
        ),
        (
            (720, 1280),
            (512, 512),
            "pad",
            "center",
            "1280 x 720 -> 512 x 512: 112 black pixels are added at the top and 112 at the bottom.",
        ),
        (
            (720, 1280),
            (512, 512),
            "stretch",
            "top",
            "1280 x 720 -> 512 x 512: the proportions change, because the picture is stretched.",
        ),
        ((1080, 1920), (576, 1024), "crop", "top", "1920 x 1080 -> 1024 x 576 pixels."),
        ((1080, 1920), (576, 1024), "pad", "left", "1920 x 1080 -> 1024 x 576 pixels."),
        ((1080, 1920), (576, 1024), "stretch", "center", "1920 x 1080 -> 1024 x 576 pixels."),
    ],
)
def test_words(picture, frame, fit, anchor, words) -> None:
    assert str(place_picture(picture, frame, fit, anchor)) == words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("magic", "center"), "Unknown fit 'magic': expected one of crop, pad, stretch."),
        (("pad", "middle"), "Unknown anchor 'middle': expected one of center, top, "),
    ],
)
def test_word_that_is_none(words, message) -> None:
    with pytest.raises(ValueError, match=message):
        place_picture((4, 4), (4, 4), *words)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("sizes", [((1, 900), (900, 1)), ((900, 1), (1, 900)), ((1, 1), (64, 64))])
def test_something_is_always_left(fit, sizes) -> None:
    placed = place_picture(*sizes, fit)
    for (left, top, right, bottom), (height, width) in zip(
        (placed.kept, placed.box), sizes, strict=True
    ):
        assert 0 <= left < right <= width and 0 <= top < bottom <= height


def test_same_shape() -> None:
    assert is_same_shape((1080, 1920), (576, 1024)) and is_same_shape((1000, 1000), (64, 64))
    assert not is_same_shape((720, 1280), (512, 512))
