"""Sums of flow accounts: all flows over the same stations as one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from xenlab.measure.flow_account import FlowAccount, NamedLoss, Passage, Payload


def sum_accounts(subject: str, accounts: Sequence[FlowAccount]) -> FlowAccount:
    """All accounts over the same stations as one; ValueError for a mixture."""
    first = accounts[0]
    if any(_way(account) != _way(first) for account in accounts):
        raise ValueError("accounts of different ways have no sum")
    stations = zip(*(account.stations for account in accounts), strict=True)
    passages = zip(*(account.passages for account in accounts), strict=True)
    return FlowAccount(
        subject=subject,
        source=first.source,
        sink=first.sink,
        # Of some nobody knows, and what is more than one sent hides no loss of another.
        wire_packets=sum(account.packets_in + account.lost_before for account in accounts),
        stations=tuple(
            replace(group[0], packets=sum(station.packets for station in group))
            for group in stations
        ),
        passages=tuple(_sum_passages(group) for group in passages),
        source_drops=_sum_named(drop for account in accounts for drop in account.source_drops),
        sink_drops=_sum_named(drop for account in accounts for drop in account.sink_drops),
        payloads=_sum_payloads([each for account in accounts for each in account.payloads]),
        vanished=tuple(dict.fromkeys(name for account in accounts for name in account.vanished)),
        told=any(account.told for account in accounts),
    )


def group_by_way(accounts: Iterable[FlowAccount]) -> tuple[tuple[FlowAccount, ...], ...]:
    """Accounts that have a sum, together; in the order in which their ways first came."""
    groups: dict[object, list[FlowAccount]] = {}
    for account in accounts:
        groups.setdefault(_way(account), []).append(account)
    return tuple(tuple(group) for group in groups.values())


def _way(account: FlowAccount) -> object:
    stations = tuple((station.node, station.device) for station in account.stations)
    return (account.source, account.sink, stations, bool(account.vanished))


def _sum_passages(passages: Sequence[Passage]) -> Passage:
    return Passage(
        lost=sum(passage.lost for passage in passages),
        silent=sum(passage.silent for passage in passages),
        surplus=sum(passage.surplus for passage in passages),
        named=_sum_named(loss for passage in passages for loss in passage.named),
    )


def _sum_named(losses: Iterable[NamedLoss]) -> tuple[NamedLoss, ...]:
    packets: dict[str, int] = {}
    for loss in losses:
        packets[loss.place] = packets.get(loss.place, 0) + loss.packets
    return tuple(NamedLoss(place=place, packets=count) for place, count in packets.items())


def _sum_payloads(payloads: Sequence[Payload]) -> tuple[Payload, ...]:
    numbers = ("sent", "intact", "damaged", "missing", "duplicates", "reordered")
    units = dict.fromkeys(payload.unit for payload in payloads)
    return tuple(
        Payload(
            unit=unit,
            **{
                name: sum(getattr(each, name) for each in payloads if each.unit == unit)
                for name in numbers
            },
        )
        for unit in units
    )
