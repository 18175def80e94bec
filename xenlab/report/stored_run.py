"""StoredRun: what one `xenlab test` left in its folder, read back however much of it is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from xenlab.report.exhibits import Exhibit, KeptExhibit, parse_exhibits
from xenlab.report.results import SCHEMA_VERSION, SuiteRun
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict


class Malformed(ValueError):
    """A document that is not what this version of xenlab writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """A console of one run: all faults in it, its last bytes, and where the whole is."""

    run: int
    node: str
    faults: tuple[ConsoleFault, ...]
    tail: bytes
    log_bytes: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """`problems` says what is missing or damaged; `command` is empty where nobody kept it.

    `turns` is what consoles said behind the others, while the drivers of two sides took turns: it
    is of no side's run alone.
    """

    name: str
    command: str
    complete: bool
    runs: tuple[SuiteRun, ...]
    exhibits: tuple[KeptExhibit, ...]
    consoles: tuple[Console, ...]
    problems: tuple[str, ...]
    turns: tuple[Console, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Those of all runs."""
        return tuple(verdict for run in self.runs for verdict in run.verdicts)

    def exhibits_of(self, run: int) -> tuple[Exhibit, ...]:
        """Those of one run."""
        return tuple(kept.exhibit for kept in self.exhibits if kept.run == run)


def build_stored_run(
    name: str, results: bytes | None, exhibits: bytes, consoles: tuple[Console, ...]
) -> StoredRun:
    """The run from the bytes of its files; None for results that are not there."""
    kept, problems = parse_exhibits(exhibits.splitlines())
    stored = StoredRun(
        name=name, command="", complete=False, runs=(),
        exhibits=kept, consoles=consoles, problems=problems,
    )  # fmt: skip
    if results is None:
        gone = "results.json is not there: the command ended before its first verdict"
        return replace(stored, problems=(gone, *problems))
    try:
        return _with_results(stored, results)
    except ValueError as refusal:
        damaged = f"results.json cannot be read: {refusal}"
        return replace(stored, problems=(damaged, *problems))


def _with_results(stored: StoredRun, results: bytes) -> StoredRun:
    document = _mapping(json.loads(results))
    if document.get("schema_version") != SCHEMA_VERSION:
        raise Malformed(
            f"its schema_version is {document.get('schema_version')!r}, not {SCHEMA_VERSION}"
        )
    complete = document.get("complete") is True
    unfinished = () if complete else ("the command did not end: more tests may have been to come",)
    return replace(
        stored,
        command=_text(document.get("command", "")),
        complete=complete,
        runs=tuple(map(_run, _list(document.get("runs")))),
        problems=(*unfinished, *stored.problems),
    )


def _run(value: object) -> SuiteRun:
    document = _mapping(value)
    environment = _mapping(document.get("environment"))
    return SuiteRun(
        name=_text(document.get("name")),
        environment={key: _text(word) for key, word in environment.items()},
        verdicts=tuple(map(_verdict, _list(document.get("verdicts")))),
    )


def _verdict(value: object) -> Verdict:
    document = _mapping(value)
    numbers = _mapping(document.get("numbers"))
    return Verdict(
        rule=_text(document.get("rule")),
        subject=_text(document.get("subject")),
        outcome=Outcome(_text(document.get("outcome"))),
        reasons=tuple(map(_text, _list(document.get("reasons")))),
        numbers={key: _number(number) for key, number in numbers.items()},
        control=_text(document.get("control")),
        node=_text(document.get("node")),
        # Earlier versions kept neither.
        test=_text(document.get("test", "")),
        alarm=_flag(document.get("alarm", False)),
        layouts=tuple(map(_text, _list(document.get("layouts", [])))),
    )


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Malformed(f"{type(value).__name__} instead of a mapping")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Malformed(f"{type(value).__name__} instead of a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{type(value).__name__} instead of a text")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Malformed(f"{type(value).__name__} instead of true or false")
    return value


def _number(value: object) -> int:
    if type(value) is not int:
        raise Malformed(f"{type(value).__name__} instead of a whole number")
    return value
