"""What both ends of a link count of the layouts that are sent over it, read when nothing moves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.measure.layouts import LayoutCounters
from xenlab.plan.model import DOM0, Link
from xenlab.traffic.handle import LabHandle
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline, wait_until

# Each looks twice in one command, which costs an emulated CPU more than the second look does.
# $1: dom0's end of the source's vif, $2: of the sink's; empty where there is none. A vif counts
# every packet whose zerocopy or frag_list it counts (xenvif_tx_submit(), xen-netback/netback.c), so
# that these rest where the packets do: ethtool, slow to start, is asked once, between two looks.
READ_BACK = """
look() {
        echo LOOK
        [ -z "$1" ] || read rx <"/sys/class/net/$1/statistics/rx_packets"
        echo "rx: $rx"
        [ -z "$2" ] || read drops <"/sys/class/net/$2/statistics/tx_dropped"
        echo "drops: $drops"
}
look "$@"
[ -z "$1" ] || details=$(ethtool -S "$1")
look "$@"
echo "$details"
"""
# $1: a netfront device
READ_FRONT = """
for look in 1 2; do
        echo LOOK
        for name in tx_packets tx_dropped; do
                read value <"/sys/class/net/$1/statistics/$name"
                echo "$name: $value"
        done
done
"""
LINE = re.compile(r"\s*(?P<name>\w+): (?P<value>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounters:
    """`source` is None where the source has no netfront: dom0.

    `drops` is what each vif towards a guest has refused so far; empty where dom0 is the sink.
    """

    source: LayoutCounters | None
    drops: Mapping[str, int]


def read_at_rest(lab: LabHandle, link: Link, deadline: Deadline) -> LinkCounters:
    """The counters once every zerocopy skb of the vif has come to its end, twice the same."""
    seen: list[str] = []

    def rested() -> LinkCounters | None:
        first, last = _look_twice(lab, link, deadline)
        seen.append(f"{first}, then {last}")
        pending = last.get("tx_zerocopy_sent", 0) - _zerocopy_ended(last)
        at_rest = pending == 0 and first.items() <= last.items()
        return _build(lab, link, last) if at_rest else None

    what = f"the counters of {link.source} -> {link.sink} to rest"
    return wait_until(rested, what, deadline, last_seen=lambda: seen[-1])


def subtract(after: LayoutCounters, before: LayoutCounters) -> LayoutCounters:
    """By how much each moved."""
    return LayoutCounters(
        **{
            name: getattr(after, name) - getattr(before, name)
            for name in LayoutCounters.__dataclass_fields__
        }
    )


def _zerocopy_ended(look: Mapping[str, int]) -> int:
    return look.get("tx_zerocopy_success", 0) + look.get("tx_zerocopy_fail", 0)


def _build(lab: LabHandle, link: Link, look: Mapping[str, int]) -> LinkCounters:
    """Raises MeasurementError for a counter that is not there."""
    try:
        source = (
            LayoutCounters(
                frontend_tx_packets=look["tx_packets"],
                frontend_tx_dropped=look["tx_dropped"],
                vif_rx_packets=look["rx"],
                tx_frag_overflow=look["tx_frag_overflow"],
                tx_zerocopy_sent=look["tx_zerocopy_sent"],
            )
            if link.source_vif
            else None
        )
        drops = {vif: look["drops"]} if (vif := _sink_vif(lab, link)) else {}
    except KeyError as error:
        raise MeasurementError(f"{link.source} -> {link.sink}: no end counts {error}") from error
    return LinkCounters(source=source, drops=drops)


def _look_twice(
    lab: LabHandle, link: Link, deadline: Deadline
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Two looks at what counts packets, the last one at all else of the link too."""
    vif = lab.vif(link.source, link.source_vif.index) if link.source_vif else ""
    looks = _ask(lab.shell(DOM0), READ_BACK, (vif, _sink_vif(lab, link)), deadline)
    if link.source_vif:
        front = _ask(lab.shell(link.source), READ_FRONT, (link.source_device,), deadline)
        looks = [{**back, **ahead} for back, ahead in zip(looks, front, strict=True)]
    first, last = looks
    return first, last


def _sink_vif(lab: LabHandle, link: Link) -> str:
    return lab.vif(link.sink, link.sink_vif.index) if link.sink_vif else ""


def _ask(
    shell: Shell, script: str, devices: tuple[str, ...], deadline: Deadline
) -> list[Mapping[str, int]]:
    answer = shell.run_script(script, *devices, deadline=deadline).require_success()
    return parse_looks(answer.text)


def parse_looks(text: str) -> list[Mapping[str, int]]:
    """The counters of each look, by name; what is no counter is left out."""
    looks: list[Mapping[str, int]] = []
    for look in text.split("LOOK\n")[1:]:
        found = map(LINE.match, look.splitlines())
        looks.append({match["name"]: int(match["value"]) for match in found if match})
    return looks
