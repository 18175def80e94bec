"""Programs: run one to its end, or until it prints a line, and say how long that took."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

CHUNK_BYTES = 65536
TAIL_BYTES = 2000


class ProgramFailed(Exception):
    """A program did not do what was measured: no figure can be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A program that came to its end."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes
    elapsed_s: float

    @property
    def tail(self) -> str:
        """The ends of what it said: its standard error, and its standard output."""
        ends = (self.stderr[-TAIL_BYTES:], self.stdout[-TAIL_BYTES:])
        return b"\n".join(ends).decode(errors="replace")

    def require_success(self) -> Ended:
        """This end, or ProgramFailed if the status is not 0."""
        if self.status != 0:
            raise ProgramFailed(f"`{' '.join(self.argv)}` returned {self.status}:\n{self.tail}")
        return self


def run_to_end(argv: Sequence[str], *, env: Mapping[str, str], limit_s: float) -> Ended:
    """Run a program; ProgramFailed if it needs longer than `limit_s`."""
    started_s = time.monotonic()
    try:
        ended = subprocess.run(
            argv,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramFailed(f"`{' '.join(argv)}` still ran after {limit_s:.0f} s") from error
    return Ended(
        argv=tuple(argv),
        status=ended.returncode,
        stdout=ended.stdout,
        stderr=ended.stderr,
        elapsed_s=time.monotonic() - started_s,
    )


def time_until_line(
    argv: Sequence[str], pattern: str, *, env: Mapping[str, str], limit_s: float
) -> float:
    """Seconds from the start of a program until its output matches `pattern`; then it is killed."""
    started_s = time.monotonic()
    with output_until_line(argv, pattern, env=env, limit_s=limit_s):
        return time.monotonic() - started_s


@contextmanager
def output_until_line(
    argv: Sequence[str], pattern: str, *, env: Mapping[str, str], limit_s: float
) -> Iterator[None]:
    """A program whose output has matched `pattern`, running; ProgramFailed if it never does.

    The program has a session of its own, so that what it started is killed with it at the end.
    """
    with subprocess.Popen(
        argv,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as program:
        try:
            until_s = time.monotonic() + limit_s
            _read_until(program, re.compile(pattern.encode(), re.MULTILINE), until_s)
            yield
        finally:
            os.killpg(program.pid, signal.SIGKILL)


def _read_until(
    program: subprocess.Popen[bytes], pattern: re.Pattern[bytes], until_s: float
) -> None:
    assert program.stdout is not None
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(program.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, until_s - time.monotonic())):
            chunk = os.read(program.stdout.fileno(), CHUNK_BYTES)
            output += chunk
            if pattern.search(output):
                return
            if not chunk:
                break
    tail = output[-TAIL_BYTES:].decode(errors="replace")
    raise ProgramFailed(f"`{program.args!r}` never printed {pattern.pattern!r}:\n{tail}")
