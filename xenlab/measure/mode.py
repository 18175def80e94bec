"""ModeEvidence: what Xen's toolstack and each kernel say of how a domain really runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from xenlab.errors import MeasurementError


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainMode:
    """One domain: `guest_type` is its own kernel's word, `created` the toolstack's for a domU.

    The kernel says PV, PVH or HVM (Linux Documentation/ABI/stable/sysfs-hypervisor-xen); xl says
    pv, pvh or hvm. They differ where a PV kernel runs on a shim of its own in a PVH domain.
    """

    guest_type: str
    created: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VifMode:
    """One vif: what both ends agreed on in xenstore, and what each has made of it.

    `frontend_queues` are those of the domU's device, `backend_queues` the pairs of rings that
    netback shows, and `device_queues` those of its device. `trusted` is what netfront has read of
    its backend.
    """

    queues: int
    frontend_queues: int
    backend_queues: int
    device_queues: int
    trusted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeEvidence:
    """Domains by name, and vifs by domU and index."""

    domains: Mapping[str, DomainMode]
    vifs: Mapping[tuple[str, int], VifMode]


def parse_created_types(text: str) -> Mapping[str, str]:
    """The type of each domU, from what `xl list -l` writes. Raises MeasurementError."""
    try:
        return {
            config["c_info"]["name"]: str(config["c_info"]["type"])
            for config in (each["config"] for each in json.loads(text))
            if "name" in config["c_info"]
        }
    except (ValueError, KeyError, TypeError) as error:
        raise MeasurementError(
            f"`xl list -l` does not say of what type domUs are: {text[:200]!r}"
        ) from error
