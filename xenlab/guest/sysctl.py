"""Sysctls of a node: set for a time, and put back as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

RESTORE_S = 60.0
PROC = "/proc/sys"

# Pairs of a path and a value.
SET = """
while [ $# -gt 0 ]; do
        echo "$2" >"$1" || exit 1
        shift 2
done
"""


@contextmanager
def sysctls_set(shell: Shell, values: Mapping[str, str], deadline: Deadline) -> Iterator[None]:
    """These sysctls, such as `net/ipv4/tcp_sack`, as long as the context lasts.

    Raises CommandFailed where a kernel has no such sysctl, or does not take the value; those that
    were set before it are then put back too.
    """
    argv = ["cat", *(f"{PROC}/{name}" for name in values)]
    told = shell.run(argv, deadline=deadline).require_success().text.splitlines()
    before = dict(zip(values, told, strict=True))
    try:
        _set(shell, values, deadline)
        yield
    finally:
        _set(shell, before, Deadline.after(RESTORE_S))


def _set(shell: Shell, values: Mapping[str, str], deadline: Deadline) -> None:
    words = [word for name, value in values.items() for word in (f"{PROC}/{name}", value)]
    shell.run(["sh", "-c", SET, "sh", *words], deadline=deadline).require_success()
