"""The command `doctor`: its report and its exit code."""

import pytest

from fcvg_core.catalogue import diagnosis
from fcvg_core.catalogue.diagnosis import PROBLEM, Device, Finding
from fcvg_core.standalone.cli.main import main


def test_exit_code(monkeypatch, capsys) -> None:
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    device = Device("cpu", "", 0.0, "for the CPU alone", "float32")
    monkeypatch.setattr("fcvg_core.standalone.networks.device.describe_device", lambda: device)
    assert main(["doctor"]) == 0
    assert "Python" in capsys.readouterr().out
    assert main(["doctor", "--mode", "dynamicrafter"]) == 0
    printed = capsys.readouterr().out
    assert " dynamicrafter: " in printed and " animate: " not in printed
    monkeypatch.setattr(diagnosis, "check_opencv", lambda *given: Finding(PROBLEM, "clash"))
    with pytest.raises(SystemExit) as stopped:
        main(["doctor"])
    assert stopped.value.code == 1 and " problem  clash" in capsys.readouterr().out
