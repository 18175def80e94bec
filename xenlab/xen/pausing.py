"""A domU paused by Xen: none of its vCPUs runs, and its rings stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

# Going on has its own time, however long the pause was.
UNPAUSE_S = 30.0


@contextmanager
def paused(shell: Shell, domu: str, deadline: Deadline) -> Iterator[None]:
    """A domU paused as long as the context lasts, by `xl` in dom0; it runs on in any case.

    Whoever asks it for something meanwhile waits until then. Raises CommandFailed.
    """
    shell.run(["xl", "pause", domu], deadline=deadline).require_success()
    try:
        yield
    finally:
        unpause(shell, domu, Deadline.after(UNPAUSE_S))


def unpause(shell: Shell, domu: str, deadline: Deadline) -> None:
    """Let a domU run on. Xen counts no pauses of a toolstack: one that runs goes on running."""
    shell.run(["xl", "unpause", domu], deadline=deadline).require_success()
