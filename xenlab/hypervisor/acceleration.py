"""Acceleration: whether KVM really works on this host, proved by booting Xen under it."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.plan.model import Accel


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceleration:
    """What was chosen, `kvm` or `tcg`, and why: shown in every header."""

    accel: Accel
    reason: str
