"""ConsoleFault: what one kernel reported on its console; Report: while its lines are coming."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from xenlab.errors import EmulatorFault, KernelFault
from xenlab.verdict.fault_table import (
    FRAME,
    HVM_GUEST,
    REPORTING,
    TRIPLE_FAULT,
    XEN_TEXT,
    Category,
    FaultPattern,
)
from xenlab.verdict.outcome import Outcome

FINGERPRINT_FRAMES = 5
# A report of KASAN is the longest: about 100 lines. What comes later is another story.
REPORT_MAX_LINES = 120
EXCERPT_MAX_LINES = 80

_NUMBER = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|\d+")
# gcc's names for the pieces of a function that it split: one function all the same.
_CLONE = re.compile(r"\.(?:constprop|isra|part|cold)(?:\.\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleFault:
    """One fault of one kernel; `fingerprint` is the same for the same fault in another run."""

    node: str
    category: Category
    outcome: Outcome
    headline: str
    stamp: str
    fingerprint: tuple[str, ...]
    excerpt: tuple[str, ...]

    def __str__(self) -> str:
        """For a verdict's reasons."""
        return f"{self.category} in {self.node}: {self.summary}"

    @property
    def summary(self) -> str:
        """The kernel's own words, and the functions that led there."""
        return f"{self.headline} [{' < '.join(self.fingerprint)}]"

    @property
    def error(self) -> KernelFault:
        """To be raised by whoever needed that kernel."""
        kind = EmulatorFault if self.category is Category.EMULATOR else KernelFault
        return kind(self.node, f"{self.category}: {self.summary}", self.excerpt)


@dataclass(slots=True, kw_only=True)
class Report:
    """A fault whose lines are still coming."""

    node: str
    row: FaultPattern
    headline: str
    stamp: str
    on_emulated_cpu: bool = False
    frames: list[str] = field(default_factory=list)
    excerpt: list[str] = field(default_factory=list)
    lines: int = 0
    unfinished: bool = False

    def add(self, text: str) -> None:
        """Take its next line."""
        self.lines += 1
        if self.unfinished:
            self.headline += f" {text.strip()}"
            self.unfinished = False
        if len(self.excerpt) < EXCERPT_MAX_LINES:
            self.excerpt.append(text)
        frame = FRAME.match(text)
        if frame is None or frame["unsure"] or len(self.frames) == FINGERPRINT_FRAMES:
            return
        function = _CLONE.sub("", frame["function"])
        if not REPORTING.match(function) and function not in self.frames[-1:]:
            self.frames.append(function)

    @property
    def fault(self) -> ConsoleFault:
        """What is known of it so far."""
        anonymous = _NUMBER.sub("N", self.headline)
        emulated = self._is_the_emulators
        return ConsoleFault(
            node=self.node,
            category=Category.EMULATOR if emulated else self.row.category,
            outcome=Outcome.LAB_ERROR if emulated else self.row.outcome,
            headline=self.headline,
            stamp=self.stamp,
            fingerprint=tuple(self.frames) or (anonymous,),
            excerpt=tuple(self.excerpt),
        )

    @property
    def _is_the_emulators(self) -> bool:
        """Whether the dump shows what no guest can do, or what QEMU's CPU is known to do to one."""
        if not self._shows(HVM_GUEST):
            return False
        known = self.on_emulated_cpu and TRIPLE_FAULT.match(self.headline)
        return bool(known) or self._shows(XEN_TEXT)

    def _shows(self, sign: re.Pattern[str]) -> bool:
        return any(sign.match(text) for text in self.excerpt)


def find_crash(faults: Iterable[ConsoleFault]) -> ConsoleFault | None:
    """The first that ended a kernel, or what runs on it."""
    return next((fault for fault in faults if fault.outcome is Outcome.CRASH), None)
