"""Coroner: what kernels died of, or hang in, when a test is over; where in their source that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from xenlab.errors import (
    ConnectionLost,
    EmulatorFault,
    InputError,
    KernelFault,
    LabError,
    Unavailable,
    WaitTimedOut,
)
from xenlab.kernel.decoding import decode_trace, name_places
from xenlab.plan.model import DOM0
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.hang import Hang, find_hang
from xenlab.traffic.vigil import Vigil
from xenlab.verdict.console import scan_console
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.console_rule import CONSOLE_CLEAN, judge_console
from xenlab.verdict.fault_table import Category
from xenlab.verdict.iommu import judge_refused_dma
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict
from xenlab.waiting import Deadline

KERNEL_LIVES = "kernel lives"
PROTOCOL_KEPT = "ring protocol kept"
DECODE_S = 60.0
ASK_S = 20.0
PLACES_SHOWN = 5
# What of dom0 tells more of a crash than any console: file, and the command whose output it holds.
SCENE: Mapping[str, tuple[str, ...]] = {
    "xenstore.txt": ("xenstore-ls", "-f"),
    "xl-list.txt": ("xl", "list", "-v"),
    "dom0-dmesg.txt": ("dmesg",),
    "dom0-logs.txt": ("sh", "-c", "tail -n +1 /run/xenlab/* /var/log/xen/*.log"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """One kernel that is of no use any more, and its report with the lines of its source."""

    node: str
    report: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Coroner:
    """Called after each test, and after turns; `deaths` are all that it came to."""

    lab: LabHandle
    vigil: Vigil
    deaths: list[Death] = field(default_factory=list)

    def examine(self, subject: str, error: BaseException | None) -> tuple[Verdict, ...]:
        """A verdict for each kernel that crashed during a test or, if it ended so, hangs since.

        And one for all DMA that an IOMMU refused meanwhile. `error` is how the test ended. Where
        what is below Xen is to blame, it is a LAB_ERROR.
        """
        refused = judge_refused_dma(subject, self.vigil.take_refused_dma())
        crashes = self.vigil.take_crashes()
        if not crashes and isinstance(error, WaitTimedOut | ConnectionLost):
            return (self._examine_silence(subject, error), *refused)
        return (*(self._judge_crash(subject, crash, error) for crash in crashes), *refused)

    def _examine_silence(self, subject: str, error: LabError) -> Verdict:
        """Who is to blame for a wait that came to nothing."""
        try:
            hang = find_hang(self.lab)
            broken = () if hang else tuple(self._find_broken_rings())
        except EmulatorFault as known:  # of a crash that was told before
            return _judge_lab(subject, f"{error}", f"{known}")
        except KernelFault as known:
            return Verdict(
                rule=KERNEL_LIVES, subject=subject, outcome=Outcome.CRASH,
                reasons=(f"{known}",), node=known.node, alarm=True,
            )  # fmt: skip
        except LabError as blame:
            return _judge_lab(subject, f"{error}", f"{blame}")
        self.vigil.take_crashes()  # what Xen was made to say by an NMI
        if hang is not None:
            return self._judge_hang(subject, hang)
        if broken:
            return Verdict(
                rule=PROTOCOL_KEPT, subject=subject, outcome=Outcome.FAIL,
                reasons=(*map(str, broken), f"the test ended by it: {error}"), alarm=True,
            )  # fmt: skip
        return _judge_lab(subject, f"{error}", "every kernel lives: the lab is to blame")

    def _find_broken_rings(self) -> Iterator[ConsoleFault]:
        """What frontends gave up over, by their kernels' logs.

        Their consoles need not show it: a backend that writes beyond the requests that it was
        given copies packets to whatever is granted, the page of the console too.
        """
        for domu in self.lab.plan.domus:
            log = self.lab.shell(domu.name).run(["dmesg"], deadline=self.lab.budget(ASK_S)).stdout
            found = scan_console(domu.name, log)
            yield from (each for each in found if each.category is Category.PROTOCOL_BROKEN)

    def _judge_crash(
        self, subject: str, crash: ConsoleFault, error: BaseException | None
    ) -> Verdict:
        told = self.bury_crash(crash)
        ended = (f"the test ended by it: {error}",) if error is not None else ()
        return Verdict(
            rule=KERNEL_LIVES, subject=subject, outcome=crash.outcome,
            reasons=(str(crash), *told, *ended), node=crash.node, alarm=True,
        )  # fmt: skip

    def _judge_hang(self, subject: str, hang: Hang) -> Verdict:
        self.bury(KernelFault(hang.node, hang.reasons[0], hang.reasons), hang.reasons)
        return Verdict(
            rule=KERNEL_LIVES, subject=subject, outcome=Outcome.CRASH,
            reasons=(f"{hang.node} hangs", *hang.reasons), node=hang.node, alarm=True,
        )  # fmt: skip

    def bury_crash(self, crash: ConsoleFault) -> tuple[str, ...]:
        """Put a crash among the deaths; the first lines of source in it, for a verdict."""
        report, told = self._decode(crash)
        self.bury(crash.error, report)
        return told

    def bury(self, fault: KernelFault, report: tuple[str, ...]) -> None:
        """Put a kernel among the deaths, with its report, and end what waits for it."""
        self.lab.forsake(fault.node, fault)
        self.deaths.append(Death(node=fault.node, report=report))

    def judge_warnings(self, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
        """When all tests are over: each console with warnings that no verdict was about yet."""
        yield from judge_refused_dma("after the last test", self.vigil.take_refused_dma())
        judged = {each.subject for each in verdicts if each.rule == CONSOLE_CLEAN}
        for node in self.lab.plan.node_names:
            subject, found = f"console of {node}", self.vigil.find_warnings(node)
            if found and subject not in judged:
                said = len(self.lab.console_bytes(node))
                told = judge_console(subject, found, log_bytes=said, control_seen=True)
                yield replace(told, alarm=True)

    def _decode(self, crash: ConsoleFault) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The report with its source lines, and the first of these for a verdict's reasons."""
        files = self.lab.debug_files(crash.node)
        try:
            report = decode_trace(crash.excerpt, files, Deadline.after(DECODE_S))
        except (InputError, Unavailable, LabError) as refusal:  # the crash is told all the same
            return crash.excerpt, (f"not decoded: {refusal}",)
        return report, tuple(islice(name_places(report), PLACES_SHOWN))

    def read_scene(self) -> dict[str, bytes]:
        """Files that tell of all deaths: their reports, and what dom0 still knows."""
        scene = {
            f"{number}-{death.node.replace(' ', '-')}.txt": "\n".join(death.report).encode() + b"\n"
            for number, death in enumerate(self.deaths)
        }
        for name, argv in SCENE.items():
            scene[name] = self._ask_dom0(argv)
        return scene

    def _ask_dom0(self, argv: tuple[str, ...]) -> bytes:
        try:
            return self.lab.shell(DOM0).run(argv, deadline=self.lab.budget(ASK_S)).stdout
        except (LabError, KernelFault) as error:
            return f"dom0 could not be asked: {error}\n".encode()


def _judge_lab(subject: str, *reasons: str) -> Verdict:
    return Verdict(
        rule=KERNEL_LIVES, subject=subject, outcome=Outcome.LAB_ERROR, reasons=reasons, alarm=True
    )
