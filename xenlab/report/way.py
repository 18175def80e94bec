"""Way: all flows over the same devices in one picture, and those in which something went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xenlab.measure.flow_account import FlowAccount, Payload
from xenlab.measure.flow_sum import group_by_way, sum_accounts
from xenlab.report.branches import Branch, find_branches
from xenlab.report.flow_picture import draw_flow
from xenlab.report.upright_picture import draw_upright_flow
from xenlab.report.wording import group_digits, say_count

FLOWS_SHOWN = 12
CALM_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as SVG, with what it shows in words; `state` is `open` where it must be seen."""

    title: str
    svg: str
    upright_svg: str
    words: tuple[str, ...]
    kind: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The sum, and each troubled flow where it is not the only one; `left_out` says the rest."""

    whole: Picture
    flows: tuple[Picture, ...]
    left_out: tuple[str, ...]


def build_ways(accounts: Iterable[FlowAccount], share: float) -> tuple[Way, ...]:
    """All ways, those first on which something went wrong."""
    groups = group_by_way(accounts)
    ways = [(group, sum_accounts(_title(group[0]), group)) for group in groups]
    ways.sort(key=lambda way: not way[1].troubled)
    none_troubled = not any(whole.troubled for _, whole in ways)
    calm_open = none_troubled and len(ways) <= CALM_SHOWN
    return tuple(_build_way(group, whole, share, calm_open=calm_open) for group, whole in ways)


def _build_way(
    group: tuple[FlowAccount, ...], whole: FlowAccount, share: float, *, calm_open: bool
) -> Way:
    troubled = [account for account in group if account.troubled] if len(group) > 1 else []
    shown = troubled[: max(1, int(FLOWS_SHOWN * share))]
    more = len(troubled) - len(shown)
    return Way(
        whole=_draw(
            whole, f"{whole.subject}: {_sum_up(group, whole)}", find_branches(*group),
            opened=calm_open,
        ),
        flows=tuple(
            _draw(account, account.subject, find_branches(account), opened=False)
            for account in shown
        ),
        left_out=(f"{say_count(more, 'more troubled flow')} left out",) if more else (),
    )  # fmt: skip


def _draw(
    account: FlowAccount, title: str, branches: tuple[Branch, ...], *, opened: bool
) -> Picture:
    return Picture(
        title=title,
        svg=draw_flow(account, branches),
        upright_svg=draw_upright_flow(account, branches),
        words=tuple(_words(account, branches)),
        kind="troubled" if account.troubled else "calm",
        state="open" if opened or account.troubled else "",
    )


def _title(account: FlowAccount) -> str:
    back = ", way back" if not account.payloads else ""
    return f"{account.source} → {account.sink}{back}"


def _sum_up(group: tuple[FlowAccount, ...], whole: FlowAccount) -> str:
    flows = say_count(len(group), "flow")
    if not whole.troubled:
        return f"{flows}, {say_count(whole.packets_in, 'packet')}, all accounted for"
    bad = sum(account.troubled for account in group)
    return f"loss, damage or surplus in {bad} of {flows}"


def _words(account: FlowAccount, branches: tuple[Branch, ...]) -> Iterator[str]:
    """What the picture shows, in words."""
    yield from (branch.words for branch in branches)
    for passage in account.passages:
        if passage.surplus:
            yield f"{say_count(passage.surplus, 'packet')} more came out than went in"
    if account.vanished:
        yield f"gone while packets ran: {', '.join(account.vanished)}"
    yield from map(_say_payload, account.payloads)


def _say_payload(payload: Payload) -> str:
    other = {
        "damaged": payload.damaged, "missing": payload.missing,
        "twice": payload.duplicates, "out of order": payload.reordered,
    }  # fmt: skip
    wrong = "".join(f", {group_digits(count)} {name}" for name, count in other.items() if count)
    intact, sent = group_digits(payload.intact), group_digits(payload.sent)
    return f"{intact} of {sent} {payload.unit} intact{wrong}"
