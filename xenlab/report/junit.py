"""Verdicts for continuous integration: a JUnit document, one test case a verdict."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping

from xenlab.report.rows import printable
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

# What is not a plain failure of what is tested counts as an error there, as a broken test would.
ELEMENTS = {
    Outcome.FAIL: "failure",
    Outcome.CRASH: "error",
    Outcome.INCONCLUSIVE: "error",
    Outcome.LAB_ERROR: "error",
    Outcome.SKIP: "skipped",
}


def render_junit(suites: Mapping[str, Iterable[Verdict]]) -> str:
    """The document; each suite has a name, such as the topology that it ran on."""
    root = ET.Element("testsuites", name="xenlab")
    for name, verdicts in suites.items():
        _add_suite(root, name, tuple(verdicts))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_suite(root: ET.Element, name: str, verdicts: tuple[Verdict, ...]) -> None:
    kinds = [ELEMENTS.get(verdict.outcome, "passed") for verdict in verdicts]
    suite = ET.SubElement(
        root, "testsuite", name=name, tests=str(len(verdicts)),
        failures=str(kinds.count("failure")), errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
    )  # fmt: skip
    for verdict in verdicts:
        case = ET.SubElement(
            suite, "testcase", classname=f"{name}.{printable(verdict.rule)}",
            name=printable(verdict.subject),
        )  # fmt: skip
        if verdict.outcome in ELEMENTS:
            reasons = "\n".join(printable(reason) for reason in verdict.reasons)
            element = ET.SubElement(
                case, ELEMENTS[verdict.outcome], type=_kind(verdict), message=reasons
            )
            element.text = reasons
        if verdict.numbers or verdict.control:
            numbers = [f"{name}: {number}" for name, number in verdict.numbers.items()]
            control = [f"control: {printable(verdict.control)}"] if verdict.control else []
            ET.SubElement(case, "system-out").text = "\n".join([*numbers, *control])


def _kind(verdict: Verdict) -> str:
    """The outcome; a crash with the kernel that crashed."""
    return f"{verdict.outcome}({verdict.node})" if verdict.node else str(verdict.outcome)
