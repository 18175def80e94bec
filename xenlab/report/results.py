"""Results: what the suites came to, lab by lab, whole or as far as they have come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xenlab.report.document import encode_verdicts
from xenlab.report.junit import render_junit
from xenlab.verdict.verdict import Verdict

# Goes up when a field changes its meaning or goes away.
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """The verdicts of one run in one lab; `environment` says what ran."""

    name: str
    environment: Mapping[str, str]
    verdicts: tuple[Verdict, ...]


def render_results(runs: Sequence[SuiteRun], *, complete: bool, command: str = "") -> str:
    """The JSON document; not `complete` while tests are still to come, or were interrupted.

    `command` is what to type for the same once more.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "complete": complete,
        "command": command,
        **_without_verdicts(verdict for run in runs for verdict in run.verdicts),
        "runs": [
            {
                "name": run.name,
                "environment": dict(run.environment),
                **encode_verdicts(run.verdicts),
            }
            for run in runs
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def render_results_junit(runs: Sequence[SuiteRun]) -> str:
    """The same as JUnit XML, one suite a run."""
    return render_junit({run.name: run.verdicts for run in runs})


def _without_verdicts(verdicts: Iterable[Verdict]) -> dict[str, object]:
    encoded = encode_verdicts(verdicts)
    return {key: encoded[key] for key in ("outcome", "exit_code")}
