"""The rule of an observation: what a link's packets took came back, and where skbs were freed."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.errors import MeasurementError
from xenlab.measure.freed import Freeing
from xenlab.measure.observation import Observation
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

AT_REST = "comes to rest"


def judge_observation(observation: Observation, *, subject: str) -> Verdict:
    """PASS if nothing of what was sent was still out when all was counted.

    Places where skbs were freed by kfree_skb() are told and not held against anybody: whether a
    packet was lost is for the rules of those who sent it. INCONCLUSIVE where no ring was seen, or
    a vif does not tell what of it is out.
    """
    outcome, reasons = _find_unrest(observation)
    return Verdict(
        rule=AT_REST,
        subject=subject,
        outcome=outcome,
        reasons=reasons,
        numbers={"rings": len(observation.rings)} | _count_freed(observation),
        control="; ".join((*_tell_freed(observation), *observation.missing)),
    )


def _find_unrest(observation: Observation) -> tuple[Outcome, tuple[str, ...]]:
    try:
        unrest = observation.unrest
    except MeasurementError as error:
        return Outcome.INCONCLUSIVE, (str(error),)
    if unrest:
        return Outcome.FAIL, (unrest,)
    if not observation.rings:
        return Outcome.INCONCLUSIVE, ("no ring of a vif was seen",)
    return Outcome.PASS, ()


def _count_freed(observation: Observation) -> dict[str, int]:
    """How many skbs were freed at places that are losses, or that nobody has looked at."""
    counted: dict[str, int] = {}
    for node in observation.nodes:
        try:
            freed = observation.losses(node)
        except MeasurementError:
            continue
        for kind in (Freeing.LOSS, Freeing.UNKNOWN):
            name = f"{node}_freed_{kind}"
            counted[name] = sum(one.skbs for one in freed if one.freeing is kind)
    return counted


def _tell_freed(observation: Observation) -> Iterator[str]:
    for node in observation.nodes:
        try:
            freed = observation.losses(node)
        except MeasurementError as error:
            yield f"{node}: {error}"
            continue
        told = ", ".join(map(str, freed)) or "no skb at a place that is a loss or unknown"
        yield f"{node} freed {told}"
