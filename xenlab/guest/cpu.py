"""CPU time of a Linux: how long all its CPUs were busy, as it counts that itself.

Ticks of 10 ms: a run of some seconds is told apart to a per cent. Where the lab's machine is
emulated it is the emulator's time, in which a memory access costs about what an addition does and
what else the host does is counted as well: shares and ratios of one run mean something, and
nanoseconds do not.
"""

from __future__ import annotations

from xenlab.errors import MeasurementError
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

STAT = "/proc/stat"
# USER_HZ, the same on every x86 whatever HZ is (include/asm-generic/param.h).
TICK_NS = 10_000_000
# Fields of the first line (Documentation/filesystems/proc.rst, 1.8): what is not idle, not waiting
# for a disk and not stolen by the hypervisor for somebody else.
BUSY = {"user": 1, "nice": 2, "system": 3, "irq": 6, "softirq": 7}


def read_busy_ns(shell: Shell, deadline: Deadline) -> int:
    """Busy time of all CPUs of a node since it booted. Raises LabError or MeasurementError."""
    text = shell.read_file(STAT, deadline=deadline).decode(errors="replace")
    return parse_busy_ns(shell.where, text)


def parse_busy_ns(node: str, text: str) -> int:
    """The same out of the file's text. Raises MeasurementError."""
    words = text.partition("\n")[0].split()
    try:
        if words[0] == "cpu":
            return sum(int(words[place]) for place in BUSY.values()) * TICK_NS
    except (IndexError, ValueError):
        pass
    raise MeasurementError(f"{node}: {STAT} does not begin as it is known: {' '.join(words)[:80]}")
