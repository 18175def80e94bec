"""Mutations as a table on a terminal, in a page of the documentation, and in a document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from xenlab.report.columns import render_columns
from xenlab.report.plain_text import strip_escapes
from xenlab.verdict.mutation import Control, Ending, Mutation

HEAD = ("mutant", "ending", "seconds", "by which test and rule", "stock drivers there")
REASON_CHARS = 160
ROW = re.compile(r"\| `(?P<name>[^`]+)` \| (?P<ending>\w+) \|")


def render_mutation(mutation: Mutation) -> tuple[str, ...]:
    """Its row: name, ending, seconds, who caught it or what is in the way, and the control."""
    name = f"harmless/{mutation.name}" if mutation.harmless else mutation.name
    seconds = f"{mutation.elapsed_s:.0f}"
    return (name, mutation.ending, seconds, _say_why(mutation), _say_control(mutation))


def render_table(mutations: Iterable[Mutation]) -> Iterator[str]:
    """A line each, and what they come to together."""
    mutations = tuple(mutations)
    yield from render_columns(HEAD, map(render_mutation, mutations))
    yield summarise(mutations)


def summarise(mutations: Sequence[Mutation]) -> str:
    """How many of each ending, the mean of their seconds, and apart from it the controls'."""
    counts = Counter(mutation.ending for mutation in mutations)
    told = ", ".join(f"{counts[ending]} {ending}" for ending in Ending if counts[ending])
    mean_s = sum(mutation.elapsed_s for mutation in mutations) / max(1, len(mutations))
    said = f"{told or 'nothing was tried'}; {mean_s:.1f} s each"
    controls = {each.catch.place: each.control for each in mutations if each.catch and each.control}
    if not controls:
        return said
    all_s = sum(control.elapsed_s for control in controls.values())
    return f"{said}; controls on stock drivers: {len(controls)}, {all_s:.1f} s in all"


def update_page(page: str, mutations: Iterable[Mutation]) -> str:
    """A Markdown page with the rows of its table renewed: those of other mutants stay.

    New rows are put in by their names, the harmless ones last.
    """
    lines = page.splitlines()
    at = [number for number, line in enumerate(lines) if ROW.match(line)]
    rows = {_name(lines[number]): lines[number] for number in at}
    rows |= {row[0]: _render_row(row) for row in map(render_mutation, mutations)}
    ordered = sorted(rows, key=lambda name: ("/" in name, name))
    first = at[0] if at else len(lines)
    kept = [line for line in lines if not ROW.match(line)]
    table = [_render_row(HEAD, mark=False), "|---" * len(HEAD) + "|"]
    table += (rows[name] for name in ordered)
    before = kept[: first - 2] if at else kept  # the head, and the line below it
    return "\n".join([*before, *table, *kept[first:]]) + "\n"


def find_decided(page: str) -> frozenset[str]:
    """The mutants that a page's table has an ending of, as they are called there."""
    rows = filter(None, map(ROW.match, page.splitlines()))
    return frozenset(row["name"] for row in rows if row["ending"] != Ending.UNDECIDED)


def encode_mutation(mutation: Mutation) -> dict[str, object]:
    """For a program."""
    catch = mutation.catch
    return {
        "name": mutation.name,
        "harmless": mutation.harmless,
        "ending": mutation.ending,
        "elapsed_s": round(mutation.elapsed_s, 3),
        "suite": catch.place.suite if catch else None,
        "test": catch.place.test if catch else None,
        "rule": catch.verdict.rule if catch else None,
        "subject": catch.verdict.subject if catch else None,
        "outcome": catch.verdict.outcome if catch else None,
        "reasons": list(catch.verdict.reasons) if catch else [],
        "control": _encode_control(mutation.control),
        "equivalent": mutation.equivalent,
        "troubles": list(mutation.troubles),
    }


def _encode_control(control: Control | None) -> dict[str, object] | None:
    if control is None:
        return None
    return {
        "passed": control.passed,
        "why_not": control.why or None,
        "elapsed_s": round(control.elapsed_s, 3),
    }


def _say_control(mutation: Mutation) -> str:
    """What stock drivers came to where it was caught."""
    if mutation.catch is None:
        return ""
    if mutation.control is None:
        return "not tried"
    return _shorten(mutation.control.why) or "pass"


def _say_why(mutation: Mutation) -> str:
    catch = mutation.catch
    if catch is None:
        return _shorten("; ".join(mutation.troubles) or mutation.equivalent)
    verdict = catch.verdict
    outcome = f"{verdict.outcome}({verdict.node})" if verdict.node else str(verdict.outcome)
    why = f": {verdict.reasons[0]}" if verdict.reasons else ""
    return _shorten(f"{catch.place.test}: {outcome} {verdict.rule}{why}")


def _shorten(text: str) -> str:
    """In one line, without what a terminal or a table would take for its own."""
    line = " ".join(strip_escapes(text).split()).replace("|", "/")
    return line if len(line) <= REASON_CHARS else f"{line[: REASON_CHARS - 3]}..."


def _render_row(cells: Sequence[str], *, mark: bool = True) -> str:
    name, *rest = cells
    return f"| {' | '.join((f'`{name}`' if mark else name, *rest))} |"


def _name(line: str) -> str:
    found = ROW.match(line)
    assert found is not None, line
    return found["name"]
