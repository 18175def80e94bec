"""ConsoleScanner: console bytes in, faults out; pure, incremental, and of bounded memory."""

from __future__ import annotations

import re

from xenlab.verdict.console_fault import REPORT_MAX_LINES, ConsoleFault, Report
from xenlab.verdict.console_lines import ConsoleLine, LineAssembler, Writer
from xenlab.verdict.fault_table import (
    CONSEQUENCES,
    CUT_HERE,
    END_OF_TRACE,
    FAULT_PATTERNS,
    LATE_CONSEQUENCES,
    XEN_DUMP,
    Category,
    FaultPattern,
)
from xenlab.verdict.outcome import Outcome

FAULTS_MAX = 200
SEEN_MAX = 1000
XEN = "xen"
NUMBERED = "domain "

# Lines that a test writes into a kernel's log around a fault that it provokes. Only what stands
# between both is excused, and only of that category; a crash never is.
_BEGIN = re.compile(r"xenlab: from here on (?P<category>.+) is expected (?P<nonce>[0-9a-f]+)")
_END = re.compile(r"xenlab: nothing is expected any more (?P<nonce>[0-9a-f]+)")
_DOMAIN = re.compile(r"(?:Dom|Domain |^d)(?P<domid>\d+)")


class ConsoleScanner:
    """Watches one console. `node` is whose kernel writes to it; Xen's own lines belong to xen.

    On an emulated CPU a triple fault is the emulator's: nobody can tell whether a guest's kernel is
    to blame too.
    """

    def __init__(self, node: str, *, on_emulated_cpu: bool = False) -> None:
        self._node = node
        self._on_emulated_cpu = on_emulated_cpu
        self._lines = LineAssembler()
        self._reports: list[Report] = []
        self._open: dict[Writer, Report] = {}
        self._dump: list[str] = []
        self._seen: set[tuple[str, str]] = set()
        self._announced: dict[str, tuple[str, int]] = {}

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        for line in self._lines.feed(chunk):
            self._take(line)

    def finish(self) -> None:
        """Take what is left when no more will come."""
        for line in self._lines.finish():
            self._take(line)

    @property
    def faults(self) -> tuple[ConsoleFault, ...]:
        """Every fault so far, the last perhaps with only the first of its frames."""
        return tuple(report.fault for report in self._reports)

    def _take(self, line: ConsoleLine) -> None:
        if line.writer is Writer.OTHER:
            return
        if CUT_HERE.match(line.text):
            self._open.pop(line.writer, None)
            return
        if line.writer is Writer.XEN:
            self._keep_dump(line.text)
        elif line.text.startswith("xenlab: "):
            self._excuse(line.text)
        row = _match(line)
        if row is None or not self._is_repeated(line):
            self._note(row, line)

    def _note(self, row: FaultPattern | None, line: ConsoleLine) -> None:
        """A line that begins a report, or goes on with one."""
        report = self._open.get(line.writer)
        if row is not None and not self._belongs(row, line):
            self._begin(row, line)
        elif report is not None:
            report.add(line.text)
            if END_OF_TRACE.match(line.text) or report.lines >= REPORT_MAX_LINES:
                del self._open[line.writer]

    def _is_repeated(self, line: ConsoleLine) -> bool:
        """A program that prints the kernel log to the console repeats what was there already."""
        key = (line.stamp, line.text)
        repeated = bool(line.stamp) and key in self._seen
        if len(self._seen) < SEEN_MAX:
            self._seen.add(key)
        return repeated

    def _excuse(self, text: str) -> None:
        """Forget what was announced, once the announcement has come to its end."""
        if begin := _BEGIN.match(text):
            self._announced[begin["nonce"]] = (begin["category"], len(self._reports))
        elif (end := _END.match(text)) and end["nonce"] in self._announced:
            category, first = self._announced.pop(end["nonce"])
            self._reports[first:] = [
                report
                for report in self._reports[first:]
                if report.row.category != category or report.row.outcome is Outcome.CRASH
            ]

    def _keep_dump(self, text: str) -> None:
        """Remember what Xen says of where it was, for the reason that may follow."""
        if XEN_DUMP.match(text):
            self._dump = [text]
        elif self._dump and len(self._dump) < REPORT_MAX_LINES:
            self._dump.append(text)

    def _belongs(self, row: FaultPattern, line: ConsoleLine) -> bool:
        """Whether a message is but the consequence of a crash that is known already."""
        crashes = [report for report in self._reports if report.row.outcome is Outcome.CRASH]
        if row.writer is Writer.XEN:
            who = self._who(line)
            return any(report.node == who for report in crashes)
        ours = [report for report in crashes if report.row.writer is row.writer]
        if ours and LATE_CONSEQUENCES.match(line.text):
            return True
        return self._open.get(row.writer) in ours and bool(CONSEQUENCES.match(line.text))

    def _begin(self, row: FaultPattern, line: ConsoleLine) -> None:
        if len(self._reports) >= FAULTS_MAX:
            return
        report = Report(
            node=self._who(line), row=row, headline=line.text.strip(), stamp=line.stamp,
            on_emulated_cpu=self._on_emulated_cpu,
        )  # fmt: skip
        dump, self._dump = (self._dump, []) if line.writer is Writer.XEN else ([], self._dump)
        for text in [line.text, *dump]:
            report.add(text)
        # `Panic on CPU 0:` says why in the next line.
        report.unfinished = report.headline.endswith(":")
        self._reports.append(report)
        self._open[line.writer] = report

    def _who(self, line: ConsoleLine) -> str:
        if line.writer is Writer.KERNEL:
            return self._node
        domain = _DOMAIN.search(line.text)
        if domain is None:
            return XEN
        return "dom0" if domain["domid"] == "0" else f"{NUMBERED}{domain['domid']}"


def announce_begin(category: Category, nonce: str) -> str:
    """What to write into a kernel's log before a fault is provoked there; the nonce in hex."""
    return f"xenlab: from here on {category} is expected {nonce}"


def announce_end(nonce: str) -> str:
    """What to write after it; without it nothing is excused."""
    return f"xenlab: nothing is expected any more {nonce}"


def scan_console(
    node: str, content: bytes, *, on_emulated_cpu: bool = False
) -> tuple[ConsoleFault, ...]:
    """All faults in a whole console log."""
    scanner = ConsoleScanner(node, on_emulated_cpu=on_emulated_cpu)
    scanner.feed(content)
    scanner.finish()
    return scanner.faults


def _match(line: ConsoleLine) -> FaultPattern | None:
    for row in FAULT_PATTERNS:
        if row.writer is line.writer and row.pattern.match(line.text):
            return row
    return None
