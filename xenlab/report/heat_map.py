"""HeatMap: outcomes as coloured cells; a sweep is one table a Xen, dom0's kernels across."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xenlab.report.rows import printable
from xenlab.report.verdict_row import SYMBOLS
from xenlab.report.wording import say_count
from xenlab.verdict.crossing import CANNOT, Crossing, Sweep, Versions
from xenlab.verdict.outcome import Outcome

TITLE = "Versions"
ABOUT = (
    "Kernels of the domUs in rows, of dom0 in columns: the outcome of each pair, and how long it"
    " took."
)
CORNER = "domU \\ dom0"
NOT_RUN = "-"
LABEL_CHARS = 32
LABEL_HEAD_CHARS = 8
REASON_CHARS = 300
REASONS_SHOWN = 3
# Where a part of a kernel's word lies on this host says nothing of the kernel.
FOLDERS = re.compile(r"[^+:@]*/")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """What it came to, in words and as an outcome, which is empty where nothing ran."""

    text: str
    outcome: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatLine:
    """All cells of one row."""

    name: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatBlock:
    """One table; `heads` are above its columns and `corner` above its rows' names."""

    title: str
    corner: str
    heads: tuple[str, ...]
    lines: tuple[HeatLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """The blocks, a line for each cell that is no pass with all it says, and one for the whole."""

    title: str
    about: str
    blocks: tuple[HeatBlock, ...]
    findings: tuple[str, ...]
    summary: str


def view_sweep(sweep: Sweep) -> HeatMap:
    """The map of a sweep, as far as it has come."""
    labels = label_kernels((*sweep.dom0_kernels, *sweep.domu_kernels))
    return HeatMap(
        title=TITLE,
        about=ABOUT,
        blocks=tuple(_block(sweep, xen, labels) for xen in sweep.xens),
        findings=tuple(_tell_findings(sweep, labels)),
        summary=_summarise(sweep),
    )


def label_kernels(words: Sequence[str]) -> dict[str, str]:
    """A short name for each kernel's word, without folders; those that would be the same differ."""
    labels: dict[str, str] = {}
    for word in words:
        label = printable(FOLDERS.sub("", word))
        if len(label) > LABEL_CHARS:
            # What tells one from another is at the end more often than not.
            label = f"{label[:LABEL_HEAD_CHARS]}…{label[LABEL_HEAD_CHARS + 1 - LABEL_CHARS :]}"
        if word not in labels:
            same = sum(each.partition("#")[0] == label for each in labels.values())
            labels[word] = f"{label}#{same + 1}" if same else label
    return labels


def label_versions(versions: Versions, labels: dict[str, str]) -> str:
    """The versions with their kernels' short names."""
    dom0, domu = labels[versions.dom0_kernel], labels[versions.domu_kernel]
    return str(Versions(xen=versions.xen, dom0_kernel=dom0, domu_kernel=domu))


def say_time(seconds: float) -> str:
    """Such as `34 s` or `5:12 min`."""
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes}:{rest_s:02} min" if minutes else f"{rest_s} s"


def _block(sweep: Sweep, xen: str, labels: dict[str, str]) -> HeatBlock:
    met = [each for each in sweep.crossings if each.versions.xen == xen]
    booted = ", ".join(dict.fromkeys(each.xen_version for each in met if each.xen_version))
    lines = []
    for domu in sweep.domu_kernels:
        row = (Versions(xen=xen, dom0_kernel=dom0, domu_kernel=domu) for dom0 in sweep.dom0_kernels)
        cells = tuple(_cell(sweep.find(versions)) for versions in row)
        lines.append(HeatLine(name=labels[domu], cells=cells))
    return HeatBlock(
        title=printable(f"Xen of {xen} ({booted})" if booted else f"Xen of {xen}"),
        corner=CORNER,
        heads=tuple(labels[dom0] for dom0 in sweep.dom0_kernels),
        lines=tuple(lines),
    )


def _cell(crossing: Crossing | None) -> HeatCell:
    if crossing is None:
        return HeatCell(text=NOT_RUN, outcome="", symbol="")
    return HeatCell(
        text=f"{printable(crossing.label)} {say_time(crossing.elapsed_s)}",
        outcome=str(crossing.outcome),
        symbol=SYMBOLS[crossing.outcome],
    )


def _tell_findings(sweep: Sweep, labels: dict[str, str]) -> Iterator[str]:
    for crossing in sweep.crossings:
        if crossing.outcome is Outcome.PASS:
            continue
        where = label_versions(crossing.versions, labels)
        more = len(crossing.reasons) - REASONS_SHOWN
        rest = (f"{more} more in the report",) if more > 0 else ()
        for reason in (*crossing.reasons[:REASONS_SHOWN], *rest):
            text = printable(f"{where}: {crossing.label}: {' '.join(reason.split())}")
            yield text if len(text) <= REASON_CHARS else f"{text[: REASON_CHARS - 1]}…"


def _summarise(sweep: Sweep) -> str:
    """Such as `PASS: 9 of 18 combinations, 9 PASS, 5:12 min`."""
    known = Counter(CANNOT if each.cannot else each.outcome for each in sweep.crossings)
    names = (*Outcome, CANNOT)
    told = ", ".join(f"{known[name]} {name}" for name in names if known[name])
    share = f"{len(sweep.crossings)} of {say_count(sweep.all_versions, 'combination')}"
    elapsed = say_time(sum(each.elapsed_s for each in sweep.crossings))
    return f"{sweep.outcome}: {share}, {told or 'nothing was tried'}, {elapsed}"
