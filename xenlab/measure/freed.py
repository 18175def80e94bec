"""Freed: every place where a kernel frees an skb by kfree_skb(), and whether that is a loss.

The tracepoint skb:kfree_skb fires for each packet that either driver has carried well, so a place
says nothing before somebody has read the source. Lines are of linux-source-6.1 6.1.192-2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from xenlab.measure.readings import Table

NAME = "freed"
# SKB_DROP_REASON_NOT_SPECIFIED (include/net/dropreason.h): nobody has named a reason.
NOT_SPECIFIED = "NOT_SPECIFIED"


class Freeing(StrEnum):
    """What it means that an skb was freed somewhere."""

    HARMLESS = "harmless"
    LOSS = "loss"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A function that frees skbs; `reasons` are those meant, any without."""

    symbol: str
    freeing: Freeing
    why: str
    reasons: frozenset[str] = frozenset()

    def matches(self, symbol: str, reason: str) -> bool:
        """Whether this line is about that place; a compiler's copies of it bear a suffix."""
        if symbol.partition(".")[0] != self.symbol:
            return False
        return not self.reasons or reason in self.reasons


def _harmless(symbol: str, why: str, *reasons: str) -> Place:
    return Place(symbol=symbol, freeing=Freeing.HARMLESS, why=why, reasons=frozenset(reasons))


def _loss(symbol: str, why: str) -> Place:
    return Place(symbol=symbol, freeing=Freeing.LOSS, why=why)


# The first that matches counts.
PLACES = (
    _harmless("net_tx_action", "netfront is done with a slot, xen-netfront.c:445"),
    _harmless("xenvif_rx_copy_flush", "delivered to the guest, xen-netback/rx.c:190"),
    _harmless("xenvif_tx_build_gops", "a frag_list that was not needed, xen-netback/netback.c:501"),
    _harmless("skb_release_data", "a part of an skb that is told of itself, net/core/skbuff.c"),
    _harmless("icmp_rcv", "an answer, delivered as a clone, net/ipv4/icmp.c", NOT_SPECIFIED),
    _harmless("icmpv6_rcv", "an answer, delivered as a clone, net/ipv6/icmp.c", NOT_SPECIFIED),
    _harmless("unix_stream_connect", "no packet, but a connection within the node"),
    _loss("__dev_kfree_skb_any", "refused by start_xmit of netfront or netback"),
    _loss("xenvif_kthread_guest_rx", "expired or purged on its way to the guest"),
    _loss("xenvif_tx_action", "a grant that failed, or a checksum that cannot be set up"),
    _loss("xenvif_start_xmit", "refused by netback"),
    _loss("xennet_poll", "a response that netfront refuses"),
    _loss("handle_incoming_queue", "a packet that netfront refuses"),
    _loss("br_dev_queue_push_xmit", "longer than the bridge's port takes"),
    _loss("br_forward", "a port that does not forward"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """How many skbs one place has freed for one reason; a kernel before 5.17 names none."""

    symbol: str
    reason: str
    skbs: int
    freeing: Freeing
    why: str

    def __str__(self) -> str:
        """Such as `12 at xenvif_tx_action (NOT_SPECIFIED): loss, a grant that failed`."""
        why = f", {self.why}" if self.why else ""
        return f"{self.skbs} at {self.symbol} ({self.reason}): {self.freeing}{why}"


def classify(table: Table) -> tuple[Freed, ...]:
    """The rows of a table by symbol and reason, losses first, then the unknown, then the rest."""
    order = (Freeing.LOSS, Freeing.UNKNOWN, Freeing.HARMLESS)
    rows = _classify(table)
    return tuple(sorted(rows, key=lambda one: (order.index(one.freeing), -one.skbs, one.symbol)))


def _classify(table: Table) -> Iterator[Freed]:
    for (symbol, reason), tally in table.items():
        place = next((place for place in PLACES if place.matches(symbol, reason)), None)
        yield Freed(
            symbol=symbol,
            reason=reason,
            skbs=tally.hits,
            freeing=place.freeing if place else Freeing.UNKNOWN,
            why=place.why if place else "",
        )
