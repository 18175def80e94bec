"""A domU's shell: SSH through a channel of dom0's SSH, here to a second dropbear behind it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.integration.transport.ssh_server import SshServer
from xenlab.errors import ConnectionLost, WaitTimedOut
from xenlab.transport.handshake import HostKeyMismatch
from xenlab.transport.keys import SshKeys, generate_keys
from xenlab.transport.ssh import SshShell
from xenlab.waiting import Deadline, wait_until

LIMIT_S = 0.5
SLACK_S = 4.0  # the two connections are given up one after the other
MEGABYTE = bytes(range(256)) * 4096
DOMID = 7


@pytest.fixture
def second_hop(server: SshServer) -> None:
    """In the place of the vchan: the same program name, joined to a dropbear of its own."""
    server.install("vchan-pipe", server.render_pipe())


@pytest.fixture
def domu(shell: SshShell, keys: SshKeys, second_hop: None) -> Iterator[SshShell]:
    with closing(shell.connect_vchan("alice", DOMID, keys, Deadline.after(10))) as domu:
        yield domu


def test_commands_run_behind_the_second_hop(domu: SshShell) -> None:
    result = domu.run(["sh", "-c", "cat; echo err >&2; exit 9"], deadline=Deadline.after(10),
                      stdin=b"in")  # fmt: skip
    assert (result.where, result.status) == ("alice", 9)
    assert (result.stdout, result.stderr) == (b"in", b"err\n")


def test_megabytes_go_both_ways_at_once(domu: SshShell) -> None:
    content = MEGABYTE * 20
    assert domu.run(["cat"], deadline=Deadline.after(60), stdin=content).stdout == content


def test_both_hops_carry_commands_side_by_side(shell: SshShell, domu: SshShell) -> None:
    deadline = Deadline.after(10)
    with domu.start(["sh", "-c", "read word; echo got $word"], deadline=deadline) as command:
        assert shell.run(["echo", "first"], deadline=deadline).text == "first\n"
        assert domu.run(["echo", "second"], deadline=deadline).text == "second\n"
        assert command.wait(deadline).text == "got\n"


def test_pipe_that_fails_says_why(server: SshServer, shell: SshShell, keys: SshKeys) -> None:
    server.install("vchan-pipe", "#!/bin/sh\necho no such domain >&2; exit 1")
    with pytest.raises(ConnectionLost, match=r"alice: .*`vchan-pipe connect 7` says: no such dom"):
        shell.connect_vchan("alice", DOMID, keys, Deadline.after(10))
    assert shell.run(["true"], deadline=Deadline.after(10)).status == 0


def test_pipe_that_is_silent_is_left_at_the_deadline(
    server: SshServer, shell: SshShell, keys: SshKeys
) -> None:
    server.install("vchan-pipe", "#!/bin/sh\nexec sleep 60")
    started_s = time.monotonic()
    with pytest.raises(WaitTimedOut, match="alice: the SSH server did not answer in time"):
        shell.connect_vchan("alice", DOMID, keys, Deadline.after(LIMIT_S))
    assert time.monotonic() - started_s < LIMIT_S + SLACK_S
    assert shell.run(["true"], deadline=Deadline.after(10)).status == 0


@pytest.mark.usefixtures("second_hop")
def test_stranger_behind_the_pipe_is_refused(
    server: SshServer, shell: SshShell, keys: SshKeys, tmp_path_factory: pytest.TempPathFactory
) -> None:
    others = generate_keys(tmp_path_factory.mktemp("others") / "keys")
    server.authorize(others.authorized_keys.read_text())
    with pytest.raises(HostKeyMismatch, match="alice"):
        shell.connect_vchan("alice", DOMID, others, Deadline.after(10))


def test_end_of_the_first_hop_is_a_lost_connection_of_the_second(
    server: SshServer, domu: SshShell
) -> None:
    deadline = Deadline.after(10)
    with domu.start(["sleep", "60"], deadline=deadline) as command:
        server.signal(signal.SIGKILL)
        with pytest.raises(ConnectionLost):
            command.wait(deadline)
    wait_until(lambda: not domu.connected, "the end to be noticed", Deadline.after(5))


def test_frozen_first_hop_holds_up_nothing(server: SshServer, domu: SshShell) -> None:
    """Every buffer of both hops fills up: the senders are stuck in each of them."""
    started_s = time.monotonic()
    server.signal(signal.SIGSTOP)
    with pytest.raises(WaitTimedOut):
        domu.run(["cat"], deadline=Deadline.after(LIMIT_S), stdin=MEGABYTE * 40)
    domu.close()
    assert time.monotonic() - started_s < LIMIT_S + SLACK_S


def test_first_hop_that_is_stuck_does_not_hold_up_the_end_of_the_second(
    server: SshServer, shell: SshShell, domu: SshShell
) -> None:
    stuck = shell.pool.take(Deadline.after(10)).open_exchange("cat", Deadline.after(10))
    stuck.begin("cat", Deadline.after(10))
    server.get_stuck(stuck)
    started_s = time.monotonic()
    domu.close()
    assert time.monotonic() - started_s < SLACK_S
