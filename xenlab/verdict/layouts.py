"""The rule of layouts: each packet met the fate that the slot model says, and was counted so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from xenlab.measure.disagreements import count_forms, find_disagreements, find_miscounts
from xenlab.measure.layouts import Landing, LayoutRun
from xenlab.slots.fate import Fate
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict
from xenlab.verdict.way import tell_way

AS_PREDICTED = "layouts as predicted"
LAYOUTS_FILE = "layouts.txt"
REASONS_MAX = 10
LAYOUTS_MAX = 1000
SUITE = "slots"


def judge_layouts(run: LayoutRun, *, subject: str = "", suite: str = SUITE) -> Verdict:
    """PASS if every packet of the run, and every counter on its way, agrees with the model.

    A run of which no packet has to arrive says nothing. Its control is what it could have shown:
    the slots it spans, how many packets had to be linearised, to overflow or to be lost, and of
    how many that arrived the form was not judged, and why. Layouts that disagree are kept, the
    first LAYOUTS_MAX of them; `suite` is the one that sends them again.
    """
    disagreements = tuple(find_disagreements(run))
    reasons = [str(one) for one in islice(disagreements, REASONS_MAX)]
    if len(disagreements) > REASONS_MAX:
        reasons.append(f"and {len(disagreements) - REASONS_MAX} more layouts")
    layouts = tuple(str(one.layout) for one in disagreements[:LAYOUTS_MAX])
    if layouts:
        reasons.append(_say_how_to_send(len(layouts), len(disagreements), suite))
    reasons += [*find_miscounts(run), *tell_way(run)]
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not reasons and not any(fate.arrives for fate in run.fates):
        # A dead way would look the same.
        reasons = ["no packet was to arrive" if run.layouts else "nothing was sent"]
        outcome = Outcome.INCONCLUSIVE
    return Verdict(
        rule=AS_PREDICTED,
        subject=subject or run.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers=_numbers(run) | {"disagreements": len(disagreements)},
        control=_control(run),
        layouts=layouts,
    )


def judge_unsent(subject: str) -> Verdict:
    """SKIP: somebody's own layouts are sent, and not those that the suite has."""
    return Verdict(
        rule=AS_PREDICTED,
        subject=subject,
        outcome=Outcome.SKIP,
        reasons=("the layouts of --layout-file are sent in place of these",),
    )


def _say_how_to_send(kept: int, found: int, suite: str) -> str:
    """The command, and where its file is."""
    which = "they lie" if kept == found else f"the first {kept} lie"
    return (
        f"again: `xenlab test {suite} --layout-file FILE`; {which} in {LAYOUTS_FILE}"
        " in the folder of this run"
    )


def _numbers(run: LayoutRun) -> dict[str, int]:
    numbers = {
        "layouts": len(run.layouts),
        "bytes": sum(layout.length_bytes for layout in run.layouts),
        "arrived": run.landings[Landing.WHOLE],
        "linearised": run.seen_linearised,
    }
    forms = count_forms(run)
    numbers |= {
        "forms_judged": forms.forms,
        "heads_judged": forms.heads,
        "frags_judged": forms.frags,
    }
    numbers |= {f"must_be_{fate.replace('-', '_')}": run.count(fate) for fate in Fate}
    if run.counted is not None:
        numbers["tx_frag_overflow"] = run.counted.tx_frag_overflow
        numbers["tx_zerocopy_sent"] = run.counted.tx_zerocopy_sent
    return numbers


def _control(run: LayoutRun) -> str:
    if not run.layouts:
        return ""
    fates = ", ".join(f"{run.count(fate)} {fate}" for fate in Fate if run.count(fate))
    hops = run.way.account.hops
    counted = ", ".join(f"{hop.end} {hop.packets_out}" for hop in hops)
    first = f"{hops[0].start} {hops[0].packets_in}, " if hops else ""
    return (
        f"{min(run.slots)} to {max(run.slots)} slots; {fates}; counted on the way: {first}{counted}"
        + "".join(_unjudged_forms(run))
        + _silent_loss(run)
    )


def _unjudged_forms(run: LayoutRun) -> Iterator[str]:
    """Of how many packets that arrived what of their form is left out, and why."""
    judged = count_forms(run)
    if run.frames:
        yield "; no form is judged behind a NIC"
        return
    if judged.forms < judged.arrived:
        left = judged.arrived - judged.forms
        yield f"; no form of {left} that came in several pieces, or at which nobody looked"
    for what, number in (("head", judged.heads), ("frags", judged.frags)):
        if number < judged.forms:
            yield f"; {what} of {judged.forms - number} not foretold"


def _silent_loss(run: LayoutRun) -> str:
    """What netback loses as the model says, and no counter of it tells; with the first layout."""
    lost = [at for at, fate in enumerate(run.fates) if fate is Fate.LOST]
    if not lost:
        return ""
    layout, slots = run.layouts[lost[0]], run.slots[lost[0]]
    return (
        f"; silent loss at netback, as predicted: {len(lost)} of {len(run.layouts)} packets,"
        f" the first `{layout}` ({slots} slots)"
    )
