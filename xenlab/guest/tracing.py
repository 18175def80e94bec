"""Tracing: probes set in a running kernel, and the histograms that they fill.

Only histograms are filled: no event is enabled, so nothing goes through the trace buffer and
nothing can be lost by its overrun, however many packets there are. What can be lost is told: a
return probe that found no free instance, and a histogram without room.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from xenlab.errors import LabError, MeasurementError
from xenlab.guest.histograms import CountedHistogram, Header, parse_histograms
from xenlab.guest.probe_scripts import DEFINITIONS, INSTALL, REMOVE, TAKEN, TRACEFS
from xenlab.guest.probes import GROUP, Histogram, Probe
from xenlab.guest.reading import NodeFiles
from xenlab.guest.skb_layout import read_users_offset
from xenlab.measure.readings import Readings, Table
from xenlab.transport.shell import CommandResult, Shell
from xenlab.undoing import undone
from xenlab.waiting import Deadline

PROFILE = "kprobe_profile"
# What was done hours ago may have to be undone: its own time, and not what is left of that.
REMOVE_S = 60.0

_MISSED = re.compile(r" *(?P<name>\S+) +(?P<hits>\d+) +(?P<missed>\d+) *")
_REASON = re.compile(r"\{ (?P<number>\d+), \"(?P<name>\w+)\" \}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """Probes as they were set on one node; `missing` says of a table why it cannot be filled.

    `words` are the names that an event's format gives to numbers of its field `reason`.
    """

    node: str
    probes: tuple[Probe, ...]
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The files that are to be read for a snapshot."""
        folders = [f"{TRACEFS}/events/{probe.event}" for probe in self.probes]
        own = [f"{TRACEFS}/events/{probe.event}" for probe in self.probes if not probe.symbol]
        histograms = [f"{folder}/hist" for folder in folders]
        return (f"{TRACEFS}/{PROFILE}", *histograms, *(f"{folder}/format" for folder in own))

    def read(self, files: NodeFiles) -> Readings:
        """All tables in the files that were read. Raises MeasurementError for a strange line."""
        tables: dict[str, Table] = {}
        missing = dict(self.missing)
        missed = _read_missed(files.files.get(f"{TRACEFS}/{PROFILE}", ()))
        for probe in self.probes:
            folder = f"{TRACEFS}/events/{probe.event}"
            counted = parse_histograms(probe.event, files.files.get(f"{folder}/hist", ()))
            words = _read_words(files.files.get(f"{folder}/format", ()))
            for histogram in probe.histograms:
                if histogram.table in missing:
                    continue
                try:
                    found = _require_whole(probe, histogram, counted, missed)
                except MeasurementError as error:
                    missing[histogram.table] = str(error)
                else:
                    tables[histogram.table] = _name(found, words)
        return Readings(node=self.node, tables=tables, missing=missing)


@contextmanager
def tracing(shell: Shell, probes: Sequence[Probe], deadline: Deadline) -> Iterator[Tracing]:
    """The probes in a node's kernel, as long as the context lasts; nothing is left of them.

    A probe that the kernel refuses makes its tables missing. Raises LabError when somebody else's
    probes bear the name of ours, or when the node could not be asked.
    """
    wanted, missing = _define(shell, probes, deadline)
    answer = _install(shell, wanted, deadline)
    with undone(lambda: _remove(shell, wanted)):
        missing |= _refused(shell.where, wanted, answer.require_success().text.splitlines())
        filled = (probe for probe in wanted if not probe.fills_nothing_but(missing))
        yield Tracing(node=shell.where, probes=tuple(filled), missing=missing)


Line = tuple[str, str]


def _remove(shell: Shell, probes: Iterable[Probe]) -> None:
    words, deadline = _kernels_own(probes), Deadline.after(REMOVE_S)
    shell.run_script(REMOVE, *words, deadline=deadline).require_success()


def _kernels_own(probes: Iterable[Probe]) -> Sequence[str]:
    """Pairs for REMOVE: what is to go from events that stay."""
    lines = (_line(probe, each) for probe in probes for each in probe.histograms
             if not probe.symbol)  # fmt: skip
    return [word for line in lines for word in line]


def _define(
    shell: Shell, probes: Sequence[Probe], deadline: Deadline
) -> tuple[Mapping[Probe, str], dict[str, str]]:
    """The definition of each probe that can be defined, and the tables of the others."""
    missing: dict[str, str] = {}
    offset_bytes = 0
    if any(probe.needs_layout for probe in probes):
        try:
            offset_bytes = read_users_offset(shell, deadline)
        except MeasurementError as error:
            lost = [probe for probe in probes if probe.needs_layout]
            missing = {each.table: str(error) for probe in lost for each in probe.histograms}
            probes = [probe for probe in probes if not probe.needs_layout]
    return {probe: probe.define(offset_bytes) for probe in probes}, missing


def _lines(wanted: Mapping[Probe, str]) -> Sequence[Line]:
    triggers = [_line(probe, each) for probe in wanted for each in probe.histograms]
    return [*((DEFINITIONS, text) for text in wanted.values() if text), *triggers]


def _install(shell: Shell, wanted: Mapping[Probe, str], deadline: Deadline) -> CommandResult:
    """Set what is wanted, unless another one's probes are there."""
    words = (word for line in _lines(wanted) for word in line)
    answer = shell.run_script(INSTALL, *words, deadline=deadline)
    if answer.status == TAKEN:
        remove = shlex.join(["sh", "-c", REMOVE, "sh", *_kernels_own(wanted)])
        raise LabError(
            f"{shell.where} has probes of the group {GROUP} already: another observer runs there,"
            " or one was killed",
            try_next=f"xenlab exec {shell.where} -- {remove}",
        )
    return answer


def _refused(node: str, wanted: Mapping[Probe, str], answers: Sequence[str]) -> Mapping[str, str]:
    """The tables that the kernel refused, each with why; `answers` are one for each line."""
    lines = _lines(wanted)
    if len(answers) != len(lines):
        raise LabError(f"{node}: {len(lines)} lines for {TRACEFS}, {len(answers)} answers")
    refused = {line: why for line, why in zip(lines, answers, strict=True) if why}
    return {
        each.table: f"probe {probe.event} {why}"
        for probe, definition in wanted.items()
        for each in probe.histograms
        if (why := refused.get((DEFINITIONS, definition)) or refused.get(_line(probe, each)))
    }


def _line(probe: Probe, histogram: Histogram) -> Line:
    return f"events/{probe.event}/trigger", histogram.trigger


def _require_whole(
    probe: Probe,
    histogram: Histogram,
    counted: Mapping[Header, CountedHistogram],
    missed: Mapping[str, int],
) -> Table:
    """The table, or MeasurementError for one that has not counted everything."""
    found = counted.get((",".join(histogram.keys), histogram.condition))
    if found is None:
        raise MeasurementError(f"probe {probe.event}: its histogram is gone")
    if found.dropped:
        raise MeasurementError(f"probe {probe.event}: {found.dropped} hits found no room")
    if lost := missed.get(probe.event.removeprefix(f"{GROUP}/"), 0):
        raise MeasurementError(f"probe {probe.event}: {lost} hits were missed")
    return found.table


def _read_missed(lines: Iterable[str]) -> Mapping[str, int]:
    """What each probe did not see: name, hits and missed hits stand in a line."""
    matches = (_MISSED.fullmatch(line) for line in lines)
    return {match["name"]: int(match["missed"]) for match in matches if match}


def _read_words(format_lines: Iterable[str]) -> Mapping[str, str]:
    found = _REASON.findall("\n".join(format_lines))
    return dict(found)


def _name(table: Table, words: Mapping[str, str]) -> Table:
    """A table whose last key is a number with a name bears the name."""
    if not words:
        return table
    return {(*key[:-1], words.get(key[-1], key[-1])): tally for key, tally in table.items()}
