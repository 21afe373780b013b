"""A compiled model on a machine that can't compile: the model runs as it is."""

import logging
from collections.abc import Callable

from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrapperExecutor, WrappersMP

KEY = "torch.compile"  # the host's, of the wrapper that puts compiled networks in place


class CompiledOrPlain:
    """The host's wrapper of a compiled model, until compiling fails.

    Args:
        compiled: the wrapper.
    """

    def __init__(self, compiled: Callable):
        self._compiled = compiled
        self._failed = False

    def __call__(self, executor: WrapperExecutor, *args, **kwargs):
        """A call of the model; arguments and result are those of `BaseModel.apply_model`."""
        from torch._dynamo.exc import TorchDynamoException  # slow, but here it is loaded already

        if not self._failed:
            try:
                return self._compiled(executor, *args, **kwargs)
            except TorchDynamoException as error:
                self._failed = True
                logging.warning(
                    "The model runs without torch.compile, because compiling failed (%s). "
                    "torch.compile needs a C++ compiler, and Triton on a card: install what is "
                    "missing, or take the node that compiles out.",
                    _reason(error),
                )
        return executor(*args, **kwargs)


def _reason(error: Exception) -> str:
    """The first line of what a compiler says, for a text of one line."""
    found = getattr(error, "inner_exception", error)
    return str(found).strip().partition("\n")[0] or type(found).__name__


def survive_failed_compilation(model: ModelPatcher) -> None:
    """Let a model that can't be compiled run as it is; that is said once in the log.

    Args:
        model: a clone that nobody else uses yet.
    """
    wrappers = model.wrappers.get(WrappersMP.APPLY_MODEL, {})
    if KEY in wrappers:
        wrappers[KEY] = [CompiledOrPlain(wrapper) for wrapper in wrappers[KEY]]
