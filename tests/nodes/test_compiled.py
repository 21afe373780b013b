"""Compiled models on machines that can't compile."""

import pytest
import torch
from guiding import Rig

pytestmark = pytest.mark.sampling


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture
def compiled(rig):
    """A function that compiles a model by a given compiler."""
    from comfy_api.torch_helpers import set_torch_compile_wrapper

    def compiled_by(backend, model):
        model = model.clone()
        set_torch_compile_wrapper(model, backend=backend)
        return model

    yield compiled_by
    torch._dynamo.reset()


def no_compiler(graph, inputs):
    raise RuntimeError("Failed to find a C compiler.\nSet CC.")


def test_the_model_runs_as_it_is(rig, compiled, caplog):
    model = rig.steer()
    wanted, out = (rig.sample(rig.inbetween(x)) for x in (model, compiled(no_compiler, model)))
    assert torch.equal(out, wanted)
    (said,) = [text for text in caplog.messages if "torch.compile" in text]
    assert "Failed to find a C compiler" in said and "Set CC" not in said


def test_other_errors_are_not_hidden(rig, compiled, caplog):
    model = rig.steer()
    model.set_model_patch(stop, "input_block_patch")
    with pytest.raises(InterruptedError):
        rig.sample(rig.inbetween(compiled("eager", model)))
    assert not [text for text in caplog.messages if "torch.compile" in text]


def stop(hidden, options):
    """A patch in which a run ends."""
    raise InterruptedError


def test_the_model_that_comes_in_stays_as_it_is(rig, compiled):
    model = compiled(no_compiler, rig.steer())
    before = {key: list(x) for key, x in model.wrappers["apply_model"].items()}
    rig.inbetween(model)
    assert model.wrappers["apply_model"] == before
