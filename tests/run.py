"""All tests: those without a host once, those in a real ComfyUI once for every host found."""

import os
import subprocess
import sys

from hosts import ROOT, clone_host, find_hosts, install_requirements, version

HOST_TESTS = "tests/nodes"


def main() -> int:
    hosts = find_hosts()
    reason = None if hosts else clone_host()
    hosts = hosts or find_hosts()
    codes = [run_pytest("tests", f"--ignore={HOST_TESTS}")]
    for host in hosts:
        print(f"\nComfyUI {version(host)} at {host}", flush=True)
        install_requirements(host)
        codes.append(run_pytest(HOST_TESTS, COMFYUI_PATH=str(host)))
    if not hosts:
        print(f"\nSKIPPED: {count_host_tests()} TESTS THAT NEED COMFYUI. NONE WAS FOUND AND "
              f"{reason.upper()}. SET COMFYUI_PATH TO ONE.")  # fmt: skip
    return max(codes)


def run_pytest(*arguments: str, **environment: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    # The models are tiny: threads that wait for each other cost ten times what they save.
    env = {"OMP_NUM_THREADS": "1", **os.environ, **environment}
    if not environment:
        env.pop("COMFYUI_PATH", None)
    return subprocess.run(command, cwd=ROOT, env=env).returncode


def count_host_tests() -> int:
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", HOST_TESTS]
    env = {key: value for key, value in os.environ.items() if key != "COMFYUI_PATH"}
    out = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True).stdout
    return sum("::" in line for line in out.splitlines())


if __name__ == "__main__":
    sys.exit(main())
