"""SshShell: a Shell over SSH, to dom0 by TCP on the loopback or to a domU through a channel."""

from __future__ import annotations

import base64
import contextlib
import shlex
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import paramiko

from xenlab.errors import ConnectionLost, LabError, WaitTimedOut
from xenlab.transport.exchange import Exchange
from xenlab.transport.keys import KEY_TYPE, SshKeys
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

USER = "root"
BANNER_LIMIT_S = 30.0
VCHAN_NODE = "data/ssh"


def render_vchan_argv(domid: int) -> list[str]:
    """The command in dom0 whose stdin and stdout are a byte stream to the domU's SSH server."""
    return ["vchan-socket-proxy", str(domid), f"/local/domain/{domid}/{VCHAN_NODE}", "-"]


class AuthenticationRefused(LabError):
    """The node runs an SSH server that does not take our key."""


class HostKeyMismatch(LabError):
    """Whoever answered is not the node that this lab booted."""


@dataclass(slots=True, kw_only=True)
class SshShell:
    """One SSH connection, on which any number of commands run side by side."""

    where: str
    client: paramiko.SSHClient
    _closers: list[contextlib.AbstractContextManager[None]] = field(default_factory=list)

    @classmethod
    def connect_tcp(cls, where: str, port: int, keys: SshKeys, deadline: Deadline) -> SshShell:
        """Connect to a forwarded port on the loopback."""
        try:
            sock = socket.create_connection(("127.0.0.1", port), timeout=deadline.remaining_s)
        except OSError as error:
            raise ConnectionLost(f"{where}: nothing listens on 127.0.0.1:{port}: {error}") from error
        return cls._connect(where, sock, keys, deadline)

    def connect_vchan(
        self, where: str, domid: int, keys: SshKeys, deadline: Deadline
    ) -> SshShell:
        """Connect from here (dom0) to a domU over its vchan; needs no netfront, no netback."""
        channel = self._open_session(deadline)
        channel.exec_command(shlex.join(render_vchan_argv(domid)))
        return self._connect(where, channel, keys, deadline)

    @classmethod
    def _connect(
        cls, where: str, sock: socket.socket | paramiko.Channel, keys: SshKeys, deadline: Deadline
    ) -> SshShell:
        client = paramiko.SSHClient()
        host_key = paramiko.Ed25519Key(data=_public_blob(keys))
        client.get_host_keys().add(where, KEY_TYPE, host_key)
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        limit_s = max(0.1, min(BANNER_LIMIT_S, deadline.remaining_s))
        try:
            client.connect(
                where, username=USER, sock=sock, allow_agent=False, look_for_keys=False,
                pkey=paramiko.Ed25519Key.from_private_key_file(str(keys.private_key)),
                timeout=limit_s, banner_timeout=limit_s, auth_timeout=limit_s,
                channel_timeout=limit_s,
            )  # fmt: skip
        except paramiko.BadHostKeyException as error:
            client.close()
            raise HostKeyMismatch(f"{where}: the host key is not this lab's: {error}") from error
        except paramiko.AuthenticationException as error:
            client.close()
            raise AuthenticationRefused(f"{where}: our key was refused: {error}") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            client.close()
            raise ConnectionLost(f"{where}: no SSH session: {error}") from error
        return cls(where=where, client=client)

    def _open_session(self, deadline: Deadline) -> paramiko.Channel:
        transport = self.client.get_transport()
        if transport is None or not transport.is_active():
            raise ConnectionLost(f"{self.where}: the SSH connection is closed")
        try:
            return transport.open_session(timeout=max(0.1, deadline.remaining_s))
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ConnectionLost(f"{self.where}: no new SSH channel: {error}") from error

    def run(
        self, argv: Sequence[str], *, deadline: Deadline, stdin: bytes = b""
    ) -> CommandResult:
        """See Shell.run."""
        # `; exit $?`: the shell stays and turns death by signal N into 128 + N.
        return self._run_line(f"{shlex.join(argv)}; exit $?", tuple(argv), deadline, stdin)

    def _run_line(
        self, line: str, argv: tuple[str, ...], deadline: Deadline, stdin: bytes
    ) -> CommandResult:
        started_s = time.monotonic()
        channel = self._open_session(deadline)
        with contextlib.closing(channel):
            exchange = Exchange(channel=channel, where=self.where, what=shlex.join(argv))
            exchange.begin(line)
            status = exchange.finish(deadline, stdin)
        return CommandResult(
            where=self.where, argv=argv, status=status,
            stdout=bytes(exchange.stdout), stderr=bytes(exchange.stderr),
            elapsed_s=time.monotonic() - started_s,
        )  # fmt: skip

    @contextlib.contextmanager
    def start(self, argv: Sequence[str], *, deadline: Deadline) -> Iterator[SshCommand]:
        """See Shell.start. The command is killed if it still runs when the context ends."""
        channel = self._open_session(deadline)
        what = shlex.join(argv)
        exchange = Exchange(channel=channel, where=self.where, what=what)
        exchange.begin(f"echo $$; exec {what}")
        pid = int(exchange.read_line(deadline))
        command = SshCommand(argv=tuple(argv), exchange=exchange, started_s=time.monotonic())
        try:
            yield command
        finally:
            finished = channel.exit_status_ready()
            channel.close()
            if not finished:
                with contextlib.suppress(ConnectionLost, WaitTimedOut):
                    self.run(["kill", "-KILL", str(pid)], deadline=Deadline.after(BANNER_LIMIT_S))

    def write_file(self, path: str, content: bytes, *, deadline: Deadline) -> None:
        """See Shell.write_file."""
        target = shlex.quote(path)
        argv = ("write", path)
        self._run_line(f"cat > {target}", argv, deadline, content).require_success()

    def read_file(self, path: str, *, deadline: Deadline) -> bytes:
        """See Shell.read_file."""
        return self.run(["cat", path], deadline=deadline).require_success().stdout

    def close(self) -> None:
        """End the connection, and with it what still runs on it."""
        self.client.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class SshCommand:
    """A RunningCommand on an SSH channel of its own."""

    argv: tuple[str, ...]
    exchange: Exchange
    started_s: float

    def read_line(self, deadline: Deadline) -> bytes:
        """See RunningCommand.read_line."""
        return self.exchange.read_line(deadline)

    def wait(self, deadline: Deadline) -> CommandResult:
        """See RunningCommand.wait."""
        status = self.exchange.finish(deadline, b"")
        return CommandResult(
            where=self.exchange.where, argv=self.argv, status=status,
            stdout=bytes(self.exchange.stdout), stderr=bytes(self.exchange.stderr),
            elapsed_s=time.monotonic() - self.started_s,
        )  # fmt: skip


def _public_blob(keys: SshKeys) -> bytes:
    return base64.b64decode(keys.host_public_key.read_text().split()[1])
