"""Terms: what cannot be asked of a lab on a host that is there already, refused with the reason."""

from __future__ import annotations

from pathlib import Path

from xenlab.errors import InputError
from xenlab.hypervisor.acceleration import Acceleration, choose_acceleration
from xenlab.plan.model import Accel, LabPlan
from xenlab.registry.places import cache_dir
from xenlab.waiting import Deadline

TRIAL_BUDGET_S = 30.0


def require_terms(
    plan: LabPlan, *, has_netback: bool, accel: Accel | None, connect_uri: str
) -> None:
    """Nothing, or InputError with all that a lab on a host cannot have; others may have it."""
    host = plan.host
    if host is None:
        return
    problems = []
    if has_netback and not host.drivers:
        problems.append(
            f"no netback under test may be loaded on {host.address}: the topology would have to"
            " say `machine: {drivers: on}`"
        )
    if accel is not None:
        problems.append(f"--accel is for a machine of the lab's own: {host.address} runs already")
    if connect_uri:
        problems.append(f"--connect is for a machine of the lab's own: there is {host.address}")
    if problems:
        raise InputError(*problems)


def choose_accelerator(plan: LabPlan, xen: Path) -> Acceleration:
    """KVM or emulation for a machine; neither where a host runs Xen."""
    if plan.host is not None:
        return Acceleration(accel=Accel.AUTO, reason=f"Xen runs on {plan.host.address}")
    deadline = Deadline.after(TRIAL_BUDGET_S)
    return choose_acceleration(plan.machine.accel, xen, cache_dir(), deadline)
