"""StandbyLine: a line to the `standby` program that waits in the memory of a restored node."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import CommandFailed, ConnectionLost, WaitTimedOut
from xenlab.waiting import Deadline

CHUNK_BYTES = 1 << 12
ANSWER_LIMIT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyLine:
    """One question at a time, each a line of words; what can be asked: tools/standby/duties.c."""

    node: str
    socket: socket.socket

    def ask(self, *words: str, deadline: Deadline) -> str:
        """The answer's text; CommandFailed with it if the node could not do what was asked."""
        what = f"{self.node}: standby `{words[0]}`"
        try:
            self.socket.settimeout(deadline.remaining_s or None)
            self.socket.sendall(" ".join(words).encode() + b"\n")
            answer = self._read_answer(deadline)
        except TimeoutError as error:
            raise WaitTimedOut(f"{what} got no answer in time") from error
        except OSError as error:
            raise ConnectionLost(f"{what}: {error}") from error
        status, _, text = answer.decode(errors="replace").partition(" ")
        if status != "ok":
            raise CommandFailed(f"{what} {status}: {text.strip()}")
        return text.strip()

    def _read_answer(self, deadline: Deadline) -> bytes:
        answer = b""
        while not answer.endswith(b"\n"):
            if deadline.expired:
                raise TimeoutError
            self.socket.settimeout(deadline.remaining_s)
            chunk = self.socket.recv(CHUNK_BYTES)
            if not chunk or len(answer) > ANSWER_LIMIT_BYTES:
                raise OSError(f"the line broke after {answer[-200:]!r}")
            answer += chunk
        return answer


@contextlib.contextmanager
def open_standby(node: str, path: Path, deadline: Deadline) -> Iterator[StandbyLine]:
    """The line to a node, whose virtio port's other end is the socket at `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(deadline.remaining_s or None)
        try:
            line.connect(str(path))
        except OSError as error:
            raise ConnectionLost(f"{node}: {path}: {error}") from error
        yield StandbyLine(node=node, socket=line)
