"""Verdicts for a program: one JSON document with its schema version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from xenlab.verdict.outcome import combine
from xenlab.verdict.verdict import Verdict

# Goes up when a field changes its meaning or goes away.
SCHEMA_VERSION = 1


def render_json(verdicts: Iterable[Verdict], environment: Mapping[str, str]) -> str:
    """The document; `environment` says what ran: accelerator, kernels, topology and the like."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "environment": dict(environment),
        **encode_verdicts(verdicts),
    }
    return json.dumps(document, indent=2) + "\n"


def encode_verdicts(verdicts: Iterable[Verdict]) -> dict[str, object]:
    """The part of a document that holds verdicts, and what they come to together."""
    verdicts = tuple(verdicts)
    outcome = combine(verdict.outcome for verdict in verdicts)
    return {
        "outcome": outcome,
        "exit_code": outcome.exit_code,
        "verdicts": [_verdict(verdict) for verdict in verdicts],
    }


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "rule": verdict.rule,
        "subject": verdict.subject,
        "outcome": verdict.outcome,
        "node": verdict.node,
        "reasons": list(verdict.reasons),
        "numbers": dict(verdict.numbers),
        "control": verdict.control,
        "test": verdict.test,
        "alarm": verdict.alarm,
        "layouts": list(verdict.layouts),
    }
