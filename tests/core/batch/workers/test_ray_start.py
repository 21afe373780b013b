"""Addresses at which no Ray cluster answers: each is told at once, with the remedy."""

import signal
import socket
import sys

import pytest

from fcvg_core.batch.workers import ray_start
from fcvg_core.batch.workers.ray_start import check_address, kept_handler, open_shared, wait_until
from fcvg_core.errors import UserError


@pytest.fixture
def listener():
    """A port where something listens that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def free_address():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"127.0.0.1:{port}"


@pytest.fixture
def health(monkeypatch):
    """What Ray's own health check does, as the lines of a Python program."""

    def replace(program: str) -> None:
        real = ray_start.subprocess.run
        monkeypatch.setattr(
            ray_start.subprocess,
            "run",
            lambda command, **options: real([sys.executable, "-c", program], **options),
        )

    return replace


@pytest.mark.parametrize("address", ["auto", "local"])
def test_words_of_ray_need_no_check(address) -> None:
    check_address(address)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_nobody_listens(free_address, scheme) -> None:
    with pytest.raises(UserError, match="Nobody listens at the Ray address .*refused") as error:
        check_address(scheme + free_address)
    assert "ray start --head" in str(error.value)


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(UserError, match="Nobody listens at the Ray address head.invalid:6379"):
        check_address("head.invalid:6379")


@pytest.mark.parametrize(
    "address",
    ["head", "head:", ":6379", "head:ray", "head:0", "head:99999", "http://head:8265", "a b:1", ""],
)
def test_what_is_no_address(address) -> None:
    with pytest.raises(UserError, match="A Ray address is HOST:PORT, not "):
        check_address(address)


def test_what_listens_is_no_ray(listener, health, monkeypatch) -> None:
    monkeypatch.setattr(ray_start, "ANSWERS", 0.3)
    health("import time; time.sleep(60)")
    with pytest.raises(UserError, match="does not answer as a Ray cluster does"):
        check_address(listener)


def test_a_cluster_of_another_version(listener, health) -> None:
    health("import sys; sys.exit('Traceback\\nRuntimeError: Version mismatch: 2.9 and 2.60')")
    with pytest.raises(UserError, match="can't be used: RuntimeError: Version mismatch: 2.9"):
        check_address(listener)


def test_a_cluster_that_asks_for_a_token(listener, health) -> None:
    health(
        "import sys; sys.exit('ray.exceptions.AuthenticationError: RPC error: InvalidAuthToken: x')"
    )
    with pytest.raises(UserError, match="asks for its token: set RAY_AUTH_MODE=token here too"):
        check_address(listener)


@pytest.mark.parametrize(
    "program", ["", "import sys; sys.exit('Error: No such command health-check')"]
)
def test_a_cluster_that_answers(listener, health, program) -> None:
    """A version of Ray without this command is asked by `ray.init` alone."""
    health(program)
    check_address(listener)


def test_the_handler_of_sigterm_is_kept() -> None:
    """Ray's handler would end the program without releasing what it holds."""
    before = signal.getsignal(signal.SIGTERM)
    with kept_handler():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_folder_is_the_same_for_all_nodes(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_shared("out").address == str(tmp_path / "out")


def test_what_is_not_there_yet_is_said(monkeypatch, caplog) -> None:
    monkeypatch.setattr(ray_start, "SAYS", 0.0)
    looks = iter([False, False, True])
    waited: list[float] = []
    wait_until(lambda: next(looks), "Nothing has started yet.", waited.append)
    assert waited == [1.0, 1.0]
    assert caplog.messages == ["Nothing has started yet."] * 2
