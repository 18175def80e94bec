"""RingSnapshot: one queue of a vif as netback shows it in debugfs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RingSide:
    """One ring's indices, all of them free-running (xen-netback/xenbus.c, xenvif_read_io_ring)."""

    entries: int
    req_prod: int
    req_cons: int
    req_event: int
    rsp_prod: int
    rsp_prod_pvt: int
    rsp_event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FromGuest:
    """The ring by which the guest sends, and the slots of it that are still held."""

    ring: RingSide
    pending_prod: int
    pending_cons: int
    pending_slots: int
    dealloc_prod: int
    dealloc_cons: int
    dealloc_slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RingSnapshot:
    """One queue; a side is None where that ring is not connected.

    `queued_*` is the internal queue towards the guest, which stops at `queue_max_bytes`;
    `collected_pkts` were taken off the ring and not yet handed to dom0's stack.
    """

    vif: str
    queue: int
    from_guest: FromGuest | None
    to_guest: RingSide | None
    collected_pkts: int
    credit_timer_pending: bool
    queued_bytes: int
    queue_max_bytes: int
    queued_pkts: int
    stopped: bool

    @property
    def unrest(self) -> Iterator[str]:
        """What is still on its way through this queue; best nothing."""
        name = f"{self.vif} queue {self.queue}"
        side = self.from_guest
        if side is not None:
            if side.pending_slots:
                yield f"{name}: {side.pending_slots} slots pending"
            if side.dealloc_slots:
                yield f"{name}: {side.dealloc_slots} slots to unmap"
            if side.ring.req_prod != side.ring.req_cons:
                yield f"{name}: {side.ring.req_prod - side.ring.req_cons} requests not taken"
        if self.collected_pkts:
            yield f"{name}: {self.collected_pkts} packets not handed on"
        if self.queued_pkts:
            yield f"{name}: {self.queued_pkts} packets for the guest"
