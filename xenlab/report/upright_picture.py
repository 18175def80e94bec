"""The flow picture for a narrow screen: the same band, from the source above to the sink below."""

from __future__ import annotations

from xenlab.measure.attachment import DOM0
from xenlab.measure.flow_account import FlowAccount
from xenlab.report.branches import Branch
from xenlab.report.drawing import Drawing
from xenlab.report.flow_picture import Stop, describe, find_stops
from xenlab.report.wording import say_node

WIDTH_PX = 340
BAND_LEFT = 96
BAND_PX = 40
WORDS_LEFT = BAND_LEFT + BAND_PX + 34
TOP = 22
STEP_PX = 44
BRANCH_PX = 36
LOSS_MIN_PX = 5
LOSS_MAX_PX = 20


def draw_upright_flow(account: FlowAccount, branches: tuple[Branch, ...]) -> str:
    """The picture of one account, or of the sum of several with the branches of all: as SVG."""
    stops = find_stops(account)
    drawing = Drawing(WIDTH_PX, describe(account, branches), "upright")
    scale = BAND_PX / max(1, *(stop.packets for stop in stops))
    places = _place(stops, branches)
    bottom = places[-1] + 26
    _draw_lanes(drawing, stops, places)
    for index, y in enumerate(places[1:], start=1):
        width = min(stops[index - 1].packets, stops[index].packets) * scale
        drawing.rect(BAND_LEFT, places[index - 1], (width, y - places[index - 1]), "band")
    _draw_damage(drawing, account, places, stops[-1].packets * scale)
    for row, branch in enumerate(branches):
        before = sum(other.stop == branch.stop for other in branches[:row])
        y = places[branch.stop] + 20 + BRANCH_PX * before
        _draw_branch(drawing, branch, y, scale)
    _draw_stops(drawing, account, stops, places)
    return drawing.render(bottom)


def _place(stops: tuple[Stop, ...], branches: tuple[Branch, ...]) -> list[float]:
    """How far down each stop is: below a stop is room for what branches off there."""
    places = [float(TOP + 12)]
    for index in range(len(stops) - 1):
        leaving = sum(branch.stop == index for branch in branches)
        places.append(places[-1] + STEP_PX + BRANCH_PX * leaving)
    return places


def _draw_lanes(drawing: Drawing, stops: tuple[Stop, ...], places: list[float]) -> None:
    for node in dict.fromkeys(stop.node for stop in stops):
        within = [y for stop, y in zip(stops, places, strict=True) if stop.node == node]
        kind = "lane dom0" if node == DOM0 else "lane"
        height = within[-1] - within[0] + 34
        drawing.round_rect(2, within[0] - 17, (WIDTH_PX - 4, height), kind)
        drawing.text(WIDTH_PX - 10, within[0] + 4, say_node(node), "domain", "end")


def _draw_stops(
    drawing: Drawing, account: FlowAccount, stops: tuple[Stop, ...], places: list[float]
) -> None:
    surplus = {index: each.surplus for index, each in enumerate(account.passages, start=2)}
    for index, (stop, y) in enumerate(zip(stops, places, strict=True)):
        drawing.rect(BAND_LEFT - 4, y - 3, (BAND_PX + 8, 6), "stop")
        drawing.text(BAND_LEFT - 12, y + 1, stop.name, "name", "end")
        drawing.text(BAND_LEFT - 12, y + 14, stop.role, "role", "end")
        drawing.text(BAND_LEFT + BAND_PX + 12, y + 4, stop.label, "count", "start")
        if surplus.get(index):
            drawing.text(WORDS_LEFT, y - 14, f"+{surplus[index]} from nowhere", "more", "start")


def _draw_branch(drawing: Drawing, branch: Branch, y: float, scale: float) -> None:
    """A stump to the right, with its words in two lines."""
    height = min(LOSS_MAX_PX, max(LOSS_MIN_PX, branch.packets * scale))
    left, right = BAND_LEFT + BAND_PX - height, WORDS_LEFT - 6
    commands = f"M{left:.1f} {y - 14:.1f}H{right}V{y - 14 + height:.1f}H{left:.1f}Z"
    drawing.path(commands, "loss silent" if branch.silent else "loss", branch.words)
    drawing.text(WORDS_LEFT, y, branch.what, "lost", "start")
    drawing.text(WORDS_LEFT, y + 14, branch.where, "lost where", "start")


def _draw_damage(
    drawing: Drawing, account: FlowAccount, places: list[float], width_px: float
) -> None:
    payload = next((each for each in account.payloads if each.damaged), None)
    if payload:
        share = max(LOSS_MIN_PX, width_px * payload.damaged / payload.sent)
        left = BAND_LEFT + max(0.0, width_px - share)
        drawing.rect(left, places[-2], (share, places[-1] - places[-2]), "damaged")
