"""HostDelay: how much of what happens in a lab the host may owe by running something else."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.traffic.handle import LabHandle


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDelay:
    """From a moment on: by how much the host has kept the machine's CPUs from running."""

    lab: LabHandle
    begun_ms: int | None

    @classmethod
    def begin(cls, lab: LabHandle) -> HostDelay:
        """From now on."""
        return cls(lab=lab, begun_ms=lab.host_delay_ms())

    def read_ms(self) -> int | None:
        """Milliseconds until now, of all CPUs together; None where the host does not tell."""
        now_ms = self.lab.host_delay_ms()
        if now_ms is None or self.begun_ms is None:
            return None
        return now_ms - self.begun_ms
