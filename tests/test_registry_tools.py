"""The environment of the registry's tools: made once, and no test without it goes unseen."""

import os
import socket
import subprocess
import sys

import pytest
import registry_tools
from hosts import ROOT


def test_without_them_tests_are_skipped(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(registry_tools, "TOOLS", tmp_path)
    monkeypatch.delenv(registry_tools.REQUIRED, raising=False)
    assert not registry_tools.are_installed()


def test_where_they_have_to_be_their_lack_is_an_error(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(registry_tools, "TOOLS", tmp_path)
    monkeypatch.setenv(registry_tools.REQUIRED, "1")
    with pytest.raises(RuntimeError, match="make registry"):
        registry_tools.are_installed()


def test_ci_requires_them() -> None:
    assert f"export {registry_tools.REQUIRED}=1" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_nothing_is_installed_twice(tmp_path, monkeypatch) -> None:
    (tmp_path / "installed").write_text("\n".join(registry_tools.PINNED), encoding="utf-8")
    monkeypatch.setattr(subprocess, "run", None)
    assert registry_tools.install(tmp_path) is None


@pytest.mark.slow
def test_what_cannot_be_installed_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        registry_tools, "PINNED", ("tool @ file:///nowhere/tool-1-py3-none-any.whl",)
    )
    reason = registry_tools.install(tmp_path / "tools")
    assert "nowhere" in reason and not (tmp_path / "tools" / "installed").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs network namespaces")
def test_a_tool_has_no_network_and_none_of_the_users_settings(tmp_path, monkeypatch) -> None:
    if not registry_tools.offline():
        pytest.skip("this machine lets nobody make a network namespace")
    code = (
        "import os, socket\n"
        "print(os.environ['DO_NOT_TRACK'], os.path.expanduser('~'))\n"
        "socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 5)\n"
    )
    (tmp_path / "tool").symlink_to(sys.executable)
    monkeypatch.setattr(registry_tools, "program", lambda name: tmp_path / name)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        monkeypatch.setenv("PORT", str(listening.getsockname()[1]))
        exit_code, said = registry_tools.run("tool", "-c", code, cwd=tmp_path)
    assert exit_code == 1 and "Error" in said and said.startswith("1 ")
    assert said.split()[1] != os.path.expanduser("~")
