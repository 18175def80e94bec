"""A vif's rate limit: the key `rate` of its backend, which netback heeds at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline
from xenlab.xen.vif import Vif

LIFT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many bytes from the guest in so many microseconds.

    xen_register_credit_watch (drivers/net/xen-netback/xenbus.c) sees every change of the key.
    """

    credit_bytes: int
    credit_us: int

    def __str__(self) -> str:
        """As the key has it."""
        return f"{self.credit_bytes},{self.credit_us}"

    @property
    def bytes_per_s(self) -> float:
        """What a guest may send in the long run."""
        return self.credit_bytes * 1e6 / self.credit_us


@contextmanager
def rate_limited(dom0: Shell, vif: Vif, rate: Rate, deadline: Deadline) -> Iterator[None]:
    """Limit what comes from the guest by a vif as long as the context lasts."""
    key = f"{vif.backend_path}/rate"
    dom0.run(["xenstore-write", key, str(rate)], deadline=deadline).require_success()
    try:
        yield
    finally:
        argv = ["xenstore-rm", key]
        dom0.run(argv, deadline=Deadline.after(LIFT_S)).require_success()
