"""The rule of negotiation: both ends of a vif are connected and agreed on what they should."""

from __future__ import annotations

from collections.abc import Iterable

from xenlab.errors import MeasurementError
from xenlab.measure.negotiation import VifEnd, VifNegotiation, XenbusState
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

NEGOTIATED = "vif negotiated"

# What stock Linux offers and asks for (drivers/net/xen-netback/xenbus.c netback_probe,
# drivers/net/xen-netfront.c talk_to_netback). Without rx-copy there is no traffic at all; without
# sg and gso each packet is one page, and a test of slots would test nothing.
BACKEND_FEATURES = (
    "feature-rx-copy",
    "feature-sg",
    "feature-gso-tcpv4",
    "feature-gso-tcpv6",
    "feature-ipv6-csum-offload",
    "feature-split-event-channels",
)
FRONTEND_FEATURES = (
    "request-rx-copy",
    "feature-rx-notify",
    "feature-sg",
    "feature-gso-tcpv4",
    "feature-gso-tcpv6",
    "feature-ipv6-csum-offload",
)
QUEUES = "multi-queue-num-queues"
QUEUES_MAX = "multi-queue-max-queues"
# netfront writes it for an XDP program; netback answers with Reconfigured and leaves it at that
# (frontend_changed(), drivers/net/xen-netback/xenbus.c): it is connected all the same.
XDP_HEADROOM = "xdp-headroom"


def skip_negotiation(domu: str) -> Verdict:
    """There is none in a domU without a vif."""
    return Verdict(
        rule=NEGOTIATED,
        subject=domu,
        outcome=Outcome.SKIP,
        reasons=("it has no vif: it is the backend of others",),
    )


def skip_without_xen(topology: str) -> Verdict:
    """There is none where no Xen runs."""
    return Verdict(
        rule=NEGOTIATED,
        subject=f"topology {topology}",
        outcome=Outcome.SKIP,
        reasons=("there is no vif without Xen: `xen: {boot: off}`",),
    )


def judge_negotiation(subject: str, negotiation: VifNegotiation, queues: int | None) -> Verdict:
    """Whether a vif is what it should be; `queues` is the number asked for, None for any."""
    backend, frontend = negotiation.backend, negotiation.frontend
    if backend is None and frontend is None:
        raise MeasurementError(f"xenstore has neither end of {negotiation.vif}")
    reasons = [
        *_wrong_end(
            f"backend of {negotiation.vif}",
            backend,
            BACKEND_FEATURES,
            reconfigured=frontend is not None and XDP_HEADROOM in frontend.keys,
        ),
        *_wrong_end(f"frontend of {negotiation.vif}", frontend, FRONTEND_FEATURES),
    ]
    numbers = {}
    if frontend is not None:
        numbers["queues"] = queues_of(frontend)
        if queues is not None and queues != numbers["queues"]:
            reasons.append(f"{negotiation.vif} has {numbers['queues']} queues, not {queues}")
    if backend is not None:
        numbers["queues_max"] = _read_number(backend, QUEUES_MAX)
    return Verdict(
        rule=NEGOTIATED,
        subject=subject,
        outcome=Outcome.FAIL if reasons else Outcome.PASS,
        reasons=tuple(reasons),
        numbers=numbers,
        control=f"read {_count(backend)} keys of the backend, {_count(frontend)} of the frontend",
    )


def queues_of(frontend: VifEnd) -> int:
    """How many queues a frontend has agreed on. Raises MeasurementError."""
    return _read_number(frontend, QUEUES)


def _wrong_end(
    name: str, end: VifEnd | None, features: tuple[str, ...], *, reconfigured: bool = False
) -> Iterable[str]:
    if end is None:
        yield f"{name} is absent from xenstore"
        return
    is_well = reconfigured and end.state is XenbusState.RECONFIGURED
    if end.state is not XenbusState.CONNECTED and not is_well:
        yield f"{name} is {end.state}, not {XenbusState.CONNECTED}"
    for feature in features:
        if not end.feature(feature):
            yield f"{name} has no {feature}"


def _read_number(end: VifEnd, key: str) -> int:
    """A count of queues; a side that does not write it has one (xen/include/public/io/netif.h)."""
    value = end.keys.get(key, "1")
    if not value.isdecimal():
        raise MeasurementError(f"{key} is {value!r}")
    return int(value)


def _count(end: VifEnd | None) -> int:
    return 0 if end is None else len(end.keys)
