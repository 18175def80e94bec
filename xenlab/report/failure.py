"""A failure as it is printed: what, in which phase, the last console lines, the log, a way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from xenlab.errors import InputError, KernelFault, LabError, XenlabError
from xenlab.report.plain_text import strip_escapes

LOCATED = re.compile(r"[^\s:][^:]*:\d+:\d+: ")
PROGRAM = "xenlab: "


def render_failure(error: XenlabError, *, spell: Callable[[str], str] = str) -> Iterator[str]:
    """The lines of the failure; a problem in a file begins with `file:line:col`, for editors.

    `spell` has the command to try next as the reader would type it.
    """
    if isinstance(error, InputError):
        yield from (_mark(strip_escapes(problem)) for problem in error.problems)
    else:
        yield from strip_escapes(PROGRAM + error.what).splitlines()
    if isinstance(error, LabError | KernelFault):
        yield from _render_lab_part(error)
    if error.try_next:
        yield f"  try: {spell(error.try_next)}"


def _render_lab_part(error: LabError | KernelFault) -> Iterator[str]:
    if error.phase:
        yield f"  phase: {error.phase}"
    if isinstance(error, KernelFault):
        yield from _quote("its console says", error.excerpt)
    else:
        yield from _quote(f"the last {len(error.console_tail)} console lines", error.console_tail)
    if error.log_path:
        yield f"  log: {error.log_path}"


def _quote(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    if lines:
        yield f"  {title}:"
        yield from (f"    | {strip_escapes(line)}".rstrip() for line in lines)


def _mark(problem: str) -> str:
    return problem if LOCATED.match(problem) else PROGRAM + problem
