"""Sysctls of a node: set for a time, and put back as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from xenlab.errors import LabError
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

RESTORE_S = 60.0
PROC = "/proc/sys"

# Pairs of a path and a value; says what each reads then, a line each.
SET = """
while [ $# -gt 0 ]; do
        echo "$2" >"$1" && cat "$1" || exit 1
        shift 2
done
"""


@contextmanager
def sysctls_set(shell: Shell, values: Mapping[str, str], deadline: Deadline) -> Iterator[None]:
    """These sysctls, such as `net/ipv4/tcp_sack`, as long as the context lasts.

    Raises CommandFailed where a kernel has no such sysctl, or refuses the value, and LabError where
    it makes another of it; those that were set before it are then put back too.
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
    told = shell.run_script(SET, *words, deadline=deadline).require_success().text.splitlines()
    for (name, value), now in zip(values.items(), told, strict=True):
        if now.split() != value.split():
            raise LabError(f"{shell.where}: {name} is {now!r} and not {value!r}")
