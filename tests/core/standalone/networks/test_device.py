import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.standalone.networks import device as machine
from fcvg_core.standalone.networks.device import choose_device, choose_dtype

# Every kind that PyTorch has a name for.
KINDS = (
    "ipu",
    "xla",
    "mkldnn",
    "opengl",
    "opencl",
    "ideep",
    "hip",
    "ve",
    "fpga",
    "maia",
    "lazy",
    "vulkan",
    "meta",
    "hpu",
    "mtia",
    "privateuseone",
)


class TestDevice:
    def test_those_that_compute(self) -> None:
        assert choose_device("cpu") == torch.device("cpu")
        assert choose_device("auto").type in ("cpu", "cuda", "mps")

    @pytest.mark.parametrize("name", KINDS)
    def test_kinds_that_do_not_compute(self, name, recwarn) -> None:
        with pytest.raises(UserError) as raised:
            choose_device(name)
        message = f"There is no device {name!r} here that can compute; there is: cpu"
        assert str(raised.value).startswith(message) and not recwarn

    @pytest.mark.parametrize(
        "name",
        [
            "",
            " cpu",
            "CPU",
            "cpu ",
            "gpu",
            "cpu:0",
            "cpu:1",
            "cuda:",
            "cuda:-1",
            "cuda:99",
            "cuda:0:1",
            "cuda:9999999999",
            "meta:0",
            "mps:3",
            "auto:0",
            "cuda,cpu",
            "\0",
            "x" * 9999,
        ],
    )
    def test_names_of_nothing(self, name) -> None:
        with pytest.raises(UserError, match="There is no device .* there is: cpu") as raised:
            choose_device(name)
        assert len(str(raised.value)) < 400

    def test_wrong_results(self, monkeypatch) -> None:
        monkeypatch.setattr(machine.F, "conv2d", lambda *given: torch.zeros(1))
        with pytest.raises(UserError, match="There is no device 'cpu' here that can compute"):
            choose_device("cpu")

    def test_memory_that_runs_out_is_said_elsewhere(self, monkeypatch) -> None:
        def fail(*given):
            raise torch.OutOfMemoryError("CUDA out of memory")

        monkeypatch.setattr(machine.F, "conv2d", fail)
        with pytest.raises(torch.OutOfMemoryError):
            choose_device("cpu")


class TestDtype:
    def test_of_a_cpu(self) -> None:
        cpu = torch.device("cpu")
        assert choose_dtype("auto", cpu) == choose_dtype("fp32", cpu) == torch.float32
        assert choose_dtype("bf16", cpu) == torch.bfloat16

    def test_one_that_the_device_lacks(self, monkeypatch) -> None:
        def fail(*given):
            raise TypeError("BFloat16 is not supported on MPS")

        monkeypatch.setattr(machine.F, "conv2d", fail)
        with pytest.raises(UserError, match="The device cpu can't compute in bf16: give --dtype"):
            choose_dtype("bf16", torch.device("cpu"))
