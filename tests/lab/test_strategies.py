"""Strategies, tolls and soaks in a lab: their rules are seen to fail, and all is put back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from tests.lab.test_try import HARMLESS, NETFRONT, write
from xenlab.errors import MeasurementError
from xenlab.guest.device_state import Feature
from xenlab.guest.driver import prove_driver
from xenlab.kernel.driver import STOCK, Driver, DriverChoice, DriverKind
from xenlab.kernel.workshop import open_workshop
from xenlab.lab import Lab
from xenlab.measure.contest import BASE, PATCHED
from xenlab.measure.strategy_trial import StrategyTrial
from xenlab.plan.links import DOM0, Link
from xenlab.registry.places import cache_dir
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import Limits
from xenlab.slots.series import COPY
from xenlab.traffic.contest import ROUNDS, hold_contest
from xenlab.traffic.drivers import netfront_replaced
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.iperf import IperfSpec
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.plant import PlantKind, planting
from xenlab.traffic.remedies import REMEDIES, SERIES, SLOTS_MAX, Loaded, Remedy
from xenlab.traffic.soaking import SWITCHES, draw_round, soak_round
from xenlab.traffic.strategies import Arena, arena, take_turns
from xenlab.traffic.tolls import meter_toll
from xenlab.traffic.turn_watch import watching_turns
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.soak import judge_round
from xenlab.verdict.strategies import judge_strategies
from xenlab.verdict.toll import judge_toll
from xenlab.verdict.turns import IN_TURNS
from xenlab.waiting import Deadline

DEFAULT, SMALL, ORDER0, FLAT, _, LISTING, _, _, NEGOTIATING = REMEDIES
BUILD_S = 600.0
STATE = (
    "ethtool -k eth0; ip -d link show eth0 | grep -o 'gso_max_size [0-9]*';"
    " cat /proc/sys/net/core/high_order_alloc_disable /proc/sys/net/ipv4/tcp_tso_rtt_log;"
    " cat /sys/module/xen_netfront/notes/.note.gnu.build-id | od -An -tx1;"
    " cat /sys/module/xen_netfront/parameters/slots_max"
)
WITHIN = Frag(order=1, offset_bytes=0, size_bytes=2000)
ACROSS = Frag(order=1, offset_bytes=3096, size_bytes=2000)


@pytest.fixture(scope="module")
def compared(opened: Lab) -> Iterator[Arena]:
    """From alice to bob, the driver loaded that most remedies need."""
    with arena(opened, link_of(opened, "bob")) as compared:
        compared.drivers.run(DEFAULT.netfront, DEFAULT.netback)
        yield compared


def link_of(lab: Lab, sink: str) -> Link:
    return next(link for link in lab.plan.links() if (link.source, link.sink) == ("alice", sink))


def state_of(lab: Lab) -> str:
    """All that a strategy sets in alice."""
    return lab.shell("alice").run(["sh", "-c", STATE], deadline=lab.budget(30)).text


def tried(compared: Arena, *remedies: Remedy) -> tuple[StrategyTrial, ...]:
    """One short trial of each, counted only."""
    load = IperfSpec(address=compared.lane.link.sink_address4, streams=2, write_bytes=1000)
    turns = take_turns(compared, remedies[:1], 1)
    taken = tuple(compared.time(replace(load, seconds=1)) for _remedy, _last in turns)
    trials = []
    for remedy in remedies:
        with compared.applied(remedy):
            counts = compared.count(replace(load, payload_bytes=2_000_000), remedy)
        trials.append(StrategyTrial(strategy=remedy.strategy, rounds=taken, counts=counts))
    return tuple(trials)


def test_remedy_that_is_not_in_force_is_told(compared: Arena) -> None:
    """No limit raised, compound pages still, and a backend that has nothing to agree upon."""
    stale = replace(ORDER0, sysctls={})
    unlisted = replace(LISTING, slots_max=18)
    alone = replace(NEGOTIATING, netback=STOCK)

    verdicts = judge_strategies("planted", tried(compared, DEFAULT, stale, unlisted, alone))

    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS, *(Outcome.FAIL,) * 3]
    assert "were linearised all the same" in verdicts[1].reasons[0]
    assert "came to dom0 with a frag_list" in verdicts[2].reasons[0]
    assert "were linearised all the same" in verdicts[3].reasons[0]


def test_load_without_packets_of_many_slots_remedies_nothing(compared: Arena) -> None:
    verdicts = judge_strategies(
        "planted", tried(compared, replace(DEFAULT, sysctls=ORDER0.sysctls))
    )

    assert [verdict.outcome for verdict in verdicts] == [Outcome.INCONCLUSIVE]


@pytest.mark.parametrize(
    "remedy", [SMALL, ORDER0, FLAT, LISTING], ids=lambda each: each.strategy.name
)
def test_remedy_is_put_back_after_a_failure_under_it(
    opened: Lab, compared: Arena, remedy: Remedy
) -> None:
    compared.drivers.run(DEFAULT.netfront, DEFAULT.netback)  # whatever a test before has loaded
    before = state_of(opened)

    with pytest.raises(ZeroDivisionError):
        _fail_under(compared, remedy, before)

    assert state_of(opened) == before


def _fail_under(compared: Arena, remedy: Remedy, before: str) -> None:
    with compared.applied(remedy):
        assert state_of(compared.lab) != before  # type: ignore[arg-type]
        1 / 0  # noqa: B018 (whatever goes wrong)


def test_device_that_does_not_take_a_remedy_is_no_result(opened: Lab, compared: Arena) -> None:
    before = state_of(opened)

    with pytest.raises(MeasurementError, match="on, which it cannot change"):
        _apply(compared, replace(FLAT, features={Feature.CHECKSUM: False}))

    assert state_of(opened) == before


def _apply(compared: Arena, remedy: Remedy) -> None:
    with compared.applied(remedy):
        pass


def test_toll_of_packets_that_were_linearised_instead_is_a_failure(opened: Lab) -> None:
    """The frontend's limit is not what the meter was told: nothing overflows, and that is seen."""
    link = link_of(opened, DOM0)
    plain, taxed = (
        Layout(linear_bytes=200, linear_offset_bytes=0, frags=frags)
        for frags in ((WITHIN,) * 17, (ACROSS, *(WITHIN,) * 16))
    )
    with (
        netfront_replaced(opened, "alice", SERIES, {SLOTS_MAX: "18"}),
        composers_loaded(opened, link),
    ):
        meter = meter_toll(
            opened, link, (plain, taxed), limits=Limits(frontend_slots=64), packets=50, rounds=1
        )

    verdict = judge_toll(meter)
    assert verdict.outcome is Outcome.FAIL
    assert "T = 19: frag_overflow of 50 packets is 0, not 50" in verdict.reasons


def test_driver_under_test_stays_loaded_and_is_what_the_default_is_measured_with(
    opened: Lab,
) -> None:
    """A frontend that copies frags: whatever is laid on it, nobody takes it out."""
    loaded = Loaded(netfront=COPY, tested=frozenset({DriverKind.NETFRONT}))
    remedies = tuple(loaded.lay(each) for each in REMEDIES if not loaded.why_not(each))

    with (
        netfront_replaced(opened, "alice", COPY) as driver,
        arena(opened, link_of(opened, "bob")) as tested,
    ):
        trials = tried(tested, *remedies)
        prove_driver(opened.shell("alice"), driver, opened.budget(30))

    verdicts = judge_strategies("under test", trials)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS] * 4, verdicts
    assert trials[0].counts.relocated_pkts
    assert not trials[0].counts.linearised_pkts


def test_soak_round_fails_by_a_planted_loss_and_is_the_same_without_it(opened: Lab) -> None:
    links = [link_of(opened, "bob")]
    endurance = Endurance.parse("5", "0s")
    rounds = (draw_round(endurance.name(n), endurance.chance(n), links) for n in count())
    number, drawn = next((n, drawn) for n, drawn in enumerate(rounds) if not drawn.off)
    before = state_of(opened)

    with planting(opened, drawn.link, PlantKind.SILENT_DROP, every=50):
        planted = judge_round(drawn.words, soak_round(opened, drawn))
    opened.restore_silence()
    again = draw_round(endurance.name(number), endurance.chance(number), links)
    calm = judge_round(again.words, soak_round(opened, again))

    assert planted.outcome is Outcome.FAIL
    assert any("did not arrive" in reason for reason in planted.reasons), planted.reasons
    assert any("silent loss" in reason for reason in planted.reasons), planted.reasons
    assert again == drawn
    assert calm.outcome is Outcome.PASS, calm.reasons
    assert state_of(opened) == before


@pytest.mark.parametrize("feature", SWITCHES)
def test_calm_soak_round_with_a_feature_off_passes_and_judges_every_form(
    opened: Lab, feature: Feature
) -> None:
    links = [link_of(opened, "bob"), link_of(opened, DOM0)]
    endurance = Endurance.parse("6", "0s")
    rounds = (draw_round(endurance.name(n), endurance.chance(n), links) for n in count())
    drawn = next(drawn for drawn in rounds if feature in drawn.off)

    told = judge_round(drawn.words, soak_round(opened, drawn))

    assert told.outcome is Outcome.PASS, told.reasons
    assert told.numbers["forms_judged"] > 0
    assert "no form of" not in told.control


WARNS = "+\tWARN_ON_ONCE(skb->len > 1000);\n"
# As it is loaded, and as it is unloaded.
WARNS_IN_CHANGE = f"""\
From: Somebody <somebody@host.invalid>
Subject: [PATCH] xen-netfront: warn in a change of drivers

---
--- a/{NETFRONT}
+++ b/{NETFRONT}
@@ -2701,6 +2701,7 @@ static int __init netif_init(void)
 \tif (!xen_has_pv_nic_devices())
 \t\treturn -ENODEV;
\x20
+\tWARN_ON(xen_domain());
 \tpr_info("Initialising Xen virtual ethernet driver\\n");
\x20
 \t/* Allow as many queues as there are CPUs inut max. 8 if user has not
@@ -2717,6 +2718,7 @@ module_init(netif_init);
\x20
 static void __exit netif_exit(void)
 {{
+\tWARN_ON(xen_domain());
 \txenbus_unregister_driver(&netfront_driver);
 }}
 module_exit(netif_exit);
"""
# Work, and no delay: time passes by itself where the host runs something else. Ten times what
# the emulated way costs on a quiet host: at three times, what another lab takes from it hides it.
SLOW = "+\tfor (int spin = 0; spin < 5000000; spin++)\n+\t\tbarrier();\n"


def build(lab: Lab, patch: Path) -> Driver:
    """A netfront for alice's kernel with a patch on it."""
    kernel = lab.plan.kernel(lab.plan.domu("alice").kernel)
    with open_workshop(
        cache_dir(), report=lambda _line: None, offline=False, deadline=Deadline.after(BUILD_S)
    ) as workshop:
        return workshop.provide_driver(DriverChoice.parse(DriverKind.NETFRONT, str(patch)), kernel)


def test_driver_that_takes_longer_costs_more_whatever_the_host_does(
    opened: Lab, tmp_path: Path
) -> None:
    slow = write(tmp_path, "slow", SLOW)
    sides = (
        {"alice": build(opened, write(tmp_path, "harmless", HARMLESS))},
        {"alice": build(opened, slow)},
    )

    kept = {node: len(opened.console_bytes(node)) for node in opened.plan.node_names}
    with netfront_replaced(opened, "alice", str(slow)), watching_turns(opened, kept) as watch:
        told = hold_contest(opened, *sides, watch, seconds=3)
        account = watch.account(None)

    assert (account.verdicts, account.trouble, watch.base_turns) == ((), "", ROUNDS)
    # How wide the intervals are is the host's doing, and an honest "no difference seen" with them:
    # what is said of an interval is tested where no host has part in it.
    assert told.cpu is not None
    assert told.goodput is not None
    assert told.cpu.median > 1, told.table.subject
    assert told.goodput.median < 1, told.table.subject


@pytest.mark.parametrize("in_change", [False, True])
@pytest.mark.parametrize("warned", [BASE, PATCHED])
def test_warning_in_a_contest_is_told_of_the_side_that_was_loaded(
    opened: Lab, tmp_path: Path, warned: str, in_change: bool
) -> None:
    """A lab is as good as before: `alice` runs what it ran, and only its console tells."""
    warns, harmless = write(tmp_path, "warns", WARNS), write(tmp_path, "harmless", HARMLESS)
    if in_change:
        warns.write_text(WARNS_IN_CHANGE)
    base, patched = (warns, harmless) if warned == BASE else (harmless, warns)
    sides = ({"alice": build(opened, base)}, {"alice": build(opened, patched)})

    with netfront_replaced(opened, "alice", str(patched)):
        kept = {node: len(opened.console_bytes(node)) for node in opened.plan.node_names}
        with watching_turns(opened, kept) as watch:
            hold_contest(opened, *sides, watch, seconds=1)
            account = watch.account(None)

    assert "kernel warning in alice" in account.trouble
    assert {each.side for each in watch.found} == {warned}
    if in_change:  # netif_init and netif_exit
        assert len({each.key for each in watch.found}) > 1, watch.found
    assert [(each.rule, each.outcome) for each in account.verdicts] == (
        [] if warned == BASE else [(IN_TURNS, Outcome.FAIL)]
    )
