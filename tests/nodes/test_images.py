"""IMAGE and MASK inputs: every node says the same of a bad one, whatever its size."""

import asyncio
import re

import numpy as np
import pytest
import torch

SIZE = (64, 128)  # what the nodes below are asked for
SIZES = [SIZE, (96, 80)]
INF = float("inf")


def picture(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def with_value(value: float, *shape: int) -> torch.Tensor:
    """A picture of which one number is another."""
    image = picture(*shape)
    image.view(-1)[len(image.view(-1)) // 3] = value
    return image


# What is wrong, how to make it at a size, and what the message has to say of it.
BAD_IMAGES = {
    "NaN": (lambda h, w: with_value(float("nan"), 2, h, w, 3), "NaN or infinite"),
    "infinite": (lambda h, w: with_value(INF, 2, h, w, 3), "NaN or infinite"),
    "both infinities": (lambda h, w: with_value(INF, 1, h, w, 3) * -1, "NaN or infinite"),
    "NaN in half": (lambda h, w: with_value(float("nan"), 1, h, w, 4).half(), "NaN or infinite"),
    "uint8": (lambda h, w: (picture(1, h, w, 3) * 255).byte(), "torch.uint8"),
    "int64": (lambda h, w: picture(1, h, w, 3).long(), "torch.int64"),
    "bool": (lambda h, w: picture(1, h, w, 3) > 0.5, "torch.bool"),
    "complex": (lambda h, w: picture(1, h, w, 3).to(torch.complex64), "torch.complex64"),
    "no channel": (lambda h, w: picture(1, h, w, 0), "channels"),
    "2 channels": (lambda h, w: picture(1, h, w, 2), "1, 3 or 4 channels"),
    "5 channels": (lambda h, w: picture(1, h, w, 5), "1, 3 or 4 channels"),
    "channels first": (lambda h, w: picture(1, 3, h, w), "1, 3 or 4 channels"),
    "one picture": (lambda h, w: picture(h, w, 3), r"the shape \[\d+, \d+, 3\]"),
    "video": (lambda h, w: picture(1, 2, h, w, 3), r"the shape \[1, 2, "),
    "number": (lambda h, w: torch.tensor(0.5), r"the shape \[\]"),
    "empty batch": (lambda h, w: picture(0, h, w, 3), "an empty batch"),
    "no rows": (lambda h, w: picture(1, 0, w, 3), "is empty"),
    "no columns": (lambda h, w: picture(1, h, 0, 3), "is empty"),
    "list": (lambda h, w: [picture(h, w, 3)], "of type list"),
    "array": (lambda h, w: picture(1, h, w, 3).numpy(), "of type ndarray"),
}
BAD_MASKS = {
    "NaN": (lambda h, w: with_value(float("nan"), 1, h, w), "NaN or infinite"),
    "infinite": (lambda h, w: with_value(-INF, h, w), "NaN or infinite"),
    "uint8": (lambda h, w: (picture(1, h, w) * 255).byte(), "torch.uint8"),
    "complex": (lambda h, w: picture(1, h, w).to(torch.complex64), "torch.complex64"),
    "row": (lambda h, w: picture(w), r"the shape \[\d+\]"),
    "image": (lambda h, w: picture(1, h, w, 3), r"the shape \[1, \d+, \d+, 3\]"),
    "video": (lambda h, w: picture(1, 1, 1, h, w), r"the shape \[1, 1, 1, "),
    "no mask": (lambda h, w: picture(0, h, w), "is empty"),
    "no rows": (lambda h, w: picture(1, 0, w), "is empty"),
    "text": (lambda h, w: "mask", "of type str"),
}


@pytest.fixture(scope="module")
def inputs(pack) -> list[tuple]:
    """Every input of every node: (node, its inputs, one of them)."""
    nodes = asyncio.run(pack.extension.get_node_list())
    schemas = [(node, node.define_schema().inputs) for node in nodes]
    return [(node, given, one) for node, given in schemas for one in given]


@pytest.fixture(scope="module")
def fill_in(load):
    """Something good for every input of a node but models, which come after the pictures."""
    lines = torch.tensor([[[5.0, 10], [60, 40]]])
    boxes = load("fcvg_core.boxes")
    track = boxes.BoxTrack("dog", [[0.1, 0.1, 0.5, 0.5]] * 3)
    sockets = {
        "IMAGE": picture(3, *SIZE, 3),
        "MASK": torch.ones(1, *SIZE),
        "FCVG_LINE_MATCHES": load("fcvg_core.lines").LineMatches(lines, lines, size=SIZE),
        "FCVG_BOXES": boxes.BoxTracks((track,), 3),
        "LATENT": {"samples": torch.zeros(3, 4, 8, 16)},
    }
    sizes = {"height": SIZE[0], "width": SIZE[1], "num_frames": len(sockets["IMAGE"])}

    def fill(inputs: list) -> dict:
        filled = {}
        for one in inputs:
            value = sizes.get(one.id, getattr(one, "default", None))
            options = getattr(one, "options", None)
            if value is None and options:
                value = options[0]
            filled[one.id] = sockets.get(one.get_io_type(), value)
        return filled

    return fill


def message(node, given: dict) -> str:
    with pytest.raises(ValueError) as error:
        node.execute(**given)
    assert type(error.value) is ValueError
    return str(error.value)


@pytest.mark.parametrize("size", SIZES, ids=["right size", "another size"])
@pytest.mark.parametrize(
    ("kind", "make", "found"),
    [
        *(pytest.param("IMAGE", *case, id=f"image, {name}") for name, case in BAD_IMAGES.items()),
        *(pytest.param("MASK", *case, id=f"mask, {name}") for name, case in BAD_MASKS.items()),
    ],
)
def test_every_node_refuses_it_in_words(inputs, fill_in, kind, make, found, size):
    tried = [(node, given, one) for node, given, one in inputs if one.get_io_type() == kind]
    assert len(tried) >= (16 if kind == "IMAGE" else 2)
    for node, given, one in tried:
        said = message(node, {**fill_in(given), one.id: make(*size)})
        where = f"{node.__name__}, {one.id}: {said}"
        assert said.startswith(f"{one.id} ") and re.search(found, said), where
        assert len(re.findall(r"[.:] |\.$", said)) >= 2, where  # found, expected, and the remedy


class TestGoodImages:
    """What is no IMAGE to the letter but clear: the same as the RGB picture in float32."""

    @pytest.fixture
    def check(self, load):
        return load("nodes.host.images").check_image

    def test_rgb_is_handed_on(self, check):
        image = picture(2, *SIZE, 3)
        checked = check(image, "image")
        assert torch.equal(checked, image) and checked.data_ptr() == image.data_ptr()

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
    def test_number_formats(self, check, dtype):
        image = picture(2, *SIZE, 3).to(dtype)
        checked = check(image, "image")
        assert checked.dtype == torch.float32 and torch.equal(checked, image.float())

    def test_alpha_is_dropped_exactly(self, check):
        image = with_value(float("nan"), 1, 3, 1, 4)  # in alpha: of no importance
        assert image.isnan().nonzero()[0, -1] == 0
        image = image.roll(3, -1)
        assert torch.equal(check(image, "image"), image[..., :3])

    def test_grey_is_repeated(self, check):
        image = picture(2, *SIZE, 1)
        assert torch.equal(check(image, "image"), image.repeat(1, 1, 1, 3))

    def test_values_outside(self, check, caplog):
        image = torch.tensor([-0.1, 0.5, 1.1]).reshape(1, 1, 1, 3)
        assert check(image, "image").flatten().tolist() == [0.0, 0.5, 1.0]
        assert not caplog.records  # as sharp resizing leaves them
        assert check(image * 255, "frames").max() == 1
        assert "frames holds values from -25.5 to 280.5" in caplog.text

    @pytest.mark.parametrize("channels", [1, 3, 4])
    @pytest.mark.parametrize("size", [SIZE, (448, 576)])  # the reference would take a row of this
    def test_picture_of_the_right_size_stays_exactly(self, node_classes, load, channels, size):
        image = picture(1, *size, channels)
        expected = image[..., :3].expand(-1, -1, -1, 3)
        node = node_classes["FCVG_CropResize"]
        assert torch.equal(node.execute(image, *size[::-1]).args[0], expected)
        fitted = load("nodes.host.svd.conditioning").fit_keyframe(image, size, "image")
        assert torch.equal(fitted.movedim(1, -1), expected)

    def test_only_the_first_keyframe_counts(self, load):
        image = torch.cat([picture(1, *SIZE, 3), torch.full((1, *SIZE, 3), INF)])
        first = load("nodes.host.images").first_picture(image, "first_frame")
        assert torch.equal(first, image[:1])

    def test_what_the_boxes_hand_on(self, node_classes, load, fill_in, inputs, monkeypatch):
        """Alpha and grey never reach the networks."""
        seen = []
        for module, name in (
            ("controlnext.patch", "steer"),
            ("boxes", "sample_inbetween"),
            ("boxes", "sample_video"),
        ):
            keep = lambda *given, **more: seen.append(given)  # noqa: E731
            monkeypatch.setattr(load(f"nodes.host.{module}"), name, keep)
        for node, given, one in inputs:
            if one.id == "control_frames" and "controlnext" in [x.id for x in given]:
                more = {"controlnext": object(), "control_frames": picture(3, *SIZE, 1)}
                more |= {
                    x.id: picture(1, *SIZE, 4)
                    for x in given
                    if x.get_io_type() == "IMAGE" and x.id != one.id
                }
                node.execute(**fill_in(given) | more)
        (_, _, steered), (_, keyframes, inbetween, _), (_, _, images, animated, _) = seen
        for image in (steered, inbetween.frames, animated.frames):
            assert torch.equal(image, picture(3, *SIZE, 1).expand(-1, -1, -1, 3))
        for image in (*keyframes.values(), *images.values()):
            assert torch.equal(image, picture(1, *SIZE, 4)[..., :3])


class TestGoodMasks:
    @pytest.fixture
    def check(self, load):
        return load("nodes.host.images").check_mask

    @pytest.mark.parametrize("shape", [(4, 6), (1, 4, 6), (2, 4, 6), (1, 1, 4, 6), (1, 4, 6, 1)])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bool])
    def test_every_form_is_the_same_mask(self, check, shape, dtype):
        mask = torch.zeros(4, 6)
        mask[1, 2:] = 1
        given = mask.reshape(-1).repeat(2)[: torch.Size(shape).numel()].reshape(shape).to(dtype)
        checked = check(given, "mask")
        assert torch.equal(checked, mask) and checked.dtype == torch.float32

    @pytest.mark.parametrize("shape", [SIZE, (1, *SIZE), (1, 1, *SIZE), (1, *SIZE, 1)])
    @pytest.mark.parametrize(("use", "kept"), [("keep", 1), ("remove", 0)])
    def test_in_the_node(self, node_classes, inputs, fill_in, shape, use, kept):
        node = node_classes["FCVG_FilterLineMatches"]
        given = next(given for x, given, _ in inputs if x.__name__ == node.__name__)
        for name in ("first_mask", "last_mask"):
            out = node.execute(**fill_in(given) | {name: torch.ones(shape), "mask": use})
            assert len(out.args[0].lines0) == kept


def test_preview_of_a_frame_of_the_right_size_is_not_shifted(load, node_classes):
    """A row that is lost would move the picture under its lines."""
    frame = np.random.RandomState(0).randint(0, 256, (448, 576, 3)).astype(np.uint8)
    lines, none = load("fcvg_core.lines"), torch.zeros(0, 2, 2)
    matches = lines.LineMatches(none, none, size=frame.shape[:2])
    expected = lines.draw_matches(frame, frame, matches, seed=0)
    image = torch.from_numpy(frame)[None] / 255
    preview = (
        node_classes["FCVG_FilterLineMatches"]
        .execute(matches, 0.0, 0.0, 1.0, "none", 20.0, first_frame=image, last_frame=image)
        .args[1]
    )
    assert np.array_equal((preview[0] * 255).round().byte().numpy(), expected)
