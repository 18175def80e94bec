"""Agreement: how many slots of a packet the two ends of a vif agree on, as xenstore has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xenlab.errors import MeasurementError

# Of the series negotiated-slots.
OFFER, REQUEST = "feature-max-tx-slots", "request-max-tx-slots"

# In the frontend's node, and $vif its index there. Each program costs as much as an exchange: where
# nothing was asked for it is one. What a backend does not offer is not there.
READ_AGREEMENT = f"""\
keys=$(xenstore-list "device/vif/$vif") || exit 1
case $keys in
*{REQUEST}*)
	requested=$(xenstore-read "device/vif/$vif/{REQUEST}") || exit 1
	backend=$(xenstore-read "device/vif/$vif/backend") || exit 1
	offered=$(xenstore-read "$backend/{OFFER}" 2>/dev/null) || offered=0
	echo "$offered $requested"
	;;
esac
"""
_TOLD = re.compile(r"(?P<offered>\d+) (?P<requested>\d+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """For how many slots a backend's frontend asks, and how many are offered; 0 for neither."""

    offered: int = 0
    requested: int = 0


def parse_agreement(what: str, text: str) -> Agreement:
    """What that script wrote. Raises MeasurementError for what is no number."""
    told = text.strip()
    if not told:
        return Agreement()
    match = _TOLD.fullmatch(told)
    if match is None:
        raise MeasurementError(f"{what}: {OFFER} and {REQUEST}: no numbers in {told!r}")
    return Agreement(offered=int(match["offered"]), requested=int(match["requested"]))
