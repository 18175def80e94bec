"""Findings of `xenlab doctor`: what was looked at, how it stands, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from xenlab.report.plain_text import strip_escapes


class Health(StrEnum):
    """Whether labs can come up with it: yes, yes but, no."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    health: Health
    what: str
    mend: str = ""

    def render(self) -> Iterator[str]:
        """Its line; the command that mends it on a line of its own, to be copied."""
        yield strip_escapes(f"{self.health:<4}  {self.name}: {self.what}")
        if self.mend:
            yield f"      mend: {self.mend}"


def render_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """All lines, and what they come to."""
    findings = tuple(findings)
    for finding in findings:
        yield from finding.render()
    failed = sum(finding.health is Health.FAIL for finding in findings)
    yield ""
    yield "labs can come up here" if not failed else f"labs cannot come up here: {failed} to mend"
