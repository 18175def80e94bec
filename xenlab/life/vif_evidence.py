"""VifEvidence: whether nodes with a driver under test answer, and what their vifs lack of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from xenlab.errors import CommandFailed, LabError, WaitTimedOut, XenlabError
from xenlab.guest.loading import NO_MEMORY, Loading, is_refused, read_loading
from xenlab.kernel.driver import Driver, DriverKind
from xenlab.lab import Lab
from xenlab.measure.negotiation import VifEnd, VifNegotiation, XenbusState
from xenlab.plan.model import DOM0
from xenlab.plan.nodes import VifPlan
from xenlab.together import on_all
from xenlab.waiting import wait_until
from xenlab.xen.vif import Vif, await_vifs, read_negotiation

ASKING_S = 20.0
# What has just been begun ends by then: xl itself waits for a backend no longer, on any host.
SETTLING_S = 10.0
UNBEGUN = frozenset({XenbusState.UNKNOWN, XenbusState.INITIALISING})
# The toolstack's keys of a backend: 0 once it takes the vif away (libxl_device.c), and what netback
# waits for before it connects (hotplug_status_changed(), xen-netback/xenbus.c).
ONLINE, PLUGGED = "online", ("hotplug-status", "connected")


@dataclass(frozen=True, slots=True, kw_only=True)
class VifEvidence:
    """Asked of a lab in which something went wrong; `drivers` are those under test, by node.

    A driver's part begins where others have done theirs: netback's with the device that the
    toolstack wrote into xenstore, netfront's with a backend that waits for it. What cannot be read
    shows nothing.
    """

    lab: Lab
    drivers: Mapping[str, Driver]

    @property
    def has_answers(self) -> bool:
        """Whether each of the nodes does on its control connection what it is told, in time."""

        def ask(node: str) -> None:
            deadline = self.lab.budget(ASKING_S)
            self.lab.shell(node, deadline).run(["true"], deadline=deadline).require_success()

        try:
            on_all(ask, self.drivers)
        except LabError:
            return False
        return True

    @property
    def misses_any(self) -> bool:
        """Whether such a driver is seen not to load, or not to do its part of a vif."""
        if any(self._is_unloadable(node) for node in self.drivers):
            return True
        return any(
            self._is_missing(domu, vif)
            for domu, vif in self._vifs()
            if DOM0 in self.drivers or domu in self.drivers
        )

    def describe(self) -> Iterator[str]:
        """The states of both ends of every vif, as far as dom0 can tell."""
        for domu, planned in self._vifs():
            told = f"{domu} {planned.device} ({self.lab.vif(domu, planned.index)})"
            try:
                seen = self._read(domu, planned)
            except XenlabError as error:
                yield f"{told}: {error.what}"
                continue
            ends = (end.state if end else "absent" for end in (seen.backend, seen.frontend))
            back, front = ends
            yield f"{told}: frontend {front}, backend {back}"

    def _vifs(self) -> Iterator[tuple[str, VifPlan]]:
        for domu in self.lab.plan.domus:
            yield from ((domu.name, planned) for planned in domu.vifs)

    def _is_unloadable(self, node: str) -> bool:
        """Whether the driver's module does not come to its end there, or is refused once more."""
        driver = self.drivers[node]
        deadline = self.lab.budget(ASKING_S)
        try:
            loading = self._settle_loading(node, driver.kind)
            if loading is not Loading.ABSENT:
                return loading is Loading.COMING
            return is_refused(self.lab.shell(node, deadline), driver, deadline)
        except LabError:
            return False

    def _settle_loading(self, node: str, kind: DriverKind) -> Loading:
        """How far a module has come in a node that had time for it."""

        def read() -> Loading:
            deadline = self.lab.budget(ASKING_S)
            return read_loading(self.lab.shell(node, deadline), kind, deadline)

        def is_settled() -> bool:
            return read() is not Loading.COMING

        with suppress(WaitTimedOut):
            wait_until(is_settled, f"{kind.module} in {node}", self.lab.budget(SETTLING_S))
        return read()  # silence says nothing

    def _is_missing(self, domu: str, planned: VifPlan) -> bool:
        try:
            has_front = self._settle_loading(domu, DriverKind.NETFRONT) is Loading.LIVE
            seen = self._settle_vif(domu, planned, has_front=has_front)
            if _is_connected(seen):
                return not self._is_ready(domu, planned)
            if seen.backend is None or not seen.backend.feature(ONLINE):
                return False
            if has_front and _is_prepared(seen.backend):
                return True
            return DOM0 in self.drivers and self._lacks_netback(domu, planned, seen)
        except XenlabError:
            return False

    def _lacks_netback(self, domu: str, planned: VifPlan, seen: VifNegotiation) -> bool:
        """Whether a netback that is loaded has not done for a vif what needs no netfront.

        That is to begin, and not to give up before there was a netfront.
        """
        if self._settle_loading(DOM0, DriverKind.NETBACK) is not Loading.LIVE:
            return False
        if seen.backend is not None and seen.backend.state is XenbusState.INIT_WAIT:
            return self._has_dead_device(domu, planned)
        return seen.frontend is not None and seen.frontend.state in UNBEGUN

    def _has_dead_device(self, domu: str, planned: VifPlan) -> bool:
        """Whether netback's device is not there, or refuses what every hotplug program asks."""
        deadline = self.lab.budget(ASKING_S)
        device = self.lab.vif(domu, planned.index)
        argv = ["ip", "link", "set", "dev", device, "mtu", str(planned.mtu_bytes), "up"]
        told = self.lab.shell(DOM0, deadline).run(argv, deadline=deadline)
        # The exit codes of ip(8) for a device that is not there, and for what the kernel refused.
        return told.status in {1, 2} and NO_MEMORY not in told.stderr

    def _settle_vif(self, domu: str, planned: VifPlan, *, has_front: bool) -> VifNegotiation:
        """Both ends once they are connected or, without netfront, netback has begun; or late."""

        def is_settled() -> bool:
            seen = self._read(domu, planned)
            begun = seen.backend is not None and seen.backend.state not in UNBEGUN
            return _is_connected(seen) or (begun and not has_front)

        with suppress(WaitTimedOut):
            wait_until(is_settled, f"{planned.device} of {domu}", self.lab.budget(SETTLING_S))
        return self._read(domu, planned)  # silence says nothing

    def _is_ready(self, domu: str, planned: VifPlan) -> bool:
        """Whether its backend forwards, or does not tell."""
        backend = self.lab.plan.network(planned.network).backend
        deadline = self.lab.budget(SETTLING_S)
        try:
            shell = self.lab.shell(backend, deadline)
            await_vifs(shell, [self.lab.vif(domu, planned.index)], deadline)
        except CommandFailed:
            return False
        return True

    def _read(self, domu: str, planned: VifPlan) -> VifNegotiation:
        """Both ends of a vif, from xenstore, which dom0 reads for driver domains too."""
        deadline = self.lab.budget(ASKING_S)
        known = Vif.parse(self.lab.vif(domu, planned.index))
        backend = self.lab.domid(self.lab.plan.network(planned.network).backend)
        vif = Vif(domid=known.domid, index=known.index, backend_domid=backend)
        return read_negotiation(self.lab.shell(DOM0, deadline), vif, deadline)


def _is_prepared(backend: VifEnd) -> bool:
    """Whether all is there that both drivers need to connect: a backend, and its place in a bridge.

    What was beyond that once has been plugged; some kernels take the key away then.
    """
    if backend.state is XenbusState.INIT_WAIT:
        key, value = PLUGGED
        return backend.keys.get(key) == value
    return backend.state not in UNBEGUN


def _is_connected(seen: VifNegotiation) -> bool:
    ends = (seen.backend, seen.frontend)
    return all(end is not None and end.state is XenbusState.CONNECTED for end in ends)
