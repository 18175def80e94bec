"""What both ends of a vif count of the layouts that a guest sends, read when nothing moves."""

from __future__ import annotations

import re
from collections.abc import Mapping

from xenlab.errors import MeasurementError
from xenlab.measure.layouts import LayoutCounters
from xenlab.plan.model import DOM0, Link
from xenlab.traffic.handle import LabHandle
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline, wait_until

# $1: dom0's end of a vif; $2: a netfront device
READ_VIF = 'ethtool -S "$1"; read rx <"/sys/class/net/$1/statistics/rx_packets"; echo "rx: $rx"'
READ_FRONT = """
for name in tx_packets tx_dropped; do
        read value <"/sys/class/net/$1/statistics/$name"
        echo "$name: $value"
done
"""
LINE = re.compile(r"\s*(?P<name>\w+): (?P<value>\d+)")


def read_at_rest(lab: LabHandle, vif: str, link: Link, deadline: Deadline) -> LayoutCounters:
    """The counters once every zerocopy skb of the vif has come to its end, twice the same."""
    seen: list[tuple[LayoutCounters, int]] = []

    def rested() -> LayoutCounters | None:
        seen.append(_read(lab, vif, link, deadline))
        counters, pending = seen[-1]
        return counters if pending == 0 and seen[-2:-1] == seen[-1:] else None

    what = f"the counters of {vif} to rest"
    return wait_until(rested, what, deadline, last_seen=lambda: str(seen[-1]))


def read_vif_drops(lab: LabHandle, link: Link, deadline: Deadline) -> Mapping[str, int]:
    """What the sink's vif has refused so far; nothing where dom0 is the sink."""
    if link.sink_vif is None:
        return {}
    vif = lab.vif(link.sink, link.sink_vif.index)
    path = f"/sys/class/net/{vif}/statistics/tx_dropped"
    return {vif: int(lab.shell(DOM0).read_file(path, deadline=deadline))}


def subtract(after: LayoutCounters, before: LayoutCounters) -> LayoutCounters:
    """By how much each moved."""
    return LayoutCounters(
        **{
            name: getattr(after, name) - getattr(before, name)
            for name in LayoutCounters.__dataclass_fields__
        }
    )


def _read(lab: LabHandle, vif: str, link: Link, deadline: Deadline) -> tuple[LayoutCounters, int]:
    """The counters, and how many zerocopy skbs are still out."""
    back = _ask(lab.shell(DOM0), READ_VIF, vif, deadline)
    front = _ask(lab.shell(link.source), READ_FRONT, link.source_device, deadline)
    try:
        counters = LayoutCounters(
            frontend_tx_packets=front["tx_packets"],
            frontend_tx_dropped=front["tx_dropped"],
            vif_rx_packets=back["rx"],
            tx_frag_overflow=back["tx_frag_overflow"],
            tx_zerocopy_sent=back["tx_zerocopy_sent"],
        )
        ended = back["tx_zerocopy_success"] + back["tx_zerocopy_fail"]
    except KeyError as error:
        raise MeasurementError(f"{vif} and {link.source_device} do not count {error}") from error
    return counters, counters.tx_zerocopy_sent - ended


def _ask(shell: Shell, script: str, device: str, deadline: Deadline) -> Mapping[str, int]:
    answer = shell.run_script(script, device, deadline=deadline).require_success()
    found = map(LINE.match, answer.text.splitlines())
    return {match["name"]: int(match["value"]) for match in found if match}
