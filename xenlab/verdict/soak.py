"""The rule of a soak: one verdict a round, which says how to have the same round again."""

from __future__ import annotations

from collections.abc import Sequence

from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

ENDURED = "soak round"
NUMBERS = ("layouts", "disagreements", "datagrams", "stream_bytes", "packets_lost")


def judge_round(subject: str, verdicts: Sequence[Verdict]) -> Verdict:
    """All verdicts of a round as one, with the reasons of those that are not a pass."""
    numbers = {name: sum(verdict.numbers.get(name, 0) for verdict in verdicts) for name in NUMBERS}
    return Verdict(
        rule=ENDURED,
        subject=subject,
        outcome=combine(verdict.outcome for verdict in verdicts),
        reasons=tuple(
            f"{verdict.rule}, {verdict.subject}: {reason}"
            for verdict in verdicts
            if verdict.outcome is not Outcome.PASS
            for reason in verdict.reasons or (str(verdict.outcome),)
        ),
        numbers=numbers,
        control="; ".join(verdict.control for verdict in verdicts if verdict.control),
    )
