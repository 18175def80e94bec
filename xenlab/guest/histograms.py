"""Histograms of trace events, as the `hist` file of an event shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.measure.readings import NOTHING, Key, Table, Tally

_HEADER = re.compile(
    r"# trigger info: hist:keys=(?P<keys>[^:]+):vals=(?P<values>[^:]+):.*?"
    r"(?: if (?P<condition>.*?))? \[(?:active|paused)\]"
)
_ROW = re.compile(r"\{ (?P<key>.*?) *\} hitcount: +(?P<hits>\d+)(?P<sums>(?: +\w+: +\d+)*) *")
_SYMBOL = re.compile(r"\[[0-9a-f]+\] (?P<symbol>\S+)(?: +\[\w+\])?")
_SUM = re.compile(r"\w+: +(\d+)")
_DROPPED = re.compile(r" +Dropped: (?P<dropped>\d+)")
_NUMBER = re.compile(r"\d+")

Header = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedHistogram:
    """One histogram; `dropped` hits found no room in it."""

    keys: tuple[str, ...]
    condition: str
    table: Table
    dropped: int


def parse_histograms(what: str, lines: Iterable[str]) -> Mapping[Header, CountedHistogram]:
    """All histograms of one event, by keys (joined by commas) and condition.

    Addresses that belong to one symbol are one row; a number is in decimal, with its sign.
    Raises MeasurementError for a line that is not to be understood.
    """
    found: dict[Header, CountedHistogram] = {}
    for header, block in _split(what, lines):
        keys = tuple(header["keys"].split(","))
        condition = header["condition"] or ""
        table: dict[Key, Tally] = {}
        dropped = 0
        for line in block:
            if row := _ROW.fullmatch(line):
                key = _parse_key(what, keys, row["key"])
                table[key] = table.get(key, NOTHING) + _parse_tally(row)
            elif total := _DROPPED.fullmatch(line):
                dropped = int(total["dropped"])
            elif line.startswith("{"):
                raise MeasurementError(f"{what}: {line[:100]!r} is no row of a histogram")
        found[header["keys"], condition] = CountedHistogram(
            keys=keys, condition=condition, table=table, dropped=dropped
        )
    return found


def _split(what: str, lines: Iterable[str]) -> Iterator[tuple[re.Match[str], list[str]]]:
    header: re.Match[str] | None = None
    block: list[str] = []
    for line in lines:
        if line.startswith("# trigger info:"):
            if header is not None:
                yield header, block
            header, block = _HEADER.fullmatch(line), []
            if header is None:
                raise MeasurementError(f"{what}: {line[:100]!r} is no histogram that is known")
        else:
            block.append(line)
    if header is not None:
        yield header, block


def _parse_key(what: str, keys: tuple[str, ...], text: str) -> Key:
    """The parts of a row's key; `, ` stands between them and each begins with its field."""
    fields = [key.split(".")[0] for key in keys]
    pattern = ", ".join(rf"{re.escape(field)}: +(?P<k{i}>.+?) *" for i, field in enumerate(fields))
    match = re.fullmatch(pattern, text)
    if match is None:
        raise MeasurementError(f"{what}: {text[:100]!r} is no key of {', '.join(keys)}")
    return tuple(_parse_part(part) for part in match.groups())


def _parse_part(part: str) -> str:
    if symbol := _SYMBOL.fullmatch(part):
        return symbol["symbol"]
    # The kernel prints every number as an unsigned one of 64 bits.
    if _NUMBER.fullmatch(part) and int(part) >= 1 << 63:
        return str(int(part) - (1 << 64))
    return part


def _parse_tally(row: re.Match[str]) -> Tally:
    return Tally(
        hits=int(row["hits"]), total=sum(int(value) for value in _SUM.findall(row["sums"]))
    )
