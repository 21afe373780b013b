"""An ONNX network, run on the fastest device that works. The caller opens the file."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UserError

# onnxruntime's names of execution providers, the fastest first.
CPU = "CPUExecutionProvider"
PROVIDERS = ("CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider", CPU)

NUMBERS = "tensor(float)"  # onnxruntime's name for float32
Shape = tuple[int | None, ...]  # None: any size


@dataclass(frozen=True)
class Signature:
    """Shapes of a network's inputs and outputs."""

    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]

    def fits(self, found: "Signature") -> bool:
        """Whether a network with the signature `found` can be used where this one is needed."""
        return _all_fit(self.inputs, found.inputs) and _all_fit(self.outputs, found.outputs)

    def gives(self, shapes: tuple[tuple[int, ...], ...]) -> bool:
        """Whether output arrays of these shapes agree with the signature."""
        return len(shapes) == len(self.outputs) and all(
            len(wanted) == len(shape)
            and all(a in (None, b) for a, b in zip(wanted, shape, strict=True))
            for wanted, shape in zip(self.outputs, shapes, strict=True)
        )

    def __str__(self) -> str:
        return f"{_shapes_text(self.inputs)} to {_shapes_text(self.outputs)}"


class Device:
    """The device of all networks of a detector. They share it, so a failure is logged once a run.

    After a failure the rest of the run uses the CPU. `recover` ends a run: a GPU whose memory was
    full may have enough memory in the next run.

    Args:
        chosen: one of PROVIDERS.
    """

    def __init__(self, chosen: str = CPU) -> None:
        self.chosen = self.provider = chosen

    def give_up(self, reason: str) -> None:
        """Use the CPU until the run ends, and log the reason."""
        name = self.chosen.removesuffix("ExecutionProvider")
        logging.warning(
            "%s does not work (%s). This run detects poses on the CPU, which is slower. "
            "The next run tries %s again.",
            name,
            reason,
            name,
        )
        self.provider = CPU

    def recover(self) -> None:
        """End a run: the next run tries the chosen provider again."""
        self.provider = self.chosen


def usable_providers(installed: Sequence[str], *, cpu_only: bool, cuda: bool) -> list[str]:
    """The providers of onnxruntime that may work on this machine.

    Args:
        installed: providers that onnxruntime was built with.
        cpu_only: the user asked for the CPU.
        cuda: whether torch can use a GPU. Without a GPU, CUDA is left out, because onnxruntime
            would log long errors.
    """
    if cpu_only:
        return [CPU]
    return [name for name in installed if cuda or not name.startswith("CUDA")]


def fastest_device(usable: Sequence[str]) -> Device:
    """The fastest device among `usable_providers`; its name is logged."""
    device = Device(next((name for name in PROVIDERS if name in usable), CPU))
    logging.info("Poses are detected on: %s.", device.provider.removesuffix("ExecutionProvider"))
    return device


class OnnxModel:
    """An ONNX network. `release` frees its memory, and the next `run` opens it again.

    Args:
        open_session: opens an onnxruntime session, or another object with `run`, `get_inputs`,
            `get_outputs` and `get_providers`. Its argument is a list of providers' names, the
            preferred provider first.
        signature: shapes that the network must have.
        name: name of the file, for messages.
        device: where to run. If the device fails, the CPU is used until `release`.

    Raises:
        UserError: the file can't be opened, or it is a different network. `run` raises it if the
            network fails or its outputs have wrong shapes.
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
        """All outputs for a batch; if the network has a batch size of 1, it runs item by item."""
        session = self.session()
        batch = session.get_inputs()[0].shape[0]
        parts = [values]
        if batch == 1:
            parts = [values[i : i + 1] for i in range(len(values))]
        outputs = [self._run_part(part) for part in parts]
        self._check_outputs(outputs)
        return [np.concatenate(rows) for rows in zip(*outputs, strict=True)]

    def release(self) -> None:
        """End a run of the device and free the network's memory; `run` opens the network again."""
        self._session = None
        self.device.recover()

    def session(self) -> object:
        """The open session; it is opened if necessary, also after a change of the device."""
        if self._session and self._session.get_providers()[0] == self.device.provider:
            return self._session
        session = self._open(self.device.provider)
        if self.device.provider not in session.get_providers():
            self.device.give_up("it could not be started")
        self._check(session)
        self._session = session
        return session

    def _open(self, provider: str) -> object:
        """A new session on the provider, or on the CPU if the provider can't open the file."""
        try:
            return self._open_session(list(dict.fromkeys([provider, CPU])))
        except Exception as error:
            if provider == CPU:
                raise UserError(
                    f"{self.name} can't be opened as an ONNX network: {_first_line(error)}. "
                    "The file is empty, incomplete or a different file: download it again."
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
                    f"{self.name} fails while it runs: {_first_line(error)}. Either memory ran "
                    "out, or the file is damaged: free memory or download the file again."
                ) from error
            self.device.give_up(_first_line(error))
            return self._run_part(values)

    def _check_outputs(self, outputs: list[list[np.ndarray]]) -> None:
        """Raise UserError unless the shapes of the outputs agree with the signature."""
        for arrays in outputs:
            shapes = tuple(value.shape for value in arrays)
            if not self._signature.gives(shapes):
                raise UserError(
                    f"{self.name} is a different network: its outputs are {_shapes_text(shapes)}, "
                    f"but {_shapes_text(self._signature.outputs)} is needed."
                )

    def _check(self, session) -> None:
        """Raise UserError unless inputs and outputs of the session agree with the signature."""
        items = (session.get_inputs(), session.get_outputs())
        found = Signature(*(tuple(_shape(item.shape) for item in part) for part in items))
        kinds = sorted({item.type for part in items for item in part})
        if not self._signature.fits(found) or kinds != [NUMBERS]:
            raise UserError(
                f"{self.name} is a different network: it maps {found} in {' and '.join(kinds)}, "
                f"but {self._signature} in {NUMBERS} is needed."
            )


def _all_fit(wanted: tuple[Shape, ...], found: tuple[Shape, ...]) -> bool:
    return len(wanted) == len(found) and all(map(_fits, wanted, found))


def _fits(wanted: Shape, found: Shape) -> bool:
    """A dynamic size matches any size; a fixed batch of 1 also matches a dynamic one."""
    return len(wanted) == len(found) and all(
        b is None or a == b or (a is None and b == 1) for a, b in zip(wanted, found, strict=True)
    )


def _shape(sizes: Sequence) -> Shape:
    """A shape from onnxruntime; dynamic sizes, which have names, become None."""
    return tuple(size if isinstance(size, int) else None for size in sizes)


def _shapes_text(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(map(_shape_text, shapes))


def _shape_text(shape: Shape) -> str:
    return f"[{', '.join('any' if size is None else str(size) for size in shape)}]"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
