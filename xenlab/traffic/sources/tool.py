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
# How it ended: all was tried, or nothing came back for a whole patience.
COMPLETE, IDLE = "complete", "idle"
# Why a packet found no room: what was sent before is not back.
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

    So it does where memory was not what it should be, for then no layout was the one meant, and
    where its time was up before it had waited for one packet as long as it should.
    NotBack where a packet did not come back, or found no room, for so long: all behind it were not
    sent.
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
    _require_end(what, answer.text("ended"), account)
    if len(account.letters) != packets:
        raise MeasurementError(
            f"{what}: {packets} packets, and {len(account.letters)} accounted for"
        )
    return account


def _require_end(what: str, ended: str, account: SourceAccount) -> None:
    if ended == COMPLETE:
        return
    is_out = Letter.UNKNOWN in account.letters
    if is_out:
        came = len(account.letters) - account.letters.count(Letter.UNKNOWN)
        told = f"{what}: the packet behind {came} others is not back"
    else:
        is_out = SOCKET_FULL in dict(account.errors)
        taken = account.letters.count(Letter.TAKEN)
        why = "not given back" if is_out else "no room for more"
        told = f"{what}: {taken} packets were taken, and {why}"
    if ended != IDLE:
        raise MeasurementError(f"{told} when all its time was up, and its patience was not")
    raise NotBack(f"{told} in time", is_out=is_out)


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
