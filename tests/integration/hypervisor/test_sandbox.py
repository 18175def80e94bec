"""The sandbox of a libvirtd: what it hides, who runs in it, and that it ends whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.hypervisor.conftest import open_daemon
from xenlab.errors import WaitTimedOut
from xenlab.hypervisor.connection import connect
from xenlab.hypervisor.daemon import LibvirtDaemon
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.sandbox import Sandbox
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.sweep import find_marked_processes
from xenlab.waiting import Deadline, wait_until

ROOT = Path(__file__).parents[3]
F1_LIMIT_S = 5.0


def find_pids(daemon: LibvirtDaemon, program: str) -> list[int]:
    """The processes of a program in the daemon's sandbox, by their marker."""
    marked = find_marked_processes().get(daemon.lab_id, ())
    commands = {one.pid: Path(f"/proc/{one.pid}/cmdline").read_bytes() for one in marked}
    return [
        pid
        for pid, command in commands.items()
        if command.split(b"\0")[0].endswith(program.encode())
    ]


def require_answer(daemon: LibvirtDaemon) -> None:
    connect(daemon.uri, Deadline.after(30)).close()


def test_kvm_is_out_of_sight(daemon: LibvirtDaemon, sandbox: Sandbox) -> None:
    require_answer(daemon)
    seen = Path(f"/proc/{sandbox.init.pid}/root/dev")
    assert (seen / "null").exists()
    assert not (seen / "kvm").exists()


def test_host_is_read_only_there(sandbox: Sandbox) -> None:
    mounts = Path(f"/proc/{sandbox.init.pid}/mounts").read_text().splitlines()
    options = {line.split()[1]: line.split()[3].split(",") for line in mounts}
    assert "ro" in options["/"]


def test_daemon_does_not_run_as_root(daemon: LibvirtDaemon, sandbox: Sandbox) -> None:
    require_answer(daemon)
    (pid,) = find_pids(daemon, "libvirtd")
    assert Path(f"/proc/{pid}").stat().st_uid == DaemonUser.choose().uid != 0


def test_killed_daemon_is_started_again_and_answers(
    daemon: LibvirtDaemon, sandbox: Sandbox
) -> None:
    """F5, the sandbox's half."""
    require_answer(daemon)
    (before,) = find_pids(daemon, "libvirtd")
    os.kill(before, signal.SIGKILL)
    wait_until(
        lambda: [pid for pid in find_pids(daemon, "libvirtd") if pid != before] or None,
        "another libvirtd",
        Deadline.after(10),
    )
    require_answer(daemon)
    log = (daemon.places.logs / "sandbox.log").read_text(errors="replace")
    assert "libvirtd ended with status 137; starting it again" in log


@pytest.mark.usefixtures("homes")
def test_stop_ends_every_process() -> None:
    with open_daemon() as daemon:
        sandbox = daemon.start(kvm=None, dies_with_us=True)
        require_answer(daemon)
        assert find_marked_processes()[daemon.lab_id]

        sandbox.stop(Deadline.after(10))

        assert daemon.lab_id not in find_marked_processes()
        assert not Path(f"/proc/{sandbox.outer_pid}").exists(), "not even a zombie"


STARTER = """
import sys
from tests.integration.hypervisor.conftest import open_daemon
from xenlab.hypervisor.connection import connect
from xenlab.waiting import Deadline

with open_daemon() as daemon:
    daemon.start(kvm=None, dies_with_us=sys.argv[1] == "transient")
    connect(daemon.uri, Deadline.after(30))
    print(daemon.lab_id, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def killed_starter(kind: str) -> Iterator[list[ProcessIdentity]]:
    """The processes that somebody had started who was then killed by SIGKILL: no cleanup ran."""
    argv = [sys.executable, "-c", STARTER, kind]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        lab_id = starter.stdout.readline().decode().strip()
        left = find_marked_processes()[lab_id]
        starter.kill()
    try:
        yield left
    finally:
        for process in left:
            process.kill()


@pytest.mark.usefixtures("homes")
def test_transient_sandbox_ends_with_its_starter() -> None:
    with killed_starter("transient") as left:
        wait_until(
            lambda: not any(process.alive for process in left),
            "the sandbox to end",
            Deadline.after(F1_LIMIT_S),
        )


@pytest.mark.usefixtures("homes")
def test_lasting_sandbox_outlives_its_starter() -> None:
    with killed_starter("lasting") as left, pytest.raises(WaitTimedOut):
        wait_until(
            lambda: not all(process.alive for process in left),
            "any of it to end",
            Deadline.after(1.0),
        )
