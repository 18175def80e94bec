"""SshShell: a Shell over SSH, to dom0 by TCP on the loopback or to a domU through a channel."""

from __future__ import annotations

import contextlib
import shlex
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from xenlab.errors import ConnectionLost, LabError
from xenlab.transport.connection import SshConnection, assume_peer, blaming
from xenlab.transport.exchange import NO_INPUT, Exchange
from xenlab.transport.handshake import shake_hands
from xenlab.transport.keys import SshKeys
from xenlab.transport.kill_scripts import KILL, SIGNAL
from xenlab.transport.pool import ConnectionPool
from xenlab.transport.shell import CommandResult
from xenlab.transport.standing import render_command, render_script
from xenlab.transport.streaming import Streams, join_streams
from xenlab.waiting import Deadline

KILL_LIMIT_S = 5.0


def render_vchan_argv(domid: int) -> list[str]:
    """The command in dom0 whose stdin and stdout are a byte stream to the domU's SSH server."""
    return ["vchan-pipe", "connect", str(domid)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SshShell:
    """A node over SSH, where any number of commands run side by side."""

    pool: ConnectionPool

    @property
    def where(self) -> str:
        """See Shell.where."""
        return self.pool.where

    @property
    def connected(self) -> bool:
        """Whether every connection stands, as far as is known without asking."""
        return self.pool.connected

    @classmethod
    def connect_tcp(
        cls, where: str, port: int, keys: SshKeys, deadline: Deadline,
        require_peer: Callable[[], None] = assume_peer,
    ) -> SshShell:  # fmt: skip
        """Connect to a forwarded port on the loopback."""

        def dial(deadline: Deadline) -> SshConnection:
            with blaming(require_peer):
                client = shake_hands(where, _open_socket(where, port, deadline), keys, deadline)
            return SshConnection(where=where, client=client, require_peer=require_peer)

        return cls(pool=ConnectionPool.open(where, dial, deadline))

    def connect_vchan(
        self, where: str, domid: int, keys: SshKeys, deadline: Deadline,
        require_peer: Callable[[], None] = assume_peer,
    ) -> SshShell:  # fmt: skip
        """Connect from here (dom0) to a domU over its vchan; needs no netfront, no netback."""
        return self.connect_by(render_vchan_argv(domid), where, keys, deadline, require_peer)

    def connect_by(
        self, argv: Sequence[str], where: str, keys: SshKeys, deadline: Deadline,
        require_peer: Callable[[], None] = assume_peer,
    ) -> SshShell:  # fmt: skip
        """Connect by a command here whose stdin and stdout are a byte stream to an SSH server."""
        line = shlex.join(argv)

        def dial(deadline: Deadline) -> SshConnection:
            trunk = self.pool.trunk(deadline)
            with trunk.watch(deadline):
                proxy = trunk.begin_exchange(line, line, deadline)
                try:
                    client = shake_hands(where, proxy.channel, keys, deadline)
                except ConnectionLost as error:
                    said = proxy.read_errors().strip()
                    raise ConnectionLost(f"{error}; `{line}` says: {said or 'nothing'}") from error
            return replace(trunk, where=where, client=client, require_peer=require_peer)

        return SshShell(pool=ConnectionPool.open(where, dial, deadline))

    def run(self, argv: Sequence[str], *, deadline: Deadline, stdin: bytes = b"") -> CommandResult:
        """See Shell.run."""
        return self._run(render_command(argv), tuple(argv), deadline, stdin)

    def run_script(
        self, script: str, *words: str, deadline: Deadline, stdin: bytes = b""
    ) -> CommandResult:
        """See Shell.run_script."""
        argv = ("sh", "-c", script, "sh", *words)
        return self._run(render_script(script, words), argv, deadline, stdin)

    def _run(
        self, line: str, argv: tuple[str, ...], deadline: Deadline, stdin: bytes
    ) -> CommandResult:
        """Run a line in the shell that stays, or with input on a channel of its own."""
        started_s, what = time.monotonic(), shlex.join(argv)
        with self.pool.lend(deadline) as connection, connection.watch(deadline):
            if stdin:
                # The shell stays and turns death by signal N into 128 + N.
                told = f"({line}); exit $?"
                exchange = connection.begin_exchange(what, told, deadline)
                with contextlib.closing(exchange):
                    status = exchange.finish(deadline, stdin)
                return _result(exchange, argv, status, started_s)
            ended = connection.standing_shell(deadline).run(what, line, deadline)
        return CommandResult(
            where=self.where, argv=argv, status=ended.status, stdout=ended.stdout,
            stderr=ended.stderr, elapsed_s=time.monotonic() - started_s,
        )  # fmt: skip

    def stream(self, argv: Sequence[str], streams: Streams, *, deadline: Deadline) -> int:
        """Run a command joined to our own streams, for as long as it takes; its exit status.

        The deadline is for its start. The command is killed if we are interrupted.
        """
        line = shlex.join(argv)
        connection = self.pool.take(deadline)
        with connection.watch(deadline):
            told = f"echo $$; {line}; exit $?"
            exchange = connection.begin_exchange(line, told, deadline)
        with contextlib.closing(exchange):
            with connection.watch(deadline):
                pid = int(exchange.read_line(deadline))
            try:
                with blaming(connection.require_peer):
                    return join_streams(exchange, streams)
            except (KeyboardInterrupt, BrokenPipeError):
                self._kill(pid, Deadline.after(KILL_LIMIT_S))
                raise

    def start(
        self, argv: Sequence[str], *, deadline: Deadline
    ) -> contextlib.AbstractContextManager[SshCommand]:
        """See Shell.start. The command is killed if it still runs when the context ends."""
        return self._start(f"exec {shlex.join(argv)}{NO_INPUT}", tuple(argv), deadline)

    def start_script(
        self, script: str, *words: str, deadline: Deadline
    ) -> contextlib.AbstractContextManager[SshCommand]:
        """See Shell.start_script; its end is that of `start`."""
        line = f"exec{NO_INPUT}; {render_script(script, words)}"
        return self._start(line, ("sh", "-c", script, "sh", *words), deadline)

    @contextlib.contextmanager
    def _start(self, line: str, argv: tuple[str, ...], deadline: Deadline) -> Iterator[SshCommand]:
        connection = self.pool.take(deadline)
        with connection.watch(deadline):
            exchange = connection.begin_exchange(shlex.join(argv), f"echo $$; {line}", deadline)
        with contextlib.closing(exchange):
            with connection.watch(deadline):
                pid = int(exchange.read_line(deadline))
            command = SshCommand(
                shell=self, connection=connection, argv=argv, exchange=exchange, pid=pid,
                started_s=time.monotonic(),
            )  # fmt: skip
            try:
                yield command
            finally:
                deadline = Deadline.after(KILL_LIMIT_S)
                if not exchange.channel.exit_status_ready():
                    self._kill(pid, deadline)
                if exchange.await_end(deadline.remaining_s):
                    self.pool.give_back(connection)
                else:
                    self.pool.drop(connection)

    def _kill(self, pid: int, deadline: Deadline) -> None:
        """End a command of ours; on a connection that is gone it has lost its streams anyway."""
        with contextlib.suppress(LabError):
            self.run_script(KILL, str(pid), deadline=deadline)

    def write_file(self, path: str, content: bytes, *, deadline: Deadline) -> None:
        """See Shell.write_file."""
        line = f"exec cat > {shlex.quote(path)}"
        self._run(line, ("write", path), deadline, content).require_success()

    def read_file(self, path: str, *, deadline: Deadline) -> bytes:
        """See Shell.read_file."""
        return self.run(["cat", path], deadline=deadline).require_success().stdout

    def close(self) -> None:
        """End the connections, and with them what still runs there."""
        self.pool.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class SshCommand:
    """A RunningCommand on an SSH channel of its own."""

    shell: SshShell
    connection: SshConnection
    argv: tuple[str, ...]
    exchange: Exchange
    pid: int
    started_s: float

    def read_line(self, deadline: Deadline) -> bytes:
        """See RunningCommand.read_line."""
        line = self.exchange.take_line()  # a watch costs a thread: too much for each of many lines
        if line is not None:
            return line
        with self.connection.watch(deadline):
            return self.exchange.read_line(deadline)

    def wait(self, deadline: Deadline) -> CommandResult:
        """See RunningCommand.wait."""
        with self.connection.watch(deadline):
            status = self.exchange.finish(deadline)
        return _result(self.exchange, self.argv, status, self.started_s)

    def signal(self, name: str, deadline: Deadline) -> None:
        """See RunningCommand.signal."""
        self.shell.run_script(SIGNAL, name, str(self.pid), deadline=deadline)

    def speaks(self, deadline: Deadline) -> bool:
        """See RunningCommand.speaks."""
        return self.exchange.speaks(deadline)


def _open_socket(where: str, port: int, deadline: Deadline) -> socket.socket:
    try:
        sock = socket.create_connection(("127.0.0.1", port), timeout=max(0.1, deadline.remaining_s))
    except OSError as error:
        raise ConnectionLost(f"{where}: nothing listens on port {port}: {error}") from error
    # Without it each of a command's messages waits up to 40 ms for the peer's delayed ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _result(
    exchange: Exchange, argv: tuple[str, ...], status: int, started_s: float
) -> CommandResult:
    return CommandResult(
        where=exchange.where, argv=argv, status=status,
        stdout=bytes(exchange.stdout), stderr=bytes(exchange.stderr),
        elapsed_s=time.monotonic() - started_s,
    )  # fmt: skip
