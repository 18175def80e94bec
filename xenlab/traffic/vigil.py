"""Vigil: watches every console of a lab while something runs in it, and ends waits for the dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from xenlab.traffic.consoles import name_domain
from xenlab.traffic.handle import LabHandle
from xenlab.verdict.console import ConsoleScanner
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.fault_table import Category
from xenlab.verdict.outcome import Outcome

POLL_S = 0.25
# All that a kernel prints of one fault comes within that, on an emulated machine too.
REPORT_S = 1.5
GRAVE = frozenset({Outcome.CRASH, Outcome.LAB_ERROR})
# Suites disable vifs and use up memory on purpose; they never mean these.
WARNINGS = frozenset(
    {
        Category.WARNING,
        Category.LOCKDEP,
        Category.UBSAN,
        Category.REFERENCE_LEAK,
        Category.PROTOCOL_BROKEN,
        Category.XEN_WARNING,
    }
)


@dataclass(slots=True, kw_only=True)
class _Watched:
    """One console: how far it was read, how many of its faults were told, when the next came."""

    scanner: ConsoleScanner
    offset: int = 0
    told: int = 0
    since_s: float | None = None
    old_warnings: int = 0
    told_refusals: int = 0
    noted: int = 0

    @property
    def unnoted(self) -> tuple[ConsoleFault, ...]:
        """The faults of all kinds, behind those that were noted."""
        return self.scanner.faults[self.noted :]

    @property
    def warnings(self) -> tuple[ConsoleFault, ...]:
        """The warnings, behind the old ones."""
        found = [fault for fault in self.scanner.faults if fault.category in WARNINGS]
        return tuple(found[self.old_warnings :])

    @property
    def refusals(self) -> tuple[ConsoleFault, ...]:
        """The faults of an IOMMU, behind those that were told."""
        found = [each for each in self.scanner.faults if each.category is Category.IOMMU_FAULT]
        return tuple(found[self.told_refusals :])

    @property
    def untold(self) -> tuple[ConsoleFault, ...]:
        """The faults that nothing excuses, behind those that were told: their number only grows."""
        grave = [fault for fault in self.scanner.faults if fault.outcome in GRAVE]
        return tuple(grave[self.told :])


@dataclass(slots=True, kw_only=True)
class Vigil:
    """What kernels reported since power-on, each crash told once."""

    lab: LabHandle
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        for node in self.lab.plan.node_names:
            scanner = ConsoleScanner(node, on_emulated_cpu=self.lab.on_emulated_cpu)
            self._watched[node] = _Watched(scanner=scanner)

    def take_crashes(self) -> tuple[ConsoleFault, ...]:
        """The crashes since the last time; where there is any, its whole report is waited for."""
        self._look()
        if any(watched.untold for watched in self._watched.values()):
            self._over.wait(REPORT_S)
            self._look()
        return self._take()

    def take_refused_dma(self) -> tuple[ConsoleFault, ...]:
        """The DMA and interrupts of devices that an IOMMU refused since the last time."""
        self._look()
        taken: list[ConsoleFault] = []
        with self._lock:
            for watched in self._watched.values():
                refusals = watched.refusals
                watched.told_refusals += len(refusals)
                taken += refusals
        return tuple(taken)

    def take_all(self) -> tuple[ConsoleFault, ...]:
        """Every fault since the last time this was asked, whole, whoever else asked for it."""
        self._look()
        if any(watched.unnoted for watched in self._watched.values()):
            self._over.wait(REPORT_S)
            self._look()
        taken: list[ConsoleFault] = []
        with self._lock:
            for watched in self._watched.values():
                unnoted = watched.unnoted
                watched.noted += len(unnoted)
                taken += (name_domain(self.lab, fault) for fault in unnoted)
        return tuple(taken)

    def find_warnings(self, node: str) -> tuple[ConsoleFault, ...]:
        """What is new on one console, is no crash, and is nothing that a test may provoke."""
        self._look()
        with self._lock:
            return self._watched[node].warnings

    def forget(self) -> None:
        """Whatever happened until now is not of interest."""
        self._look()
        self._take()
        self.take_refused_dma()
        for watched in self._watched.values():
            watched.old_warnings = len(watched.warnings)
            watched.noted = len(watched.scanner.faults)

    def skip(self, read_bytes: Mapping[str, int]) -> None:
        """So much of each console was read by somebody else: begin behind it."""
        for node, watched in self._watched.items():
            watched.offset = read_bytes[node]

    def watch(self) -> None:
        """Look until the vigil is over; in a thread of its own."""
        while not self._over.wait(POLL_S):
            self._look()
            for fault in self._find_reported():
                self.lab.forsake(fault.node, fault.error)

    def _look(self) -> None:
        """Read what is new."""
        with self._lock:
            for node, watched in self._watched.items():
                chunk = self.lab.console_bytes(node, watched.offset)
                watched.offset += len(chunk)
                watched.scanner.feed(chunk)
                if watched.untold and watched.since_s is None:
                    watched.since_s = time.monotonic()

    def _find_reported(self) -> tuple[ConsoleFault, ...]:
        """The first untold crash of each console, once its report is there."""
        latest_s = time.monotonic() - REPORT_S
        with self._lock:
            return tuple(
                name_domain(self.lab, watched.untold[0])
                for watched in self._watched.values()
                if watched.since_s is not None and watched.since_s < latest_s
            )

    def _take(self) -> tuple[ConsoleFault, ...]:
        taken: list[ConsoleFault] = []
        with self._lock:
            for watched in self._watched.values():
                untold = watched.untold
                watched.told += len(untold)
                watched.since_s = None
                taken += (name_domain(self.lab, fault) for fault in untold)
        return tuple(taken)

    def end(self) -> None:
        """No more looking."""
        self._over.set()


@contextmanager
def keep_vigil(lab: LabHandle, read_bytes: Mapping[str, int] | None = None) -> Iterator[Vigil]:
    """Watch for what happens as long as the context lasts, or since consoles were read so far."""
    vigil = Vigil(lab=lab)
    if read_bytes is None:
        vigil.forget()
    else:
        vigil.skip(read_bytes)
    watching = threading.Thread(target=vigil.watch, name="vigil", daemon=True)
    watching.start()
    try:
        yield vigil
    finally:
        vigil.end()
        watching.join()
