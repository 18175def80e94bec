"""A block for a cover letter: where it was tried, base beside patched, and how to do it again."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from xenlab import __version__
from xenlab.measure.contest import BASE
from xenlab.report.columns import render_columns
from xenlab.report.comparison import HEAD, ComparisonView
from xenlab.report.rows import printable
from xenlab.verdict.outcome import Outcome, combine

MAIL_COLUMNS = 72
# Of a lab's environment what a reader of a mailing list wants, in this order.
KERNELS = "kernels"
SHOWN = ("xen", KERNELS, f"base {KERNELS}", f"patched {KERNELS}", "accelerator", "topology")


def join_environments(environments: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What ran, of the labs of all sides: the first one's, and both sides' kernels if they differ.

    Whole kernels are another build on each side; the patched side is the last one.
    """
    told = [each for each in environments if KERNELS in each]
    base = [each[KERNELS] for each in told if each.get("side") == BASE]
    patched = [each[KERNELS] for each in told if each.get("side") != BASE]
    joined = dict(next(iter(told or environments), {}))
    if base and patched and base[0] != patched[-1]:
        del joined[KERNELS]
        joined |= {f"base {KERNELS}": base[0], f"patched {KERNELS}": patched[-1]}
    return joined


def render_cover(
    view: ComparisonView,
    environment: Mapping[str, str],
    titles: Sequence[str],
    command: str,
    steps: Sequence[Outcome] = (),
) -> Iterator[str]:
    """Lines of a mail; a table is as wide as it is, for nobody can read one that was broken.

    `steps` are the outcomes of patches that were tried one by one.
    """
    yield f"Tested with xenlab {__version__}:"
    for name in SHOWN:
        if name in environment:
            yield from _wrap(f"{name}: {environment[name]}")
    yield ""
    for number, title in enumerate(titles, start=1):
        came_to = f": {steps[number - 1]}" if steps else ""
        yield from _wrap(f"patch {number}: {title}{came_to}")
    yield ""
    rows = [(name, base, patched, "") for name, base, patched, _said in view.rows()]
    yield from (f"  {printable(line)}" for line in render_columns(HEAD, rows))
    yield ""
    for name, _base, _patched, said in view.rows():
        if said:
            yield from _wrap(f"{name}: {said}")
    yield from _wrap(f"outcome: {combine(steps) if steps else view.comparison.outcome}")
    if view.uncompared:
        yield from _wrap(f"throughput not compared: {view.uncompared}")
    yield ""
    yield "To do it again:"
    yield f"  {printable(command)}"


def _wrap(text: str) -> Iterator[str]:
    yield from textwrap.wrap(
        printable(text), MAIL_COLUMNS, initial_indent="  ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
