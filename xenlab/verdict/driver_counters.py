"""The rule of the series `counters`: what the drivers count is what probes see."""

from __future__ import annotations

from collections.abc import Mapping

from xenlab.measure.observation import Observation
from xenlab.measure.penalties import Penalties
from xenlab.slots.limits import LEGACY_SLOTS
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

COUNTED_AS_PROBED = "drivers count what probes see"
# Of slots that never came into an skb, and of slots that did.
SILENT_CAUSES = ("slot_limit", "slot_size", "short", "no_memory", "multicast")
GRANT_CAUSES = ("grant_copy", "grant_map")
# What was counted and what was seen, by name.
Pairs = Mapping[str, tuple[int, int]]


def judge_frontend_counters(penalties: Penalties, *, subject: str) -> Verdict:
    """PASS if the source's netfront counted what probes saw of it.

    Its control is what there was to be counted. INCONCLUSIVE where no packet was sent. Raises
    MeasurementError where the driver does not count, or a probe is missing.
    """
    return _judge(penalties, _front(penalties), subject)


def judge_backend_counters(penalties: Penalties, *, subject: str) -> Verdict:
    """The same of dom0's netback, over whose other vifs nothing may be sent at that time."""
    return _judge(penalties, _back(penalties), subject)


def _judge(penalties: Penalties, pairs: Pairs, subject: str) -> Verdict:
    reasons = tuple(
        f"{name}: the driver counted {counted}, and probes saw {seen}"
        for name, (counted, seen) in pairs.items()
        if counted != seen
    )
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not penalties.packets:
        outcome, reasons = Outcome.INCONCLUSIVE, ("nothing was sent",)
    return Verdict(
        rule=COUNTED_AS_PROBED,
        subject=subject,
        outcome=outcome,
        reasons=reasons,
        numbers={name: counted for name, (counted, _seen) in pairs.items() if counted},
        control="; ".join(f"{name} {seen}" for name, (_counted, seen) in pairs.items() if seen),
    )


def _front(penalties: Penalties) -> Pairs:
    observation = penalties.observation
    slots = penalties.slots
    pairs = {"tx_linearized": penalties.linearised}
    pairs |= {f"tx_slots_hist_{each}": slots.get(each, 0) for each in range(LEGACY_SLOTS + 1)}
    pairs["tx_slots_hist_more"] = sum(n for each, n in slots.items() if each > LEGACY_SLOTS)
    return {name: (observation.device_counter(name), seen) for name, seen in pairs.items()}


def _back(penalties: Penalties) -> Pairs:
    return {
        "errors before an skb": (
            _sum_causes(penalties.observation, SILENT_CAUSES),
            penalties.silent_slots,
        ),
        "errors of grants": (
            _sum_causes(penalties.observation, GRANT_CAUSES),
            penalties.failed_slots,
        ),
    }


def _sum_causes(observation: Observation, causes: tuple[str, ...]) -> int:
    return sum(observation.source_vif_counter(f"tx_err_{cause}") for cause in causes)
