"""StandingShell: a shell on a connection that runs script after script.

To open a channel, fork the SSH server and start a shell is nearly all that a short script costs an
emulated CPU; here a script costs a fork. What it changes in its shell ends with it.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.transport.exchange import Exchange
from xenlab.waiting import Deadline

NONCE_BYTES = 8
START = "exec sh"  # which reads what it has to do from the channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A script that came to its end."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingShell:
    """The shell; one script at a time. After an error its state is unknown: close it."""

    exchange: Exchange

    def run(self, script: str, words: Sequence[str], deadline: Deadline) -> Ended:
        """Run a script to its end. Raises WaitTimedOut or ConnectionLost."""
        halves = secrets.token_hex(NONCE_BYTES), secrets.token_hex(NONCE_BYTES)
        mark = "".join(halves).encode()
        self.exchange.what = shlex.join(["sh", "-c", script, "sh", *words])
        self.exchange.send(render_order(script, words, halves).encode())
        stdout = self.exchange.read_through(mark, self.exchange.stdout, deadline)
        status = int(self.exchange.read_line(deadline))
        stderr = self.exchange.read_through(mark + b"\n", self.exchange.stderr, deadline)
        return Ended(status=status, stdout=stdout, stderr=stderr)


def render_order(script: str, words: Sequence[str], halves: tuple[str, str]) -> str:
    """What the shell reads: the script in a subshell, then a mark at the end of both its streams.

    The mark's halves stand apart, so that no message with this text in it is taken for it.
    """
    mark = "''".join(halves)
    body = f"exec </dev/null; set -- {shlex.join(words)}; eval {shlex.quote(script)}"
    return f"({body})\necho {mark} $?; echo {mark} >&2\n"
