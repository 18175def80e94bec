"""Dynamic debug: the lines that drivers keep to themselves, switched on and counted."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from xenlab.errors import MeasurementError
from xenlab.guest.kernel_log import write_kernel_log
from xenlab.measure.readings import Table, Tally
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

CONTROL = "/sys/kernel/debug/dynamic_debug/control"
# net_ratelimit() hides all but a few lines every so many seconds (net/core/utils.c).
MESSAGE_COST = "/proc/sys/net/core/message_cost"
NONCE_BYTES = 8
# What was done hours ago may have to be undone: its own time, and not what is left of that.
RESTORE_S = 60.0

# $1...: modules. The cost that was, and the lines of these modules.
SWITCH_ON = f"""
cat {MESSAGE_COST} || exit 1
for module; do grep -F "[$module]" {CONTROL}; done
for module; do echo "module $module +p" >{CONTROL} || exit 1; done
echo 0 >{MESSAGE_COST}
"""
# $1: the cost, then queries.
RESTORE = f"""
echo "$1" >{MESSAGE_COST} || exit 1
shift
for query; do echo "$query" >{CONTROL} || exit 1; done
"""
# $1: the line that was written when counting began. The log is a ring: it may be gone.
READ_LOG = 'dmesg | sed -n "/$1/,\\$p"'

_CONTROL_LINE = re.compile(r"(?P<file>\S+):(?P<line>\d+) \[(?P<module>\w+)\]\S+ =(?P<flags>\w+) .*")

# What xen-netfront and xen-netback write, by the name under which it is counted.
LINES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "rides the rocket": re.compile(r"xennet: skb rides the rocket: \d+ slots"),
        "too many slots": re.compile(r"Too many slots \(\d+\) exceeding limit"),
        "bad packet size": re.compile(r"Bad packet size: \d+"),
        "slot size": re.compile(r"Invalid tx request, slot size \d+"),
        "header copy failed": re.compile(r"Grant copy of header failed!"),
        "map failed": re.compile(r"Grant map of \d+\. frag failed!"),
        "checksum setup": re.compile(r"Can't setup checksum in net_tx_action"),
        "malicious frontend": re.compile(r"Malicious frontend using \d+ slots"),
        "fatal error": re.compile(r"fatal error; disabling device"),
        "rx stalled": re.compile(r"Guest Rx stalled"),
        "rx ready": re.compile(r"Guest Rx ready"),
        "too big for wire": re.compile(r"too big for wire format"),
    }
)


# xen-netfront.c:744, before it tries to linearise.
ROCKET = re.compile(r"xennet: skb rides the rocket: (\d+) slots, (\d+) bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class DebugLines:
    """The lines of one node since they were switched on."""

    shell: Shell
    nonce: str

    def read(self, deadline: Deadline) -> str:
        """All that the kernel wrote since then. Raises MeasurementError, or LabError.

        Some thousand lines fill the kernel's log; when the first are gone, nothing can be counted.
        """
        text = self.shell.run_script(READ_LOG, self.nonce, deadline=deadline).require_success().text
        return require_whole(self.shell.where, self.nonce, text)


def require_whole(node: str, nonce: str, text: str) -> str:
    """A kernel log that has the line of the nonce in it, or MeasurementError."""
    if nonce not in text:
        raise MeasurementError(f"{node}: more lines than its kernel log holds")
    return text


def count_lines(text: str) -> Mapping[str, int]:
    """How often each of LINES is in a kernel log."""
    return {name: len(pattern.findall(text)) for name, pattern in LINES.items()}


def count_rockets(text: str) -> Table:
    """Packets that netfront linearised, by the slots and the bytes that they came with."""
    found = Counter(ROCKET.findall(text))
    return {(slots, length): Tally(hits=hits) for (slots, length), hits in found.items()}


@contextmanager
def debug_lines(shell: Shell, modules: Sequence[str], deadline: Deadline) -> Iterator[DebugLines]:
    """The debug lines of these modules, as long as the context lasts; then as it was before."""
    answer = shell.run_script(SWITCH_ON, *modules, deadline=deadline).require_success()
    cost, *control = answer.text.splitlines()
    try:
        nonce = secrets.token_hex(NONCE_BYTES)
        write_kernel_log(shell, [f"xenlab: debug lines {nonce}"], deadline)
        yield DebugLines(shell=shell, nonce=nonce)
    finally:
        undo, deadline = build_undo(modules, control), Deadline.after(RESTORE_S)
        shell.run_script(RESTORE, cost, *undo, deadline=deadline).require_success()


def build_undo(modules: Sequence[str], control: Sequence[str]) -> tuple[str, ...]:
    """The queries that bring back what `control` showed: all off, then on what was on."""
    shown = [match for line in control if (match := _CONTROL_LINE.fullmatch(line))]
    were_on = [
        f"file {match['file']} line {match['line']} +p" for match in shown if "p" in match["flags"]
    ]
    return (*(f"module {module} -p" for module in modules), *were_on)
