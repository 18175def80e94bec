"""The limits of a link, as its kernels and the drivers that run at its ends tell of them."""

from __future__ import annotations

from dataclasses import replace

from xenlab.errors import MeasurementError
from xenlab.guest.device_state import Feature
from xenlab.plan.model import DOM0, Link
from xenlab.slots.limits import STOCK, Limits
from xenlab.slots.series import (
    is_negotiated,
    limits_agreed,
    limits_with,
    require_way_to_relocate,
)
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.limit_sight import FATAL_SLOTS, SLOTS_MAX, find_unknown, look_at_limits

# Of the series frontend-copy-to-pages and frontend-repack.
RELOCATED = "tx_relocated"


def limits_of(lab: LabHandle, link: Link, limits: Limits = STOCK) -> Limits:
    """What limits are in the lab as it is now: kernels, drivers, and what is set in its nodes.

    A series is known by the driver's name, and by what its driver shows where a kernel came with
    it built in. Raises MeasurementError for what is shown and cannot be understood, and where
    something is set of which the model does not know what it does, with the command that takes it
    back.
    """
    backend = link.backends[0]
    found = look_at_limits(lab, link)
    if problems := tuple(find_unknown(link, {node: each.outlet for node, each in found.items()})):
        raise MeasurementError("; ".join(problems))
    source = found[link.source]
    kernels = replace(
        limits,
        # What they were taken for where no driver has such a parameter.
        fatal_skb_slots=found[backend].files.number_or(FATAL_SLOTS, limits.fatal_skb_slots),
        frontend_slots=source.files.number_or(SLOTS_MAX, limits.frontend_slots),
        max_skb_frags=lab.max_skb_frags(link.source),
        backend_max_skb_frags=lab.max_skb_frags(backend),
        bounces=link.source_vif is not None and not link.source_vif.trusted,
    )
    if source.outlet is not None:
        kernels = replace(
            kernels,
            scatter_gather=limits.scatter_gather and source.outlet.has(Feature.SCATTER),
            gso_max_size_bytes=source.outlet.gso_max_size_bytes,
        )
    # A driver domain's netback is the stock one, as dom0's is then.
    netfront, netback = lab.driver(link.source), lab.driver(DOM0)
    if RELOCATED in source.files.statistics.get(link.source_device, {}):
        require_way_to_relocate(netfront)
    named = limits_with(netfront, netback, kernels)
    if source.outlet is None or is_negotiated(netfront, netback):
        return named
    agreement = source.outlet.agreement
    agreed = limits_agreed(agreement.offered, agreement.requested, named)
    # A frontend whose limit is a parameter asks for nothing: the key is of one before it.
    own_limit = SLOTS_MAX in source.files.files
    return replace(agreed, frontend_slots=named.frontend_slots) if own_limit else agreed
