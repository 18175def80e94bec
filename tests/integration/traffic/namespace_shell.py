"""NamespaceShell: a Shell whose node is a network namespace of this machine."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from xenlab.errors import ConnectionLost, WaitTimedOut
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline


@dataclass(slots=True)
class RunningProgram:
    """See RunningCommand."""

    where: str
    argv: tuple[str, ...]
    program: subprocess.Popen[bytes]
    unread: bytearray = field(default_factory=bytearray)

    def read_line(self, deadline: Deadline) -> bytes:
        assert self.program.stdout is not None
        while b"\n" not in self.unread:
            with selectors.DefaultSelector() as selector:
                selector.register(self.program.stdout, selectors.EVENT_READ)
                if not selector.select(deadline.remaining_s):
                    raise WaitTimedOut(f"{self.where}: no line of {self.argv}")
            chunk = os.read(self.program.stdout.fileno(), 4096)
            if not chunk:
                raise ConnectionLost(f"{self.where}: {self.argv} ended")
            self.unread += chunk
        line, _, rest = bytes(self.unread).partition(b"\n")
        self.unread[:] = rest
        return line

    def wait(self, deadline: Deadline) -> CommandResult:
        try:
            stdout, stderr = self.program.communicate(timeout=deadline.remaining_s)
        except subprocess.TimeoutExpired as error:
            raise WaitTimedOut(f"{self.where}: {self.argv} did not end") from error
        return self._result(bytes(self.unread) + stdout, stderr)

    def signal(self, name: str, deadline: Deadline) -> None:  # noqa: ARG002 (at once)
        self.program.send_signal(signal.Signals[f"SIG{name}"])

    def speaks(self, deadline: Deadline) -> bool:
        assert self.program.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.program.stdout, selectors.EVENT_READ)
            return bool(self.unread or selector.select(deadline.remaining_s))

    def _result(self, stdout: bytes, stderr: bytes) -> CommandResult:
        return CommandResult(
            where=self.where,
            argv=self.argv,
            status=self.program.returncode,
            stdout=stdout,
            stderr=stderr,
            elapsed_s=0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceShell:
    """Commands run by nsenter in the namespaces of a process; programs of ours come first."""

    where: str
    pid: int
    programs: Path

    def run(self, argv: Sequence[str], *, deadline: Deadline, stdin: bytes = b"") -> CommandResult:
        with self.start(argv, deadline=deadline) as running:
            assert running.program.stdin is not None
            running.program.stdin.write(stdin)
            return running.wait(deadline)

    def run_script(
        self, script: str, *words: str, deadline: Deadline, stdin: bytes = b""
    ) -> CommandResult:
        return self.run(["sh", "-c", script, "sh", *words], deadline=deadline, stdin=stdin)

    def start_script(
        self, script: str, *words: str, deadline: Deadline
    ) -> AbstractContextManager[RunningProgram]:
        return self.start(["sh", "-c", script, "sh", *words], deadline=deadline)

    @contextmanager
    def start(
        self,
        argv: Sequence[str],
        *,
        deadline: Deadline,  # noqa: ARG002
    ) -> Iterator[RunningProgram]:
        program = subprocess.Popen(
            [*self.on_one_cpu, *self.enter, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PATH": f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        with program:
            try:
                yield RunningProgram(self.where, tuple(argv), program)
            finally:
                program.kill()

    @property
    def on_one_cpu(self) -> list[str]:
        """The words that keep a command to one CPU.

        What a veth passes waits on its sender's CPU: packets from two of them overtake each other.
        """
        return ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]

    @property
    def enter(self) -> list[str]:
        """The words that put a command into the namespaces."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.pid), *user, "--net", "--mount"]

    def write_file(self, path: str, content: bytes, *, deadline: Deadline) -> None:
        self.run(["cp", "/dev/stdin", path], deadline=deadline, stdin=content).require_success()

    def read_file(self, path: str, *, deadline: Deadline) -> bytes:
        return self.run(["cat", path], deadline=deadline).require_success().stdout
