"""Content keys, seeds that are drawn, and shares of a manifest."""

import pytest

from fcvg_core.batch.planning.keys import content_key, digest, in_shard, seed_of

OPTIONS = {"steps": 25, "fps": 7, "timing": [0.0, 0.5, 1.0], "prompt": "a", "first": "/a.png"}


def key(mode="preview", recipe=1, options=(), inputs=(), paths=("first",)) -> str:
    return content_key(
        mode, recipe, OPTIONS | dict(options), {"first": "f" * 64} | dict(inputs), paths=paths
    )


class TestContentKey:
    def test_is_the_same_in_every_version(self):
        """A key that changes makes everything again: change this number only with the recipe."""
        assert key() == "07367e09e15c0397de650b420896a3af82a63223fa74e4871e2116dcd5784833"

    @pytest.mark.parametrize(
        "change",
        [
            {"mode": "inbetween"},
            {"recipe": 2},
            {"options": {"steps": 24}},
            {"options": {"fps": 7.5}},
            {"options": {"prompt": "b"}},
            {"options": {"draft": True}},
            {"options": {"timing": [0.0, 1.0]}},
            {"inputs": {"first": "e" * 64}},
            {"inputs": {"last": "f" * 64}},
            {"paths": ()},
        ],
    )
    def test_what_changes_the_result_changes_it(self, change):
        assert key(**change) != key()

    @pytest.mark.parametrize(
        "options",
        [
            {"fps": 7.0},
            {"timing": [0, 0.5, 1]},
            {"output": "x"},
            {"device": "cuda:3"},
            {"offload": True},
            {"version": 2},
            {"first": "/elsewhere/b.png"},
        ],
    )
    def test_what_changes_no_result_does_not(self, options):
        assert key(options=options) == key()

    def test_true_is_not_one(self):
        assert key(options={"steps": True}) != key(options={"steps": 1})


def test_digest_does_not_depend_on_the_order():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


def test_drawn_seeds_follow_from_the_id():
    seeds = [seed_of(f"p{number}") for number in range(100)]
    assert seeds == [seed_of(f"p{number}") for number in range(100)]
    assert len(set(seeds)) == 100 and all(0 <= seed < 2**31 for seed in seeds)


class TestShards:
    def test_each_id_is_in_one_share(self):
        ids = [f"p{number}" for number in range(1000)]
        shares = [{one for one in ids if in_shard(one, (number, 4))} for number in range(4)]
        assert set().union(*shares) == set(ids) and sum(map(len, shares)) == 1000
        assert all(200 < len(share) < 300 for share in shares)

    def test_a_manifest_is_one_share(self):
        assert in_shard("a", None) and in_shard("a", (0, 1))

    def test_the_last_share_may_be_counted_from_one(self):
        assert in_shard("a", (4, 4)) == in_shard("a", (0, 4))
