"""Observation: what happened to the packets of one link, beside the hop account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.measure.freed import NAME, Freed, Freeing, classify
from xenlab.measure.readings import Growth
from xenlab.measure.ring import RingSnapshot

DOM0 = "dom0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedEnd:
    """One end of a link: a node and its device; its vif in dom0, nothing where dom0 is the end."""

    node: str
    device: str
    vif: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What grew at each node, and the rings as they stood at the end.

    `left` says what was still on its way when the second reading was made, and had not been so
    at the first; `untold` what nobody could say of it then. Of both best nothing.
    """

    from_end: ObservedEnd
    to_end: ObservedEnd
    nodes: Mapping[str, Growth]
    rings: tuple[RingSnapshot, ...] = ()
    left: str = ""
    untold: str = ""

    @property
    def unrest(self) -> str:
        """What was left; best nothing. Raises MeasurementError if it cannot be said that it is."""
        if self.untold and not self.left:
            raise MeasurementError(f"whether all came back cannot be said: {self.untold}")
        return self.left

    @property
    def source(self) -> Growth:
        """What grew at the source."""
        return self.nodes[self.from_end.node]

    @property
    def dom0(self) -> Growth:
        """What grew in dom0."""
        return self.nodes[DOM0]

    def device_counter(self, counter: str) -> int:
        """A counter of the source's device, such as `tx_packets`. Raises MeasurementError."""
        return self.source.counter(f"{self.from_end.device} {counter}")

    def source_vif_counter(self, counter: str) -> int:
        """A counter of the source's vif in dom0, `ethtool -S` too. Raises MeasurementError."""
        return self._vif_counter(self.from_end, counter)

    def sink_vif_counter(self, counter: str) -> int:
        """A counter of the sink's vif in dom0. Raises MeasurementError."""
        return self._vif_counter(self.to_end, counter)

    def freed(self, node: str) -> tuple[Freed, ...]:
        """Every place where a node freed skbs by kfree_skb(). Raises MeasurementError."""
        return classify(self.nodes[node].table(NAME))

    def losses(self, node: str) -> tuple[Freed, ...]:
        """Those of them that are losses, or that nobody has looked at."""
        return tuple(one for one in self.freed(node) if one.freeing is not Freeing.HARMLESS)

    @property
    def missing(self) -> Iterator[str]:
        """All that was asked for and could not be counted, and why."""
        for node, growth in self.nodes.items():
            for name, why in growth.missing.items():
                yield f"{node} {name}: {why}"

    def _vif_counter(self, end: ObservedEnd, counter: str) -> int:
        if not end.vif:
            raise MeasurementError(f"{end.node} has no vif on this link")
        return self.dom0.counter(f"{end.vif} {counter}")
