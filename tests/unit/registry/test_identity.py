"""A recorded process is that very process, or it is nobody: a reused number is never signalled."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from xenlab.registry.identity import ProcessIdentity, read_start_ticks
from xenlab.waiting import Deadline, wait_until


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            yield child
        finally:
            child.kill()


def test_process_is_alive_until_it_ends(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    alive = [identity.alive]
    assert identity.kill(signal.SIGKILL)
    child.wait(10)
    alive.append(identity.alive)
    assert alive == [True, False]
    assert not identity.kill(signal.SIGKILL)


def test_zombie_is_not_alive(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    identity.kill(signal.SIGKILL)
    wait_until(lambda: not identity.alive, "the child to end", Deadline.after(10))
    assert child.returncode is None, "nobody has reaped it yet"


@pytest.mark.parametrize("change", ["start_ticks", "boot_id"])
def test_reused_pid_is_not_killed(child: subprocess.Popen[bytes], change: str) -> None:
    """F21: the number is in use, by another process than the recorded one."""
    identity = ProcessIdentity.of(child.pid)
    other = (
        replace(identity, start_ticks=identity.start_ticks - 1)
        if change == "start_ticks"
        else replace(identity, boot_id="another boot")
    )
    assert not other.alive
    assert not other.kill(signal.SIGKILL)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.2)


def test_process_that_is_gone_has_no_identity(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait(10)
    with pytest.raises(ProcessLookupError):
        ProcessIdentity.of(child.pid)


def test_name_with_brackets_and_blanks_does_not_confuse(tmp_path: object) -> None:
    script = "import ctypes, sys; ctypes.CDLL(None).prctl(15, b') R 1 2 (', 0, 0, 0)"
    argv = ["python3", "-c", f"{script}; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        before = read_start_ticks(child.pid)
        child.stdout.readline()
        assert read_start_ticks(child.pid) == before
        child.kill()
