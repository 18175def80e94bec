"""The suite rx against a lab: it passes, and each of its rules is seen to fail by a planted fault.

In a lab of this file's own: netback is taken out and loaded again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from xenlab.lab import Lab
from xenlab.measure.rx import RxRun
from xenlab.plan.model import DOM0
from xenlab.tests.rx.mixes import SMALL, build_mix
from xenlab.tests.rx.test_rx import DRAIN_S, link_to_guest, short_timeouts
from xenlab.traffic.composer.wire import Plant
from xenlab.traffic.drivers import netback_reloaded
from xenlab.traffic.headroom import headroom_asked_for
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.pausing import guest_of, look_at_once, send_to_paused
from xenlab.traffic.proof import judge_vifs
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.rx import judge_expiry, judge_fill, judge_recovery, judge_stall

LAB = "paused"
BUDGET_S = 60.0
PARAMETERS = "/sys/module/xen_netback/parameters"


class Planted(Exception):
    """What goes wrong."""


@pytest.fixture(scope="module")
def opened(xenlab: Xenlab) -> Iterator[Lab]:
    with xenlab.bring_up(LAB) as opened:
        yield opened


def send(lab: Lab, plant: Plant) -> RxRun:
    link = link_to_guest(lab.plan)
    with composers_loaded(lab, link):
        return send_to_paused(
            guest_of(lab, link), build_mix((SMALL,)), look_at_once, seed=1, plant=plant
        )


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (Plant.OMIT, "packets that arrived whole: 295, not 296"),
        (Plant.CORRUPT, "1 of 296 packets arrived damaged"),
        (Plant.DUPLICATE, "1 of 296 packets arrived more than once"),
    ],
)
def test_packet_that_does_not_come_through_the_pause_is_found(
    opened: Lab, plant: Plant, reason: str
) -> None:
    run = send(opened, plant)

    verdict = judge_recovery(run)
    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons
    wrong_number = plant is not Plant.CORRUPT
    assert (judge_fill(run).outcome is Outcome.FAIL) == wrong_number


def test_guest_that_does_not_stall_and_whose_packets_do_not_expire_is_found(opened: Lab) -> None:
    run = send(opened, Plant.NOTHING)

    assert judge_fill(run).outcome is Outcome.PASS
    assert judge_stall(run).outcome is Outcome.FAIL
    assert judge_expiry(run).outcome is Outcome.FAIL


def test_netback_is_what_it_was_behind_a_failure_and_carries_traffic(opened: Lab) -> None:
    shell, short = opened.shell(DOM0), short_timeouts(DRAIN_S)

    def read() -> dict[str, str]:
        return {
            name: shell.read_file(f"{PARAMETERS}/{name}", deadline=opened.budget(BUDGET_S)).decode()
            for name in short
        }

    def fail() -> None:
        with netback_reloaded(opened, short):
            assert {name: value.strip() for name, value in read().items()} == short
            raise Planted

    before = read()
    with pytest.raises(Planted):
        fail()

    assert read() == before
    for link in opened.plan.links():
        for specs in plan_runs(link, Extent.QUICK):
            assert measure_link(opened, link, specs).balanced


def test_suite_passes(xenlab: Xenlab, opened: Lab) -> None:
    done = xenlab.run("test", "rx", "--lab", LAB)

    assert done.returncode == 0, done.stdout.decode()


def test_headroom_that_was_not_reckoned_with_is_found(opened: Lab) -> None:
    """What the model says of a guest without XDP, held against one with it."""
    link = link_to_guest(opened.plan)
    with headroom_asked_for(opened, link) as refused:
        assert refused == ""
        run = send(opened, Plant.NOTHING)

    verdict = judge_fill(run)
    assert verdict.outcome is Outcome.FAIL
    assert "packets in the ring: 128, not 256" in verdict.reasons
    assert judge_recovery(run).outcome is Outcome.FAIL
    # And nothing of it is left, but for what netback's state says of it.
    assert judge_fill(send(opened, Plant.NOTHING)).outcome is Outcome.PASS
    told = judge_vifs(opened, opened.plan.domu(link.sink))
    assert {verdict.outcome for verdict in told} == {Outcome.PASS}, told


def test_overrun_of_a_ring_is_told_of_as_what_it_is(
    xenlab: Xenlab, opened: Lab, tmp_path: Path
) -> None:
    """The last of this file: bob's device is lost by it."""
    path = tmp_path / "out.json"

    done = xenlab.run("test", "overrun", "--lab", LAB, "--json", str(path))

    assert done.returncode == 0, done.stdout.decode()
    (run,) = json.loads(path.read_text())["runs"]
    (verdict,) = run["verdicts"]
    assert verdict["reasons"][0].startswith("known: netback took 7 slots")
    assert verdict["numbers"]["responses_refused"] == 263
