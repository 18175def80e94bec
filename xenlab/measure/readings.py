"""Readings: what one node had counted at one moment, outside of its network stack; and Growth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from xenlab.errors import MeasurementError

T = TypeVar("T")

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often something happened, and the sum of a value over these times."""

    hits: int
    total: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(hits=self.hits + other.hits, total=self.total + other.total)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(hits=self.hits - other.hits, total=self.total - other.total)


NOTHING = Tally(hits=0)
Table = Mapping[Key, Tally]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Counters by name, such as `vif1.0 tx_frag_overflow`, and tables of tallies by name.

    `missing` says of each name that was asked for and is in neither of the two, why it is not.
    """

    node: str
    counters: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What a node counted between two readings. What is missing in either is missing here."""

    node: str
    counters: Mapping[str, int]
    tables: Mapping[str, Table]
    missing: Mapping[str, str]

    def counter(self, name: str) -> int:
        """By how much a counter grew. Raises MeasurementError if that cannot be said."""
        return self._require(self.counters, name)

    def table(self, name: str) -> Table:
        """The rows that grew. Raises MeasurementError if that cannot be said."""
        return self._require(self.tables, name)

    def hits(self, name: str, which: Callable[[Key], bool] = lambda _key: True) -> int:
        """How often something happened, over the rows that are meant."""
        return sum(tally.hits for key, tally in self.table(name).items() if which(key))

    def total(self, name: str, which: Callable[[Key], bool] = lambda _key: True) -> int:
        """The sum of a value over the rows that are meant."""
        return sum(tally.total for key, tally in self.table(name).items() if which(key))

    def _require(self, known: Mapping[str, T], name: str) -> T:
        if name in known:
            return known[name]
        reason = self.missing.get(name, "nobody read it")
        raise MeasurementError(f"{self.node} did not count {name}: {reason}")


def subtract(before: Readings, after: Readings) -> Growth:
    """What was counted in between. Counters only grow: one that fell is missing."""
    if before.node != after.node:
        raise ValueError(f"readings of {before.node} and of {after.node}")
    missing = {**before.missing, **after.missing}
    counters = {}
    for name in _in_both(before.counters, after.counters, missing):
        counters[name] = after.counters[name] - before.counters[name]
    tables: dict[str, Table] = {}
    for name in _in_both(before.tables, after.tables, missing):
        tables[name] = _subtract_table(before.tables[name], after.tables[name])
    fell = [name for name, grown in counters.items() if grown < 0]
    fell += [name for name, table in tables.items() if any(row.hits < 0 for row in table.values())]
    missing |= dict.fromkeys(fell, "it fell: counted anew in between")
    return Growth(
        node=before.node,
        counters={name: grown for name, grown in counters.items() if name not in missing},
        tables={name: table for name, table in tables.items() if name not in missing},
        missing=missing,
    )


def _in_both(
    before: Mapping[str, object], after: Mapping[str, object], missing: dict[str, str]
) -> Iterable[str]:
    for name in before.keys() ^ after.keys():
        missing.setdefault(name, "it was there in one of two readings only")
    return before.keys() & after.keys()


def _subtract_table(before: Table, after: Table) -> Table:
    rows = {
        key: after.get(key, NOTHING) - before.get(key, NOTHING)
        for key in before.keys() | after.keys()
    }
    return {key: row for key, row in rows.items() if row.hits}
