"""The rule of layouts: each way in which a packet, or a counter, can contradict the model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.accounts import way_over_the_wire, way_through
from xenlab.measure.layout_way import LayoutWay
from xenlab.measure.layouts import Form, Landing, LayoutCounters, LayoutRun, Sighting
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate
from xenlab.slots.layout import Checksum, parse_layout
from xenlab.verdict.layouts import LAYOUTS_MAX, REASONS_MAX, judge_layouts, judge_unsent
from xenlab.verdict.outcome import Outcome

(LAYOUT,) = layouts_of_slots(18, 1)
WHOLE = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)
LINEARISED = replace(WHOLE, linearised=True)
GONE = Sighting(landing=Landing.MISSING, dropped=False, linearised=None)
REFUSED = replace(GONE, dropped=True)
NOTHING = LayoutCounters(frontend_tx_dropped=0, tx_frag_overflow=0, tx_zerocopy_sent=0)
MANY = 100_000


def run_of(*packets: tuple[Fate, Sighting]) -> LayoutRun:
    """A run on whose way everything is counted that must be."""
    sent = sum(not seen.dropped for _, seen in packets)
    passed = sent - sum(fate in {Fate.LOST, Fate.VIF_DISABLED} for fate, _ in packets)
    return LayoutRun(
        source="alice", sink="bob", layouts=(LAYOUT,) * len(packets), slots=(18,) * len(packets),
        fates=tuple(fate for fate, _ in packets), sightings=tuple(seen for _, seen in packets),
        expected=NOTHING, counted=NOTHING, way=way_through(passed, alice_tx_packets=sent),
    )  # fmt: skip


def run_with(way: LayoutWay, *missing: int, packets: int = MANY) -> LayoutRun:
    """So many packets of which these did not arrive, counted on this way."""
    sightings = [WHOLE] * packets
    for index in missing:
        sightings[index] = GONE
    return replace(
        run_of(), layouts=(LAYOUT,) * packets, slots=(18,) * packets, way=way,
        fates=(Fate.INTACT,) * packets, sightings=tuple(sightings),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fate", "seen"),
    [
        (Fate.INTACT, WHOLE),
        (Fate.INTACT, replace(WHOLE, linearised=None)),
        (Fate.BOUNCED, WHOLE),
        (Fate.LINEARISED, LINEARISED),
        (Fate.OVERFLOW, WHOLE),
        (Fate.DROPPED, REFUSED),
        (Fate.LOST, GONE),
        (Fate.VIF_DISABLED, GONE),
    ],
)
def test_fate_that_was_foretold_passes(fate: Fate, seen: Sighting) -> None:
    assert judge_layouts(run_of((fate, seen), (Fate.INTACT, WHOLE))).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("fate", "seen"), [(Fate.DROPPED, REFUSED), (Fate.LOST, GONE), (Fate.VIF_DISABLED, GONE)]
)
def test_run_of_which_nothing_has_to_arrive_says_nothing(fate: Fate, seen: Sighting) -> None:
    verdict = judge_layouts(run_of((fate, seen)))

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons == ("no packet was to arrive",)


def test_silent_loss_that_was_foretold_is_told_with_its_layout() -> None:
    verdict = judge_layouts(run_of((Fate.INTACT, WHOLE), (Fate.LOST, GONE), (Fate.LOST, GONE)))

    assert verdict.outcome is Outcome.PASS
    told = f"silent loss at netback, as predicted: 2 of 3 packets, the first `{LAYOUT}` (18 slots)"
    assert verdict.control.endswith(told)


@pytest.mark.parametrize(
    ("fate", "seen", "reason"),
    [
        (Fate.INTACT, GONE, "did not arrive"),
        (Fate.INTACT, LINEARISED, "was linearised"),
        (Fate.LINEARISED, WHOLE, "was not linearised"),
        (Fate.OVERFLOW, GONE, "did not arrive"),
        (Fate.INTACT, REFUSED, "was dropped by its driver"),
        (Fate.DROPPED, WHOLE, "was not dropped"),
        (Fate.DROPPED, GONE, "was not dropped"),
        (Fate.LOST, WHOLE, "and arrived"),
        (Fate.VIF_DISABLED, WHOLE, "and arrived"),
        (Fate.INTACT, replace(WHOLE, landing=Landing.DAMAGED), "arrived damaged"),
        (
            Fate.INTACT,
            replace(WHOLE, landing=Landing.DAMAGED, first_bad_offset=7),
            "arrived damaged, first in byte 7 of its payload",
        ),
        (Fate.INTACT, replace(WHOLE, landing=Landing.LATE), "arrived behind a later packet"),
        (Fate.INTACT, replace(WHOLE, landing=Landing.DOUBLED), "arrived more than once"),
        (Fate.INTACT, replace(WHOLE, landing=Landing.PARTIAL), "arrived in part"),
        (
            Fate.LINEARISED,
            replace(WHOLE, linearised=None, remade=True),
            "came back to its sender neither as it was composed nor in one piece",
        ),
    ],
)
def test_other_fate_fails_with_the_layout_to_send_again(
    fate: Fate, seen: Sighting, reason: str
) -> None:
    verdict = judge_layouts(run_of((fate, seen)))

    assert verdict.outcome is Outcome.FAIL
    assert f"packet 0, `{LAYOUT}` (18 slots) must be {fate}" in verdict.reasons[0]
    assert verdict.reasons[0].endswith(reason)
    assert verdict.numbers["disagreements"] == 1


@pytest.mark.parametrize("name", list(LayoutCounters.__dataclass_fields__))
@pytest.mark.parametrize("by", [-1, 1])
def test_counter_that_lies_by_one_is_named(name: str, by: int) -> None:
    run = replace(run_of((Fate.INTACT, WHOLE)), counted=replace(NOTHING, **{name: by}))
    verdict = judge_layouts(run)

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (f"{name} moved by {by}, not 0",)


LESS = MANY - 1
# One packet in 100,000: where it was counted last, and what has to be said of it.
LOSSES = {
    "silent loss between the sender and alice eth0: 1 of 100000 packets": way_through(LESS),
    "loss at alice eth0 qdisc_drops 1": way_through(LESS, alice_qdisc_drops=1),
    "silent loss between alice eth0 and vif1.0: 1 of 100000 packets": way_through(
        LESS, alice_tx_packets=MANY
    ),
    "silent loss between vif1.0 and vif2.0: 1 of 100000 packets": way_through(
        MANY, vif2_tx_packets=LESS, bob_rx_packets=LESS
    ),
    "loss at dom0 vif1.0 qdisc_drops 1": way_through(
        MANY, vif2_tx_packets=LESS, bob_rx_packets=LESS, vif1_qdisc_drops=1
    ),
    "loss at dom0 vif2.0 tx_dropped 1": way_through(
        MANY, vif2_tx_packets=LESS, bob_rx_packets=LESS, vif2_tx_dropped=1
    ),
    "silent loss between vif2.0 and bob eth0: 1 of 100000 packets": way_through(
        MANY, bob_rx_packets=LESS
    ),
    "loss at bob eth0 rx_errors 1": way_through(MANY, bob_rx_packets=LESS, bob_rx_errors=1),
    "silent loss between bob eth0 and its receiver: 1 of 100000 packets": way_through(MANY),
    "loss at bob eth0 qdisc_drops 1": way_through(MANY, bob_qdisc_drops=1),
}


@pytest.mark.parametrize("place", LOSSES)
def test_one_packet_of_a_hundred_thousand_is_missed_and_its_hop_is_named(place: str) -> None:
    verdict = judge_layouts(run_with(LOSSES[place], 70_000))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].startswith("packet 70000, ")
    assert verdict.reasons[2:] == (place,)


def test_losses_of_several_hops_are_told_each() -> None:
    way = way_through(MANY, alice_tx_packets=MANY - 1, vif1_rx_packets=MANY - 2,
                      vif2_tx_packets=MANY - 4, vif1_qdisc_drops=1,
                      bob_rx_packets=MANY - 5)  # fmt: skip
    verdict = judge_layouts(run_with(way, *range(6)))

    assert verdict.reasons[7:] == (
        "silent loss between the sender and alice eth0: 1 of 100000 packets",
        "silent loss between alice eth0 and vif1.0: 1 of 99999 packets",
        "silent loss between vif1.0 and vif2.0: 1 of 99998 packets",
        "loss at dom0 vif1.0 qdisc_drops 1",
        "silent loss between vif2.0 and bob eth0: 1 of 99996 packets",
        "silent loss between bob eth0 and its receiver: 1 of 99995 packets",
    )


def test_loss_that_is_foretold_is_none_and_one_more_is() -> None:
    fates = (Fate.LOST, *(Fate.INTACT,) * 9)
    way = way_through(9, alice_tx_packets=10)
    run = replace(run_with(way, 0, packets=10), fates=fates)
    assert judge_layouts(run).outcome is Outcome.PASS

    run = replace(run_with(way_through(8, alice_tx_packets=10), 0, 1, packets=10), fates=fates)
    assert judge_layouts(run).reasons[2:] == (
        "silent loss between alice eth0 and vif1.0: 1 of 10 packets",
    )


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize(
    ("counter", "point"),
    [
        ("alice_tx_packets", "alice eth0"),
        ("vif1_rx_packets", "vif1.0"),
        ("vif2_tx_packets", "vif2.0"),
        ("bob_rx_packets", "bob eth0"),
    ],
)
def test_counter_of_a_hop_that_lies_by_one_is_named(counter: str, point: str, by: int) -> None:
    verdict = judge_layouts(run_with(way_through(MANY, **{counter: MANY + by})))

    assert verdict.outcome is Outcome.FAIL
    side = counter.partition("_")[2]
    assert verdict.reasons == (
        f"{point} counted {MANY + by} {side}, and {MANY} passed it: its counter lies",
    )


@pytest.mark.parametrize("by", [-1, 1])
def test_byte_counter_that_lies_by_one_is_named_though_every_packet_came(by: int) -> None:
    told = {"alice_tx_bytes": 3000, "vif1_rx_bytes": 3000 + by - 3 * 14}

    verdict = judge_layouts(run_with(way_through(3, **told), packets=3))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].startswith("a counter lies: alice eth0 counts 3000 bytes of 3 packet")


@pytest.mark.parametrize(
    "counter", ["alice_qdisc_drops", "vif1_qdisc_drops", "vif2_tx_dropped", "bob_rx_errors",
                "bob_qdisc_drops"]
)  # fmt: skip
def test_drop_that_no_packet_misses_is_told(counter: str) -> None:
    verdict = judge_layouts(run_with(way_through(MANY, **{counter: 1})))

    assert verdict.outcome is Outcome.FAIL
    assert counter.partition("_")[2] in verdict.reasons[0]


def test_packet_that_is_made_on_the_way_has_its_hop() -> None:
    doubled = replace(WHOLE, landing=Landing.DOUBLED)
    way = way_through(MANY, vif2_tx_packets=MANY + 1, bob_rx_packets=MANY + 1)
    run = run_with(way)
    run = replace(run, sightings=(*run.sightings[1:], doubled))
    assert judge_layouts(run).reasons[2:] == ("1 packets more at vif2.0 than at vif1.0 (100000)",)


def test_way_that_does_not_come_to_rest_is_told() -> None:
    unrest = "1 zerocopy packets of vif1.0 are out"
    run = run_with(replace(way_through(MANY), unrest=unrest))
    assert judge_layouts(run).reasons == (f"the way never came to rest: {unrest}",)


def test_nothing_sent_says_nothing() -> None:
    assert judge_layouts(run_of()).outcome is Outcome.INCONCLUSIVE


def test_reasons_are_not_without_end() -> None:
    many = 3 * REASONS_MAX
    verdict = judge_layouts(run_of(*[(Fate.INTACT, GONE)] * many))

    # How many more, how to send them again, and where they were lost.
    assert len(verdict.reasons) == REASONS_MAX + 3
    assert verdict.numbers["disagreements"] == many


def test_every_layout_that_disagrees_is_kept_and_the_reason_names_the_command_that_sends_it() -> (
    None
):
    others = tuple(layouts_of_slots(5, 3 * REASONS_MAX))
    run = run_of(*[(Fate.INTACT, GONE)] * len(others), (Fate.INTACT, WHOLE))

    verdict = judge_layouts(replace(run, layouts=(*others, LAYOUT)))

    assert tuple(map(parse_layout, verdict.layouts)) == others
    assert verdict.reasons[REASONS_MAX + 1] == (
        "again: `xenlab test slots --layout-file FILE`;"
        " they lie in layouts.txt in the folder of this run"
    )
    other = judge_layouts(run, suite="fraglist")
    assert "`xenlab test fraglist --layout-file FILE`" in other.reasons[REASONS_MAX + 1]
    assert judge_layouts(run_of((Fate.INTACT, WHOLE))).layouts == ()


def test_layouts_that_are_kept_have_an_end_and_the_rest_is_counted() -> None:
    many = LAYOUTS_MAX + 7
    verdict = judge_layouts(run_of(*[(Fate.INTACT, GONE)] * many))

    assert len(verdict.layouts) == LAYOUTS_MAX
    assert verdict.numbers["disagreements"] == many
    assert f"the first {LAYOUTS_MAX} lie in" in verdict.reasons[REASONS_MAX + 1]


def test_layouts_of_a_suite_that_are_not_sent_are_a_skip() -> None:
    assert judge_unsent("alice -> bob").outcome is Outcome.SKIP


def test_control_says_what_the_run_could_have_shown() -> None:
    verdict = judge_layouts(run_of((Fate.INTACT, WHOLE), (Fate.LINEARISED, LINEARISED)))
    assert verdict.control == (
        "18 to 18 slots; 1 intact, 1 linearised;"
        " counted on the way: alice eth0 2, vif1.0 2, vif2.0 2, bob eth0 2"
        "; no form of 2 that came in several pieces, or at which nobody looked"
    )


FORM = Form(
    head_bytes=128, gso_size_bytes=LAYOUT.gso_size_bytes,
    blank=LAYOUT.checksum is Checksum.PARTIAL, frags=17,
)  # fmt: skip


def in_form(form: Form, *, heads_bytes: tuple[int, ...] = (128,)) -> LayoutRun:
    run = run_of((Fate.INTACT, replace(WHOLE, form=form)))
    return replace(run, layouts=(LAYOUT,), heads_bytes=heads_bytes)


OTHER_FORMS = pytest.mark.parametrize(
    ("form", "reason"),
    [
        (FORM._replace(head_bytes=64), "came with 64 bytes in its head, not 128"),
        (FORM._replace(gso_size_bytes=7), f"came with a GSO size of 7, not {FORM.gso_size_bytes}"),
        (FORM._replace(blank=False), "came with a checksum that was blank and is none any more"),
        (FORM._replace(listed=1), "came with 1 skbs on a frag_list"),
    ],
)


@OTHER_FORMS
def test_packet_that_comes_in_another_form_fails(form: Form, reason: str) -> None:
    assert LAYOUT.checksum is Checksum.PARTIAL
    assert judge_layouts(in_form(FORM)).outcome is Outcome.PASS

    verdict = judge_layouts(in_form(form))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].endswith(reason)


@OTHER_FORMS
def test_head_that_is_not_foretold_leaves_the_rest_of_the_form_judged(
    form: Form, reason: str
) -> None:
    verdict = judge_layouts(in_form(form, heads_bytes=()))

    if form.head_bytes == FORM.head_bytes:
        assert verdict.outcome is Outcome.FAIL
        assert verdict.reasons[0].endswith(reason)
    else:
        assert verdict.outcome is Outcome.PASS
    assert "; head of 1 not foretold" in verdict.control


def test_control_tells_of_what_part_of_the_form_nothing_is_foretold() -> None:
    whole = judge_layouts(replace(in_form(FORM), frags=(17,)))
    part = judge_layouts(in_form(FORM, heads_bytes=()))

    assert "not foretold" not in whole.control
    assert "no form" not in whole.control
    told = ("forms_judged", "heads_judged", "frags_judged")
    assert [whole.numbers[name] for name in told] == [1, 1, 1]
    assert [part.numbers[name] for name in told] == [1, 0, 0]
    assert part.control.endswith("; head of 1 not foretold; frags of 1 not foretold")


def test_form_behind_a_nic_is_not_judged_and_the_control_says_so() -> None:
    joined = replace(WHOLE, form=FORM._replace(gso_size_bytes=7, listed=2))

    verdict = judge_layouts(wired_run(way_over_the_wire(3, 47), joined, WHOLE, WHOLE))

    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers["forms_judged"] == 0
    assert "; no form is judged behind a NIC" in verdict.control


def test_expectations_of_fewer_packets_than_were_sent_are_an_error_and_pass_nothing() -> None:
    run = run_of((Fate.INTACT, WHOLE), (Fate.INTACT, GONE))

    with pytest.raises(ValueError, match="zip"):
        judge_layouts(replace(run, heads_bytes=(128,)))


def test_packet_that_comes_in_another_number_of_frags_fails_where_they_are_predicted() -> None:
    run = replace(in_form(FORM), frags=(17,))
    assert judge_layouts(run).outcome is Outcome.PASS

    verdict = judge_layouts(replace(in_form(FORM), frags=(16,)))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].endswith("came with 17 frags, not 16")
    unforetold = replace(in_form(FORM), frags=(None,))
    assert judge_layouts(unforetold).outcome is Outcome.PASS


def test_packet_that_its_driver_keeps_fails_although_it_arrived() -> None:
    verdict = judge_layouts(run_of((Fate.INTACT, replace(WHOLE, held=True))))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].endswith("was not given back to its sender by its driver")


def wired_run(way: LayoutWay, *seen: Sighting) -> LayoutRun:
    """Three packets out of a guest, of which the second is cut into 45 frames before the NIC."""
    run = run_of(*((Fate.INTACT, each) for each in seen or (WHOLE,) * 3))
    return replace(run, way=way, frames=(1, 45, 1))


def test_packets_that_are_cut_before_a_wire_pass_where_the_nic_counts_all_frames() -> None:
    verdict = judge_layouts(wired_run(way_over_the_wire(3, 47)))

    assert verdict.outcome is Outcome.PASS
    assert "alice eth0 3, vif1.0 3, uplink 47, peer uplink 47" in verdict.control


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        ({"uplink_tx_packets": 48}, "uplink counted 48 tx_packets, and 47 passed it"),
        ({"peer_rx_packets": 46}, "peer uplink counted 46 rx_packets, and 47 passed it"),
    ],
)
def test_nic_that_counts_another_number_of_frames_lies(counted: dict[str, int], told: str) -> None:
    verdict = judge_layouts(wired_run(way_over_the_wire(3, 47, **counted)))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (f"{told}: its counter lies",)


def test_loss_of_a_packet_before_it_is_cut_is_told_though_there_are_more_frames() -> None:
    verdict = judge_layouts(wired_run(way_over_the_wire(3, 46), GONE, WHOLE, WHOLE))

    assert verdict.outcome is Outcome.FAIL
    assert "did not arrive" in verdict.reasons[0]
