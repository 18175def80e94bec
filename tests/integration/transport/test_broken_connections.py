"""F23, with servers that misbehave: distinct errors, every deadline kept, nothing on stderr."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.integration.transport.ssh_server import SshServer
from xenlab.errors import ConnectionLost, GuestLost, WaitTimedOut
from xenlab.transport.handshake import AuthenticationRefused, HostKeyMismatch
from xenlab.transport.keys import SshKeys, generate_keys
from xenlab.transport.ssh import KILL_LIMIT_S, SshShell
from xenlab.transport.streaming import Streams
from xenlab.waiting import Deadline, wait_until

LIMIT_S = 0.5
SLACK_S = 1.5
MEGABYTES = bytes(20_000_000)


@contextmanager
def kept(limit_s: float = LIMIT_S) -> Iterator[Deadline]:
    """A deadline that what happens inside must keep."""
    started_s = time.monotonic()
    try:
        yield Deadline.after(limit_s)
    finally:
        assert time.monotonic() - started_s < limit_s + SLACK_S


def connect(port: int, keys: SshKeys, deadline: Deadline) -> None:
    SshShell.connect_tcp("dom0", port, keys, deadline).close()


def hang_up_on_first(listener: socket.socket) -> None:
    def hang_up() -> None:
        listener.accept()[0].close()

    threading.Thread(target=hang_up, daemon=True).start()


def test_wrong_host_key_is_refused(server: SshServer, tmp_path: Path) -> None:
    others = generate_keys(tmp_path / "others")
    server.authorize(others.authorized_keys.read_text())
    with pytest.raises(HostKeyMismatch, match="dom0: the host key is not this lab's"):
        connect(server.port, others, Deadline.after(10))


def test_refused_key_is_told_as_that(server: SshServer, keys: SshKeys, tmp_path: Path) -> None:
    server.authorize(generate_keys(tmp_path / "others").authorized_keys.read_text())
    with pytest.raises(AuthenticationRefused, match="dom0: our key was refused"):
        connect(server.port, keys, Deadline.after(10))


def test_server_that_never_greets_is_left_at_the_deadline(keys: SshKeys) -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        pytest.raises(WaitTimedOut, match="dom0: the SSH server did not answer in time"),
        kept() as deadline,
    ):
        connect(silent.getsockname()[1], keys, deadline)


def test_server_that_stops_after_its_greeting_is_left_at_the_deadline(keys: SshKeys) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def greet() -> None:
            client, _ = listener.accept()
            with client:
                client.sendall(b"SSH-2.0-half\r\n")
                while client.recv(4096):
                    pass

        threading.Thread(target=greet, daemon=True).start()
        with (
            pytest.raises(WaitTimedOut, match="did not answer in time"),
            kept() as deadline,
        ):
            connect(listener.getsockname()[1], keys, deadline)


def test_server_that_hangs_up_is_a_lost_connection_at_once(keys: SshKeys) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        hang_up_on_first(listener)
        with pytest.raises(ConnectionLost, match="dom0: no SSH session"), kept(0.0):
            connect(listener.getsockname()[1], keys, Deadline.after(10))


def test_port_without_a_listener_is_a_lost_connection_at_once(keys: SshKeys) -> None:
    with closing(socket.socket()) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(ConnectionLost, match=f"nothing listens on port {port}"), kept(0.0):
            connect(port, keys, Deadline.after(10))


def test_drop_in_the_middle_of_a_command_is_a_lost_connection_at_once(
    server: SshServer, shell: SshShell
) -> None:
    deadline = Deadline.after(30)
    with shell.start(["sh", "-c", "echo going; exec sleep 60"], deadline=deadline) as command:
        assert command.read_line(deadline) == b"going"
        server.signal(signal.SIGKILL)
        with pytest.raises(ConnectionLost, match="the connection broke"), kept(0.0):
            command.wait(deadline)


def test_drop_while_megabytes_are_sent_is_a_lost_connection(
    server: SshServer, shell: SshShell
) -> None:
    killer = threading.Timer(0.2, server.signal, [signal.SIGKILL])
    killer.start()
    with pytest.raises(ConnectionLost), kept(0.2):
        shell.run(["sh", "-c", "sleep 60"], deadline=Deadline.after(30), stdin=MEGABYTES)
    killer.join()


def test_dropped_connection_is_told_again_to_whoever_comes_next(
    server: SshServer, shell: SshShell
) -> None:
    server.signal(signal.SIGKILL)
    wait_until(lambda: not shell.connected, "the end to be noticed", Deadline.after(5))
    with pytest.raises(ConnectionLost, match="dom0: the SSH connection is closed"):
        shell.run(["true"], deadline=Deadline.after(10))


def test_server_frozen_before_a_command_is_left_at_the_deadline(
    server: SshServer, shell: SshShell
) -> None:
    server.signal(signal.SIGSTOP)
    with pytest.raises(WaitTimedOut), kept() as deadline:
        shell.run(["true"], deadline=deadline)


def test_server_frozen_while_a_command_starts_is_left_at_the_deadline(
    server: SshServer, shell: SshShell
) -> None:
    exchange = shell.pool.take(Deadline.after(10)).open_exchange("true", Deadline.after(10))
    server.signal(signal.SIGSTOP)
    with pytest.raises(WaitTimedOut, match="`true` did not start in time"), kept() as deadline:
        exchange.begin("true", deadline)


def test_server_frozen_while_megabytes_are_sent_is_left_at_the_deadline(
    server: SshServer, shell: SshShell
) -> None:
    freezer = threading.Timer(0.1, server.signal, [signal.SIGSTOP])
    freezer.start()
    with pytest.raises(WaitTimedOut), kept() as deadline:
        shell.run(["cat"], deadline=deadline, stdin=MEGABYTES)
    freezer.join()


def test_sender_that_is_stuck_holds_up_no_other_command(server: SshServer, shell: SshShell) -> None:
    with shell.start(["sleep", "60"], deadline=Deadline.after(10)) as command:
        server.get_stuck(command.exchange)
        assert shell.run(["true"], deadline=Deadline.after(10)).status == 0


def test_sender_that_is_stuck_does_not_hold_up_who_reads_either(
    server: SshServer, shell: SshShell
) -> None:
    """Reading may send acknowledgements: they would wait behind the stuck sender, for ever."""
    argv = ["sh", "-c", "head -c 1000000 /dev/zero; exec sleep 60"]
    with shell.start(argv, deadline=Deadline.after(10)) as command:
        pending = command.exchange.channel.in_buffer
        taken = command.exchange.stdout  # with the line before it, as far as it was there
        wait_until(lambda: len(pending) + len(taken) > 900_000, "much output", Deadline.after(10))
        server.get_stuck(command.exchange)
        with pytest.raises(WaitTimedOut), kept() as deadline:
            command.wait(deadline)


def test_sender_that_is_stuck_does_not_hold_up_the_end_of_what_has_ended(
    server: SshServer, shell: SshShell
) -> None:
    ended, stuck = (
        shell.pool.take(Deadline.after(10)).open_exchange(what, Deadline.after(10)) for what in "es"
    )
    ended.begin("true", Deadline.after(10))
    stuck.begin("cat", Deadline.after(10))
    assert ended.finish(Deadline.after(10), b"") == 0
    server.get_stuck(stuck)
    with kept():
        ended.close()


def test_stream_whose_sender_is_stuck_ends_with_the_connection(
    server: SshServer, shell: SshShell
) -> None:
    given, both = os.pipe(), os.pipe()
    streams = Streams(stdin=given[0], stdout=both[1], stderr=both[1])
    argv = ["sh", "-c", "head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; exec sleep 60"]
    with ThreadPoolExecutor() as pool:
        streaming = pool.submit(shell.stream, argv, streams, deadline=Deadline.after(10))
        os.read(both[0], 1)
        server.signal(signal.SIGSTOP)
        threading.Thread(target=write_all, args=(given[1], MEGABYTES), daemon=True).start()
        threading.Thread(target=read_all, args=(both[0],), daemon=True).start()
        server.signal(signal.SIGKILL)
        with pytest.raises(ConnectionLost):
            streaming.result(timeout=10)


def write_all(descriptor: int, content: bytes) -> None:
    os.write(descriptor, content)


def read_all(descriptor: int) -> None:
    while os.read(descriptor, 1 << 16):
        pass


def test_frozen_server_does_not_hold_up_the_end_of_a_started_command(
    server: SshServer, shell: SshShell
) -> None:
    def freeze_inside() -> None:
        with shell.start(["sleep", "60"], deadline=Deadline.after(10)) as command:
            server.signal(signal.SIGSTOP)
            command.read_line(Deadline.after(LIMIT_S))

    with pytest.raises(WaitTimedOut, match="`sleep 60`"), kept(LIMIT_S + KILL_LIMIT_S):
        freeze_inside()


def test_guest_that_is_gone_is_told_in_place_of_the_broken_connection(
    server: SshServer, shell: SshShell
) -> None:
    def gone() -> None:
        raise GuestLost("the machine is shut off (crashed)")

    with shell.pool.lend(Deadline.after(10)) as connection:
        connection.require_peer = gone
    server.signal(signal.SIGKILL)
    with pytest.raises(GuestLost, match="crashed") as lost:
        shell.run(["sleep", "60"], deadline=Deadline.after(10))
    assert isinstance(lost.value.__context__, ConnectionLost)


def test_failed_connection_writes_nothing_on_stderr(keys: SshKeys) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from xenlab.errors import LabError
        from xenlab.transport.keys import SshKeys
        from xenlab.transport.ssh import KILL_LIMIT_S, SshShell
        from xenlab.waiting import Deadline
        try:
            SshShell.connect_tcp(
                "dom0", int(sys.argv[2]), SshKeys(directory=Path(sys.argv[1])), Deadline.after(9)
            )
        except LabError as error:
            print(type(error).__name__)
    """)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        hang_up_on_first(listener)
        port = str(listener.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-c", program, str(keys.directory), port],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
    assert result.stdout == "ConnectionLost\n"
    assert result.stderr == ""
