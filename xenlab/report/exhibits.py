"""Exhibits: what a test shows beside its verdicts, one line of JSON each, appended as it comes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from xenlab.measure.bounces import BounceTable
from xenlab.measure.flow_account import FlowAccount
from xenlab.measure.joining import JoinTable
from xenlab.measure.slot_histogram import SlotHistogram
from xenlab.measure.strategy import StrategyTable
from xenlab.plan.codec import Undecodable, decode, encode
from xenlab.verdict.crossing import Sweep

# Goes up when a field of an exhibit changes, comes or goes: a line is read by its own version only.
SCHEMA_VERSION = 2

Exhibit = FlowAccount | SlotHistogram | StrategyTable | BounceTable | JoinTable | Sweep

KINDS: dict[str, type[Exhibit]] = {
    "flow": FlowAccount,
    "slots": SlotHistogram,
    "strategies": StrategyTable,
    "bounces": BounceTable,
    "joining": JoinTable,
    "sweep": Sweep,
}
NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptExhibit:
    """An exhibit, and which of the command's runs it belongs to, counted from 0."""

    run: int
    exhibit: Exhibit


def render_exhibit(kept: KeptExhibit) -> str:
    """Its line."""
    line = {
        "schema_version": SCHEMA_VERSION,
        "run": kept.run,
        "kind": NAMES[type(kept.exhibit)],
        "exhibit": encode(kept.exhibit),
    }
    return json.dumps(line, separators=(",", ":")) + "\n"


def parse_exhibits(lines: Iterable[bytes]) -> tuple[tuple[KeptExhibit, ...], tuple[str, ...]]:
    """What can be read of the lines, and what is wrong with the others.

    A process that was killed leaves the last line half written.
    """
    kept, problems = [], []
    for number, line in enumerate(lines, start=1):
        try:
            kept.append(_parse(line))
        except (ValueError, Undecodable) as refusal:
            problems.append(f"exhibit {number} cannot be read: {refusal}")
    return tuple(kept), tuple(problems)


def _parse(line: bytes) -> KeptExhibit:
    document = json.loads(line)
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise ValueError("it was written by another version of xenlab")
    kind, run = KINDS.get(str(document.get("kind"))), document.get("run")
    if kind is None or type(run) is not int:
        raise ValueError("it is of no known kind")
    return KeptExhibit(run=run, exhibit=decode(kind, document.get("exhibit"), "exhibit"))
