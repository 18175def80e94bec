"""A side of a comparison on the disk: its run as any other, and the faults that consoles showed."""

from __future__ import annotations

import json
from collections.abc import Iterable

from xenlab.plan.codec import Undecodable, decode, encode
from xenlab.report.results import SuiteRun, render_results
from xenlab.report.stored_run import Malformed, build_stored_run
from xenlab.verdict.side import FaultMark


def render_side(run: SuiteRun, faults: Iterable[FaultMark]) -> tuple[str, str]:
    """The run's document, and a line of JSON for each fault."""
    lines = (json.dumps(encode(fault)) + "\n" for fault in faults)
    return render_results([run], complete=True), "".join(lines)


def parse_side(results: bytes, faults: bytes) -> tuple[SuiteRun, tuple[FaultMark, ...]]:
    """The same back. Raises Malformed for what another version of xenlab wrote, or nobody."""
    stored = build_stored_run("side", results, b"", ())
    if stored.problems or len(stored.runs) != 1:
        raise Malformed("; ".join(stored.problems) or f"{len(stored.runs)} runs")
    try:
        marks = tuple(decode(FaultMark, json.loads(line)) for line in faults.splitlines())
    except (ValueError, Undecodable) as refusal:
        raise Malformed(f"a fault cannot be read: {refusal}") from refusal
    return stored.runs[0], marks
