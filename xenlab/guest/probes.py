"""Probes: every place in a kernel that is watched, what it tells, and its line in the source.

Lines are of linux-source-6.1 6.1.192-2: NF is drivers/net/xen-netfront.c, NB
drivers/net/xen-netback/netback.c. Functions that compilers inline cannot be watched; where a
kernel has no such function, the kernel itself refuses the probe.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from xenlab.measure import freed, penalties, probed_slots

# All of ours bear this name: events/xl below tracefs.
GROUP = "xl"
# Where a function's own code starts, behind what the compiler lays before it for ftrace to patch,
# 5 bytes long. An event at the very entry is ftrace's, its handler runs with interrupts on, and
# what hits a probe in one of them is not counted but missed: of a thousand batches of a busy
# netback, whose softirq meets its thread so, one. Behind it stands a breakpoint, which has none.
ENTERED = "+5"
# The same where ENDBR64, 4 bytes, is before all (CONFIG_X86_KERNEL_IBT).
ENTERED_IBT = "+9"
# Entries of a histogram; what finds no room is counted as dropped, and then the table is missing.
ROOM = 1024
# Whoever called the function that a return probe is on.
CALLER = ("__probe_ret_ip.sym",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """A histogram trigger on an event: its table's name, its keys, and which hits it takes.

    `value` is a field that is summed up. A key `FIELD.sym` is a symbol in place of an address.
    """

    table: str
    keys: tuple[str, ...]
    value: str = ""
    condition: str = ""
    room: int = ROOM

    @property
    def trigger(self) -> str:
        """The text for the event's `trigger` file (Documentation/trace/histogram.rst)."""
        values = f":vals={self.value}" if self.value else ""
        condition = f" if {self.condition}" if self.condition else ""
        return f"hist:keys={','.join(self.keys)}{values}:size={self.room}{condition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """An event: of a function that is entered or left, or, without a symbol, the kernel's own.

    `arguments` are fetched on x86-64 as Documentation/trace/kprobetrace.rst has it; `{users}` in
    one is the offset of `users` in struct sk_buff.
    """

    event: str
    counts: str
    source: str
    histograms: tuple[Histogram, ...]
    symbol: str = ""
    returning: bool = False
    arguments: tuple[str, ...] = ()

    @property
    def needs_layout(self) -> bool:
        """Whether the definition depends on how this kernel lays out struct sk_buff."""
        return any("{users}" in argument for argument in self.arguments)

    def fills(self, tables: Collection[str]) -> bool:
        """Whether one of its histograms is among these."""
        return any(histogram.table in tables for histogram in self.histograms)

    def fills_nothing_but(self, tables: Collection[str]) -> bool:
        """Whether all of its histograms are among these."""
        return all(histogram.table in tables for histogram in self.histograms)

    def define(self, users_offset_bytes: int) -> str:
        """The line for `kprobe_events`; nothing for an event of the kernel's own."""
        if not self.symbol:
            return ""
        kind, place = ("r", "") if self.returning else ("p", ENTERED)
        arguments = " ".join(self.arguments).format(users=users_offset_bytes)
        return f"{kind}:{self.event} {self.symbol}{place} {arguments}"


FREED = Probe(
    event="skb/kfree_skb",
    counts="skbs freed by kfree_skb(), by place and reason",
    source="net/core/skbuff.c:892",
    histograms=(Histogram(table=freed.NAME, keys=("location.sym", "reason")),),
)

DOMU_PROBES = (
    FREED,
    Probe(
        event=f"{GROUP}/slot",
        symbol="xen_netfront:xennet_tx_setup_grant",
        # struct xennet_gnttab_make_txreq has `skb` at 8 and `tx`, nothing yet at first, at 24.
        arguments=("tx=+24(%cx):x64", "users=+{users}(+8(%cx)):u32"),
        counts="ring slots by the references to their skb, of which each slot holds one",
        source="NF:464 and, for the reference, NF:526",
        histograms=(
            Histogram(table=probed_slots.FIRST, keys=("users",), condition="tx==0"),
            Histogram(table=probed_slots.FURTHER, keys=("users",), condition="tx!=0"),
        ),
    ),
    Probe(
        event=f"{GROUP}/pull",
        symbol="__pskb_pull_tail",
        returning=True,
        arguments=("ret=$retval:x64",),
        counts="data pulled into an skb's head, by caller: xennet_start_xmit linearises",
        source="NF:746 by skb_linearize(), include/linux/skbuff.h",
        histograms=(
            Histogram(table=penalties.PULLED, keys=CALLER, condition="ret!=0"),
            Histogram(table=penalties.PULL_FAILED, keys=CALLER, condition="ret==0"),
        ),
    ),
    Probe(
        event=f"{GROUP}/xret",
        symbol="xen_netfront:xennet_start_xmit",
        returning=True,
        arguments=("ret=$retval:s32",),
        counts="packets that netfront was given, by what it returned",
        source="NF:705",
        histograms=(Histogram(table=penalties.GIVEN, keys=("ret",)),),
    ),
)

DOM0_PROBES = (
    FREED,
    Probe(
        event=f"{GROUP}/resp",
        symbol="xen_netback:make_tx_response",
        # struct xen_netif_tx_request has `flags` at 6.
        arguments=("flags=+6(%si):u16", "st=%cx:s8"),
        counts="responses to slots that never came into an skb, by status and request flags",
        source="NB:212, 478 and 1034",
        histograms=(Histogram(table=penalties.RESPONSES, keys=("st", "flags")),),
    ),
    Probe(
        event=f"{GROUP}/release",
        symbol="xen_netback:xenvif_idx_release",
        arguments=("st=%dx:s8",),
        counts="responses to slots of an skb, by status",
        source="NB:1456",
        histograms=(Histogram(table=penalties.RELEASES, keys=("st",)),),
    ),
    Probe(
        event=f"{GROUP}/flist",
        symbol="xen_netback:xenvif_handle_frag_list",
        counts="packets whose frag_list is copied away",
        source="NB:1119",
        histograms=(Histogram(table=penalties.FRAG_LISTS, keys=("__probe_ip",)),),
    ),
    Probe(
        event=f"{GROUP}/fatal",
        symbol="xen_netback:xenvif_fatal_tx_err",
        counts="fatal errors, each of which disables a vif",
        source="NB:220",
        histograms=(Histogram(table=penalties.FATALS, keys=("__probe_ip",)),),
    ),
    Probe(
        event=f"{GROUP}/gcopy",
        symbol="gnttab_batch_copy",
        arguments=("n=%si:u32", "caller=$stack0:x64"),
        counts="batches of grant copies and their operations, by caller",
        source="NB:1407 from the guest, xen-netback/rx.c:163 to it",
        histograms=(Histogram(table=penalties.COPIES, keys=("caller.sym",), value="n"),),
    ),
    Probe(
        event=f"{GROUP}/gmap",
        # xenvif_tx_create_map_op, once a slot, is inline to the source and so never to be traced.
        symbol="gnttab_map_refs",
        arguments=("n=%cx:u32", "caller=$stack0:x64"),
        counts="batches of grant mappings and their operations, by caller",
        source="NB:1409",
        histograms=(Histogram(table=penalties.MAPS, keys=("caller.sym",), value="n"),),
    ),
    Probe(
        event=f"{GROUP}/ubufs",
        symbol="skb_copy_ubufs",
        counts="skbs whose foreign pages are copied, for dom0 itself takes them",
        source="net/core/skbuff.c, skb_copy_ubufs",
        histograms=(Histogram(table=penalties.UBUFS, keys=("__probe_ip",)),),
    ),
)
