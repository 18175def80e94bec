"""`xenlab slots`: what a layout costs and what becomes of it, before anything is sent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from xenlab.cli import options
from xenlab.cli.output import render_document
from xenlab.errors import InputError
from xenlab.slots.layout import MAX_FRAGS, PAGE_BYTES, Layout, parse_layout
from xenlab.slots.limits import MIN_MAX_SKB_FRAGS, RING_SLOTS, STOCK, Limits
from xenlab.slots.series import SERIES, limits_with

if TYPE_CHECKING:
    from xenlab.slots.fate import Prediction


@click.command()
@click.argument("words", metavar="LAYOUT", nargs=-1)
@click.option("--worst", is_flag=True, help="Show the layout that takes the most slots.")
@click.option("--gso", is_flag=True, help="With --worst: a GSO packet.")
@click.option(
    "--frontend-limit",
    metavar="N",
    type=click.IntRange(1, RING_SLOTS),
    default=STOCK.frontend_slots,
    show_default=True,
    help="The frontend linearises what takes more slots.",
)
@click.option(
    "--max-skb-frags",
    metavar="N",
    type=click.IntRange(MIN_MAX_SKB_FRAGS, MAX_FRAGS),
    default=STOCK.max_skb_frags,
    show_default=True,
    help="MAX_SKB_FRAGS of both kernels.",
)
@click.option(
    "--fatal-slots",
    metavar="N",
    type=click.IntRange(min=0),
    default=STOCK.fatal_skb_slots,
    show_default=True,
    help="The backend's parameter fatal_skb_slots.",
)
@click.option(
    "--headroom",
    metavar="BYTES",
    type=click.IntRange(0, PAGE_BYTES - 1),
    default=0,
    show_default=True,
    help="XDP headroom of the receiving guest; with a program it is 256.",
)
@click.option(
    "--series",
    type=click.Choice(SERIES),
    help="A shipped series on the drivers of both ends.",
)
@options.json_flag
def slots(
    words: tuple[str, ...],
    worst: bool,
    gso: bool,
    frontend_limit: int,
    max_skb_frags: int,
    fatal_slots: int,
    headroom: int,
    series: str | None,
    as_json: bool,
) -> None:
    """Draw an skb's pages and ring slots, and say its fate.

    LAYOUT is a linear part and frags, lengths and offsets in bytes:

    \b
      lin=LENGTH@OFFSET               linear part, and where in its page it begins
      frag=ORDER:OFFSET:SIZE,...      frags, each in a page of 4096 << ORDER bytes
      gso=SIZE csum=partial|none proto=udp4|udp6|tcp4|tcp6

    \b
    Example: 70 bytes across a page's end, and two frags, of 3 slots and of 2
      xenlab slots lin=70@4061 frag=3:4095:4098,1:4095:2
    Example: the most slots that a packet can take, past a patched frontend
      xenlab slots --worst --frontend-limit 60
    """  # noqa: D301 (\b is click's word for: leave these lines as they are)
    if bool(words) == worst or (gso and not worst):
        raise click.UsageError("give a LAYOUT, or --worst (with --gso if you like)")
    limits = Limits(
        max_skb_frags=max_skb_frags,
        backend_max_skb_frags=max_skb_frags,
        frontend_slots=frontend_limit,
        fatal_skb_slots=fatal_slots,
        xdp_headroom_bytes=headroom,
    )
    if series:
        limits = limits_with(series, series, limits)
    _show(_worst(limits, gso=gso) if worst else _read(" ".join(words), limits), limits, as_json)


def _worst(limits: Limits, *, gso: bool) -> Layout:
    from xenlab.slots.worst import worst_layout

    return worst_layout(limits.max_skb_frags, gso=gso)


def _read(text: str, limits: Limits) -> Layout:
    layout = parse_layout(text)
    if len(layout.frags) > limits.max_skb_frags:
        raise InputError(
            f"`frag`: {len(layout.frags)} frags; MAX_SKB_FRAGS is {limits.max_skb_frags} here, "
            f"and at most {MAX_FRAGS} with --max-skb-frags"
        )
    return layout


def _show(layout: Layout, limits: Limits, as_json: bool) -> None:
    from xenlab.slots.fate import predict

    prediction = predict(layout, limits)
    if as_json:
        click.echo(render_document(_document(prediction)), nl=False)
        return
    from xenlab.report.slot_picture import print_picture

    print_picture(prediction, sys.stdout)


def _document(prediction: Prediction) -> dict[str, object]:
    from dataclasses import asdict

    from xenlab.slots.receive import deliver_layout

    sending = prediction.sending
    from_dom0 = deliver_layout(prediction.layout, prediction.limits)
    return {
        "layout": str(prediction.layout),
        "length_bytes": prediction.layout.length_bytes,
        "limits": asdict(prediction.limits),
        "fate": prediction.fate,
        "counters": asdict(prediction.counters),
        "frontend": {
            **asdict(sending), "slots": sending.slots, "ring_slots": sending.ring_slots
        },
        "backend": asdict(prediction.acceptance) if prediction.acceptance else None,
        "to_guest": {
            "from_dom0": asdict(from_dom0),
            "forwarded": asdict(prediction.delivery) if prediction.delivery else None,
        },
    }  # fmt: skip
