"""The flow picture: a band as wide as its packets, from socket to socket, losses branching off."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise

from xenlab.measure.attachment import DOM0, Role
from xenlab.measure.flow_account import FlowAccount
from xenlab.report.branches import Branch
from xenlab.report.drawing import Drawing, drain, ribbon
from xenlab.report.wording import group_digits, say_count, say_node

WIDTH_PX = 960
MARGIN_PX = 62
BAND_TOP = 92
BAND_PX = 56
BAR_PX = 6
ROW_PX = 20
LANE_PAD_PX = 54
# One packet of a million is still a loss that must be seen.
LOSS_MIN_PX = 5
LOSS_MAX_PX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One column of the picture; `packets` is how wide the band is there."""

    node: str
    name: str
    role: str
    packets: int
    label: str


def draw_flow(account: FlowAccount, branches: tuple[Branch, ...]) -> str:
    """The picture of one account, or of the sum of several with the branches of all: as SVG."""
    stops = find_stops(account)
    drawing = Drawing(WIDTH_PX, describe(account, branches), "flow")
    step = (WIDTH_PX - 2 * MARGIN_PX) / (len(stops) - 1)
    places = [MARGIN_PX + step * index for index in range(len(stops))]
    scale = BAND_PX / max(1, *(stop.packets for stop in stops))
    bottom = BAND_TOP + BAND_PX + 18 + ROW_PX * len(branches)
    _draw_lanes(drawing, stops, places, bottom)
    _draw_band(drawing, account, [stop.packets * scale for stop in stops], places)
    for row, branch in enumerate(branches):
        _draw_branch(drawing, branch, (places[branch.stop], row), (stops, scale))
    _draw_surplus(drawing, account, places)
    _draw_bridges(drawing, account, places)
    for stop, x in zip(stops, places, strict=True):
        drawing.rect(x - BAR_PX / 2, BAND_TOP - 4, (BAR_PX, BAND_PX + 8), "stop")
        drawing.text(x, 42, stop.name, "name")
        drawing.text(x, 57, stop.role, "role")
        drawing.text(x, 78, stop.label, "count")
    return drawing.render(bottom + 8)


def find_stops(account: FlowAccount) -> tuple[Stop, ...]:
    """The source's socket, every station, the sink's socket."""
    source, sink = (end.partition(" ")[0] for end in (account.source, account.sink))
    known = account.wire_packets and not account.vanished
    sent = account.wire_packets if known else account.packets_in
    middle = (
        Stop(node=each.node, name=each.device, role=str(each.role), packets=each.packets,
             label=group_digits(each.packets))
        for each in account.stations
    )  # fmt: skip
    return (
        Stop(node=source, name="socket", role="sends", packets=sent,
             label=group_digits(sent) if known else "by stream"),
        *middle,
        Stop(node=sink, name="socket", role="receives", packets=account.packets_out,
             label=_say_received(account)),
    )  # fmt: skip


def _say_received(account: FlowAccount) -> str:
    """In per cent, for datagrams and stream bytes have no common unit; the worse of the two."""
    if not account.payloads:
        return "no payload"
    worst = min(account.payloads, key=lambda each: each.intact / each.sent)
    # Rounded down: what is not all must not look so.
    return f"{10000 * worst.intact // worst.sent / 100:g} % intact"


def _draw_lanes(
    drawing: Drawing, stops: tuple[Stop, ...], places: list[float], bottom: float
) -> None:
    """One for each domain that the packets pass."""
    for node, group in groupby(zip(stops, places, strict=True), key=lambda pair: pair[0].node):
        within = [place for _, place in group]
        left, right = within[0] - LANE_PAD_PX, within[-1] + LANE_PAD_PX
        kind = "lane dom0" if node == DOM0 else "lane"
        drawing.round_rect(left, 2, (right - left, bottom), kind)
        drawing.text(left + 8, 18, say_node(node), "domain", "start")


def _draw_band(
    drawing: Drawing, account: FlowAccount, widths: list[float], places: list[float]
) -> None:
    for (x0, width0), (x1, width1) in pairwise(zip(places, widths, strict=True)):
        # What is lost leaves at the start of its passage: the band goes on with what is left.
        width = min(width0, width1)
        drawing.path(
            ribbon((x0, BAND_TOP, BAND_TOP + width), (x1, BAND_TOP, BAND_TOP + width)), "band"
        )
    payload = next((each for each in account.payloads if each.damaged), None)
    if payload:
        share = max(LOSS_MIN_PX, widths[-1] * payload.damaged / payload.sent)
        drawing.rect(
            places[-2], BAND_TOP + max(0.0, widths[-1] - share),
            (places[-1] - places[-2], share), "damaged",
        )  # fmt: skip


def _draw_bridges(drawing: Drawing, account: FlowAccount, places: list[float]) -> None:
    """Between two vifs is a bridge, which does not count what it only passes on."""
    for index, (before, after) in enumerate(pairwise(account.stations), start=1):
        if before.node == after.node and {before.role, after.role} <= {Role.VIF, Role.NIC}:
            x = (places[index] + places[index + 1]) / 2
            drawing.line((x, BAND_TOP - 4), (x, BAND_TOP + BAND_PX + 4), "bridge")
            drawing.text(x, 57, "bridge", "role")


def _draw_branch(
    drawing: Drawing, branch: Branch, at: tuple[float, int], scaled: tuple[tuple[Stop, ...], float]
) -> None:
    """A bend out of the band's lower edge, down to its own row of words."""
    (x, row), (stops, scale) = at, scaled
    width = min(LOSS_MAX_PX, max(LOSS_MIN_PX, branch.packets * scale))
    top = BAND_TOP + max(0.0, stops[branch.stop].packets * scale - width)
    bottom = BAND_TOP + BAND_PX + 14 + ROW_PX * (row + 1)
    kind = "loss silent" if branch.silent else "loss"
    drawing.path(drain((x + BAR_PX / 2, top), width, bottom), kind, branch.words)
    end = x + BAR_PX / 2 + 10 + width
    right = end < WIDTH_PX * 0.6
    words_at = end + 6 if right else end - width - 6
    drawing.text(words_at, bottom - 4, branch.words, "lost", "start" if right else "end")


def _draw_surplus(drawing: Drawing, account: FlowAccount, places: list[float]) -> None:
    """Packets from nowhere: a wedge above the band in front of where they were first counted."""
    for index, passage in enumerate(account.passages, start=1):
        if passage.surplus:
            x = places[index + 1]
            drawing.path(
                f"M{x - 40:g} {BAND_TOP - 9}L{x - BAR_PX / 2:g} {BAND_TOP}L{x - 40:g} {BAND_TOP}Z",
                "surplus", f"{say_count(passage.surplus, 'packet')} more than went in",
            )  # fmt: skip
            drawing.text(x - 44, BAND_TOP - 2, f"+{group_digits(passage.surplus)}", "more", "end")


def describe(account: FlowAccount, branches: tuple[Branch, ...]) -> str:
    """The picture in words, for who cannot see it."""
    surplus = (
        f"{say_count(passage.surplus, 'packet')} more came out than went in"
        for passage in account.passages
        if passage.surplus
    )
    told = "; ".join((*(branch.words for branch in branches), *surplus)) or "nothing was lost"
    return f"{account.subject}: {told}"
