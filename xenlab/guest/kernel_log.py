"""The kernel log of a Linux, written to: a line that must come out on its console again."""

from __future__ import annotations

from collections.abc import Iterable

from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

KMSG = "/dev/kmsg"

# Each write is one record, its level in front (Documentation/ABI/testing/dev-kmsg).
_WRITE_EACH = f'for line; do printf "%s\\n" "$line" >>{KMSG} || exit 1; done'

WARNING_LEVEL = 4


def write_kernel_log(
    shell: Shell, lines: Iterable[str], deadline: Deadline, *, level: int = WARNING_LEVEL
) -> None:
    """Append records to the kernel log, the consoles' among them. Raises CommandFailed."""
    records = [f"<{level}>{line}" for line in lines]
    shell.run_script(_WRITE_EACH, *records, deadline=deadline).require_success()
