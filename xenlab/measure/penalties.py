"""Penalties: what packets cost beyond being carried: copies, mappings, linearisation, losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xenlab.measure.observation import Observation
from xenlab.measure.probed_slots import read_slot_histogram
from xenlab.measure.readings import Key

# Tables of probes: see xenlab/guest/probes.py.
PULLED = "pulled"
PULL_FAILED = "pulls failed"
GIVEN = "packets given"
RESPONSES = "responses"
RELEASES = "releases"
FRAG_LISTS = "frag lists"
FATALS = "fatal errors"
COPIES = "grant copies"
MAPS = "grant maps"
UBUFS = "copied ubufs"

LINEARISER = "xennet_start_xmit"
FROM_GUEST = "xenvif_tx_action"
TO_GUEST = "xenvif_rx_copy_flush"
# XEN_NETTXF_more_data (include/xen/interface/io/netif.h): not the packet's last request.
MORE_DATA = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalties:
    """What an observation's packets cost; dom0's probes tell of all vifs together.

    Everything raises MeasurementError where what it depends on was not counted.
    """

    observation: Observation

    @property
    def packets(self) -> int:
        """What the source's frontend was given and did not refuse."""
        return self.observation.device_counter("tx_packets")

    @property
    def slots(self) -> Mapping[int, int]:
        """Packets by the ring slots that they took, after linearisation."""
        return read_slot_histogram(self.observation.source)

    @property
    def linearised(self) -> int:
        """Packets that the frontend copied into one piece."""
        return self.observation.source.hits(PULLED, _is(LINEARISER))

    @property
    def linearise_failed(self) -> int:
        """Packets for which it found no memory, and which it dropped."""
        return self.observation.source.hits(PULL_FAILED, _is(LINEARISER))

    @property
    def frag_lists(self) -> int:
        """Packets that netback copied whole because they had a slot too many."""
        return self.observation.dom0.hits(FRAG_LISTS)

    @property
    def silent_slots(self) -> int:
        """Slots answered with an error before there was an skb: no counter tells of them."""
        return self.observation.dom0.hits(RESPONSES, lambda key: int(key[0]) < 0)

    @property
    def silent_packets(self) -> int:
        """Packets of these slots: one for each last one."""
        return self.observation.dom0.hits(RESPONSES, _ends_error)

    @property
    def failed_slots(self) -> int:
        """Slots of an skb whose grant could not be copied or mapped."""
        return self.observation.dom0.hits(RELEASES, lambda key: int(key[0]) < 0)

    @property
    def fatal_errors(self) -> int:
        """How often netback found a reason to disable a vif."""
        return self.observation.dom0.hits(FATALS)

    @property
    def copies(self) -> int:
        """Grant copies from guests: at least one a packet, for its head."""
        return self.observation.dom0.total(COPIES, _is(FROM_GUEST))

    @property
    def delivery_copies(self) -> int:
        """Grant copies to guests."""
        return self.observation.dom0.total(COPIES, _is(TO_GUEST))

    @property
    def maps(self) -> int:
        """Slots that netback mapped."""
        return self.observation.dom0.total(MAPS, _is(FROM_GUEST))

    @property
    def copied_ubufs(self) -> int:
        """Packets whose mapped pages dom0 copied, because it takes or taps them itself."""
        return self.observation.dom0.hits(UBUFS)

    def per_thousand(self, events: int) -> float:
        """Events for each thousand packets of the source; nan if there was none."""
        return 1000 * self.per_packet(events)

    def per_packet(self, events: int) -> float:
        """Events for each packet of the source; nan if there was none."""
        return events / self.packets if self.packets else float("nan")


def _is(symbol: str) -> Callable[[Key], bool]:
    return lambda key: key[0].partition(".")[0] == symbol


def _ends_error(key: Key) -> bool:
    status, flags = key
    return int(status) < 0 and not int(flags) & MORE_DATA
