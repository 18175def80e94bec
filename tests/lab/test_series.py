"""The shipped series in a lab: each does what it is there for, and the model knows what that is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from xenlab.errors import MeasurementError
from xenlab.kernel.driver import STOCK
from xenlab.lab import Lab
from xenlab.measure.layouts import LayoutRun
from xenlab.measure.penalties import Penalties
from xenlab.plan.links import DOM0, Link
from xenlab.slots.boundaries import boundary_layouts, layouts_of_slots
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import Limits
from xenlab.slots.series import COPY, NEGOTIATED, REPACK, limits_with
from xenlab.tests.unlimited_frontend import frontend_unlimited, read_unlimited
from xenlab.traffic.allocation import HEAD, allocation_watched
from xenlab.traffic.drivers import (
    DriverExchange,
    drivers_exchanged,
    netback_reloaded,
    parameter_set,
)
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.limits import limits_of
from xenlab.traffic.observing import observing
from xenlab.verdict.driver_counters import judge_backend_counters, judge_frontend_counters
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.outcome import Outcome

COUNTERS = "counters"
LIMIT = "netfront-slots-limit"
FAULTS = "netfront-faults"
FEW = Frag(order=0, offset_bytes=0, size_bytes=50)
MANY = Frag(order=0, offset_bytes=0, size_bytes=500)
SEED = 20140520
SLOTS = (1, 17, 18, 19, 20, 22, 27, 35, 36, 44, 51)
LAYOUTS = tuple(
    layout for slots in SLOTS for layout in layouts_of_slots(slots, 3)
) + boundary_layouts()[-2:]  # fmt: skip


@pytest.fixture(scope="module")
def link(opened: Lab) -> Link:
    links = opened.plan.links()
    return next(each for each in links if (each.source, each.sink) == ("alice", DOM0))


@pytest.fixture(scope="module")
def drivers(opened: Lab) -> Iterator[DriverExchange]:
    with drivers_exchanged(opened, "alice") as exchange:
        yield exchange


def send(lab: Lab, link: Link, layouts: tuple[Layout, ...], limits: Limits) -> LayoutRun:
    with composers_loaded(lab, link):
        return send_layouts(lab, link, layouts, seed=SEED, limits=limits)


@pytest.mark.parametrize(
    ("netfront", "netback", "fate"),
    [
        (COPY, STOCK, Fate.RELOCATED),
        (REPACK, STOCK, Fate.RELOCATED),
        (NEGOTIATED, STOCK, Fate.LINEARISED),
        (NEGOTIATED, NEGOTIATED, Fate.OVERFLOW),
        (STOCK, NEGOTIATED, Fate.LINEARISED),
    ],
)
def test_packets_of_many_slots_meet_the_fate_that_the_model_says_of_the_series(
    opened: Lab, link: Link, drivers: DriverExchange, netfront: str, netback: str, fate: Fate
) -> None:
    drivers.run(netfront, netback)

    run = send(opened, link, LAYOUTS, limits_with(netfront, netback))

    verdict = judge_layouts(run)
    assert verdict.outcome is Outcome.PASS, verdict.reasons
    assert run.count(fate) > 3


def test_series_that_the_model_is_not_told_of_is_a_disagreement(
    opened: Lab, link: Link, drivers: DriverExchange
) -> None:
    drivers.run(REPACK, STOCK)

    verdict = judge_layouts(send(opened, link, tuple(layouts_of_slots(25, 3)), Limits()))

    assert verdict.outcome is Outcome.FAIL
    assert "was not linearised" in verdict.reasons[0]


# The last one takes the place of one that has asked: a request that is left is not its own.
@pytest.mark.parametrize(
    ("netfront", "netback"),
    [(STOCK, STOCK), (NEGOTIATED, STOCK), (NEGOTIATED, NEGOTIATED), (STOCK, NEGOTIATED)],
)
def test_limits_of_drivers_whose_names_say_nothing_are_those_that_they_agree_on(
    opened: Lab, link: Link, drivers: DriverExchange, netfront: str, netback: str
) -> None:
    drivers.run(netfront, netback)
    assert {opened.driver(node) for node in ("alice", DOM0)} == {STOCK}

    limits, wanted = limits_of(opened, link), limits_with(netfront, netback)

    assert limits.frontend_slots == wanted.frontend_slots
    assert limits.backend_slots == wanted.backend_slots
    assert judge_layouts(send(opened, link, LAYOUTS, limits)).outcome is Outcome.PASS


@pytest.mark.parametrize("netfront", [COPY, REPACK])
def test_frontend_that_relocates_under_another_name_is_not_taken_for_stock(
    opened: Lab, link: Link, drivers: DriverExchange, netfront: str
) -> None:
    drivers.run(netfront, STOCK)

    with pytest.raises(MeasurementError, match="the netfront stock relocates packets"):
        limits_of(opened, link)


def test_frontend_counts_what_probes_see(opened: Lab, link: Link, drivers: DriverExchange) -> None:
    drivers.run(COUNTERS, COUNTERS)

    penalties = observe(opened, link, LAYOUTS)

    verdict = judge_frontend_counters(penalties, subject="alice -> dom0")
    assert verdict.outcome is Outcome.PASS, verdict.reasons
    assert "tx_linearized" in verdict.control
    assert "tx_slots_hist_18" in verdict.control


def test_backend_counts_the_errors_that_probes_see(
    opened: Lab, link: Link, drivers: DriverExchange
) -> None:
    """Without the frontend's limit, for no stock frontend makes netback refuse a packet."""
    driver = drivers.run(LIMIT, COUNTERS)

    layouts = tuple(layouts_of_slots(20, 10))
    refused = (predict(each, Limits(frontend_slots=21)).counters for each in layouts)

    with parameter_set(opened, "alice", driver, "slots_max", "21"):
        penalties = observe(opened, link, layouts)

    verdict = judge_backend_counters(penalties, subject="alice -> dom0")
    assert verdict.outcome is Outcome.PASS, verdict.reasons
    assert "errors before an skb" in verdict.control
    counted = penalties.observation.source_vif_counter("tx_err_slot_limit")
    assert counted == sum(each.error_responses for each in refused) > 0


@pytest.mark.parametrize(
    ("slot", "cause", "errors"),
    # Of 128 bytes that are copied the second slot has 50, and the third one the last: it is mapped
    # too, and its answer tells of either failure.
    [(2, "grant_copy", 2), (3, "grant_map", 1)],
)
def test_backend_counts_grants_of_nothing(
    opened: Lab, link: Link, drivers: DriverExchange, slot: int, cause: str, errors: int
) -> None:
    driver = drivers.run(FAULTS, COUNTERS)
    layout = Layout(linear_bytes=60, linear_offset_bytes=0, frags=(FEW, MANY))

    with parameter_set(opened, "alice", driver, "bad_grant", str(slot)):
        penalties = observe(opened, link, (layout,) * 5)

    verdict = judge_backend_counters(penalties, subject="alice -> dom0")
    assert verdict.outcome is Outcome.PASS, verdict.reasons
    assert f"errors of grants {5 * errors}" in verdict.control
    assert penalties.observation.source_vif_counter(f"tx_err_{cause}") == 5 * errors


def test_backend_counts_slots_for_which_there_was_no_skb(
    opened: Lab, link: Link, drivers: DriverExchange
) -> None:
    drivers.run(STOCK, COUNTERS)
    layout = Layout(linear_bytes=200, linear_offset_bytes=0, frags=(MANY,))

    with allocation_watched(opened, DOM0, HEAD) as watched, watched.failing(3):
        penalties = observe(opened, link, (layout,) * 10)

    verdict = judge_backend_counters(penalties, subject="alice -> dom0")
    assert verdict.outcome is Outcome.PASS, verdict.reasons
    assert penalties.observation.source_vif_counter("tx_err_no_memory") == 3 * 2


def observe(lab: Lab, link: Link, layouts: tuple[Layout, ...]) -> Penalties:
    """What is seen of them at both ends, whatever becomes of them."""
    with composers_loaded(lab, link), observing(lab, link, probes=True) as observer:
        send_layouts(lab, link, layouts, seed=SEED)
        return Penalties(observation=observer.read())


def test_number_of_slots_that_is_fatal_is_read_from_netback(
    opened: Lab, link: Link, drivers: DriverExchange
) -> None:
    drivers.run(STOCK, STOCK)
    layouts = [layout for slots in (2, 21, 22, 23) for layout in layouts_of_slots(slots, 3)]
    assert predict(layouts[-1], Limits(frontend_slots=64)).fate is Fate.VIF_DISABLED

    with netback_reloaded(opened, {"fatal_skb_slots": "22"}), frontend_unlimited(opened, link):
        limits = read_unlimited(opened, link)
        run = send_layouts(opened, link, layouts, seed=SEED, limits=limits)

    assert limits.fatal_slots == 24
    lost = {slots for slots, fate in zip(run.slots, run.fates, strict=True) if fate is Fate.LOST}
    assert {21, 23} <= lost
    assert judge_layouts(run).outcome is Outcome.PASS
