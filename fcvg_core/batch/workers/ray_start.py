"""What Ray's engine begins with: store, address of the cluster, the signal that Ray takes over.

Ray itself tries for minutes before it says that nobody answers.
"""

import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...errors import UserError
from ...quoting import quote, shorten
from ..store import is_remote, local_path, open_store
from ..types import Store

CONNECTS = 10.0  # seconds
ANSWERS = 20.0  # seconds, with the start of a Python that imports ray
REMEDY = (
    "Start Ray there (ray start --head), or give the right address: HOST:6379 from a machine of "
    "the cluster. Without an address Ray starts on this machine."
)
NO_TOKEN = "InvalidAuthToken"  # Ray's word for a program that has not the cluster's token
SAYS = 30.0  # seconds between two messages that something is not there yet
# What Ray itself takes in place of HOST:PORT.
WORDS = ("auto", "local")


def check_address(address: str) -> None:
    """Raise UserError unless a Ray cluster answers at an address.

    Args:
        address: HOST:PORT of the cluster, ray://HOST:PORT of its client server, "auto" or "local".

    Raises:
        UserError: nobody listens there, what listens is no Ray, or it has another version.
    """
    if address in WORDS:
        return
    host, port = _parse(address)
    try:
        socket.create_connection((host, port), timeout=CONNECTS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"Nobody listens at the Ray address {address}: {reason}. {REMEDY}"
        ) from error
    if not address.startswith("ray://"):
        _check_health(address)


def _parse(address: str) -> tuple[str, int]:
    """Host and port of an address."""
    found = re.fullmatch(r"(?:ray://)?\[?([^\s/]+?)\]?:(\d{1,5})", address)
    if not found or not 0 < int(found[2]) < 65536:
        raise UserError(f"A Ray address is HOST:PORT, not {quote(address)}. {REMEDY}")
    return found[1], int(found[2])


def _check_health(address: str) -> None:
    """Ask the cluster with Ray's own command, which can be stopped after some seconds."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWERS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"What listens at {address} does not answer as a Ray cluster does. {REMEDY}"
        ) from error
    said = [line for line in asked.stderr.splitlines() if line.strip()]
    if asked.returncode and NO_TOKEN in asked.stderr:
        raise UserError(
            f"The Ray cluster at {address} asks for its token: set RAY_AUTH_MODE=token here too, "
            "where `ray get-auth-token` prints the same as on the machines of the cluster."
        )
    if asked.returncode and "No such command" not in asked.stderr:
        reason = shorten(said[-1]) if said else f"exit code {asked.returncode}"
        raise UserError(f"The Ray cluster at {address} can't be used: {reason}. {REMEDY}")


@contextmanager
def kept_handler() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray replaces: leases have to be released."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def open_shared(address: str) -> Store:
    """The store, by an address that does not depend on the current folder.

    Raises:
        UserError: other processes don't see what is in it.
    """
    store = open_store(address if is_remote(address) else str(local_path(address).absolute()))
    if not store.shared:
        raise UserError(
            f"Other processes don't see what is in {address}: use a bucket, or a folder on a disk "
            "that all nodes share."
        )
    return store


def wait_until(
    reached: Callable[[], bool], otherwise: str, wait: Callable[[float], object]
) -> None:
    """Wait for something that others decide; log now and then what is not yet so.

    Args:
        wait: waits for a number of seconds.
    """
    said = time.monotonic()
    while not reached():
        wait(1.0)
        if time.monotonic() - said >= SAYS:
            said = time.monotonic()
            logging.warning("%s", otherwise)
