"""The rule of a soak: one verdict a round, which says how to have the same round again.

All rounds have one subject: how many there are is a matter of time, and what they do one of chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xenlab.errors import XenlabError
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict, verdict_of_error

ENDURED = "soak round"
SUBJECT = "random traffic under random settings"
NUMBERS = ("layouts", "forms_judged", "disagreements", "datagrams", "stream_bytes", "packets_lost")


def judge_round(drawn: str, verdicts: Sequence[Verdict]) -> Verdict:
    """All verdicts of a round as one, with the reasons of those that are not a pass.

    `drawn` is the round in words, with what `--seed` takes.
    """
    numbers = {name: sum(verdict.numbers.get(name, 0) for verdict in verdicts) for name in NUMBERS}
    return Verdict(
        rule=ENDURED,
        subject=SUBJECT,
        outcome=combine(verdict.outcome for verdict in verdicts),
        reasons=tuple(
            f"{drawn}: {verdict.rule}, {verdict.subject}: {reason}"
            for verdict in verdicts
            if verdict.outcome is not Outcome.PASS
            for reason in verdict.reasons or (str(verdict.outcome),)
        ),
        numbers=numbers,
        layouts=tuple(layout for verdict in verdicts for layout in verdict.layouts),
        control="; ".join((drawn, *(verdict.control for verdict in verdicts if verdict.control))),
    )


def verdict_of_broken_round(drawn: str, error: XenlabError) -> Verdict | None:
    """The verdict of a round that came to none; None for a bug in xenlab."""
    told = verdict_of_error(ENDURED, SUBJECT, error)
    return told and replace(told, reasons=tuple(f"{drawn}: {reason}" for reason in told.reasons))
