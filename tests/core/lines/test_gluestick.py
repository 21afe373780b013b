"""GlueStick's network against the official code, and the loading of its official files."""

import json

import pytest
import torch
from gluestick_cases import OWN_FOLDER, cases, load, weights

from fcvg_core.lines import Wireframe
from fcvg_core.lines.gluestick import (
    Config,
    GlueStickNetwork,
    assign,
    endpoint_inputs,
    keypoint_inputs,
    likeness,
    log_double_softmax,
    normalize_points,
    update_line_endpoints,
)
from fcvg_core.lines.gluestick_keys import (
    fold,
    gluestick_shapes,
    read_gluestick,
    read_superpoint,
    superpoint_shapes,
)

CLOSE = {"rtol": 0, "atol": 1e-3}
TINY = Config(dim=16, heads=4, encoder=(8,), rounds=2)


@pytest.fixture(scope="module", params=cases("gnn"), ids=lambda path: path.stem)
def case(request):
    config, tensors = load(request.param)
    network = GlueStickNetwork()
    network.load_state_dict(read_gluestick(weights("gluestick", config), name="golden"))
    return config, tensors, network.eval().requires_grad_(False)


def wireframe(tensors: dict, which: int) -> Wireframe:
    def part(name: str) -> torch.Tensor:
        return tensors[f"in_{name}{which}"][0]

    width, height = part("image_size").tolist()
    return Wireframe(
        points=part("keypoints"),
        scores=part("keypoint_scores"),
        descriptors=part("descriptors"),
        lines=part("lines"),
        line_points=part("lines_junc_idx"),
        line_scores=part("line_scores"),
        size=(height, width),
    )


def without_lines(given: Wireframe) -> Wireframe:
    lines = (given.lines[:0], given.line_points[:0], given.line_scores[:0])
    return Wireframe(given.points, given.scores, given.descriptors, *lines, given.size)


def swapped(matches0: torch.Tensor, count: int) -> torch.Tensor:
    """Partners seen from the other side."""
    matches1 = torch.full((count,), -1)
    found = matches0 >= 0
    matches1[matches0[found]] = found.nonzero()[:, 0]
    return matches1


class TestGolden:
    def test_encoders(self, case):
        _, tensors, network = case
        for which in (0, 1):
            given = wireframe(tensors, which)
            for mlp, inputs, name in (
                (network.kenc, keypoint_inputs(given), "kenc"),
                (network.lenc, endpoint_inputs(given), "lenc"),
            ):
                if f"{name}{which}" in tensors:
                    expected = tensors[f"{name}{which}"][0]
                    torch.testing.assert_close(mlp(inputs).T, expected, **CLOSE)

    def test_layers(self, case):
        _, tensors, network = case
        both = wireframe(tensors, 0), wireframe(tensors, 1)
        for key, hidden in zip("01", network.describe_points(*both), strict=True):
            if f"gnn_out{key}" in tensors:
                torch.testing.assert_close(hidden.T, tensors[f"gnn_out{key}"][0], **CLOSE)

    def test_lines(self, case):
        config, tensors, network = case
        log = network(wireframe(tensors, 0), wireframe(tensors, 1))
        torch.testing.assert_close(log, tensors["line_log_assignment"][0], **CLOSE)
        found = assign(log, threshold=config["filter_threshold"])
        assert torch.equal(found.matches0, tensors["line_matches0"][0])
        count = log.shape[1] - 1
        assert torch.equal(swapped(found.matches0, count), tensors["line_matches1"][0])
        torch.testing.assert_close(found.scores0, tensors["line_match_scores0"][0], **CLOSE)

    @pytest.mark.parametrize("prefix", ["", "nolines1_"])
    def test_points(self, case, prefix):
        config, tensors, network = case
        if f"{prefix}log_assignment" not in tensors:
            pytest.skip("not in this case")
        first, second = wireframe(tensors, 0), wireframe(tensors, 1)
        second = without_lines(second) if prefix else second
        scores = likeness(network.final_proj, *network.describe_points(first, second))
        log = log_double_softmax(scores, network.bin_score)
        torch.testing.assert_close(log, tensors[f"{prefix}log_assignment"][0], **CLOSE)
        found = assign(log, threshold=config["filter_threshold"])
        assert torch.equal(found.matches0, tensors[f"{prefix}matches0"][0])


class TestParts:
    def test_line_scores_are_repeated_as_the_reference_does(self):
        lines = torch.tensor([[[0.0, 0], [70, 0]], [[0, 70], [70, 70]]])
        given = Wireframe(
            points=torch.zeros(1, 2),
            scores=torch.zeros(1),
            descriptors=torch.zeros(16, 1),
            lines=lines,
            line_points=torch.zeros(2, 2, dtype=torch.int64),
            line_scores=torch.tensor([0.1, 0.9]),
            size=(100, 100),
        )
        inputs = endpoint_inputs(given)
        torch.testing.assert_close(inputs[:, 4], torch.tensor([0.1, 0.9, 0.1, 0.9]))
        torch.testing.assert_close(inputs[1, :4], torch.tensor([20 / 70, -50 / 70, -1.0, 0.0]))

    def test_normalize_points(self):
        points = torch.tensor([[0.0, 0], [100, 50]])
        expected = torch.tensor([[-50 / 70, -25 / 70], [50 / 70, 25 / 70]])
        torch.testing.assert_close(normalize_points(points, (50, 100)), expected)

    def test_a_line_updates_each_end_from_the_other(self):
        hidden = torch.tensor([[1.0], [2.0], [4.0]])
        places = torch.tensor([[0, 1], [0, 2]])
        far = torch.nn.Linear(3, 1, bias=False)
        far.weight.data = torch.tensor([[0.0, 1.0, 0.0]])
        share = torch.tensor([[0.5], [1.0], [0.5], [1.0]])
        updated = update_line_endpoints(far, hidden, torch.zeros(4, 1), places, share)
        torch.testing.assert_close(updated, torch.tensor([[4.0], [3.0], [5.0]]))

    def test_assign_wants_mutual_and_more_than_the_threshold(self):
        log = torch.tensor([[0.9, 0.2, 0.0], [0.8, 0.1, 0.0], [0.0, 0.0, 0.0]]).log()
        found = assign(log, threshold=0.5)
        assert found.matches0.tolist() == [0, -1]
        torch.testing.assert_close(found.scores0, torch.tensor([0.9, 0.0]))
        assert assign(log, threshold=0.95).matches0.tolist() == [-1, -1]

    def test_equal_segments_tie(self):
        torch.manual_seed(0)
        network = GlueStickNetwork(TINY).eval()
        given = Wireframe(
            points=torch.rand(4, 2) * 100,
            scores=torch.rand(4),
            descriptors=torch.rand(16, 4),
            lines=torch.rand(3, 2, 2) * 100,
            line_points=torch.tensor([[0, 1], [2, 3], [0, 1]]),
            line_scores=torch.rand(3),
            size=(100, 100),
        )
        with torch.no_grad():
            log = network(given, given)
        assert torch.equal(log[0], log[2])


class TestNetwork:
    def tiny(self, count: int, num_lines: int) -> Wireframe:
        generator = torch.Generator().manual_seed(count)
        return Wireframe(
            points=torch.rand(count, 2, generator=generator) * 100,
            scores=torch.rand(count, generator=generator),
            descriptors=torch.rand(16, count, generator=generator),
            lines=torch.rand(num_lines, 2, 2, generator=generator) * 100,
            line_points=torch.randint(0, 2 * num_lines, (num_lines, 2), generator=generator),
            line_scores=torch.rand(num_lines, generator=generator),
            size=(100, 120),
        )

    @torch.no_grad()
    @pytest.mark.parametrize(("dtype", "error"), [(torch.bfloat16, 2e-2), (torch.float16, 2e-3)])
    def test_precisions(self, dtype, error):
        torch.manual_seed(0)
        exact, network = GlueStickNetwork(TINY), GlueStickNetwork(TINY, dtype=dtype)
        network.load_state_dict(exact.state_dict())
        wireframes = self.tiny(9, 4), self.tiny(7, 3)
        found, wanted = (model.eval()(*wireframes) for model in (network, exact))
        assert found.shape == (5, 4) and found.dtype == torch.float32
        torch.testing.assert_close(found, wanted, rtol=0, atol=error)

    def test_never_waits_for_a_device(self):
        """Meta tensors have no values that could be asked for."""
        both = []
        for given in (self.tiny(9, 4), self.tiny(7, 3)):
            values = {k: v.to("meta") for k, v in vars(given).items() if k != "size"}
            both.append(Wireframe(**values, size=given.size))
        log = GlueStickNetwork(TINY, device="meta")(*both)
        assert log.shape == (5, 4)
        assert assign(log, threshold=0.2).matches0.shape == (4,)

    @torch.no_grad()
    def test_folding_keeps_the_attention(self):
        """One head of the official layer, by hand, against the folded layer."""
        torch.manual_seed(0)
        official = {k: torch.rand(shape) - 0.5 for k, shape in gluestick_shapes(TINY).items()}
        official = {k: v.abs() + 1 if "running_var" in k else v for k, v in official.items()}
        network = GlueStickNetwork(TINY).eval()
        network.load_state_dict(fold(official, TINY))
        hidden = torch.rand(5, TINY.dim)
        found = network.layers[0](hidden, 3, cross=True)
        for own, other in ((slice(0, 3), slice(3, 5)), (slice(3, 5), slice(0, 3))):
            expected = self.plain_layer(official, hidden[own].T, hidden[other].T)
            torch.testing.assert_close(found[own], hidden[own] + expected.T, rtol=0, atol=1e-4)

    @staticmethod
    def plain_layer(official: dict, x: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        name = "gnn.layers.0.update"

        def linear(key: str, value: torch.Tensor) -> torch.Tensor:
            weight = official[f"{name}.{key}.weight"][:, :, 0]
            return weight @ value + official[f"{name}.{key}.bias"][:, None]

        parts = [linear(f"attn.proj.{i}", y) for i, y in enumerate((x, source, source))]
        query, key, value = (y.reshape(-1, TINY.heads, y.shape[1]) for y in parts)
        weights = torch.einsum("dhn,dhm->hnm", query, key) / query.shape[0] ** 0.5
        message = torch.einsum("hnm,dhm->dhn", weights.softmax(dim=-1), value)
        hidden = linear("mlp.0", torch.cat([x, linear("attn.merge", message.flatten(0, 1))]))
        norm = [
            official[f"{name}.mlp.1.{k}"] for k in ("running_mean", "running_var", "weight", "bias")
        ]
        hidden = torch.nn.functional.batch_norm(hidden.T, *norm).T
        return linear("mlp.3", hidden.relu())


class TestFiles:
    def test_names_are_the_official_ones(self):
        names = json.loads((OWN_FOLDER / "keys.json").read_text(encoding="utf-8"))
        for shapes, key in (
            (gluestick_shapes(Config()), "gluestick"),
            (superpoint_shapes(), "superpoint"),
        ):
            assert {k: list(v) for k, v in shapes.items()} == names[key]

    @pytest.mark.parametrize("prefix", ["matcher.", "module.matcher.", "matcher.module."])
    def test_nested(self, prefix):
        official = {k: torch.rand(shape) for k, shape in gluestick_shapes(TINY).items()}
        expected = fold(official, TINY)
        nested = {prefix + key: value for key, value in official.items()}
        nested["extractor.sp.conv1a.weight"] = torch.zeros(1)
        file = {"model": nested, "optimizer": {"state": {}}, "epoch": 3}
        found = read_gluestick(file, name="x", config=TINY)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], expected[key]) for key in expected)
        GlueStickNetwork(TINY).load_state_dict(found)

    def test_wrong_keys_are_named(self):
        official = {k: torch.zeros(shape) for k, shape in gluestick_shapes(TINY).items()}
        del official["final_proj.bias"]
        official["kenc.encoder.0.bias"] = torch.zeros(3)
        official["other"] = torch.zeros(1)
        with pytest.raises(ValueError) as error:
            read_gluestick(official, name="mine.tar", config=TINY)
        message = str(error.value)
        for part in (
            "mine.tar does not fit: it is a GlueStick checkpoint",
            r"kenc.encoder.0.bias has the shape (3,), but (8,) is expected",
            "final_proj.bias is missing",
            "other is unknown",
        ):
            assert part in message

    def test_files_in_each_others_place(self):
        superpoint = {k: torch.zeros(shape) for k, shape in superpoint_shapes().items()}
        with pytest.raises(ValueError, match="it is SuperPoint's weights.*bin_score is missing"):
            read_gluestick(superpoint, name="x")
        gluestick = {f"matcher.{k}": torch.zeros(s) for k, s in gluestick_shapes(TINY).items()}
        with pytest.raises(ValueError, match="it is a GlueStick checkpoint.*conv1a.weight is miss"):
            read_superpoint({"model": gluestick}, name="x")

    @pytest.mark.parametrize("state", [{}, {"model": {}}, {"a": 1}, {"model": {1: 2}}])
    def test_foreign(self, state):
        with pytest.raises(ValueError, match="bin_score is missing"):
            read_gluestick(state, name="x")

    def test_not_weights(self):
        with pytest.raises(ValueError, match="x holds a list, not weights"):
            read_gluestick([1], name="x")

    def test_broken_numbers(self):
        broken = {k: torch.zeros(shape) for k, shape in superpoint_shapes().items()}
        broken["conv2a.bias"] = torch.full((64,), torch.nan)
        with pytest.raises(ValueError, match="conv2a.bias holds NaN"):
            read_superpoint(broken, name="x")

    def test_missing_superpoint(self):
        with pytest.raises(ValueError, match="superpoint_v1.pth.*https.*non-commercial"):
            read_superpoint(None, name="superpoint_v1.pth")
