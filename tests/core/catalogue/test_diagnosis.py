"""What may keep the program from working, one by one."""

import sys
from pathlib import Path

import pytest

from fcvg_core.catalogue import packages
from fcvg_core.catalogue.diagnosis import (
    OK,
    PROBLEM,
    WARNING,
    Device,
    check_device,
    check_onnxruntime,
    check_opencv,
    check_packages,
    check_python,
    check_torch,
    diagnose,
    import_failure,
)
from fcvg_core.catalogue.families import list_modes


@pytest.mark.parametrize(("version", "level"), [((3, 9, 18), PROBLEM), ((3, 10, 0), OK)])
def test_python(version: tuple, level: str) -> None:
    assert check_python(version).level == level


@pytest.mark.parametrize(
    ("installed", "level", "text"),
    [
        ({}, PROBLEM, "torch is not installed"),
        ({"torch": "2.11.0+cu128", "torchaudio": "2.11.1"}, OK, "torch 2.11.0+cu128, torchaudio"),
        ({"torch": "2.12.0", "torchaudio": "2.11.0"}, WARNING, "have different releases"),
        ({"torch": "2.4.0"}, OK, "torch 2.4.0"),
        ({"torch": "2.3.1"}, PROBLEM, "2.4 or newer"),
    ],
)
def test_torch(installed: dict, level: str, text: str) -> None:
    found = check_torch(installed)
    assert found.level == level and text in found.text


@pytest.mark.parametrize(
    ("device", "level", "text"),
    [
        (("cpu", "", 0.0, "for the CPU alone", "float32"), WARNING, "float32 on the CPU"),
        (("cpu", "NVIDIA", 0.0, "for the CPU alone", "float32"), PROBLEM, "from pytorch.org"),
        (("cpu", "NVIDIA", 0.0, "CUDA 13.0", "float32"), PROBLEM, "update its driver"),
        (("mps", "Apple's GPU", 0.0, "MPS", "float16"), OK, "GPU (MPS), frames in float16"),
        (
            ("cuda", "RTX 4090", 22.5, "CUDA 13.0", "bfloat16"),
            OK,
            "RTX 4090 (CUDA 13.0), 22.5 GB free, frames in bfloat16; --offload is not needed",
        ),
        (("cuda", "RX 7600", 7.1, "ROCm 7.0", "float16"), WARNING, "use --offload"),
    ],
)
def test_device(device: tuple, level: str, text: str) -> None:
    found = check_device(Device(*device))
    assert found.level == level and text in found.text


@pytest.mark.parametrize(
    ("installed", "level", "text"),
    [
        ({}, WARNING, "no poses are detected"),
        ({"onnxruntime-gpu": "1.20"}, OK, "onnxruntime-gpu 1.20"),
        ({"onnxruntime-gpu": "1.20", "onnxruntime": "1.20"}, WARNING, "break each other"),
    ],
)
def test_onnxruntime(installed: dict, level: str, text: str) -> None:
    found = check_onnxruntime(installed, ["CPUExecutionProvider"])
    assert found.level == level and text in found.text


@pytest.mark.parametrize(
    ("installed", "level", "text"),
    [
        ({}, PROBLEM, "pip install opencv-python"),
        ({"opencv-python-headless": "4.12"}, OK, "opencv-python-headless 4.12"),
        ({"opencv-python": "5.0", "opencv-contrib-python": "5.0"}, OK, "opencv-contrib"),
        (
            {"opencv-python": "5.0", "opencv-python-headless": "4.12"},
            WARNING,
            "opencv-python 5.0, opencv-python-headless 4.12 share a folder",
        ),
    ],
)
def test_opencv(installed: dict, level: str, text: str) -> None:
    found = check_opencv(installed)
    assert found.level == level and text in found.text


@pytest.mark.parametrize(
    "error", ["ImportError('libGL.so.1: cannot open')", "OSError('WinError')", "RuntimeError('x')"]
)
def test_what_is_installed_and_does_not_work(tmp_path: Path, monkeypatch, error: str) -> None:
    (tmp_path / "broken_module.py").write_text(f"raise {error}\n")
    monkeypatch.syspath_prepend(tmp_path)
    broken = import_failure("broken_module")
    assert broken in error and import_failure("sys") == ""
    assert import_failure("sys", "no_such_module") == "No module named 'no_such_module'"
    (tmp_path / "quiet_module.py").write_text("raise ValueError('\\n\\n dtype changed\\n more')\n")
    assert import_failure("quiet_module") == "dtype changed"
    found = check_torch({"torch": "2.11.0"}, broken)
    assert found.level == PROBLEM and f"torch 2.11.0 does not work ({broken})" in found.text
    found = check_opencv({"opencv-python": "5.0"}, broken)
    assert found.level == PROBLEM
    assert "pip uninstall -y opencv-python, then" in found.text
    assert found.text.endswith("pip install opencv-python-headless")
    found = check_onnxruntime({"onnxruntime": "1.20"}, [], broken)
    assert found.level == WARNING and "install it again" in found.text
    sys.modules.pop("broken_module", None)


def test_an_old_opencv() -> None:
    assert check_opencv({"opencv-python": "4.2.0.34"}).level == PROBLEM


@pytest.mark.parametrize(
    ("change", "level", "text"),
    [
        ({}, OK, "diffusers 0.28.0"),
        ({"diffusers": "0.27.2"}, WARNING, "diffusers 0.27.2 is older than 0.28"),
        ({"diffusers": "1.0.dev0"}, OK, "diffusers 1.0.dev0"),
        ({"av": None, "gdown": None}, WARNING, "av is missing, gdown is missing. Remedy"),
    ],
)
def test_packages(change: dict, level: str, text: str) -> None:
    installed = dict.fromkeys(packages.COMMAND_LINE, "99.0") | {"diffusers": "0.28.0"}
    installed = {name: version for name, version in (installed | change).items() if version}
    texts = {"whose": "the command line", "remedy": "pip"}
    found = check_packages(installed, packages.COMMAND_LINE, WARNING, **texts)
    assert found.level == level and text in found.text
    assert check_packages({}, packages.NODES, PROBLEM, **texts).level == PROBLEM
    found = check_packages(installed, packages.COMMAND_LINE, PROBLEM, **texts, broken="no .so")
    assert found.level == PROBLEM


def test_all_of_this_machine(monkeypatch) -> None:
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    device = Device("cpu", "", 0.0, "for the CPU alone", "float32")
    findings = list(diagnose(lambda: device))
    assert len(findings) == 8 + len(list_modes()) and not [
        f for f in findings if f.level == PROBLEM
    ]
    assert packages.installed_packages()["numpy"]
