"""The answer of xlsource: what became of each packet at its sender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from xenlab.errors import MeasurementError
from xenlab.guest.answer import Answer
from xenlab.guest.counters import SCHEMA

XLSOURCE = "xlsource"


class Letter(StrEnum):
    """One packet at its sender: the letters of xenlab/images/tools/xlsource/xlsource.h."""

    GRANTED = "g"
    COPIED = "c"
    REFUSED = "r"
    UNKNOWN = "u"
    TAKEN = "t"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAccount:
    """A letter for each packet, and why some were refused.

    Of `blocks` that should each be one compound page, `compound` were seen to be.
    """

    letters: tuple[Letter, ...]
    errors: tuple[tuple[str, int], ...]
    blocks: int
    compound: int


def parse_account(what: str, line: bytes, packets: int) -> SourceAccount:
    """The account of so many packets. Raises MeasurementError where it is none.

    So it does where memory was not what it should be, for then no layout was the one meant, and
    where a packet did not come back: all behind it were not sent.
    """
    answer = Answer.parse(what, line)
    if answer.integer("schema") != SCHEMA:
        raise MeasurementError(f"{what}: schema {answer.integer('schema')}, not {SCHEMA}")
    account = SourceAccount(
        letters=_parse_letters(answer),
        errors=tuple(answer.nested("errors").all_integers().items()),
        blocks=answer.integer("blocks"),
        compound=answer.integer("compound"),
    )
    if account.compound != account.blocks:
        raise MeasurementError(
            f"{what}: {account.compound} of {account.blocks} blocks of memory are compound pages"
        )
    if Letter.UNKNOWN in account.letters or len(account.letters) != packets:
        raise MeasurementError(
            f"{what}: {packets} packets, and {len(account.letters)} accounted for,"
            f" {account.letters.count(Letter.UNKNOWN)} of them not back in time"
        )
    return account


def require_taken(what: str, account: SourceAccount) -> None:
    """Return if nothing was refused; else MeasurementError, for a layout was never sent."""
    refused = account.letters.count(Letter.REFUSED)
    if refused:
        why = ", ".join(f"{count} {name}" for name, count in account.errors)
        raise MeasurementError(f"{what}: {refused} packets were refused: {why}")


def encode_layouts(layouts: Sequence[object]) -> bytes:
    """Layouts as xlsource reads them, a line each."""
    return "".join(f"{layout}\n" for layout in layouts).encode()


def _parse_letters(answer: Answer) -> tuple[Letter, ...]:
    text = answer.text("letters")
    try:
        return tuple(map(Letter, text))
    except ValueError as error:
        raise MeasurementError(f"{answer.what}: {error}") from error
