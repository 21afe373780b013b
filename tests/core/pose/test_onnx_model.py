"""Networks that are opened elsewhere, on whatever works."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest

from fcvg_core.errors import UserError
from fcvg_core.pose.onnx_model import (
    CPU,
    Device,
    OnnxModel,
    Signature,
    fastest_device,
    usable_providers,
)

CUDA = "CUDAExecutionProvider"
DOUBLE = Signature(inputs=((None, 2),), outputs=((None, 2),))


class Session:
    """Doubles what it is given; fails on the providers named."""

    def __init__(
        self,
        providers: list[str],
        *,
        failing: tuple[str, ...] = (),
        shape=("N", 2),
        kind="tensor(float)",
    ):
        self.providers, self.failing, self.shape, self.kind = providers, failing, shape, kind

    def get_inputs(self) -> list:
        return [SimpleNamespace(name="values", shape=list(self.shape), type=self.kind)]

    def get_outputs(self) -> list:
        return [SimpleNamespace(name="doubled", shape=list(self.shape), type=self.kind)]

    def get_providers(self) -> list[str]:
        return self.providers

    def run(self, outputs: None, feed: dict) -> list[np.ndarray]:
        if self.providers[0] in self.failing:
            raise RuntimeError("out of memory\nmore about it")
        if isinstance(self.shape[0], int) and len(feed["values"]) != self.shape[0]:
            raise RuntimeError("invalid dimensions")
        return [feed["values"] * 2]


def model(open_session=Session, device: Device | None = None) -> OnnxModel:
    return OnnxModel(
        open_session, signature=DOUBLE, name="double.onnx", device=device or Device(CPU)
    )


class TestRun:
    def test_by_hand(self) -> None:
        assert model().run(np.ones((3, 2)))[0].tolist() == [[2, 2]] * 3

    def test_a_network_that_takes_one_at_a_time(self) -> None:
        one = model(lambda providers: Session(providers, shape=(1, 2)))
        assert one.run(np.arange(6.0).reshape(3, 2))[0].tolist() == [[0, 2], [4, 6], [8, 10]]

    def test_falls_back_once(self, caplog: pytest.LogCaptureFixture) -> None:
        device = Device(CUDA)
        networks = [
            model(lambda providers: Session(providers, failing=(CUDA,)), device) for _ in range(2)
        ]
        for network in networks * 2:
            assert network.run(np.ones((1, 2)))[0].tolist() == [[2, 2]]
        assert device.provider == CPU
        assert [r.levelname for r in caplog.records] == ["WARNING"]
        message = "CUDA does not work (out of memory). This run detects poses on the CPU"
        assert message in caplog.text

    def test_the_gpu_is_tried_again_in_the_next_run(self, caplog) -> None:
        """Both networks of a run share the failure; memory that ran out is there again later."""
        opened, failing = [], [CUDA]

        def open_session(providers: list[str]) -> Session:
            opened.append(providers[0])
            return Session(providers, failing=tuple(failing))

        device = Device(CUDA)
        networks = [model(open_session, device) for _ in range(2)]
        for expected in ((CUDA, CPU), (CUDA, CPU), (CUDA,)):
            caplog.clear()
            if expected == (CUDA,):
                failing.clear()
            for _ in range(3):  # frames
                for network in networks:
                    assert network.run(np.ones((1, 2)))[0].tolist() == [[2, 2]]
            assert tuple(dict.fromkeys(opened)) == expected
            assert device.provider == expected[-1]
            assert len(caplog.records) == len(expected) - 1
            for network in networks:
                network.release()
            opened.clear()
        assert device.provider == CUDA

    def test_a_gpu_that_fails_between_two_runs(self) -> None:
        """One of two networks is released: the other leaves the CPU as well."""
        failing = [CUDA]
        device = Device(CUDA)
        first, second = (
            model(lambda providers: Session(providers, failing=tuple(failing)), device)
            for _ in range(2)
        )
        first.run(np.ones((1, 2)))
        second.run(np.ones((1, 2)))
        failing.clear()
        first.release()
        assert second.session().get_providers()[0] == CUDA

    def test_a_provider_that_onnxruntime_leaves_out(self, caplog) -> None:
        device = Device(CUDA)
        model(lambda providers: Session([CPU]), device)
        assert device.provider == CPU and "CUDA does not work" in caplog.text

    def test_a_provider_that_does_not_open(self, caplog) -> None:
        def open_session(providers: list[str]) -> Session:
            if providers[0] != CPU:
                raise RuntimeError("no driver")
            return Session(providers)

        network = model(open_session, Device(CUDA))
        for _ in range(2):  # runs
            caplog.clear()
            network.release()
            assert network.run(np.ones((1, 2)))[0].tolist() == [[2, 2]]
            assert "CUDA does not work (no driver)" in caplog.text and len(caplog.records) == 1

    def test_a_failure_on_the_cpu_is_told(self) -> None:
        network = model(lambda providers: Session(providers, failing=(CPU,)))
        with pytest.raises(UserError, match="double.onnx fails while it runs: out of memory. E"):
            network.run(np.ones((1, 2)))

    def test_another_output_than_it_promised(self) -> None:
        class Other(Session):
            def run(self, outputs: None, feed: dict) -> list[np.ndarray]:
                return [feed["values"][:, :1]]

        message = r"double.onnx is a different .*: its outputs are \[3, 1\], but \[any, 2\] is"
        with pytest.raises(UserError, match=message):
            model(Other).run(np.ones((3, 2)))

    def test_release(self) -> None:
        opened = []
        network = model(lambda providers: opened.append(providers) or Session(providers))
        network.release()
        network.run(np.ones((1, 2)))
        assert opened == [[CPU], [CPU]]


class TestErrors:
    def test_another_network(self) -> None:
        with pytest.raises(ValueError) as error:
            model(lambda providers: Session(providers, shape=(1, 3, 8)))
        assert str(error.value) == (
            "double.onnx is a different network: it maps [1, 3, 8] to [1, 3, 8] in tensor(float), "
            "but [any, 2] to [any, 2] in tensor(float) is needed."
        )

    def test_a_fixed_number_of_people(self) -> None:
        with pytest.raises(ValueError, match=r"it maps \[5, 2\] to"):
            model(lambda providers: Session(providers, shape=(5, 2)))

    def test_half_precision(self) -> None:
        with pytest.raises(ValueError, match=r"in tensor\(float16\), but .* in tensor\(float\)"):
            model(lambda providers: Session(providers, kind="tensor(float16)"))

    def test_more_outputs(self) -> None:
        class Two(Session):
            def get_outputs(self) -> list:
                return super().get_outputs() * 2

        with pytest.raises(ValueError, match="a different network"):
            model(Two)

    def test_a_broken_file(self, caplog) -> None:
        def open_session(providers: list[str]) -> Session:
            raise RuntimeError("protobuf parsing failed")

        for device in (Device(CPU), Device(CUDA)):
            with pytest.raises(ValueError, match="double.onnx can't be opened .*protobuf.* again"):
                model(open_session, device)
        assert not caplog.records  # the GPU is not at fault


class TestUsableProviders:
    @pytest.mark.parametrize(
        ("cpu_only", "cuda", "expected"),
        [(True, True, [CPU]), (False, True, [CUDA, "Dml", CPU]), (False, False, ["Dml", CPU])],
    )
    def test_by_hand(self, cpu_only: bool, cuda: bool, expected: list) -> None:
        assert usable_providers([CUDA, "Dml", CPU], cpu_only=cpu_only, cuda=cuda) == expected


class TestFastestDevice:
    @pytest.mark.parametrize(
        ("usable", "expected"),
        [
            ([CPU, "DmlExecutionProvider", CUDA], CUDA),
            ([CPU, "CoreMLExecutionProvider", "DmlExecutionProvider"], "DmlExecutionProvider"),
            ([CPU, "CoreMLExecutionProvider"], "CoreMLExecutionProvider"),
            (["TensorrtExecutionProvider", CPU], CPU),
            ([], CPU),
        ],
    )
    def test_the_fastest(self, usable: list, expected: str, caplog) -> None:
        caplog.set_level(logging.INFO)
        assert fastest_device(usable).provider == expected
        assert expected.removesuffix("ExecutionProvider") in caplog.text
