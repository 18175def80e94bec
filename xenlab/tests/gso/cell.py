"""Cell: one setting and what it must visibly change; Ring: the two ends that it is seen at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xenlab.guest.change import Change
from xenlab.guest.device_state import Feature
from xenlab.measure.shapes import Cut, Quantity, Spot, Stage
from xenlab.plan.model import DOM0
from xenlab.traffic.cells import Way
from xenlab.verdict.shapes import Claim

PLAIN = "nothing changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A setting: `control` names the cell that is the same without it.

    `beyond` is more than the device may take. `cut` where dom0 segments packets on their way, so
    that more leave it than came.
    """

    name: str
    changes: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    control: str = PLAIN
    cut: Cut | None = None
    mtu_bytes: int = 0
    beyond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One of the rings on the way: who sends into it, and who takes packets out of it."""

    sender: tuple[str, str]
    taker: tuple[str, str]
    forwarding: bool = False

    @property
    def fed(self) -> bool:
        """Whether its sender is a vif, which gets its packets from another device of dom0's."""
        return self.sender[0] == DOM0

    @property
    def name(self) -> str:
        """Its sender. The number of a vif is its domU's, which is another one at the next boot."""
        return f"dom0's vif of {self.taker[0]}" if self.fed else " ".join(self.sender)

    @property
    def sent(self) -> Spot:
        """What its sender is given."""
        return Spot(node=self.sender[0], device=self.sender[1], stage=Stage.SENT)

    @property
    def taken(self) -> Spot:
        """What came out of it, as its taker understood it."""
        return Spot(node=self.taker[0], device=self.taker[1], stage=Stage.RECEIVED)

    @property
    def delivered(self) -> Spot:
        """The same behind GRO."""
        return Spot(node=self.taker[0], device=self.taker[1], stage=Stage.DELIVERED)

    def at_most(self, quantity: Quantity, most: int) -> tuple[Claim, ...]:
        """The same bound on both of its ends."""
        return tuple(
            Claim(spot=spot, quantity=quantity, most=most) for spot in (self.sent, self.taken)
        )

    def change(
        self, features: Mapping[Feature, bool] | None = None, **numbers: int
    ) -> Mapping[str, tuple[Change, ...]]:
        """A change of its sender's device."""
        node, device = self.sender
        return {node: (Change(device=device, features=features or {}, **numbers),)}


def rings_of(way: Way) -> tuple[Ring, ...]:
    """From the source into dom0, and from dom0 to the sink, as far as there are vifs."""
    rings = []
    if way.source_vif:
        rings.append(Ring(sender=way.source, taker=(DOM0, way.source_vif)))
    if way.sink_vif:
        vif = (DOM0, way.sink_vif)
        rings.append(Ring(sender=vif, taker=way.sink, forwarding=bool(way.source_vif)))
    return tuple(rings)
