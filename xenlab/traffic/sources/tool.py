"""The answer of xlsource: what became of each packet at its sender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from xenlab.errors import MeasurementError
from xenlab.guest.answer import Answer
from xenlab.guest.counters import SCHEMA
from xenlab.traffic.sources.keeping import NotBack

XLSOURCE = "xlsource"
# Its patience with a device that took nothing was up; the other errors say why it took nothing.
TIMED_OUT = "ETIMEDOUT"
SOCKET_FULL = "EAGAIN"


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

    So it does where memory was not what it should be, for then no layout was the one meant.
    NotBack where a packet did not come back, or found no room in time: all behind it were not sent.
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
    _require_back(what, account)
    if len(account.letters) != packets:
        raise MeasurementError(
            f"{what}: {packets} packets, and {len(account.letters)} accounted for"
        )
    return account


def _require_back(what: str, account: SourceAccount) -> None:
    errors = dict(account.errors)
    if Letter.UNKNOWN in account.letters:
        came = len(account.letters) - account.letters.count(Letter.UNKNOWN)
        raise NotBack(f"{what}: the packet behind {came} others is not back in time", is_out=True)
    if TIMED_OUT in errors:
        taken = account.letters.count(Letter.TAKEN)
        why = "not given back" if SOCKET_FULL in errors else "no room for more"
        raise NotBack(
            f"{what}: {taken} packets were taken, and {why} in time", is_out=SOCKET_FULL in errors
        )


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
