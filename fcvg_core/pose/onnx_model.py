"""An ONNX network that somebody else opens, on the fastest device that works."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UserError

# onnxruntime's names of what it can run on, the best first.
CPU = "CPUExecutionProvider"
PROVIDERS = ("CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider", CPU)

NUMBERS = "tensor(float)"  # onnxruntime's name of float32
Shape = tuple[int | None, ...]  # None is any number


@dataclass(frozen=True)
class Signature:
    """Shapes that go into a network and come out of it."""

    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]

    def fits(self, found: "Signature") -> bool:
        """Whether a network of another signature can be run as one of this."""
        return _all_fit(self.inputs, found.inputs) and _all_fit(self.outputs, found.outputs)

    def gives(self, shapes: tuple[tuple[int, ...], ...]) -> bool:
        """Whether arrays of these shapes may come out of the network."""
        return len(shapes) == len(self.outputs) and all(
            len(wanted) == len(shape)
            and all(a in (None, b) for a, b in zip(wanted, shape, strict=True))
            for wanted, shape in zip(self.outputs, shapes, strict=True)
        )

    def __str__(self) -> str:
        return f"{_shapes_text(self.inputs)} to {_shapes_text(self.outputs)}"


class Device:
    """What networks run on: one for all of them, so that a failure is found and told once a run.

    A run ends with `recover`. A card whose memory ran out may have room in the next run.

    Args:
        chosen: of PROVIDERS.
    """

    def __init__(self, chosen: str = CPU) -> None:
        self.chosen = self.provider = chosen

    def give_up(self, reason: str) -> None:
        """Go on with the CPU until the run ends, and say so."""
        name = self.chosen.removesuffix("ExecutionProvider")
        logging.warning(
            "%s does not work (%s): this run finds poses on the CPU, which is slower. "
            "The next run tries %s again.",
            name,
            reason,
            name,
        )
        self.provider = CPU

    def recover(self) -> None:
        """End a run: the next one tries the chosen provider again."""
        self.provider = self.chosen


def usable_providers(installed: Sequence[str], *, cpu_only: bool, cuda: bool) -> list[str]:
    """Those of onnxruntime's providers that may work here.

    Args:
        installed: what onnxruntime was built for.
        cpu_only: the user asked for it.
        cuda: whether there is a card that torch can use; onnxruntime would complain at length.
    """
    if cpu_only:
        return [CPU]
    return [name for name in installed if cuda or not name.startswith("CUDA")]


def choose_device(usable: Sequence[str]) -> Device:
    """The fastest device of `usable_providers`; it is logged."""
    device = Device(next((name for name in PROVIDERS if name in usable), CPU))
    logging.info("Poses are found on: %s.", device.provider.removesuffix("ExecutionProvider"))
    return device


class OnnxModel:
    """A network that is opened when it is needed, and again after it was released.

    Args:
        open_session: gives an onnxruntime session on providers of these names, the first one
            preferred; or anything with `run`, `get_inputs`, `get_outputs` and `get_providers`.
        signature: what the network has to take and give.
        name: of the file, for messages.
        device: falls back to the CPU, until `release`, where it does not work.

    Raises:
        UserError: the file can't be opened, or it is another network; so does `run` where the
            network fails, or gives what it should not.
    """

    def __init__(
        self,
        open_session: Callable[[list[str]], object],
        *,
        signature: Signature,
        name: str,
        device: Device,
    ):
        self._open_session, self._signature = open_session, signature
        self.name, self.device = name, device
        self._session = None
        self.session()

    def run(self, values: np.ndarray) -> list[np.ndarray]:
        """All outputs for one input; where the network takes one at a time, one after the other."""
        session = self.session()
        batch = session.get_inputs()[0].shape[0]
        parts = [values]
        if batch == 1:
            parts = [values[i : i + 1] for i in range(len(values))]
        outputs = [self._run_part(part) for part in parts]
        self._check_outputs(outputs)
        return [np.concatenate(rows) for rows in zip(*outputs, strict=True)]

    def release(self) -> None:
        """End a run of the device and give the memory back; `run` opens the network again."""
        self._session = None
        self.device.recover()

    def session(self) -> object:
        """The session, opened where it was not, or where the device is another one by now."""
        if self._session and self._session.get_providers()[0] == self.device.provider:
            return self._session
        session = self._open(self.device.provider)
        if self.device.provider not in session.get_providers():
            self.device.give_up("it could not be started")
        self._check(session)
        self._session = session
        return session

    def _open(self, provider: str) -> object:
        """A session; one on the CPU where another provider can't open the file but that can."""
        try:
            return self._open_session(list(dict.fromkeys([provider, CPU])))
        except Exception as error:
            if provider == CPU:
                raise UserError(
                    f"{self.name} can't be opened as an ONNX network: {_first_line(error)}. "
                    "It is empty, cut off or something else: download it again."
                ) from error
            session = self._open(CPU)
            self.device.give_up(_first_line(error))
            return session

    def _run_part(self, values: np.ndarray) -> list[np.ndarray]:
        session = self.session()
        try:
            return session.run(None, {session.get_inputs()[0].name: values})
        except Exception as error:
            if self.device.provider == CPU:
                raise UserError(
                    f"{self.name} fails while it runs: {_first_line(error)}. Memory ran out, or "
                    "the file is damaged: download it again."
                ) from error
            self.device.give_up(_first_line(error))
            return self._run_part(values)

    def _check_outputs(self, outputs: list[list[np.ndarray]]) -> None:
        """Raise UserError unless a network gave what it says that it gives."""
        for given in outputs:
            shapes = tuple(value.shape for value in given)
            if not self._signature.gives(shapes):
                raise UserError(
                    f"{self.name} is another network: it gave {_shapes_text(shapes)}, where "
                    f"{_shapes_text(self._signature.outputs)} is needed."
                )

    def _check(self, session) -> None:
        """Raise UserError unless the session takes and gives what it should."""
        items = (session.get_inputs(), session.get_outputs())
        found = Signature(*(tuple(_shape(item.shape) for item in part) for part in items))
        kinds = sorted({item.type for part in items for item in part})
        if not self._signature.fits(found) or kinds != [NUMBERS]:
            raise UserError(
                f"{self.name} is another network: it makes {found} of {' and '.join(kinds)}, but "
                f"{self._signature} of {NUMBERS} is needed."
            )


def _all_fit(wanted: tuple[Shape, ...], found: tuple[Shape, ...]) -> bool:
    return len(wanted) == len(found) and all(map(_fits, wanted, found))


def _fits(wanted: Shape, found: Shape) -> bool:
    """Sizes that a network leaves open fit anything; one at a time is what we can live with."""
    return len(wanted) == len(found) and all(
        b is None or a == b or (a is None and b == 1) for a, b in zip(wanted, found, strict=True)
    )


def _shape(sizes: Sequence) -> Shape:
    """A shape in which sizes that are only named are None."""
    return tuple(size if isinstance(size, int) else None for size in sizes)


def _shapes_text(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(map(_shape_text, shapes))


def _shape_text(shape: Shape) -> str:
    return f"[{', '.join('any' if size is None else str(size) for size in shape)}]"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
