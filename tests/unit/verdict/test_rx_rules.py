"""Rules of a paused guest: each is seen to fail by the one thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from xenlab.measure.layouts import Landing
from xenlab.measure.ring import RingSide
from xenlab.measure.rx import Overrun, RxRun, VifSight
from xenlab.slots.limits import Limits
from xenlab.slots.receive import deliver_layout
from xenlab.tests.rx.mixes import build_packet
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.rx import (
    judge_expiry,
    judge_fill,
    judge_overrun,
    judge_recovery,
    judge_stall,
)
from xenlab.verdict.verdict import Verdict

PACKETS = 300
WAITING = PACKETS - 256
RING = RingSide(
    entries=256, req_prod=256, req_cons=0, req_event=1, rsp_prod=0, rsp_prod_pvt=0, rsp_event=1
)
BEFORE = VifSight(
    ring=RING, queued=0, queued_bytes=0, sent=7, dropped=0, expired=0, carrier=True,
    carrier_losses=1, carrier_gains=2,
)  # fmt: skip
FULL = replace(RING, req_cons=256, rsp_prod=256, rsp_prod_pvt=256)
DURING = replace(BEFORE, ring=FULL, queued=WAITING, queued_bytes=WAITING * 100, sent=7 + 256)
AGAIN = replace(FULL, req_prod=556, req_cons=300, rsp_prod=300, rsp_prod_pvt=300)
AFTER = replace(BEFORE, ring=AGAIN, sent=7 + PACKETS)


def run(
    *, during: VifSight = DURING, after: VifSight = AFTER, lost: int = 0, packets: int = PACKETS
) -> RxRun:
    layout = build_packet(100, gso=False)
    landings = (Landing.WHOLE,) * (packets - lost) + (Landing.MISSING,) * lost
    return RxRun(
        subject="dom0 -> bob, paused",
        layouts=(layout,) * packets,
        deliveries=(deliver_layout(layout),) * packets,
        landings=landings,
        before=BEFORE,
        during=during,
        after=after,
    )


def test_ring_that_took_what_it_must_passes_and_so_does_what_came_after() -> None:
    assert judge_fill(run()).outcome is Outcome.PASS
    assert judge_recovery(run()).outcome is Outcome.PASS
    assert judge_fill(run()).numbers["waited"] == WAITING


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sent": 7 + 255}, "packets in the ring: 255, not 256"),
        ({"ring": replace(FULL, req_cons=257)}, "slots used: 257, not 256"),
        ({"queued": WAITING - 1}, f"packets waiting: {WAITING - 1}, not {WAITING}"),
        ({"dropped": 1}, "packets refused (tx_dropped): 1, not 0"),
        ({"expired": 1}, "packets expired (rx_dropped): 1, not 0"),
    ],
)
def test_ring_that_took_something_else_fails(change: dict[str, int], reason: str) -> None:
    verdict = judge_fill(run(during=replace(DURING, **change)))  # type: ignore[arg-type]

    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons


def test_guest_that_offers_less_than_its_ring_fails() -> None:
    half = replace(BEFORE, ring=replace(RING, req_prod=128))
    during = replace(DURING, ring=replace(half.ring, req_cons=128), sent=7 + 128)
    during = replace(during, queued=PACKETS - 128)

    verdict = judge_fill(replace(run(during=during), before=half))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("slots that the guest offered: 128, not 256",)


def test_ring_that_was_not_exhausted_proves_nothing() -> None:
    during = replace(DURING, ring=replace(RING, req_cons=20), sent=7 + 20, queued=0)
    few = run(during=during, packets=20)

    assert judge_fill(few).outcome is Outcome.INCONCLUSIVE
    after = replace(AFTER, ring=replace(AGAIN, req_prod=276, req_cons=20))
    assert judge_recovery(run(during=during, after=after, packets=20)).outcome is (
        Outcome.INCONCLUSIVE
    )


def test_packet_that_was_lost_in_the_recovery_fails() -> None:
    verdict = judge_recovery(run(lost=1))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (f"packets that arrived whole: {PACKETS - 1}, not {PACKETS}",)


@pytest.mark.parametrize("landing", [Landing.DAMAGED, Landing.DOUBLED, Landing.PARTIAL])
def test_packet_that_did_not_land_whole_fails_as_what_it_is(landing: Landing) -> None:
    good = run()
    verdict = judge_recovery(replace(good, landings=(*good.landings[1:], landing)))

    assert verdict.outcome is Outcome.FAIL
    assert f"1 of {PACKETS} packets {landing}" in verdict.reasons


@pytest.mark.parametrize(
    "after",
    [
        replace(AFTER, carrier=False),
        replace(AFTER, expired=1),
        replace(AFTER, dropped=1),
        replace(AFTER, queued=1),
        replace(AFTER, ring=replace(AGAIN, req_prod=555)),
    ],
)
def test_vif_that_is_not_what_it_was_fails(after: VifSight) -> None:
    assert judge_recovery(run(after=after)).outcome is Outcome.FAIL


STALLED = replace(DURING, carrier=False, carrier_losses=2)
BACK = replace(AFTER, carrier_losses=2, carrier_gains=3)


def test_carrier_that_went_and_came_back_passes() -> None:
    assert judge_stall(run(during=STALLED, after=BACK)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("during", "after"),
    [
        (DURING, AFTER),
        (replace(STALLED, carrier=True), BACK),
        (STALLED, replace(BACK, carrier_gains=2)),
        (STALLED, replace(BACK, carrier_losses=3)),
    ],
)
def test_carrier_that_stayed_or_flapped_fails(during: VifSight, after: VifSight) -> None:
    assert judge_stall(run(during=during, after=after)).outcome is Outcome.FAIL


EXPIRED = replace(DURING, queued=0, queued_bytes=0, expired=WAITING)


def test_all_that_waited_and_expired_is_counted_once() -> None:
    after = replace(AFTER, expired=WAITING)
    found = run(during=EXPIRED, after=after, lost=WAITING)

    assert judge_expiry(found).outcome is Outcome.PASS
    assert judge_recovery(found, expired=WAITING).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("during", "lost"),
    [
        (replace(EXPIRED, expired=WAITING - 1), WAITING),
        (replace(EXPIRED, expired=WAITING + 1), WAITING),
        (EXPIRED, WAITING + 1),
        (DURING, 0),
    ],
)
def test_expiry_that_is_not_counted_or_not_all_of_it_fails(during: VifSight, lost: int) -> None:
    assert judge_expiry(run(during=during, lost=lost)).outcome is Outcome.FAIL


XDP = Limits(xdp_headroom_bytes=256)
KINDS = [(3000, True), *[(100, False)] * 130]
OVER = replace(FULL, req_cons=263, rsp_prod=263, rsp_prod_pvt=263)


def overrun(*, during: VifSight, told: int, kinds: list[tuple[int, bool]] | None = None) -> Overrun:
    packets = [build_packet(length, gso=gso) for length, gso in kinds or KINDS]
    return Overrun(
        subject="dom0 -> bob, paused",
        deliveries=tuple(deliver_layout(packet, XDP) for packet in packets),
        before=BEFORE,
        during=during,
        told=told,
    )


def test_overrun_that_the_model_knows_passes_and_is_told_of() -> None:
    verdict = judge_overrun(overrun(during=replace(DURING, ring=OVER, sent=7 + 131), told=263))

    assert verdict.outcome is Outcome.PASS
    assert verdict.reasons[0].startswith("known: netback took 7 slots that nobody had offered")


def test_netback_that_reckons_with_the_headroom_passes_without_a_word() -> None:
    verdict = judge_overrun(overrun(during=replace(DURING, ring=FULL), told=0))

    assert (verdict.outcome, verdict.reasons) == (Outcome.PASS, ())


@pytest.mark.parametrize(
    ("slots", "told"), [(263, 262), (263, 0), (257, 257), (256, 256), (300, 300)]
)
def test_overrun_that_is_not_the_predicted_one_fails(slots: int, told: int) -> None:
    ring = replace(FULL, req_cons=slots)

    verdict = judge_overrun(overrun(during=replace(DURING, ring=ring), told=told))

    assert verdict.outcome is Outcome.FAIL


def test_netback_that_took_nothing_at_all_does_not_pass_for_a_careful_one() -> None:
    verdict = judge_overrun(overrun(during=BEFORE, told=0))

    assert verdict.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("rule", [judge_fill, judge_recovery])
def test_packets_that_grew_too_old_in_a_long_pause_show_nothing(
    rule: Callable[[RxRun], Verdict],
) -> None:
    expired = replace(DURING, expired=3, queued=WAITING - 3)
    quick = run(during=expired, after=replace(AFTER, expired=3), lost=3)

    assert rule(quick).outcome is Outcome.FAIL
    slow = rule(replace(quick, pause_s=12.5))
    assert slow.outcome is Outcome.INCONCLUSIVE
    assert slow.reasons == ("the pause lasted 12.5 s, and what waits 10.0 s expires",)


def test_long_pause_excuses_nothing_but_what_grew_too_old() -> None:
    expired = replace(DURING, expired=3, queued=WAITING - 4)
    slow = replace(run(during=expired, after=replace(AFTER, expired=3), lost=4), pause_s=12.5)

    assert judge_fill(slow).outcome is Outcome.FAIL
    assert judge_recovery(slow).reasons == ("packets that arrived whole: 296, not 297",)
    assert judge_recovery(replace(run(), pause_s=12.5)).outcome is Outcome.PASS


def test_packets_that_cannot_overrun_a_ring_prove_nothing() -> None:
    found = overrun(during=DURING, told=0, kinds=[(100, False)] * 200)

    assert judge_overrun(found).outcome is Outcome.INCONCLUSIVE


def test_what_a_guest_refuses_for_its_headroom_need_not_arrive() -> None:
    layouts = (build_packet(9014, gso=False), build_packet(100, gso=False)) * 150
    found = replace(
        run(),
        layouts=layouts,
        deliveries=tuple(deliver_layout(layout, XDP) for layout in layouts),
        landings=(Landing.MISSING, Landing.WHOLE) * 150,
    )

    assert found.rejected == 150
    assert judge_recovery(found).outcome is Outcome.PASS
    more = replace(found, landings=(Landing.MISSING,) * 2 + found.landings[2:])
    assert judge_recovery(more).outcome is Outcome.FAIL
