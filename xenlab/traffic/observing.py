"""Observing one link: what happened to its packets beside the hop account, in one call.

Off by default where speed is measured: probes and debug lines cost time on every packet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError, WaitTimedOut
from xenlab.guest.dynamic_debug import DebugLines, count_lines, count_rockets, debug_lines
from xenlab.guest.probes import DOM0_PROBES, DOMU_PROBES, Probe
from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.guest.tracing import Tracing, tracing
from xenlab.measure.natural import ROCKETS
from xenlab.measure.observation import Observation, ObservedEnd
from xenlab.measure.readings import Readings, subtract
from xenlab.measure.ring import RingSnapshot
from xenlab.plan.model import DOM0, Link
from xenlab.together import all_open, on_all
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.link_sight import STILL_LOOKS
from xenlab.traffic.observed import ObservedNode, observed_nodes, unrest_of, untold_of
from xenlab.waiting import Deadline, wait_until

READ_S = 30.0
REST_S = 10.0
INSTALL_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """One look at all nodes: what had not come back then, and what would have had to be told."""

    readings: Mapping[str, Readings]
    rings: tuple[RingSnapshot, ...]
    left: str
    untold: str


@dataclass(slots=True, kw_only=True)
class Observer:
    """Reads what grew on a link since the observer was opened, or since `restart`."""

    lab: LabHandle
    link: Link
    nodes: tuple[ObservedNode, ...]
    tracings: Mapping[str, Tracing]
    debugs: Mapping[str, DebugLines]
    _before: _Sight | None = None

    def restart(self) -> None:
        """Count from now on. Raises LabError."""
        self._before = self._look()

    def read(self) -> Observation:
        """What grew, once nothing is on its way any more. Raises LabError.

        A counter or a probe that is not there is named in the observation, and asking for it
        raises MeasurementError.
        """
        assert self._before is not None, "observing() restarts"
        after = self._look()
        before = self._before.readings
        # What was stuck before is not of these packets.
        left = "" if after.left == self._before.left else after.left
        return Observation(
            from_end=_end(self.lab, self.link, self.link.source),
            to_end=_end(self.lab, self.link, self.link.sink),
            nodes={node: subtract(before[node], after.readings[node]) for node in before},
            rings=after.rings,
            left=left,
            untold=after.untold,
        )

    def _look(self) -> _Sight:
        deadline = self.lab.budget(READ_S)
        rings, left, untold = self._await_rest(self.lab.budget(REST_S))
        nodes = {node.name: node for node in self.nodes}
        readings = on_all(lambda name: self._read_node(nodes[name], deadline), nodes)
        return _Sight(readings=readings, rings=rings, left=left, untold=untold)

    def _await_rest(self, deadline: Deadline) -> tuple[tuple[RingSnapshot, ...], str, str]:
        """The rings once they rest, or stand still, what is left in them, and what is untold."""
        (dom0,) = (node for node in self.nodes if node.name == DOM0)
        seen: list[tuple[tuple[RingSnapshot, ...], str, str]] = []

        def at_rest() -> bool:
            files = self._read_files(dom0, ())
            rings = dom0.read_rings(files)
            untold = untold_of(dom0.devices, rings, files)
            seen.append((rings, unrest_of(rings, files), untold))
            return not seen[-1][1]

        try:
            wait_until(at_rest, "the rings to rest", deadline, last_seen=lambda: seen[-1][1])
        except WaitTimedOut:
            # What stands still is a finding, and the observation tells of it.
            if len(seen) < STILL_LOOKS or any(look != seen[-1] for look in seen[-STILL_LOOKS:]):
                raise
        return seen[-1]

    def _read_node(self, node: ObservedNode, deadline: Deadline) -> Readings:
        tracing = self.tracings.get(node.name)
        files = self._read_files(node, tracing.patterns if tracing else ())
        counters, missing = node.read_counters(files)
        traced = tracing.read(files) if tracing else Readings(node=node.name)
        tables = dict(traced.tables)
        if node.name in self.debugs:
            try:
                log = self.debugs[node.name].read(deadline)
                counters |= {f"line {name}": count for name, count in count_lines(log).items()}
                tables[ROCKETS] = count_rockets(log)
            except MeasurementError as error:
                missing |= dict.fromkeys(("debug lines", ROCKETS), str(error))
        return Readings(
            node=node.name,
            counters=counters,
            tables=tables,
            missing={**missing, **traced.missing},
        )

    def _read_files(self, node: ObservedNode, patterns: tuple[str, ...]) -> NodeFiles:
        shell = self.lab.shell(node.name)
        return read_node_files(
            shell, [*node.patterns, *patterns], node.devices, self.lab.budget(READ_S)
        )


@contextmanager
def observing(
    lab: LabHandle,
    link: Link,
    *,
    probes: bool,
    debug: bool = False,
    tables: Collection[str] = (),
    in_source: Sequence[Probe] = (),
) -> Iterator[Observer]:
    """An observer of one link, in whose context packets are sent; nothing is left of it.

    Without probes it reads counters only, before and after. With `tables` there are probes for
    these alone: one probe can hide the hit of another (kprobe_running(), kernel/kprobes.c), which
    makes that one's table missing, so whoever counts thousands of packets sets few. `debug`
    switches the drivers' debug lines on and counts them: dear, and good for some thousand packets.
    `in_source` are further probes for the source alone.
    """
    nodes = observed_nodes(lab, link)
    deadline = lab.budget(INSTALL_S)
    traced = {}
    debugged = {}
    for node in nodes:
        shell = lab.shell(node.name)
        every = DOM0_PROBES if node.name == DOM0 else DOMU_PROBES
        wanted = [probe for probe in every if not tables or probe.fills(tables)]
        wanted += in_source if node.name == link.source else ()
        if probes and wanted:
            traced[node.name] = tracing(shell, wanted, deadline)
        if debug:
            module = "xen_netback" if node.name == DOM0 else "xen_netfront"
            debugged[node.name] = debug_lines(shell, [module], deadline)
    with all_open(traced) as tracings, all_open(debugged) as debugs:
        observer = Observer(lab=lab, link=link, nodes=nodes, tracings=tracings, debugs=debugs)
        observer.restart()
        yield observer


def _end(lab: LabHandle, link: Link, node: str) -> ObservedEnd:
    is_source = node == link.source
    vif = link.source_vif if is_source else link.sink_vif
    return ObservedEnd(
        node=node,
        device=link.source_device if is_source else link.sink_device,
        vif=lab.vif(node, vif.index) if vif else "",
    )
