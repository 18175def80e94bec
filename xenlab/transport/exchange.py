"""Exchange: the bytes of one SSH channel, both directions at once, until its exit status."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import paramiko

from xenlab.errors import CommandFailed, ConnectionLost, LabError, WaitTimedOut
from xenlab.waiting import Deadline, ended_at

CHUNK_BYTES = 1 << 16
SEEN_BYTES = 400
OUTPUT_LIMIT_BYTES = 1 << 30  # what a node says is kept in memory here
# Behind a command that is given no input. The end of a channel's input is told by a message, and
# for one that comes after the command's own end dropbear ends the connection ("unknown channel"):
# paramiko (5.1) sends it outside the locks under which it answers that end.
NO_INPUT = " </dev/null"
STATUS_LOST = -1  # paramiko's exit status when the channel closed without one
LEAVE_LIMIT_S = 1.0
BROKEN = (paramiko.SSHException, OSError, EOFError)  # what paramiko raises when a connection fails


def leave(close: Callable[[], object]) -> None:
    """Close something that may be broken; beside a sender that is stuck this takes a second.

    It sends a farewell, or joins the one who is stuck: until somebody cuts the connection below.
    """

    def close_quietly() -> None:
        with suppress(*BROKEN):  # what is broken is closed
            close()

    leaving = threading.Thread(target=close_quietly, name="leaving", daemon=True)
    leaving.start()
    leaving.join(LEAVE_LIMIT_S)


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

    def await_end(self, seconds: float) -> bool:
        """Whether the command ends by then; what it says is not read."""
        return self.channel.status_event.wait(seconds)

    def begin(self, line: str, deadline: Deadline) -> None:
        """Have the remote shell run `line`."""
        try:
            with ended_at(deadline, self.close):
                self.channel.exec_command(line)
        except BROKEN as error:
            what = f"{self.where}: `{self.what}` did not start"
            if deadline.expired:
                raise WaitTimedOut(f"{what} in time") from error
            raise ConnectionLost(f"{what}: {error}") from error

    def finish(self, deadline: Deadline, stdin: bytes = b"") -> int:
        """Run to the exit status; WaitTimedOut, ConnectionLost or CommandFailed without one.

        Without `stdin` nothing is said of its end either: see NO_INPUT.
        """
        if stdin:
            threading.Thread(target=self._feed, args=(stdin,), name="stdin", daemon=True).start()
        while not self._ended():
            self._await_output(deadline)
        return self._read_status_in_time(deadline)

    def read_line(self, deadline: Deadline) -> bytes:
        """The next line of stdout, without its newline; ConnectionLost at its end."""
        searched = 0
        while (line := self.take_line(searched)) is None:
            searched = len(self.stdout)
            self._require_more(deadline)
        return line

    def read_through(self, mark: bytes, stream: bytearray, deadline: Deadline) -> bytes:
        """What comes on stdout or stderr before a mark, which is taken too."""
        searched = 0
        while (end := stream.find(mark, searched)) < 0:
            searched = max(0, len(stream) - len(mark))
            self._require_more(deadline)
        found = bytes(stream[:end])
        del stream[: end + len(mark)]
        return found

    def take_line(self, searched: int = 0) -> bytes | None:
        """The next line of stdout if it is here; there is no newline in the first `searched`."""
        end = self.stdout.find(b"\n", searched)
        if end < 0:
            return None
        line = bytes(self.stdout[:end])
        del self.stdout[: end + 1]
        return line

    def speaks(self, deadline: Deadline) -> bool:
        """Whether something was said on stdout that is not read yet, or its end came, in time."""
        while not self.stdout and not self._output_ended():
            if deadline.expired:
                return False
            self._bell.wait(deadline.remaining_s)
            self._drain()
        return True

    def send(self, text: bytes) -> None:
        """Say something to the command. Raises ConnectionLost."""
        try:
            self.channel.sendall(text)
        except BROKEN as error:
            raise ConnectionLost(f"{self.where}: `{self.what}` cannot be told: {error}") from error

    def read_errors(self) -> str:
        """The end of what came on stderr so far."""
        self._drain()
        return bytes(self.stderr[-SEEN_BYTES:]).decode(errors="replace")

    def close(self) -> None:
        """Close the channel."""
        leave(self.channel.close)

    def _read_status_in_time(self, deadline: Deadline) -> int:
        try:
            return self.read_status()
        except ConnectionLost as error:
            if deadline.expired:  # it was cut because of that
                raise WaitTimedOut(f"{self.where}: `{self.what}` did not end") from error
            raise

    def _feed(self, stdin: bytes) -> None:
        """Send all, and the end; a peer that no longer reads ends the input, not the command."""
        unsent = memoryview(stdin)
        with suppress(*BROKEN):
            while unsent and (sent := self.channel.send(unsent[:CHUNK_BYTES].tobytes())):
                unsent = unsent[sent:]
        with suppress(*BROKEN):  # closing: the status tells how
            self.channel.shutdown_write()

    def _drain(self) -> bool:
        """Take all output that is here; whether there was any."""
        moved = False
        with suppress(*BROKEN):  # receiving sends acknowledgements; the status tells what broke
            while self.channel.recv_ready():
                self.stdout += self.channel.recv(CHUNK_BYTES)
                moved = True
            while self.channel.recv_stderr_ready():
                self.stderr += self.channel.recv_stderr(CHUNK_BYTES)
                moved = True
        if len(self.stdout) + len(self.stderr) > OUTPUT_LIMIT_BYTES:
            raise LabError(f"{self.where}: `{self.what}` said more than {OUTPUT_LIMIT_BYTES} bytes")
        return moved

    def _require_more(self, deadline: Deadline) -> None:
        """Return with more output, or perhaps none yet; ConnectionLost at its end."""
        if self._drain():
            return
        if self._output_ended() and not deadline.expired:
            said = self.read_errors()
            raise ConnectionLost(f"{self.where}: `{self.what}` ended its output: {said}")
        self._await_output(deadline)

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
