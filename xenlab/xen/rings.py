"""The rings of vifs as netback shows them in debugfs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xenlab.errors import MeasurementError
from xenlab.measure.ring import FromGuest, RingSide, RingSnapshot

DEBUGFS = "/sys/kernel/debug/xen-netback"

_SIDE = (
    r"nr_ents (?P<entries>\d+)\n"
    r"req prod (?P<req_prod>\d+) \(-?\d+\) cons (?P<req_cons>\d+) \(-?\d+\)"
    r" event (?P<req_event>\d+) \(-?\d+\)\n"
    r"rsp prod (?P<rsp_prod>\d+) \(base\) pvt (?P<rsp_prod_pvt>\d+) \(-?\d+\)"
    r" event (?P<rsp_event>\d+) \(-?\d+\)\n"
)
_TX = re.compile(
    rf"^TX: {_SIDE}"
    r"pending prod (?P<pending_prod>\d+) pending cons (?P<pending_cons>\d+)"
    r" nr_pending_reqs (?P<pending_slots>\d+)\n"
    r"dealloc prod (?P<dealloc_prod>\d+) dealloc cons (?P<dealloc_cons>\d+)"
    r" dealloc_queue (?P<dealloc_slots>\d+)\n",
    re.MULTILINE,
)
_RX = re.compile(rf"^RX: {_SIDE}", re.MULTILINE)
_REST = re.compile(
    r"TX queue len (?P<collected>\d+)\nCredit timer_pending: (?P<timer>[01]),.*"
    r"^Rx internal queue: len (?P<bytes>\d+) max (?P<max>\d+) pkts (?P<pkts>\d+)"
    r" (?P<state>stopped|running)",
    re.MULTILINE | re.DOTALL,
)
_SIDE_FIELDS = (
    "entries", "req_prod", "req_cons", "req_event", "rsp_prod", "rsp_prod_pvt", "rsp_event"
)  # fmt: skip


def ring_files(vif: str) -> str:
    """The pattern of a vif's files, one a queue."""
    return f"{DEBUGFS}/{vif}/io_ring_q*"


def parse_ring(path: str, lines: Sequence[str]) -> RingSnapshot:
    """One such file. Raises MeasurementError for what is none."""
    vif, name = path.split("/")[-2:]
    text = "\n".join([*lines, ""])
    rest = _REST.search(text)
    if rest is None:
        raise MeasurementError(f"{path}: no line about the internal queue")
    from_guest, to_guest = _TX.search(text), _RX.search(text)
    # A ring that is there and is not understood is not one that is not connected.
    if (from_guest is None) != ("TX: " not in text) or (to_guest is None) != ("RX: " not in text):
        raise MeasurementError(f"{path}: a ring is not shown as it is known")
    return RingSnapshot(
        vif=vif,
        queue=int(name.removeprefix("io_ring_q")),
        from_guest=_parse_from_guest(from_guest) if from_guest else None,
        to_guest=_parse_side(to_guest) if to_guest else None,
        collected_pkts=int(rest["collected"]),
        credit_timer_pending=rest["timer"] == "1",
        queued_bytes=int(rest["bytes"]),
        queue_max_bytes=int(rest["max"]),
        queued_pkts=int(rest["pkts"]),
        stopped=rest["state"] == "stopped",
    )


def _parse_from_guest(match: re.Match[str]) -> FromGuest:
    others = {name: int(value) for name, value in match.groupdict().items()
              if name not in _SIDE_FIELDS}  # fmt: skip
    return FromGuest(ring=_parse_side(match), **others)


def _parse_side(match: re.Match[str]) -> RingSide:
    return RingSide(**{name: int(match[name]) for name in _SIDE_FIELDS})
