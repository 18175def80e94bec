"""Row: all verdicts on one subject, in the one line that a reader wants of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subject. `findings` has one line for each reason of each rule that did not pass."""

    subject: str
    outcome: Outcome
    node: str
    rules: tuple[str, ...]
    findings: tuple[str, ...]

    @property
    def label(self) -> str:
        """The outcome; a crash with the kernel that crashed."""
        return f"{self.outcome}({self.node})" if self.node else str(self.outcome)


def build_rows(verdicts: Iterable[Verdict]) -> tuple[Row, ...]:
    """One row a subject, in the order in which the subjects first came."""
    by_subject: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_subject.setdefault(verdict.subject, []).append(verdict)
    return tuple(_row(subject, group) for subject, group in by_subject.items())


def _row(subject: str, verdicts: list[Verdict]) -> Row:
    return Row(
        subject=printable(subject),
        outcome=combine(verdict.outcome for verdict in verdicts),
        node=next((printable(verdict.node) for verdict in verdicts if verdict.node), ""),
        rules=tuple(dict.fromkeys(printable(verdict.rule) for verdict in verdicts)),
        findings=tuple(
            printable(f"{verdict.rule}: {reason}")
            for verdict in verdicts
            if verdict.outcome is not Outcome.PASS
            for reason in verdict.reasons or (str(verdict.outcome),)
        ),
    )


def printable(text: str) -> str:
    """Text that cannot move the cursor or speak to the terminal: guests have a say in it."""
    return "".join("\ufffd" if unicodedata.category(char)[0] == "C" else char for char in text)
