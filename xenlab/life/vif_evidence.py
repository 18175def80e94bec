"""VifEvidence: whether nodes with a driver under test answer, and what their vifs lack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xenlab.errors import CommandFailed, LabError, XenlabError
from xenlab.lab import Lab
from xenlab.measure.negotiation import VifNegotiation, XenbusState
from xenlab.plan.model import DOM0
from xenlab.plan.nodes import VifPlan
from xenlab.together import on_all
from xenlab.waiting import Deadline
from xenlab.xen.vif import Vif, await_vifs, read_negotiation

ASKING_S = 20.0
# What is there already is seen at once: await-vifs waits for whole seconds.
READY_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class VifEvidence:
    """Asked of a lab in which something went wrong; `nodes` have drivers under test."""

    lab: Lab
    nodes: tuple[str, ...]

    @property
    def has_answers(self) -> bool:
        """Whether each of the nodes does on its control connection what it is told, in time."""

        def ask(node: str) -> None:
            deadline = self.lab.budget(ASKING_S)
            self.lab.shell(node, deadline).run(["true"], deadline=deadline).require_success()

        try:
            on_all(ask, self.nodes)
        except LabError:
            return False
        return True

    @property
    def misses_any(self) -> bool:
        """Whether a vif with such a driver at one of its ends is seen not to carry packets.

        What cannot be read shows nothing.
        """
        return any(
            self._is_missing(domu, vif)
            for domu, vif in self._vifs()
            if DOM0 in self.nodes or domu in self.nodes
        )

    def describe(self) -> Iterator[str]:
        """The states of both ends of every vif, as far as dom0 can tell."""
        deadline = Deadline.after(ASKING_S)
        for domu, planned in self._vifs():
            told = f"{domu} {planned.device} ({self.lab.vif(domu, planned.index)})"
            try:
                seen = self._read(domu, planned, deadline)
            except XenlabError as error:
                yield f"{told}: {error.what}"
                continue
            ends = (end.state if end else "absent" for end in (seen.backend, seen.frontend))
            back, front = ends
            yield f"{told}: frontend {front}, backend {back}"

    def _vifs(self) -> Iterator[tuple[str, VifPlan]]:
        for domu in self.lab.plan.domus:
            yield from ((domu.name, planned) for planned in domu.vifs)

    def _is_missing(self, domu: str, planned: VifPlan) -> bool:
        deadline = self.lab.budget(ASKING_S)
        try:
            seen = self._read(domu, planned, deadline)
        except XenlabError:
            return False
        ends = (seen.backend, seen.frontend)
        if any(end is None or end.state is not XenbusState.CONNECTED for end in ends):
            return True
        return not self._is_ready(domu, planned, deadline)

    def _is_ready(self, domu: str, planned: VifPlan, deadline: Deadline) -> bool:
        """Whether its backend forwards, or does not tell."""
        backend = self.lab.plan.network(planned.network).backend
        vif = self.lab.vif(domu, planned.index)
        try:
            await_vifs(self.lab.shell(backend, deadline), [vif], deadline.at_most(READY_S))
        except CommandFailed:
            return False
        except LabError:
            return True
        return True

    def _read(self, domu: str, planned: VifPlan, deadline: Deadline) -> VifNegotiation:
        """Both ends of a vif, from xenstore, which dom0 reads for driver domains too."""
        known = Vif.parse(self.lab.vif(domu, planned.index))
        backend = self.lab.domid(self.lab.plan.network(planned.network).backend)
        vif = Vif(domid=known.domid, index=known.index, backend_domid=backend)
        return read_negotiation(self.lab.shell(DOM0, deadline), vif, deadline)
