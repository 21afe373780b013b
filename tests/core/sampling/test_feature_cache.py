import pytest
import torch

from fcvg_core.sampling import FeatureCache, check_cache_interval


def run(cache: FeatureCache, level: float, *calls: list) -> list[bool]:
    """Ask for the calls of one evaluation, keep what whole calls compute, read what others use."""
    answers = []
    for keys in calls:
        whole = cache.needs_whole(level, keys)
        for key in keys:
            if whole:
                cache.put(key, torch.tensor(level))
            else:
                cache.get(key)
        answers.append(whole)
    return answers


def levels_used(cache: FeatureCache, keys: list) -> list[float]:
    return [cache.get(key).item() for key in keys]


@pytest.mark.parametrize(("interval", "whole"), [(1, 7), (2, 4), (3, 3), (7, 1), (100, 1)])
def test_every_nth_evaluation_is_whole(interval, whole):
    cache = FeatureCache(interval)
    answers = [run(cache, level, ["a", "b"])[0] for level in range(7, 0, -1)]
    assert answers == [i % interval == 0 for i in range(7)]
    assert (cache.whole, cache.reused) == (2 * whole, 2 * (7 - whole))


def test_features_are_those_of_the_last_whole_evaluation():
    cache = FeatureCache(2)
    used = []
    for level in (9.0, 8.0, 7.0, 6.0):
        run(cache, level, ["a"])
        used += levels_used(cache, ["a"])
    assert used == [9.0, 9.0, 7.0, 7.0]


def test_calls_of_one_evaluation_belong_together_however_they_are_split():
    """The host splits a batch for memory, in another way at each level."""
    cache = FeatureCache(2)
    assert run(cache, 9.0, ["a", "b"], ["c", "d"]) == [True, True]
    assert run(cache, 8.0, ["d", "c", "b"], ["a"]) == [False, False]
    assert run(cache, 7.0, ["a"], ["b"], ["c"], ["d"]) == [True] * 4
    assert (cache.whole, cache.reused) == (8, 4)


def test_windows_are_keys_of_their_own():
    cache = FeatureCache(2)
    windows = [[("forward", start)] for start in (0, 19)]
    assert run(cache, 9.0, *windows) == [True, True]
    cache.put(("forward", 19), torch.tensor(5.0))
    assert run(cache, 8.0, *windows) == [False, False]
    assert levels_used(cache, [("forward", 0), ("forward", 19)]) == [9.0, 5.0]


def test_a_level_that_is_repeated_is_another_evaluation():
    """Noise injection takes a step again from the same level."""
    cache = FeatureCache(2)
    answers = [run(cache, level, ["a"], ["b"]) for level in (9.0, 9.0, 9.0, 8.0)]
    assert answers == [[True, True], [False, False], [True, True], [False, False]]


def test_a_level_comes_back():
    cache = FeatureCache(2)
    assert [run(cache, level, ["a"])[0] for level in (9.0, 8.0, 9.0)] == [True, False, True]


def test_a_key_that_comes_between_whole_evaluations_is_whole():
    """Guidance begins at a level whose conditional pass uses kept features."""
    cache = FeatureCache(3)
    assert run(cache, 9.0, ["cond"]) == [True]
    assert run(cache, 8.0, ["cond"], ["uncond"]) == [False, True]
    assert run(cache, 7.0, ["cond"], ["uncond"]) == [False, False]
    assert levels_used(cache, ["cond", "uncond"]) == [9.0, 8.0]


def test_a_new_key_makes_its_whole_call_whole():
    cache = FeatureCache(3)
    run(cache, 9.0, ["cond"])
    assert run(cache, 8.0, ["cond", "uncond"]) == [True]
    assert levels_used(cache, ["cond", "uncond"]) == [8.0, 8.0]


def test_a_key_that_was_away_in_a_whole_evaluation_has_no_old_features():
    cache = FeatureCache(2)
    run(cache, 9.0, ["cond", "uncond"])
    run(cache, 8.0, ["cond", "uncond"])
    run(cache, 7.0, ["cond"])  # whole, and without guidance
    with pytest.raises(KeyError):
        cache.get("uncond")
    assert run(cache, 6.0, ["cond"], ["uncond"]) == [False, True]


@pytest.mark.parametrize(("interval", "steps"), [(1, 1), (2, 2), (3, 25)])
def test_intervals(interval, steps):
    check_cache_interval(interval, steps)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (25, r"there are 25 steps: set it to a number from 1 \(no cache\) to 25\.$"),
        (1, r"there is 1 step: set it to 1 \(no cache\)\.$"),
    ],
)
def test_an_interval_longer_than_the_run(steps, words):
    with pytest.raises(ValueError, match=f"^The interval of the cache is 26, but {words}"):
        check_cache_interval(26, steps)
