"""ProcessIdentity: one process of one boot, never mistaken for another that reuses its number."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

STAT_STARTTIME_FIELD = 22  # proc(5), /proc/pid/stat, counted from 1


def read_boot_id() -> str:
    """The id of this boot of this host (random(4), /proc/sys/kernel/random/boot_id)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def read_start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None if it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in {"Z", "X"}:
        return None
    return int(fields[STAT_STARTTIME_FIELD - 3])


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """A pid with its start time and boot: what makes a recorded process the same process."""

    pid: int
    start_ticks: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """The identity of a running process; ProcessLookupError if there is none."""
        ticks = read_start_ticks(pid)
        if ticks is None:
            raise ProcessLookupError(pid)
        return cls(pid=pid, start_ticks=ticks, boot_id=read_boot_id())

    @classmethod
    def own(cls) -> ProcessIdentity:
        """The identity of this process."""
        return cls.of(os.getpid())

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return read_boot_id() == self.boot_id and read_start_ticks(self.pid) == self.start_ticks

    def kill(self, number: signal.Signals = signal.SIGKILL) -> bool:
        """Signal the process if it is still the recorded one; whether it was."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.alive:
                return False
            signal.pidfd_send_signal(pidfd, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(pidfd)
        return True
