"""StandingShell: a shell on a connection that runs command after command.

To open a channel, fork the SSH server and start a shell is nearly all that a short command costs an
emulated CPU; here it costs a fork. What a script changes in its shell ends with it.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.errors import ConnectionLost
from xenlab.transport.exchange import NO_INPUT, Exchange
from xenlab.waiting import Deadline

NONCE_BYTES = 8
# Each order comes behind the number of its bytes: a shell that reads its commands from a pipe reads
# them byte by byte, for what follows may be a command's input; a system call for each costs more
# than all the rest. In the C locale a character is a byte.
START = (
    'while read -r xenlab; do LC_ALL=C read -r -N "$xenlab" xenlab || exit; eval "$xenlab"; done'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A word that nothing else says.

    Its halves stand apart where the shell is told of it, so that no message with an order's text
    in it is taken for it.
    """

    halves: tuple[str, str]

    @classmethod
    def draw(cls) -> Mark:
        """A new one."""
        return cls(halves=(secrets.token_hex(NONCE_BYTES), secrets.token_hex(NONCE_BYTES)))

    def __str__(self) -> str:
        """As the shell is told."""
        return "''".join(self.halves)

    @property
    def text(self) -> bytes:
        """As the shell says it."""
        return "".join(self.halves).encode()

    @property
    def line(self) -> bytes:
        """The same on a line of its own."""
        return self.text + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that came to its end."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingShell:
    """The shell; one command at a time. After an error its state is unknown: close it."""

    exchange: Exchange

    def run(self, what: str, line: str, deadline: Deadline) -> Ended:
        """Run a line, for the command `what`, to its end.

        Raises WaitTimedOut, ConnectionLost, or CommandFailed if a signal ended the shell.
        """
        exchange, begin, end = self.exchange, Mark.draw(), Mark.draw()
        exchange.what = what
        exchange.send(render_order(line, begin, end))
        try:
            # What comes before is of a program that an earlier command has left behind.
            exchange.read_through(begin.line, exchange.stdout, deadline)
            exchange.read_through(begin.line, exchange.stderr, deadline)
            stdout = exchange.read_through(end.text, exchange.stdout, deadline)
            status = int(exchange.read_line(deadline))
            stderr = exchange.read_through(end.line, exchange.stderr, deadline)
        except ConnectionLost:
            exchange.read_status()  # knows it if a signal ended the shell
            raise
        return Ended(status=status, stdout=stdout, stderr=stderr)


def render_command(argv: Sequence[str]) -> str:
    """The line that becomes a program."""
    return f"exec {shlex.join(argv)}"


def render_script(script: str, words: Sequence[str]) -> str:
    """The line that runs a script with its words."""
    return f"set -- {shlex.join(words)}; eval {shlex.quote(script)}"


def render_order(line: str, begin: Mark, end: Mark) -> bytes:
    """What the shell reads: the line in a subshell, between marks on both its streams."""
    order = (
        f"echo {begin}; echo {begin} >&2\n(exec{NO_INPUT}; {line})\necho {end} $?; echo {end} >&2"
    ).encode()
    return b"%d\n%b" % (len(order), order)
