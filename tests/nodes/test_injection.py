import pytest
import torch

pytestmark = pytest.mark.seam


@pytest.fixture
def record(load):
    """Run the injecting sampler around one that only writes down what it is asked for."""
    import comfy.samplers

    def run(*, times, ratio, steps=4):
        seen, told = [], []

        def function(model, x, sigmas, extra_args=None, callback=None, disable=None):
            seen.append(sigmas.tolist())
            for i in range(len(sigmas) - 1):
                callback({"i": i})
            return x * 0

        sampler = load("nodes.host.injection").inject_into(
            comfy.samplers.KSAMPLER(function), times=times, ratio=ratio
        )
        sigmas = torch.arange(steps, -1, -1.0)
        sampler.sampler_function(
            None, torch.zeros(2), sigmas, {"seed": 3}, lambda state: told.append(state["i"])
        )
        return seen, told

    return run


def test_first_steps_are_taken_again(record):
    seen, told = record(times=2, ratio=0.5)
    assert seen == [[4.0, 3.0]] * 3 + [[3.0, 2.0]] * 3 + [[2.0, 1.0, 0.0]]
    assert told == [0, 0, 0, 1, 1, 1, 2, 3]


@pytest.mark.parametrize(("times", "ratio"), [(0, 0.5), (1, 0.0)])
def test_nothing_to_inject_is_one_plain_run(record, times, ratio):
    assert record(times=times, ratio=ratio)[0] == [[4.0, 3.0, 2.0, 1.0, 0.0]]


def test_all_steps(record):
    assert record(times=1, ratio=1.0, steps=2)[0] == [[2.0, 1.0]] * 2 + [[1.0, 0.0]] * 2


def test_sampler_of_another_kind(load):
    with pytest.raises(ValueError, match="take one of KSamplerSelect"):
        load("nodes.host.injection").inject_into(object(), times=1, ratio=0.5)
