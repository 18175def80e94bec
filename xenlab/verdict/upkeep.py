"""The rules of upkeep: pages go back, looks find something, copies and multicast are as meant."""

from __future__ import annotations

from collections.abc import Sequence

from xenlab.measure.upkeep import CopiesRun, LooksRun, MulticastRun, PagesRun
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

PAGES_GO_BACK = "pages go back"
LOOKS_FIND = "looks find something"
COPIES_COUNTED = "copies counted"
MULTICAST_COMES = "multicast comes"

# A receive ring of buffers is filled anew while packets are on their way; a pool holds another.
RING_SLOTS = 256
PAGES_MAX = 2 * RING_SLOTS
# An answer may be found by the look for the one before it; half of all looks are not.
IN_VAIN_ONE_IN = 2


def judge_pages(run: PagesRun) -> Verdict:
    """Whether the pages of received packets went back to their pool."""
    reasons = []
    if run.pages_taken > PAGES_MAX:
        reasons.append(
            f"{run.packets} packets took {run.pages_taken} new pages out of the pool:"
            f" pages that go back make it {PAGES_MAX} at most"
        )
    doubts = [f"{run.lost} of {run.packets} packets did not arrive"] if run.lost else []
    if run.packets <= PAGES_MAX:
        doubts.append(f"{run.packets} packets are too few to tell")
    if run.pages_asked < run.packets - RING_SLOTS:
        doubts.append(f"the driver was seen to ask for {run.pages_asked} pages only")
    numbers = {
        "packets": run.packets,
        "pages_asked": run.pages_asked,
        "pages_taken": run.pages_taken,
    }
    return _verdict(PAGES_GO_BACK, run.subject, (reasons, doubts), numbers)


def judge_looks(run: LooksRun) -> Verdict:
    """Whether the events of answers, and all other looks for them, find some."""
    reasons = []
    if IN_VAIN_ONE_IN * run.in_vain > run.looks:
        reasons.append(
            f"{run.in_vain} of {run.looks} looks for answers found none:"
            " most events are for nothing"
        )
    doubts = [] if run.looks else ["no look was counted"]
    numbers = {"packets": run.packets, "looks": run.looks, "in_vain": run.in_vain}
    return _verdict(LOOKS_FIND, run.subject, (reasons, doubts), numbers)


def judge_copies(run: CopiesRun) -> Verdict:
    """Whether tx_zerocopy_fail counts what dom0 itself takes, and nothing that it passes on."""
    reasons = []
    if run.passed_copied:
        reasons.append(
            f"tx_zerocopy_fail counts {run.passed_copied} of {run.passed_sent} packets"
            " that were bridged to another domU, which are not copied"
        )
    if run.kept_copied != run.kept_sent:
        reasons.append(
            f"tx_zerocopy_fail counts {run.kept_copied} of {run.kept_sent} packets"
            " that dom0 took itself, which are copied"
        )
    doubts = [] if run.passed_sent and run.kept_sent else ["no packet was sent by grants"]
    numbers = {
        "passed_sent": run.passed_sent,
        "passed_copied": run.passed_copied,
        "kept_sent": run.kept_sent,
        "kept_copied": run.kept_copied,
    }
    return _verdict(COPIES_COUNTED, run.subject, (reasons, doubts), numbers)


def judge_multicast(run: MulticastRun) -> Verdict:
    """Whether every node of a network answers to the address of all nodes."""
    silent = [address for address in run.asked if address not in run.answered]
    reasons = [f"no answer of {address} to multicast" for address in silent]
    doubts = [] if run.asked else ["nobody was asked"]
    numbers = {"asked": len(run.asked), "answered": len(set(run.answered) & set(run.asked))}
    return _verdict(MULTICAST_COMES, run.subject, (reasons, doubts), numbers)


def _verdict(
    rule: str, subject: str, found: tuple[Sequence[str], Sequence[str]], numbers: dict[str, int]
) -> Verdict:
    """FAIL for a reason; INCONCLUSIVE where there is none, but a doubt."""
    reasons, doubts = found
    outcome = Outcome.FAIL if reasons else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    return Verdict(
        rule=rule, subject=subject, outcome=outcome, reasons=tuple(reasons or doubts),
        numbers=numbers, control=", ".join(f"{name} {count}" for name, count in numbers.items()),
    )  # fmt: skip
