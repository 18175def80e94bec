"""Which way up: a machine of the lab's own, or a host that is there already."""

from __future__ import annotations

from xenlab.life.host_up import HostBringUp
from xenlab.life.phases import Phases
from xenlab.life.request import UpRequest
from xenlab.life.up import BringUp


def begin_bring_up(request: UpRequest, phases: Phases) -> BringUp | HostBringUp:
    """The `up` of a request, yet to be run."""
    host = request.plan.host
    if host is None:
        return BringUp(request=request, phases=phases)
    return HostBringUp(request=request, host_plan=host, phases=phases)
