"""Leaving a host: nothing of the lab stays there; one that hangs is reset by the user's command."""

from __future__ import annotations

import shlex
import sys

from xenlab.errors import LabError, Unavailable, WaitTimedOut
from xenlab.hypervisor.existing_host import ANSWER_S, ExistingHost
from xenlab.life.host_inventory import HostInventory, is_telling
from xenlab.plan.model import LabPlan
from xenlab.registry.record import LabRecord
from xenlab.transport.host_login import Unreached
from xenlab.transport.process import run
from xenlab.waiting import Deadline, wait_until

CLEAN_BUDGET_S = 120.0
RESET_BUDGET_S = 120.0
RETURN_BUDGET_S = 600.0  # a rack machine goes through its firmware
CHANGES_TOLD = 20


def leave_host(record: LabRecord, *, may_reset: bool) -> None:
    """End the lab on its host and see to it that all is as it was.

    Raises Unavailable for a host that does not answer, and is not brought back by its reset
    command: the record has to stay. Raises LabError with what is left, or was changed, there.
    """
    plan = LabPlan.from_json(record.plan_json)
    assert plan.host is not None
    host = ExistingHost(plan=plan.host, nodes=plan.domain_names, logs=record.places.logs)
    try:
        was_reset = _require_answer(host, record.name, may_reset=may_reset)
        deadline = Deadline.after(CLEAN_BUDGET_S)
        _clean(host, record, deadline)
        before = HostInventory.find(record.places.state)
        if before is not None and not was_reset:
            _compare(host, before, deadline)
    finally:
        host.close()


def _clean(host: ExistingHost, record: LabRecord, deadline: Deadline) -> None:
    """Clean the host; where that fails the record stays, and says what to clean by."""
    try:
        host.clean(record.lab_id, deadline)
    except LabError as error:
        raise Unavailable(
            f"{host.name} is not clean yet: {error.what}", try_next=f"xenlab down {record.name}"
        ) from error


def _require_answer(host: ExistingHost, lab: str, *, may_reset: bool) -> bool:
    """Return when the host answers; whether it was reset for that.

    One that answers and refuses us does not hang: that is never a reason for a reset.
    """
    again = f"xenlab down {lab}"
    left = f"what lab {lab} has on the host {host.name} is there still"
    try:
        host.shell(Deadline.after(ANSWER_S))
    except (Unreached, WaitTimedOut) as error:
        if not may_reset or not host.plan.reset:
            why = "the topology gives no `reset` command" if may_reset else "it was not reset"
            raise Unavailable(f"{left}: {error.what}, and {why}", try_next=again) from error
        sys.stderr.write(f"{error.what}; reset by `{host.plan.reset}`\n")
    except LabError as error:
        raise Unavailable(f"{left}: {error.what}", try_next=again) from error
    else:
        return False
    _reset(host, again)
    return True


def _reset(host: ExistingHost, again: str) -> None:
    command = host.plan.reset
    ended = run(shlex.split(command), deadline=Deadline.after(RESET_BUDGET_S))
    if ended.status != 0:
        said = ended.stderr.decode(errors="replace").strip()[-400:]
        raise Unavailable(
            f"the reset command `{command}` of {host.name} returned {ended.status}: {said}",
            try_next=again,
        )
    try:
        wait_until(
            lambda: host.state() == "running", f"{host.name} to answer after its reset",
            Deadline.after(RETURN_BUDGET_S),
        )  # fmt: skip
    except LabError as error:
        raise Unavailable(error.what, try_next=again) from error


def _compare(host: ExistingHost, before: HostInventory, deadline: Deadline) -> None:
    now = HostInventory(lines=host.read_inventory(deadline))
    changes = tuple(before.find_changes(now))
    telling = tuple(filter(is_telling, changes))
    told = "\n".join((telling or changes)[:CHANGES_TOLD])
    if telling:
        raise LabError(f"{host.name} is not as it was before the lab:\n{told}")
    if changes:
        sys.stderr.write(f"{host.name}: since before the lab, by it or by others:\n{told}\n")
