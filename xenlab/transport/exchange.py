"""Exchange: the bytes of one SSH channel, both directions at once, until its exit status."""

from __future__ import annotations

import select
from dataclasses import dataclass, field

import paramiko

from xenlab.errors import ConnectionLost, WaitTimedOut
from xenlab.waiting import Deadline

CHUNK_BYTES = 1 << 16
STATUS_LOST = -1  # paramiko's exit status when the channel closed without one
POLL_SLICE_S = 0.05  # paramiko wakes no poller when its send window opens


@dataclass(slots=True, kw_only=True)
class Exchange:
    """Feeds stdin and drains stdout and stderr together, so that no full window can block it."""

    channel: paramiko.Channel
    where: str
    what: str
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)

    def begin(self, line: str) -> None:
        """Have the remote shell run `line`."""
        try:
            self.channel.exec_command(line)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ConnectionLost(f"{self.where}: `{self.what}` did not start: {error}") from error

    def finish(self, deadline: Deadline, stdin: bytes) -> int:
        """Run to the exit status; WaitTimedOut or ConnectionLost when there is none."""
        poller = select.poll()
        poller.register(self.channel.fileno(), select.POLLIN)
        unsent = memoryview(stdin)
        open_for_input = True
        while True:
            unsent = self._feed(unsent)
            if open_for_input and not unsent:
                self._shut_input()
                open_for_input = False
            moved = self._drain()
            if self.channel.exit_status_ready() and self._drained():
                break
            if deadline.expired:
                seen = bytes(self.stderr or self.stdout)[-400:].decode(errors="replace")
                raise WaitTimedOut(f"{self.where}: `{self.what}` did not end; last seen: {seen}")
            if not moved:
                slice_s = min(POLL_SLICE_S, deadline.remaining_s)
                self._wait(poller, slice_s if not unsent else slice_s / 10)
        return self._status()

    def read_line(self, deadline: Deadline) -> bytes:
        """The next line of stdout, without its newline; ConnectionLost at its end."""
        poller = select.poll()
        poller.register(self.channel.fileno(), select.POLLIN)
        while b"\n" not in self.stdout:
            if self._drain():
                continue
            if self.channel.eof_received or self.channel.closed:
                said = bytes(self.stderr).decode(errors="replace")[-400:]
                raise ConnectionLost(f"{self.where}: `{self.what}` ended its output: {said}")
            if deadline.expired:
                raise WaitTimedOut(f"{self.where}: no line from `{self.what}`")
            self._wait(poller, min(POLL_SLICE_S, deadline.remaining_s))
        line, _, rest = bytes(self.stdout).partition(b"\n")
        self.stdout[:] = rest
        return line

    def _feed(self, unsent: memoryview) -> memoryview:
        """Send what the window takes; a peer that no longer reads ends the input, not the command."""
        while unsent and self.channel.send_ready():
            try:
                unsent = unsent[self.channel.send(bytes(unsent[:CHUNK_BYTES])) :]
            except OSError:
                return memoryview(b"")
        return memoryview(b"") if self.channel.closed else unsent

    def _shut_input(self) -> None:
        try:
            self.channel.shutdown_write()
        except (OSError, EOFError):
            return  # the channel is closing: its status tells how it ended

    def _drain(self) -> bool:
        moved = False
        while self.channel.recv_ready():
            self.stdout += self.channel.recv(CHUNK_BYTES)
            moved = True
        while self.channel.recv_stderr_ready():
            self.stderr += self.channel.recv_stderr(CHUNK_BYTES)
            moved = True
        return moved

    def _drained(self) -> bool:
        """Whether all output is here: the server sends it before it closes the channel."""
        finished = bool(self.channel.closed or self.channel.eof_received)
        pending = self.channel.recv_ready() or self.channel.recv_stderr_ready()
        return finished and not pending

    def _wait(self, poller: select.poll, limit_s: float) -> None:
        """Wait for bytes; once the stream has ended only the exit status is still to come."""
        if self.channel.eof_received or self.channel.closed:
            self.channel.status_event.wait(limit_s)
        else:
            poller.poll(limit_s * 1000)

    def _status(self) -> int:
        status = self.channel.recv_exit_status()
        if status == STATUS_LOST:
            raise ConnectionLost(f"{self.where}: the connection broke during `{self.what}`")
        return status
