"""The picture of a layout: its buffers laid into pages, and the ring slots that they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from xenlab.report.slot_story import tell_deliveries, tell_fate
from xenlab.report.window import open_console
from xenlab.slots.fate import Fate, Prediction
from xenlab.slots.frontend import LINEAR
from xenlab.slots.layout import PAGE_BYTES, Layout
from xenlab.slots.pages import Piece, cut_at_pages
from xenlab.slots.relocation import COPIED

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

CELLS = 32
CELL_BYTES = PAGE_BYTES // CELLS
# Cells that bytes fill, touch and leave free.
BLOCKS = ("█", "▒", "·")
PLAIN_BLOCKS = ("#", "+", ".")
# Neighbours differ, and none is the red that says loss.
BUFFER_STYLES = ("cyan", "yellow", "green", "magenta", "blue")
FATE_STYLES = {
    Fate.INTACT: "bold green",
    Fate.BOUNCED: "bold yellow",
    Fate.LINEARISED: "bold yellow",
    Fate.RELOCATED: "bold yellow",
    Fate.OVERFLOW: "bold yellow",
    Fate.DROPPED: "bold red",
    Fate.LOST: "bold red",
    Fate.VIF_DISABLED: "bold red",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One page of one buffer; `slot` is its place on the ring.

    For an empty frag it is what netfront counts for it.
    """

    buffer: str
    page: str
    piece: Piece
    slot: str
    style: str


def print_picture(prediction: Prediction, stream: TextIO) -> None:
    """Write the picture and the story below it; NO_COLOR is honoured by rich."""
    console = open_console(stream)
    with console.capture() as capture:
        _print_pages(console, prediction)
        _print_story(console, prediction)
    # rich fills cells with blanks up to the column's end.
    stream.writelines(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _print_pages(console: Console, prediction: Prediction) -> None:
    layout, sending = prediction.layout, prediction.sending
    console.print(f"[bold]{layout}[/]", soft_wrap=True)
    console.print(_sum_up(layout))
    console.print()
    moved = bool(sending.requests) and (sending.copied or sending.relocated)
    lines = lay_out(layout, numbered=bool(sending.requests) and not moved)
    console.print(_table(console, "in memory", lines))
    if any(frag.size_bytes == 0 for frag in layout.frags):
        console.print(
            "an empty frag counts (+1) if it begins inside a page; it is not sent", style="dim"
        )
    if moved:
        console.print()
        console.print(_table(console, "as it is granted", lay_grants(prediction)))
    if sending.requests:
        first = f"slot 1 says {sending.requests[0].wire_bytes} bytes: the whole packet"
        gso = f"; a GSO extra follows it, segments of {layout.gso_size_bytes} bytes"
        console.print(first + (gso if sending.extra_slots else ""), style="dim")


def _sum_up(layout: Layout) -> str:
    gso = f", GSO segments of {layout.gso_size_bytes}" if layout.gso_size_bytes else ""
    frags = f"{len(layout.frags)} frag{'' if len(layout.frags) == 1 else 's'}"
    return (
        f"{layout.length_bytes} bytes: {layout.linear_bytes} linear and {frags}; "
        f"{layout.protocol}, checksum {layout.checksum}{gso}"
    )


def lay_out(layout: Layout, *, numbered: bool) -> Iterator[Line]:
    """A line for each page that a buffer touches; with `numbered` each tells its ring slot."""
    slot = 0
    stretches = [(LINEAR, 0, layout.linear_offset_bytes, layout.linear_bytes)]
    stretches += [
        (place, frag.order, frag.offset_bytes, frag.size_bytes)
        for place, frag in enumerate(layout.frags)
    ]
    for place, order, offset_bytes, size_bytes in stretches:
        name = "linear" if place == LINEAR else f"frag {place + 1}, order {order}"
        style = BUFFER_STYLES[(place + 1) % len(BUFFER_STYLES)]
        first_page = offset_bytes // PAGE_BYTES
        if not size_bytes:
            empty = Piece(offset_bytes=offset_bytes % PAGE_BYTES, size_bytes=0)
            counted = "+1" if empty.offset_bytes else "+0"
            yield Line(buffer=name, page=str(first_page), piece=empty, slot=counted, style=style)
        for page, piece in enumerate(cut_at_pages(offset_bytes, size_bytes), first_page):
            slot += 1
            yield Line(
                buffer=name,
                page=str(page),
                piece=piece,
                slot=str(slot) if numbered else "",
                style=style,
            )
            name = ""


def lay_grants(prediction: Prediction) -> Iterator[Line]:
    """A line for each page that is granted of a packet that the frontend copied, or some of it."""
    sending = prediction.sending
    linear = "linearised" if sending.linearised else "bounced" if sending.bounced else "linear"
    names = {LINEAR: linear, COPIED: "copied"}
    before = None
    for slot, request in enumerate(sending.requests, 1):
        place = request.frag
        yield Line(
            buffer=names.get(place, f"frag {place + 1}") if place != before else "",
            page="",
            piece=request.piece,
            slot=str(slot),
            style=BUFFER_STYLES[(place + 1) % len(BUFFER_STYLES)],
        )
        before = place


def draw_page(piece: Piece, blocks: tuple[str, str, str]) -> str:
    """A page as cells of 128 bytes: full, touched or free."""
    full, touched, free = blocks
    end_bytes = piece.offset_bytes + piece.size_bytes
    cells = []
    for start_bytes in range(0, PAGE_BYTES, CELL_BYTES):
        inside = min(end_bytes, start_bytes + CELL_BYTES) - max(piece.offset_bytes, start_bytes)
        cells.append(full if inside == CELL_BYTES else touched if inside > 0 else free)
    return "".join(cells)


def _table(console: Console, title: str, lines: Iterator[Line]) -> Table:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    blocks = BLOCKS if console.encoding.lower().startswith("utf") else PLAIN_BLOCKS
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(title, no_wrap=True)
    table.add_column("page", justify="right", no_wrap=True)
    table.add_column(f"0{PAGE_BYTES - 1:>{CELLS - 1}}", no_wrap=True)
    for heading in ("bytes", "size", "slot"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        first, size = line.piece.offset_bytes, line.piece.size_bytes
        table.add_row(
            Text(line.buffer, style=line.style),
            line.page,
            Text(draw_page(line.piece, blocks), style=line.style),
            f"{first}..{first + size - 1}" if size else f"at {first}",
            str(size),
            line.slot,
        )
    return table


def _print_story(console: Console, prediction: Prediction) -> None:
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    for title, told in (
        ("out of a guest", tell_fate(prediction)),
        ("into a guest", tell_deliveries(prediction)),
    ):
        console.print()
        console.print(title, style="dim")
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for heading, sentence in told:
            style = FATE_STYLES[prediction.fate] if heading == "fate" else ""
            table.add_row(Text(heading), Text(sentence, style=style))
        console.print(Padding(table, (0, 0, 0, 2)))
