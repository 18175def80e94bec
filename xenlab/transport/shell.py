"""Shell: how everything above talks to a Linux, wherever it runs; CommandResult: what came back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from xenlab.errors import CommandFailed
from xenlab.waiting import Deadline

TAIL_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """One finished command. `status` is 0-255, or minus the signal number that ended it."""

    where: str
    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes
    elapsed_s: float

    @property
    def text(self) -> str:
        """Standard output as text, undecodable bytes replaced."""
        return self.stdout.decode(errors="replace")

    def require_success(self) -> CommandResult:
        """This result, or CommandFailed with the end of its standard error if that is not 0."""
        if self.status != 0:
            tail = (self.stderr or self.stdout).decode(errors="replace").splitlines()[-TAIL_LINES:]
            command = shlex.join(self.argv)
            raise CommandFailed(
                f"{self.where}: `{command}` returned {self.status}: " + "\n".join(tail)
            )
        return self


class RunningCommand(Protocol):
    """A command that was started and goes on beside us; leaving its context ends it."""

    def read_line(self, deadline: Deadline) -> bytes:
        """The next line of standard output without its newline; ConnectionLost at end of file."""
        ...

    def wait(self, deadline: Deadline) -> CommandResult:
        """Wait for the end; stdout holds what `read_line` has not consumed."""
        ...

    def signal(self, name: str, deadline: Deadline) -> None:
        """Send it a signal such as `USR1`; nothing if it has ended."""
        ...

    def speaks(self, deadline: Deadline) -> bool:
        """Whether there is output that is not read yet, or its end, before the deadline."""
        ...


class Shell(Protocol):
    """Runs argv lists on one node. Never raises for an exit status: see CommandResult."""

    @property
    def where(self) -> str:
        """The node's name: `local`, `dom0` or a domU's name."""
        ...

    def run(self, argv: Sequence[str], *, deadline: Deadline, stdin: bytes = b"") -> CommandResult:
        """Run to the end; WaitTimedOut at the deadline, ConnectionLost if the channel broke."""
        ...

    def run_script(
        self, script: str, *words: str, deadline: Deadline, stdin: bytes = b""
    ) -> CommandResult:
        """Run a script of sh, `words` as its $1, $2 ..., else as `run`.

        The shell that commands are given to runs it by itself, where there is one: to start
        another, as `sh -c` does, is most of what a short script costs an emulated CPU.
        """
        ...

    def start(
        self, argv: Sequence[str], *, deadline: Deadline
    ) -> AbstractContextManager[RunningCommand]:
        """Start a command that runs beside others on the same connection."""
        ...

    def start_script(
        self, script: str, *words: str, deadline: Deadline
    ) -> AbstractContextManager[RunningCommand]:
        """Start a script, as `start` and `run_script` have it."""
        ...

    def write_file(self, path: str, content: bytes, *, deadline: Deadline) -> None:
        """Create or replace a file on the node."""
        ...

    def read_file(self, path: str, *, deadline: Deadline) -> bytes:
        """The whole content of a file on the node, pseudo files too. Raises CommandFailed."""
        ...
