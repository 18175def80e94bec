"""Exchange: the bytes of one SSH channel, both directions at once, until its exit status."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field

import paramiko

from xenlab.errors import CommandFailed, ConnectionLost, LabError, WaitTimedOut
from xenlab.waiting import Deadline, ended_at

CHUNK_BYTES = 1 << 16
SEEN_BYTES = 400
OUTPUT_LIMIT_BYTES = 1 << 30  # what a node says is kept in memory here
STATUS_LOST = -1  # paramiko's exit status when the channel closed without one
CLOSE_LIMIT_S = 1.0
BROKEN = (paramiko.SSHException, OSError, EOFError)  # what paramiko raises when a connection fails


@dataclass(slots=True, kw_only=True)
class Exchange:
    """Feeds stdin beside draining stdout and stderr, so that no full window can block it."""

    channel: paramiko.Channel
    where: str
    what: str
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    _bell: threading.Event = field(default_factory=threading.Event)  # rings with new output

    def __post_init__(self) -> None:
        self.channel.in_buffer.set_event(self._bell)
        self.channel.in_stderr_buffer.set_event(self._bell)

    def begin(self, line: str, deadline: Deadline) -> None:
        """Have the remote shell run `line`."""
        try:
            with ended_at(deadline, self._close_channel):
                self.channel.exec_command(line)
        except BROKEN as error:
            what = f"{self.where}: `{self.what}` did not start"
            if deadline.expired:
                raise WaitTimedOut(f"{what} in time") from error
            raise ConnectionLost(f"{what}: {error}") from error

    def finish(self, deadline: Deadline, stdin: bytes) -> int:
        """Run to the exit status; WaitTimedOut, ConnectionLost or CommandFailed without one."""
        if stdin:
            threading.Thread(target=self._feed, args=(stdin,), name="stdin", daemon=True).start()
        else:
            self._shut_input()
        while not self._ended():
            self._await_output(deadline)
        return self.read_status()

    def read_line(self, deadline: Deadline) -> bytes:
        """The next line of stdout, without its newline; ConnectionLost at its end."""
        searched = 0
        while (end := self.stdout.find(b"\n", searched)) < 0:
            searched = len(self.stdout)
            if self._drain():
                continue
            if self._output_ended():
                said = self.read_errors()
                raise ConnectionLost(f"{self.where}: `{self.what}` ended its output: {said}")
            self._await_output(deadline)
        line = bytes(self.stdout[:end])
        del self.stdout[: end + 1]
        return line

    def read_errors(self) -> str:
        """The end of what came on stderr so far."""
        self._drain()
        return bytes(self.stderr[-SEEN_BYTES:]).decode(errors="replace")

    def close(self) -> None:
        """Close the channel. Beside a sender that is stuck this takes a second, not for ever."""
        closing = threading.Thread(target=self._close_channel, name="close", daemon=True)
        closing.start()
        closing.join(CLOSE_LIMIT_S)

    def _close_channel(self) -> None:
        with suppress(*BROKEN):  # the connection has ended meanwhile, and the channel with it
            self.channel.close()

    def _feed(self, stdin: bytes) -> None:
        """Send all, and the end; a peer that no longer reads ends the input, not the command."""
        unsent = memoryview(stdin)
        with suppress(*BROKEN):
            while unsent and (sent := self.channel.send(unsent[:CHUNK_BYTES].tobytes())):
                unsent = unsent[sent:]
        self._shut_input()

    def _shut_input(self) -> None:
        with suppress(*BROKEN):  # closing: the status tells how
            self.channel.shutdown_write()

    def _drain(self) -> bool:
        """Take all output that is here; whether there was any."""
        moved = False
        while self.channel.recv_ready():
            self.stdout += self.channel.recv(CHUNK_BYTES)
            moved = True
        while self.channel.recv_stderr_ready():
            self.stderr += self.channel.recv_stderr(CHUNK_BYTES)
            moved = True
        if len(self.stdout) + len(self.stderr) > OUTPUT_LIMIT_BYTES:
            raise LabError(f"{self.where}: `{self.what}` said more than {OUTPUT_LIMIT_BYTES} bytes")
        return moved

    def _output_ended(self) -> bool:
        """Whether the last byte of output is here; the server sends all before it closes."""
        over = bool(self.channel.closed or self.channel.eof_received)
        return over and not self._drain()

    def _ended(self) -> bool:
        return self._output_ended() and self.channel.exit_status_ready()

    def _await_output(self, deadline: Deadline) -> None:
        """Wait for bytes or, behind the end of the output, for the exit status."""
        if self._drain():
            return  # reading resets the bell: only with nothing left to read may we wait for it
        if deadline.expired:
            seen = bytes((self.stderr or self.stdout)[-SEEN_BYTES:]).decode(errors="replace")
            raise WaitTimedOut(f"{self.where}: `{self.what}` did not end; last seen: {seen}")
        over = self.channel.eof_received or self.channel.closed
        event = self.channel.status_event if over else self._bell
        event.wait(deadline.remaining_s)

    def read_status(self) -> int:
        """The exit status; CommandFailed or ConnectionLost where there is none."""
        status = self.channel.recv_exit_status()
        if status != STATUS_LOST:
            return status
        transport = self.channel.transport
        if self.channel.eof_received and transport is not None and transport.is_active():
            raise CommandFailed(f"{self.where}: a signal ended the shell that ran `{self.what}`")
        raise ConnectionLost(f"{self.where}: the connection broke during `{self.what}`")
